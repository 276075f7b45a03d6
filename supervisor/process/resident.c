/* resident.c - the actors that live in this process, and who stand for them outside.
 *
 * Each has a number there, and a place here at its own path, which is kept from one life
 * to the next. Its supervisor is outside: a life begins and ends when that says so, and
 * is told of what becomes of it. What comes from outside for one that is not alive was
 * sent before its end was known there, and is sent again.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/supervisor/process/process_internal.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bough/core/assert.h>
#include <bough/core/runtime.h>
#include <bough/core/watch.h>
#include <bough/supervisor/spec_pack.h>

struct resident {
    uint32_t number;
    bool up, alone;
    struct bough_address place;
    struct bough_watch watch;
};

/* By number; those of this process. They do not move: watches are in them. */
static struct resident **residents;
static uint32_t resident_count;

static struct resident *at(uint32_t number)
{
    return number < resident_count ? residents[number] : NULL;
}

static struct resident *enter(uint32_t number)
{
    if (number >= resident_count) {
        const uint32_t count = 2 * number + 1;
        struct resident **grown = realloc(residents, count * sizeof(struct resident *));

        if (grown == NULL) return NULL;
        memset(grown + resident_count, 0,
               (count - resident_count) * sizeof(struct resident *));
        residents = grown;
        resident_count = count;
    }
    if (residents[number] == NULL) {
        residents[number] = calloc(1, sizeof(*residents[number]));
        if (residents[number] != NULL) residents[number]->number = number;
    }
    return residents[number];
}

/* What becomes of messages */

static void on_ran(void *data, uint32_t done)
{
    (void)data;
    bough_child_ran(done);
}

static void on_answer(void *data, uint64_t id, enum bough_status status,
                      const void *reply, size_t size)
{
    (void)data;
    bough_child_say(
        (struct bough_frame){ .kind = BOUGH_FRAME_REPLY, .id = id, .status = status },
        reply, size);
}

const struct bough_run_observers bough_resident_observers = { .ran = on_ran,
                                                              .answer = on_answer };

/* Ends */

static void tell_exit(struct resident *resident, const struct bough_exit_reason *reason)
{
    struct bough_exit_reason copy = { .kind = BOUGH_EXIT_NORMAL };

    resident->up = false;
    bough_exit_copy(&copy, reason);
    bough_child_say(
        (struct bough_frame){ .kind = BOUGH_FRAME_EXITED, .id = resident->number }, &copy,
        sizeof(copy));
    if (resident->alone) bough_child_leave(0);
}

static void on_ready(struct bough_watch *watch)
{
    const struct resident *resident = bough_container(watch, struct resident, watch);

    bough_child_say(
        (struct bough_frame){ .kind = BOUGH_FRAME_READY, .id = resident->number }, NULL,
        0);
}

static void on_exited(struct bough_watch *watch, const struct bough_exit_reason *reason)
{
    tell_exit(bough_container(watch, struct resident, watch), reason);
}

/* Beginning */

static void cannot_start(struct resident *resident, enum bough_status status,
                         const char *text)
{
    const struct bough_exit_reason reason =
        bough_exit_make(BOUGH_EXIT_ERROR, status, 0, "%s", text);

    tell_exit(resident, &reason);
}

/* Its place, below those outside that are above it. */
static enum bough_status make_place(struct resident *resident,
                                    const struct bough_resident_start *start,
                                    const void *options)
{
    struct bough_loop *loop = bough_child_loop();
    const char *path = bough_span_text(start, start->path);
    const char *name = strrchr(path, '/') + 1;
    char above[BOUGH_PATH_MAX] = "/";
    struct bough_place_spec spec = {
        .type = start->type,
        .options = options,
        .name = name,
        .capacity = start->capacity,
        .when_full = (enum bough_when_full)start->when_full,
        .on_restart = (enum bough_on_restart)start->on_restart,
    };

    if (name - path > 1) {
        memcpy(above, path, (size_t)(name - path - 1));
        above[name - path - 1] = '\0';
    }
    bough_outside_yield(loop, path);
    const enum bough_status status = bough_lookup(loop, above, &spec.parent);
    return status == BOUGH_OK ? bough_place_new(loop, &spec, &resident->place) : status;
}

static enum bough_status read_options(const struct bough_resident_start *start,
                                      void **options, struct bough_error *error)
{
    *options = NULL;
    if (start->options.offset == 0) return BOUGH_OK;
    return bough_options_unpack(bough_span_data(start, start->options),
                                start->options.len, start->type, NULL, options, error);
}

/* The message by which the life before it ended is the parent's. */
static void forget_broken(_Atomic uint64_t *progress)
{
    for (int lane = 0; lane < BOUGH_LANE_COUNT; lane++) {
        union bough_progress now = { .all = atomic_load(&progress[lane]) };

        now.done = now.begun;
        atomic_store(&progress[lane], now.all);
    }
}

static void begin_life(struct resident *resident)
{
    const struct bough_start start = { .watch = &resident->watch };
    _Atomic uint64_t *progress = bough_child_progress(resident->number);
    struct bough_exit_reason failure;

    forget_broken(progress);
    bough_observe_place(resident->place, resident->number, progress);
    resident->up = true;
    resident->watch = (struct bough_watch){ .ready = on_ready,
                                            .exited = on_exited,
                                            .loop = bough_child_loop() };
    if (bough_place_start(resident->place, &start, &failure) != BOUGH_OK)
        tell_exit(resident, &failure);
}

