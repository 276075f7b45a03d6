/* child.c - what runs in the process of an actor: its loop, and the border to the tree.
 *
 * It was forked by the nursery and has nothing but the descriptors of the border. It is
 * told what to be, makes a runtime with that one actor at its path, hands it its
 * messages, and says of each when it is begun and when it is done: a store each, which is
 * there whatever happens next.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/supervisor/process/process_internal.h>

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bough/core/assert.h>
#include <bough/core/runtime.h>
#include <bough/supervisor/spec_pack.h>

enum {
    KEPT_MAX = 8192,    /* frames that wait for room */
    TURN_MAX = 512,     /* frames read before the actor has its turn */
    ROUNDS_MAX = 16,    /* of that */
    STREAM_LEAST = 32,  /* frames at once that are a stream */
    TELL_EVERY = 1024,  /* messages done, to a parent that waits for that */
    CODE_CONFUSED = 70, /* exit codes, as in sysexits.h: EX_SOFTWARE */
    CODE_ORPHAN = 69    /* EX_UNAVAILABLE */
};

/* One of them in a process. */
static struct {
    struct bough_border border;
    struct ev_loop *ev;
    struct bough_runtime *runtime;
    struct bough_loop *loop;
    struct bough_address place;
    struct bough_watch watch;
    struct ev_io woken, orphaned;
    struct ev_prepare before_poll;
    union bough_progress progress[BOUGH_LANE_COUNT];
    bool running; /* a message of the parent's: what is written goes with its end */
    bool untold;  /* it has ended some of which the parent has not been woken for */
    bool started;
} child;

/* Writing */

bool bough_child_write(struct bough_frame *frame, const void *bytes, size_t size,
                       bool must)
{
    const size_t most = must ? SIZE_MAX : KEPT_MAX;

    if (bough_border_post(&child.border, frame, bytes, size, most) != BOUGH_OK)
        return false;
    if (!child.running) bough_border_poke(&child.border);
    return true;
}

/* What must be said and cannot be: the parent finds out by the end of the process. */
static void say(enum bough_frame_kind kind, const void *bytes, size_t size)
{
    struct bough_frame frame = { .kind = (uint16_t)kind };

    if (!bough_child_write(&frame, bytes, size, true)) _exit(CODE_CONFUSED);
}

/* Until all is written, however long that takes the parent. */
static void leave(int code)
{
    struct pollfd polled[] = { { .fd = child.border.wake_fd, .events = POLLIN },
                               { .fd = child.border.socket, .events = POLLIN } };

    while (!bough_border_flush(&child.border)) {
        (void)bough_border_sleep(&child.border);
        if (poll(polled, 2, -1) < 0 && errno != EINTR) break;
        if (polled[1].revents & POLLHUP) break;
        bough_border_woken(&child.border);
    }
    _exit(code);
}

/* What the actor's life tells */

static void on_run(void *data, bool high, bool over)
{
    union bough_progress *progress = &child.progress[high];

    (void)data;
    if (over)
        progress->done++;
    else
        progress->begun++;
    atomic_store_explicit(&child.border.mine->progress[high], progress->all,
                          memory_order_release);
    child.running = !over;
    if (!over) return;
    child.untold = !bough_border_poke(&child.border);
    if (progress->done % TELL_EVERY == 0 &&
        atomic_load_explicit(&child.border.theirs->curious, memory_order_relaxed) != 0)
        bough_border_wake(&child.border);
}

static void on_answer(void *data, uint64_t id, enum bough_status status,
                      const void *reply, size_t size)
{
    struct bough_frame frame = { .kind = BOUGH_FRAME_REPLY, .id = id, .status = status };

    (void)data;
    if (!bough_child_write(&frame, reply, size, true)) _exit(CODE_CONFUSED);
}

/* Before it sleeps, the parent hears of what has been run: so that what its status shows
 * is so, and who waits for room has it. */
static void on_idle(struct ev_loop *ev, struct ev_prepare *prepare, int events)
{
    (void)ev, (void)prepare, (void)events;
    if (!child.untold) return;
    child.untold = false;
    bough_border_wake(&child.border);
}

static void on_ready(struct bough_watch *watch)
{
    (void)watch;
    say(BOUGH_FRAME_READY, NULL, 0);
}

static void on_exited(struct bough_watch *watch, const struct bough_exit_reason *reason)
{
    struct bough_exit_reason copy = { .kind = BOUGH_EXIT_NORMAL };

    (void)watch;
    bough_exit_copy(&copy, reason);
    say(BOUGH_FRAME_EXITED, &copy, sizeof(copy));
    leave(0);
}

