/* outlook.c - watches of actors here for who lives in a process.
 *
 * There an actor stands for each one outside that somebody has looked for. Whoever
 * watches it means the one outside: so it asks for that one to be watched, and is told of
 * its end, once, with the reason.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/supervisor/process/process_internal.h>

#include <stdlib.h>
#include <string.h>

#include <bough/core/runtime.h>

enum { OUTLOOKS_MAX = 4096 }; /* of one process */

struct bough_outlook {
    struct bough_watch watch;
    struct bough_host *host;
    UT_hash_handle hh; /* by path */
    char path[];
};

/* The reason, and the path behind it. */
static void tell_gone(struct bough_host *host, const char *path,
                      const struct bough_exit_reason *reason)
{
    struct bough_frame frame = { .kind = BOUGH_FRAME_GONE };
    char bytes[sizeof(*reason) + BOUGH_PATH_MAX];
    const size_t len = strlen(path) + 1;
    struct bough_exit_reason copy = { .kind = BOUGH_EXIT_NORMAL };

    if (host->pidfd < 0) return;
    bough_exit_copy(&copy, reason);
    memcpy(bytes, &copy, sizeof(copy));
    memcpy(bytes + sizeof(copy), path, len);
    if (bough_border_post(&host->border, &frame, bytes, sizeof(copy) + len,
                          BOUGH_UNREAD_MAX) != BOUGH_OK)
        bough_host_distrust(host, "it watches and does not read what it is told");
    bough_border_poke(&host->border);
}

static void on_exited(struct bough_watch *watch, const struct bough_exit_reason *reason)
{
    struct bough_outlook *outlook = bough_container(watch, struct bough_outlook, watch);

    HASH_DEL(outlook->host->outlooks, outlook);
    tell_gone(outlook->host, outlook->path, reason);
    free(outlook);
}

static struct bough_outlook *enter(struct bough_host *host, const char *path)
{
    const size_t len = strlen(path);
    struct bough_outlook *outlook;

    if (HASH_COUNT(host->outlooks) >= OUTLOOKS_MAX) return NULL;
    outlook = calloc(1, sizeof(*outlook) + len + 1);
    if (outlook == NULL) return NULL;
    memcpy(outlook->path, path, len);
    outlook->host = host;
    HASH_ADD_KEYPTR(hh, host->outlooks, outlook->path, len, outlook);
    if (outlook->hh.tbl != NULL) return outlook;
    free(outlook);
    return NULL;
}

static void lose(struct bough_host *host, const char *path, enum bough_status status,
                 const char *why)
{
    const struct bough_exit_reason lost =
        bough_exit_make(BOUGH_EXIT_LOST, status, 0, "%s", why);

    tell_gone(host, path, &lost);
}

void bough_outlook_begin(struct bough_host *host, const char *path)
{
    struct bough_outlook *outlook;
    struct bough_address place;

    HASH_FIND(hh, host->outlooks, path, strlen(path), outlook);
    if (outlook != NULL) return;
    if (bough_lookup(bough_actor_loop(host->owner), path, &place) != BOUGH_OK) {
        lose(host, path, BOUGH_ENOTFOUND, "there is nobody of that path");
        return;
    }
    outlook = enter(host, path);
    if (outlook == NULL) {
        lose(host, path, BOUGH_ENOMEM, "too many are watched, or memory is out");
        return;
    }
    outlook->watch.exited = on_exited;
    outlook->watch.owner = host->owner;
    bough_watch(&outlook->watch, place);
}

void bough_outlook_close(struct bough_host *host)
{
    struct bough_outlook *outlook, *next;

    HASH_ITER (hh, host->outlooks, outlook, next) {
        HASH_DEL(host->outlooks, outlook);
        bough_watch_cancel(&outlook->watch);
        free(outlook);
    }
}