void bough_resident_start(uint32_t number, const struct bough_resident_start *start)
{
    struct resident *resident = enter(number);
    struct bough_error error = { .text = "" };
    void *options;

    if (resident == NULL) _exit(BOUGH_CODE_CONFUSED);
    resident->alone = start->alone != 0;
    enum bough_status status = read_options(start, &options, &error);
    if (status == BOUGH_OK) status = make_place(resident, start, options);
    bough_packed_options_free(start->type, options);
    if (status == BOUGH_OK)
        begin_life(resident);
    else
        cannot_start(resident, status,
                     error.text[0] != '\0' ? error.text : bough_status_text(status));
}

/* A fresh copy of a process has few of its pages. Each is a fault when it is first
 * touched, some microseconds, and a life touches forty. */

static enum bough_status rehearsal_init(struct bough_actor *actor, const void *options)
{
    (void)actor, (void)options;
    return BOUGH_OK;
}

static void rehearsal_run(struct bough_actor *actor, const void *message, size_t size)
{
    if (bough_is_asked(actor)) bough_reply(actor, message, size);
}

static const struct bough_actor_type rehearsal_type = {
    .name = "rehearsal",
    .help = "Lives for a moment.",
    .state_size = 64,
    .init = rehearsal_init,
    .run = rehearsal_run,
};

static void on_rehearsed(struct bough_watch *watch,
                         const struct bough_exit_reason *reason)
{
    (void)watch, (void)reason;
}

static void on_answered(struct bough_call *call, enum bough_status status)
{
    (void)call, (void)status;
}

void bough_resident_rehearse(void)
{
    struct bough_loop *loop = bough_child_loop();
    struct bough_place_spec spec = { .type = &rehearsal_type, .name = "rehearsal" };
    struct bough_watch watch = { .exited = on_rehearsed, .loop = loop };
    struct bough_call call = { .done = on_answered, .loop = loop };
    const struct bough_start start = { .watch = &watch };
    const uint64_t message = 0;
    struct bough_address place, found;

    /* By its path as well: what reads paths is another page. */
    if (bough_lookup(loop, "/", &spec.parent) != BOUGH_OK ||
        bough_place_new(loop, &spec, &place) != BOUGH_OK ||
        bough_lookup(loop, "/rehearsal", &found) != BOUGH_OK)
        _exit(BOUGH_CODE_CONFUSED);
    if (bough_place_start(place, &start, NULL) == BOUGH_OK)
        bough_call_start(&call, place, &message, sizeof(message), NULL, 0);
    bough_loop_run_ready(loop, SIZE_MAX);
    bough_stop(place);
    bough_loop_run_ready(loop, SIZE_MAX);
    bough_call_cancel(&call);
    bough_watch_cancel(&watch);
    bough_place_free(place, 0);
}

/* Orders */

/* One that has ended has said so, and there is nothing to do. */
static struct resident *who_is_up(uint32_t number)
{
    struct resident *resident = at(number);

    return resident != NULL && resident->up ? resident : NULL;
}

void bough_resident_stop(uint32_t number)
{
    const struct resident *resident = who_is_up(number);

    if (resident != NULL) bough_stop(resident->place);
}

void bough_resident_end(uint32_t number, const struct bough_exit_reason *reason)
{
    const struct resident *resident = who_is_up(number);

    if (resident != NULL) bough_place_end(resident->place, reason, 0);
}

void bough_resident_take(const struct bough_frame *frame, const void *bytes, size_t size,
                         bool at_once)
{
    const struct resident *resident = who_is_up((uint32_t)bough_handed_number(frame->id));
    const struct bough_marked marked = {
        .message = bytes,
        .size = size,
        .high = (frame->flags & BOUGH_FRAME_HIGH) != 0,
        .asked = (frame->flags & BOUGH_FRAME_ASKED) != 0,
        .id = frame->id,
    };

    if (resident == NULL) return;
    /* It would not be run in its turn, and the counts would be wrong: it is better to
     * begin anew. The parent has all of them. */
    const enum bough_status status = at_once
                                         ? bough_run_marked(resident->place, &marked)
                                         : bough_send_marked(resident->place, &marked);
    if (status != BOUGH_OK) _exit(BOUGH_CODE_CONFUSED);
}

static bool is_empty(enum bough_place_state state)
{
    return state != BOUGH_PLACE_STARTING && state != BOUGH_PLACE_RUNNING &&
           state != BOUGH_PLACE_STOPPING;
}

/* Who stands for it here, as long as it never lived here, goes on: outside they know. */
void bough_resident_left(const char *path, uint32_t state)
{
    struct bough_place_info info;
    struct bough_address place;

    if (bough_outside_find(bough_child_loop(), path, &place) != BOUGH_OK ||
        bough_place_info(place, &info) != BOUGH_OK || !is_empty(info.state))
        return;
    if (state < BOUGH_PLACE_STATE_COUNT)
        bough_place_mark(place, (enum bough_place_state)state);
    else
        bough_place_free(place, 0);
}