static void on_log(void *data, const struct bough_log_record *record)
{
    struct bough_frame frame = { .kind = BOUGH_FRAME_LOG, .status = record->level };
    const size_t path = strlen(record->path) + 1, text = strlen(record->text) + 1;
    char line[BOUGH_PATH_MAX + 1024];

    (void)data;
    if (path + text > sizeof(line)) return;
    memcpy(line, record->path, path);
    memcpy(line + path, record->text, text);
    if (!bough_child_write(&frame, line, path + text, false)) return; /* too many wait */
}

/* Beginning */

static void cannot_start(enum bough_status status, const char *text)
{
    struct bough_exit_reason reason =
        bough_exit_make(BOUGH_EXIT_ERROR, status, 0, "%s", text);

    say(BOUGH_FRAME_EXITED, &reason, sizeof(reason));
    leave(0);
}

static void make_runtime(const struct bough_process_start *start)
{
    const struct bough_runtime_options options = {
        .log = on_log,
        .log_level = (enum bough_log_level)start->log_level,
        .missing = bough_outside_missing,
    };

    child.runtime = bough_runtime_new(&options);
    if (child.runtime != NULL) child.loop = bough_loop_new(child.runtime, child.ev);
    if (child.loop == NULL) cannot_start(BOUGH_ENOMEM, bough_status_text(BOUGH_ENOMEM));
}

/* Its place, below those outside that are above it. */
static enum bough_status make_place(const struct bough_process_start *start,
                                    const void *options)
{
    const char *path = bough_span_text(start, start->path);
    const char *name = strrchr(path, '/') + 1;
    char above[BOUGH_PATH_MAX] = "/";
    struct bough_place_spec spec = {
        .type = start->type,
        .options = options,
        .name = name,
        /* What the parent hands over has found room there. */
        .capacity = start->capacity + 2 * BOUGH_HANDED_MAX,
    };

    if (name - path > 1) {
        memcpy(above, path, (size_t)(name - path - 1));
        above[name - path - 1] = '\0';
    }
    const enum bough_status status = bough_lookup(child.loop, above, &spec.parent);
    return status == BOUGH_OK ? bough_place_new(child.loop, &spec, &child.place) : status;
}

static enum bough_status read_options(const struct bough_process_start *start,
                                      void **options, struct bough_error *error)
{
    *options = NULL;
    if (start->options.offset == 0) return BOUGH_OK;
    return bough_options_unpack(bough_span_data(start, start->options),
                                start->options.len, start->type, NULL, options, error);
}

static void be(const struct bough_process_start *start)
{
    const struct bough_run_observers observers = { .run = on_run, .answer = on_answer };
    struct bough_error error = { .text = "" };
    struct bough_exit_reason failure;
    void *options;
    enum bough_status status = read_options(start, &options, &error);

    if (status == BOUGH_OK) status = make_place(start, options);
    if (status != BOUGH_OK)
        cannot_start(status,
                     error.text[0] != '\0' ? error.text : bough_status_text(status));
    bough_packed_options_free(start->type, options);
    if (!bough_observe_runs(child.loop, child.place, &observers))
        cannot_start(BOUGH_ENOMEM, bough_status_text(BOUGH_ENOMEM));
    child.watch.ready = on_ready;
    child.watch.exited = on_exited;
    child.watch.loop = child.loop;
    const struct bough_start begin = { .watch = &child.watch };
    if (bough_place_start(child.place, &begin, &failure) != BOUGH_OK) {
        say(BOUGH_FRAME_EXITED, &failure, sizeof(failure));
        leave(0);
    }
}

/* Reading */

static void begin(const void *bytes)
{
    const struct bough_process_start *start = bytes;

    child.started = true;
    make_runtime(start);
    bough_loop_begin(child.loop);
    be(start);
    bough_loop_end(child.loop);
}

static void take_message(const struct bough_frame *frame, const void *bytes, size_t size)
{
    const struct bough_marked marked = {
        .message = bytes,
        .size = size,
        .high = (frame->flags & BOUGH_FRAME_HIGH) != 0,
        .asked = (frame->flags & BOUGH_FRAME_ASKED) != 0,
        .id = frame->id,
    };

    /* It would not be run in its turn, and the counts would be wrong: it is better to
     * begin anew. The parent has all of them. */
    if (bough_send_marked(child.place, &marked) != BOUGH_OK) _exit(CODE_CONFUSED);
}

