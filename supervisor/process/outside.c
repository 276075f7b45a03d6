/* outside.c - in a child: the tree outside, as far as somebody here looks for it.
 *
 * For each path there is an actor which hands its messages on over the border, and the
 * answers back. It takes messages of every type: that they are of the right one is looked
 * at where they are run.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/supervisor/process/process_internal.h>

#include <stdlib.h>
#include <string.h>

#include <bough/core/assert.h>
#include <bough/core/runtime.h>

/* A question that was handed on. */
struct asked {
    uint64_t id;
    struct bough_question *question;
    UT_hash_handle hh;
};

/* Of this process, which is one child's. */
static struct asked *all_asked;
static uint64_t last_id;

static struct asked *remember(struct bough_question *question)
{
    struct asked *asked = malloc(sizeof(*asked));

    if (asked == NULL) return NULL;
    *asked = (struct asked){ .id = ++last_id, .question = question };
    HASH_ADD(hh, all_asked, id, sizeof(asked->id), asked);
    if (asked->hh.tbl != NULL) return asked;
    free(asked);
    return NULL;
}

static void forget(struct asked *asked)
{
    HASH_DEL(all_asked, asked);
    free(asked);
}

void bough_outside_answered(const struct bough_frame *frame, const void *reply,
                            size_t size)
{
    struct asked *asked;

    HASH_FIND(hh, all_asked, &frame->id, sizeof(frame->id), asked);
    if (asked == NULL) return;
    struct bough_question *question = asked->question;

    forget(asked);
    if (frame->status == BOUGH_OK)
        bough_question_reply(question, reply, size);
    else if (size > 0)
        bough_question_refuse(question, (enum bough_status)frame->status, "%s",
                              (const char *)reply);
    else
        bough_question_refuse(question, (enum bough_status)frame->status, "%s",
                              bough_status_text((enum bough_status)frame->status));
}

/* The path, padded, and the message behind it, as inbound.c splits them; NULL when memory
 * is out. */
static char *join(const char *path, const void *message, size_t size, size_t *joined)
{
    const size_t begin = (strlen(path) + 1 + 15) & ~(size_t)15;
    char *bytes = calloc(1, begin + size + 1);

    if (bytes == NULL) return NULL;
    memcpy(bytes, path, strlen(path));
    bough_copy_bytes(bytes + begin, message, size);
    *joined = begin + size;
    return bytes;
}

static enum bough_status hand_on(struct bough_actor *actor, struct bough_frame *frame,
                                 const void *message, size_t size)
{
    size_t joined;
    char *bytes = join(bough_actor_path(actor), message, size, &joined);

    if (bytes == NULL) return BOUGH_ENOMEM;
    if (bough_is_high(actor)) frame->flags |= BOUGH_FRAME_HIGH;
    const enum bough_status status = bough_child_write(frame, bytes, joined, false);
    free(bytes);
    return status;
}

static void outside_run(struct bough_actor *actor, const void *message, size_t size)
{
    struct bough_frame frame = { .kind = BOUGH_FRAME_TELL };
    struct bough_question *question;
    struct asked *asked = NULL;
    enum bough_status status;

    if (bough_is_asked(actor)) {
        question = bough_later(actor);
        if (question == NULL) return;
        asked = remember(question);
        if (asked == NULL) {
            bough_question_refuse(question, BOUGH_ENOMEM, "no memory to hand it on");
            return;
        }
        frame.kind = BOUGH_FRAME_ASK;
        frame.id = asked->id;
    }
    status = hand_on(actor, &frame, message, size);
    if (status == BOUGH_OK) return;
    if (asked != NULL) {
        question = asked->question;
        forget(asked);
        bough_question_refuse(question, status, "%s", bough_status_text(status));
    } else {
        bough_log(bough_actor_runtime(actor), BOUGH_WARNING, bough_actor_path(actor),
                  "a message could not be handed on: %s", bough_status_text(status));
    }
}

struct outside {
    bool watched; /* the one outside is, too */
};

static enum bough_status outside_init(struct bough_actor *actor, const void *options)
{
    (void)actor, (void)options;
    return BOUGH_OK;
}

static void outside_watched(struct bough_actor *actor)
{
    const struct bough_frame frame = { .kind = BOUGH_FRAME_WATCH };
    const char *path = bough_actor_path(actor);
    struct outside *self = bough_state(actor);

    if (self->watched) return;
    self->watched = true;
    bough_child_say(frame, path, strlen(path) + 1);
}

static const struct bough_actor_type outside_type = {
    .name = "outside",
    .help = "Hands messages on to an actor outside of this process.",
    .state_size = sizeof(struct outside),
    .init = outside_init,
    .run = outside_run,
    .watched = outside_watched,
};

void bough_outside_gone(struct bough_loop *loop, const char *path,
                        const struct bough_exit_reason *reason)
{
    struct bough_place_info info;
    struct bough_address place;
    struct outside *self;

    if (bough_outside_find(loop, path, &place) != BOUGH_OK ||
        bough_place_info(place, &info) != BOUGH_OK || info.type != &outside_type)
        return;
    self = bough_state(place.slot);
    self->watched = false;
    bough_next_life(place.slot, reason);
}

/* Places: from the root down */

static bool make(struct bough_loop *loop, struct bough_address parent, const char *name,
                 struct bough_address *place)
{
    const struct bough_place_spec spec = {
        .type = &outside_type,
        .parent = parent,
        .name = name,
    };

    return bough_place_new(loop, &spec, place) == BOUGH_OK &&
           bough_place_start(*place, NULL, NULL) == BOUGH_OK;
}

static void make_path(struct bough_loop *loop, const char *path)
{
    char prefix[BOUGH_PATH_MAX] = "/", name[BOUGH_NAME_MAX + 1];
    struct bough_address place, parent = BOUGH_NOBODY;
    size_t len = 0;

    if (bough_lookup(loop, "/", &place) != BOUGH_OK && !make(loop, parent, "/", &place))
        return;
    while (path[len] == '/' && path[len + 1] != '\0') {
        const size_t step = strcspn(path + len + 1, "/");

        parent = place;
        memcpy(name, path + len + 1, step);
        name[step] = '\0';
        len += 1 + step;
        memcpy(prefix, path, len);
        prefix[len] = '\0';
        if (bough_lookup(loop, prefix, &place) != BOUGH_OK &&
            !make(loop, parent, name, &place))
            return;
    }
}

/* Looking for what is there: then nothing is missing. */
static bool looking;

void bough_outside_missing(void *data, struct bough_loop *loop, const char *path)
{
    (void)data;
    if (looking) return;
    looking = true;
    make_path(loop, path);
    looking = false;
}

enum bough_status bough_outside_find(struct bough_loop *loop, const char *path,
                                     struct bough_address *place)
{
    looking = true;
    const enum bough_status status = bough_lookup(loop, path, place);
    looking = false;
    return status;
}

/* Its end is over when what is ready has been run. What it was sent waits for who comes,
 * and its questions are answered as by one that has been replaced. */
void bough_outside_yield(struct bough_loop *loop, const char *path)
{
    const struct bough_exit_reason replaced =
        bough_exit_make(BOUGH_EXIT_SHUTDOWN, BOUGH_OK, 0, "it lives here now");
    struct bough_place_info info;
    struct bough_address place;

    if (bough_outside_find(loop, path, &place) != BOUGH_OK ||
        bough_place_info(place, &info) != BOUGH_OK || info.type != &outside_type)
        return;
    bough_place_end(place, &replaced, 0);
    bough_loop_end(loop);
    bough_loop_run_ready(loop, SIZE_MAX);
    bough_loop_begin(loop);
}
