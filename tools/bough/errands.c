/* errands.c - what a client may have a supervisor do with a child: start it, stop it,
 * stop it and start it again.
 *
 * An errand is a call to the supervisor that lives by itself: when the client does not
 * wait, or leaves, it goes on, so that a restart never ends half-way. What can be known
 * beforehand is refused at once; what goes wrong later is told to the client that waits,
 * or else to the log.
 *
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include <bough/core/place.h>
#include <bough/core/runtime.h>
#include <bough/supervisor/supervisor.h>
#include <bough/tools/bough/body.h>

enum what { START, STOP, RESTART };

struct bough_errand {
    struct bough_call call;
    struct bough_request *request; /* waits for it; NULL: nobody does */
    struct bough_loop *loop;
    struct bough_supervisor supervisor;
    enum what what;
    bool begun;       /* a restart: it is down, and being started */
    const char *name; /* the last part of the path */
    char path[BOUGH_PATH_MAX];
};

static const char
    *const names[] = { [START] = "start", [STOP] = "stop", [RESTART] = "restart" };

void bough_errand_leave(struct bough_request *request)
{
    if (request->errand == NULL) return;
    request->errand->request = NULL;
    request->errand = NULL;
}

/* The end of an errand */

/* What has become of the child. */
static json_t *outcome(const struct bough_errand *errand)
{
    struct bough_place_info info;
    struct bough_address place;

    if (bough_lookup(errand->loop, errand->path, &place) != BOUGH_OK ||
        bough_place_info(place, &info) != BOUGH_OK)
        return json_pack("{s:s, s:s}", "path", errand->path, "state", "removed");
    return json_pack("{s:s, s:s, s:I}", "path", info.path, "state",
                     bough_place_state_name(info.state == BOUGH_PLACE_RESERVED
                                                ? BOUGH_PLACE_STOPPED
                                                : info.state),
                     "life", (json_int_t)info.life);
}

static void tell_client(struct bough_errand *errand, enum bough_status status)
{
    struct bough_request *request = errand->request;

    bough_errand_leave(request);
    if (status == BOUGH_OK)
        bough_request_json(request, MHD_HTTP_OK, outcome(errand));
    else
        bough_request_refuse(request, status, "%s",
                             bough_call_text(&errand->call, status));
    bough_request_resume(request);
}

static void errand_done(struct bough_call *call, enum bough_status status)
{
    struct bough_errand *errand = bough_container(call, struct bough_errand, call);

    if (status == BOUGH_OK && errand->what == RESTART && !errand->begun) {
        errand->begun = true;
        bough_supervisor_restart_child(errand->supervisor, errand->name, call);
        return;
    }
    if (errand->request != NULL)
        tell_client(errand, status);
    else if (status != BOUGH_OK)
        bough_log(bough_loop_runtime(errand->loop), BOUGH_WARNING, errand->path,
                  "%s by hand: %s: %s", names[errand->what], bough_status_name(status),
                  bough_call_text(call, status));
    free(errand);
}

/* Its beginning */

static bool lives(enum bough_place_state state)
{
    return state == BOUGH_PLACE_STARTING || state == BOUGH_PLACE_RUNNING ||
           state == BOUGH_PLACE_STOPPING;
}

/* The supervisor of the child at `path`; false, refused, when there is none to ask. */
static bool find_supervisor(struct bough_request *request, const char *path,
                            struct bough_address *place, struct bough_place_info *info)
{
    const size_t length = (size_t)(strrchr(path, '/') - path);
    char above[BOUGH_PATH_MAX] = "/";

    if (path[1] == '\0') {
        bough_request_refuse(request, BOUGH_EREFUSED,
                             "the root has no supervisor; `bough shutdown` stops the "
                             "tree, `bough run` starts it");
        return false;
    }
    if (length > 0) {
        memcpy(above, path, length);
        above[length] = '\0';
    }
    if (!bough_request_find(request, above, place, info)) return false;
    if (info->type != &bough_supervisor_type) {
        bough_request_refuse(request, BOUGH_EREFUSED,
                             "it is one of several replicas; ask for %s, which is all of "
                             "them",
                             above);
        return false;
    }
    if (info->state == BOUGH_PLACE_RUNNING) return true;
    bough_request_refuse(request, lives(info->state) ? BOUGH_EREFUSED : BOUGH_EGONE,
                         "its supervisor %s is %s", above,
                         bough_place_state_name(info->state));
    return false;
}

/* Whether a start, or the start after a stop, can come to anything. */
static bool startable(struct bough_request *request, enum what what,
                      const struct bough_place_info *child,
                      struct bough_address supervisor)
{
    if (what == START && lives(child->state)) {
        bough_request_refuse(request, BOUGH_ERUNNING, "%s runs", child->path);
    } else if (what == START && child->state == BOUGH_PLACE_RESTARTING) {
        bough_request_refuse(request, BOUGH_ERESTARTING, "%s is being restarted",
                             child->path);
    } else if (bough_supervisor_template(supervisor) != NULL ||
               (child->restart != NULL && strcmp(child->restart, "temporary") == 0)) {
        bough_request_refuse(request, BOUGH_EREFUSED,
                             "once %s has ended it is forgotten, and cannot be started "
                             "again",
                             child->path);
    } else {
        return true;
    }
    return false;
}

static struct bough_errand *errand_new(struct bough_request *request, enum what what,
                                       struct bough_address supervisor, const char *path)
{
    struct bough_errand *errand = calloc(1, sizeof(*errand));

    if (errand == NULL) {
        bough_request_refuse(request, BOUGH_ENOMEM, "out of memory");
        return NULL;
    }
    errand->call.done = errand_done;
    errand->loop = request->control->options.loop;
    errand->supervisor.address = supervisor;
    errand->what = what;
    memcpy(errand->path, path, strlen(path) + 1);
    errand->name = strrchr(errand->path, '/') + 1;
    return errand;
}

static void begin(struct bough_request *request, struct bough_errand *errand, bool wait)
{
    if (errand->what == START)
        bough_supervisor_restart_child(errand->supervisor, errand->name, &errand->call);
    else
        bough_supervisor_terminate_child(errand->supervisor, errand->name, &errand->call);
    if (wait) {
        errand->request = request;
        request->errand = errand;
        bough_request_suspend(request);
    } else {
        bough_request_json(
            request, MHD_HTTP_ACCEPTED,
            json_pack("{s:s, s:s}", "path", errand->path, "asked", names[errand->what]));
    }
}

static void run(struct bough_request *request, const char *path, enum what what)
{
    static const char *const allowed[] = { "wait", NULL };
    struct bough_place_info child, above;
    struct bough_address place, supervisor;
    struct bough_errand *errand;
    struct bough_body body;

    if (!bough_request_find(request, path, &place, &child)) return;
    if (!find_supervisor(request, path, &supervisor, &above)) return;
    if (what != STOP && !startable(request, what, &child, supervisor)) return;
    if (!bough_body_parse(request, allowed, &body)) return;
    errand = errand_new(request, what, supervisor, path);
    if (errand != NULL) begin(request, errand, body.wait);
    json_decref(body.json);
}

void bough_action_start(struct bough_request *request, const char *path)
{
    run(request, path, START);
}

void bough_action_stop(struct bough_request *request, const char *path)
{
    run(request, path, STOP);
}

void bough_action_restart(struct bough_request *request, const char *path)
{
    run(request, path, RESTART);
}