static void take_in(const struct bough_frame *frame, const void *bytes, size_t size)
{
    switch ((enum bough_frame_kind)frame->kind) {
    case BOUGH_FRAME_START: begin(bytes); break;
    case BOUGH_FRAME_STOP: bough_stop(child.place); break;
    case BOUGH_FRAME_MESSAGE: take_message(frame, bytes, size); break;
    case BOUGH_FRAME_ANSWER: bough_outside_answered(frame, bytes, size); break;
    case BOUGH_FRAME_PAD:
    case BOUGH_FRAME_READY:
    case BOUGH_FRAME_EXITED:
    case BOUGH_FRAME_REPLY:
    case BOUGH_FRAME_TELL:
    case BOUGH_FRAME_ASK:
    case BOUGH_FRAME_LOG:
    case BOUGH_FRAME_KIND_COUNT: _exit(CODE_CONFUSED);
    }
}

/* How many frames it has read: all there are, up to a turn's share. */
static int read_frames(void)
{
    struct bough_frame frame;
    const void *bytes;
    size_t size;

    for (int i = 0; i < TURN_MAX; i++) {
        const enum bough_status status =
            bough_border_read(&child.border, &frame, &bytes, &size);

        if (status == BOUGH_ENOREPLY) return i;
        if (status != BOUGH_OK) _exit(CODE_CONFUSED);
        take_in(&frame, bytes, size);
    }
    return TURN_MAX;
}

/* The actor has its turn between two readings, without a round of libev for each. */
static int read_and_run(void)
{
    const bool first = !child.started;

    if (!first) bough_loop_begin(child.loop);
    const int count = read_frames();
    if (!first) bough_loop_end(child.loop);
    if (count > 0 && child.loop != NULL) bough_loop_run_ready(child.loop, 2 * TURN_MAX);
    return count;
}

static inline void bough_relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#endif
}

/* A stream goes on in a moment: who looks for it a little longer saves both sides a
 * wake-up, each worth hundreds of messages. As long as that pays; else it is tried again
 * now and then, for on a busy machine the other side needs this processor. */
static bool more_comes(void)
{
    enum { LOOKS = 2000, TRY_EVERY = 64 };
    static bool pays = true;
    static unsigned passed;

    if (!pays && ++passed % TRY_EVERY != 0) return false;
    for (int i = 0; i < LOOKS; i++) {
        if (bough_border_waits(&child.border)) return pays = true;
        bough_relax();
    }
    return pays = false;
}

/* True: there may be more, which is read after descriptors have had their turn. */
static bool read_some(void)
{
    for (int round = 0; round < ROUNDS_MAX; round++) {
        const int count = read_and_run();

        if (count == TURN_MAX) continue;
        bough_border_show_read(&child.border);
        if (bough_border_waits(&child.border)) continue;
        if (count >= STREAM_LEAST && more_comes()) continue;
        return !bough_border_sleep(&child.border);
    }
    return true;
}

static void on_woken(struct ev_loop *ev, struct ev_io *io, int events)
{
    (void)ev, (void)io, (void)events;
    bough_border_woken(&child.border);
    bough_border_flush(&child.border);
    if (read_some()) bough_border_come_back(&child.border);
}

/* Nothing is ever sent to a child over its socket but descriptors, which are read with
 * their frames: what it hears of by itself is the parent's end. */
static void on_orphaned(struct ev_loop *ev, struct ev_io *io, int events)
{
    struct pollfd polled = { .fd = io->fd, .events = POLLIN };

    (void)events;
    if (poll(&polled, 1, 0) == 1 && (polled.revents & (POLLHUP | POLLERR)) != 0)
        _exit(CODE_ORPHAN);
    (void)ev;
}

void bough_process_main(const int *fds, size_t count)
{
    if (count != BOUGH_BORDER_FILE_COUNT ||
        bough_border_join(&child.border, fds) != BOUGH_OK)
        _exit(CODE_CONFUSED);
    child.ev = ev_loop_new(EVFLAG_AUTO);
    if (child.ev == NULL) _exit(CODE_CONFUSED);
    ev_io_init(&child.woken, on_woken, child.border.wake_fd, EV_READ);
    ev_io_start(child.ev, &child.woken);
    ev_io_init(&child.orphaned, on_orphaned, child.border.socket, EV_READ);
    ev_io_start(child.ev, &child.orphaned);
    ev_prepare_init(&child.before_poll, on_idle);
    ev_set_priority(&child.before_poll, EV_MINPRI); /* after the loop's own */
    ev_prepare_start(child.ev, &child.before_poll);
    if (read_some()) bough_border_come_back(&child.border);
    ev_run(child.ev, 0);
    _exit(CODE_CONFUSED);
}
