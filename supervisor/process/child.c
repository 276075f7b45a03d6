/* child.c - what runs in the process of actors: its loop, and the border to the tree.
 *
 * It was forked by the nursery and has nothing but the descriptors of the border. It is
 * told who is to live there, makes a runtime with those actors at their paths, hands them
 * their messages, and says of each when it is begun and when it is done: a store each,
 * which is there whatever happens next.
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
#include <bough/supervisor/process/crash_internal.h>
#include <bough/supervisor/process/nursery_internal.h>

enum {
    KEPT_MAX = 8192, /* frames that wait for room */
    TURN_MAX = 512,  /* frames read before the actors have their turn */
    HURRY_LOOK = 32, /* between two looks for one in a hurry */
    /* And for its sake: what a ring holds, for it may be followed by more of them. */
    HURRY_MAX = BOUGH_RING_SIZE / sizeof(struct bough_frame),
    TELL_EVERY = 1024 /* messages done, to a parent that waits for that */
};

/* One of them in a process. */
static struct {
    struct bough_border border;
    struct ev_loop *ev;
    struct bough_runtime *runtime;
    struct bough_loop *loop;
    struct bough_inlet inlet;
    struct ev_io woken, orphaned;
    struct ev_check after_poll;
    bool untold; /* some are done of which the parent has not been woken for */
} child;

struct bough_loop *bough_child_loop(void)
{
    return child.loop;
}

/* Writing */

enum bough_status bough_child_write(struct bough_frame *frame, const void *bytes,
                                    size_t size, bool must)
{
    const size_t most = must ? SIZE_MAX : KEPT_MAX;
    const enum bough_status status =
        bough_border_post(&child.border, frame, bytes, size, most);

    if (status != BOUGH_OK) return status;
    if (bough_loop_runs_marked(child.loop))
        bough_border_show(&child.border); /* whatever becomes of this run */
    else
        bough_border_poke(&child.border);
    return BOUGH_OK;
}

void bough_child_say(struct bough_frame frame, const void *bytes, size_t size)
{
    if (bough_child_write(&frame, bytes, size, true) != BOUGH_OK)
        _exit(BOUGH_CODE_CONFUSED);
}

void bough_child_leave(int code)
{
    struct pollfd polled[] = { { .fd = child.border.wake_fd, .events = POLLIN },
                               { .fd = child.border.socket, .events = POLLIN } };

    bough_loop_rests(child.loop);
    while (!bough_border_flush(&child.border)) {
        (void)bough_border_sleep(&child.border, BOUGH_BORDER_POLLS);
        if (poll(polled, 2, -1) < 0 && errno != EINTR) break;
        if (polled[1].revents & POLLHUP) break;
        bough_border_woken(&child.border);
    }
    _exit(code);
}

/* Progress */

_Atomic uint64_t *bough_child_progress(uint32_t number)
{
    return child.border.mine->progress[number];
}

void bough_child_ran(uint32_t done)
{
    child.untold = !bough_border_poke(&child.border);
    if (done % TELL_EVERY == 0 &&
        atomic_load_explicit(&child.border.theirs->curious, memory_order_relaxed) != 0)
        bough_border_wake(&child.border);
}

static void on_log(void *data, const struct bough_log_record *record)
{
    struct bough_frame frame = { .kind = BOUGH_FRAME_LOG,
                                 .status = (uint16_t)record->level };
    const size_t path = strlen(record->path) + 1, text = strlen(record->text) + 1;
    char line[BOUGH_PATH_MAX + 1024];

    (void)data;
    if (path + text > sizeof(line)) return;
    memcpy(line, record->path, path);
    memcpy(line + path, record->text, text);
    if (bough_child_write(&frame, line, path + text, false) != BOUGH_OK)
        return; /* too many wait */
}

/* Reading */

/* Nobody can live here, any more or at all. */
static void be_unfit(enum bough_status status, const char *text)
{
    const struct bough_exit_reason reason =
        bough_exit_make(BOUGH_EXIT_ERROR, status, 0, "%s", text);

    bough_child_say((struct bough_frame){ .kind = BOUGH_FRAME_UNFIT }, &reason,
                    sizeof(reason));
    bough_child_leave(0);
}

static void take_limits(const struct bough_limits_plan *plan)
{
    struct bough_error error;
    const enum bough_status status = bough_process_limit(plan, &error);

    if (status != BOUGH_OK) be_unfit(status, error.text);
}

/* With the first actor comes what its runtime is set to. */
static void take_start(uint32_t number, const void *bytes)
{
    const struct bough_resident_start *start = bytes;

    bough_runtime_set_log_level(child.runtime, (enum bough_log_level)start->log_level);
    bough_loop_let_spin(child.loop, start->may_spin != 0);
    bough_resident_start(number, start);
}

static void take_gone(const char *bytes)
{
    struct bough_exit_reason reason;

    memcpy(&reason, bytes, sizeof(reason));
    bough_outside_gone(child.loop, bytes + sizeof(reason), &reason);
}

/* A process without descriptors is to begin anew: the parent has what it was sent. */
static void take_lost(const struct bough_frame *frame)
{
    static const char text[] = BOUGH_FRAME_LOST_TEXT;
    struct bough_frame refusal = *frame;

    if (frame->kind != BOUGH_FRAME_ANSWER) be_unfit(BOUGH_ENOMEM, text);
    refusal.status = BOUGH_ENOMEM;
    bough_outside_answered(&refusal, text, sizeof(text));
}

static void take_in(const struct bough_frame *frame, const void *bytes, size_t size,
                    bool at_once)
{
    if ((frame->flags & BOUGH_FRAME_LOST) != 0) {
        take_lost(frame);
        return;
    }
    switch ((enum bough_frame_kind)frame->kind) {
    case BOUGH_FRAME_START: take_start(frame->id, bytes); break;
    case BOUGH_FRAME_STOP: bough_resident_stop(frame->id); break;
    case BOUGH_FRAME_END: bough_resident_end(frame->id, bytes); break;
    case BOUGH_FRAME_MESSAGE: bough_resident_take(frame, bytes, size, at_once); break;
    case BOUGH_FRAME_ANSWER: bough_outside_answered(frame, bytes, size); break;
    case BOUGH_FRAME_LIMITS: take_limits(bytes); break;
    case BOUGH_FRAME_LEFT: bough_resident_left(bytes, frame->status); break;
    case BOUGH_FRAME_GONE: take_gone(bytes); break;
    case BOUGH_FRAME_PAD:
    case BOUGH_FRAME_READY:
    case BOUGH_FRAME_EXITED:
    case BOUGH_FRAME_UNFIT:
    case BOUGH_FRAME_REPLY:
    case BOUGH_FRAME_TELL:
    case BOUGH_FRAME_ASK:
    case BOUGH_FRAME_LOG:
    case BOUGH_FRAME_WATCH:
    case BOUGH_FRAME_KIND_COUNT: _exit(BOUGH_CODE_CONFUSED);
    }
}

/* All there are, up to a turn's share. Messages are run as they come, unless there is one
 * in a hurry behind them: then all up to it are read first, and the mailboxes see to the
 * order. */
static void read_frames(void)
{
    struct bough_frame frame;
    const void *bytes;
    size_t size;
    bool hurries = false;

    for (size_t i = 0; i < TURN_MAX || (hurries && i < HURRY_MAX); i++) {
        if (i % HURRY_LOOK == 0 || hurries) hurries = bough_border_hurries(&child.border);
        const enum bough_status status =
            bough_border_read(&child.border, &frame, &bytes, &size);

        if (status == BOUGH_ENOREPLY) return;
        if (status != BOUGH_OK) _exit(BOUGH_CODE_CONFUSED);
        take_in(&frame, bytes, size, !hurries);
    }
}

static bool waits(const struct bough_inlet *inlet)
{
    (void)inlet;
    return bough_border_waits(&child.border);
}

static void take(struct bough_inlet *inlet)
{
    (void)inlet;
    bough_border_flush(&child.border);
    read_frames();
    bough_border_show_read(&child.border);
}

/* Before it sleeps, the parent hears of what has been run: so that what its status shows
 * is so, and who waits for room has it. */
static bool go_to_sleep(enum bough_border_sleep how)
{
    bough_loop_rests(child.loop);
    if (child.untold) bough_border_wake(&child.border);
    child.untold = false;
    if (!bough_border_sleep(&child.border, how)) return false;
    bough_border_flush(&child.border); /* room that came before that was seen */
    return true;
}

static bool go_to_poll(struct bough_inlet *inlet)
{
    (void)inlet;
    return go_to_sleep(BOUGH_BORDER_POLLS);
}

static void wake_up(void)
{
    bough_loop_wakes(child.loop);
    bough_border_flush(&child.border);
}

static void on_polled(struct ev_loop *ev, struct ev_check *check, int events)
{
    (void)ev, (void)check, (void)events;
    wake_up();
    bough_inlet_open(child.loop, &child.inlet);
}

static void on_woken(struct ev_loop *ev, struct ev_io *io, int events)
{
    (void)ev, (void)io, (void)events;
    bough_border_woken(&child.border);
}

/* While there is nothing but messages to wait for, libev's poll is left out, which takes
 * a timer of the kernel's, a poll and a read each time. The parent's end needs no look:
 * this process ends with it, by a signal. */
static void run_once(void)
{
    if (!bough_loop_awaits_letters(child.loop)) {
        ev_run(child.ev, EVRUN_ONCE);
        return;
    }
    bough_loop_run_slice(child.loop);
    if (!bough_loop_awaits_letters(child.loop)) return;
    if (go_to_sleep(BOUGH_BORDER_WAITS)) bough_border_wait(&child.border);
    wake_up();
}

/* Nothing is ever sent to a child over its socket but descriptors, which are read with
 * their frames: what it hears of by itself is the parent's end. */
static void on_orphaned(struct ev_loop *ev, struct ev_io *io, int events)
{
    struct pollfd polled = { .fd = io->fd, .events = POLLIN };

    (void)events;
    if (poll(&polled, 1, 0) == 1 && (polled.revents & (POLLHUP | POLLERR)) != 0)
        _exit(BOUGH_CODE_ORPHAN);
    (void)ev;
}

/* Beginning */

void bough_process_prepare(void)
{
    const struct bough_runtime_options options = {
        .log = on_log,
        .missing = bough_outside_missing,
    };

    child.ev = ev_loop_new(EVFLAG_AUTO);
    if (child.ev == NULL) _exit(BOUGH_CODE_CONFUSED);
    child.runtime = bough_runtime_new(&options);
    if (child.runtime != NULL) child.loop = bough_loop_new(child.runtime, child.ev);
    if (child.loop == NULL || !bough_observe_runs(child.loop, &bough_resident_observers))
        _exit(BOUGH_CODE_CONFUSED);
    bough_resident_rehearse();
}

/* Until it is wanted; not at all when nobody is there any more. */
static char await_calling(int socket, int *files, size_t *count)
{
    struct pollfd polled = { .fd = socket, .events = POLLIN };
    char calling;

    while (poll(&polled, 1, -1) < 0 && errno == EINTR)
        continue;
    if (bough_files_receive(socket, &calling, sizeof(calling), files, count, 0) !=
        sizeof(calling))
        _exit(BOUGH_CODE_ORPHAN);
    return calling;
}

static void be_called(int socket)
{
    int files[BOUGH_BORDER_FILE_COUNT];
    size_t count = BOUGH_BORDER_FILE_COUNT;
    const char calling = await_calling(socket, files, &count);

    if (calling == BOUGH_CALLED_READER && count == 1) bough_crash_read(socket, files[0]);
    if (calling != BOUGH_CALLED_HOST || count != BOUGH_BORDER_FILE_COUNT ||
        bough_border_join(&child.border, socket, files) != BOUGH_OK)
        _exit(BOUGH_CODE_CONFUSED);
    bough_loop_beat_at(child.loop, &child.border.mine->beat);
    bough_crash_prepare(bough_border_crash_area(&child.border));
}

/* Before the poll the loop's own watcher asks the inlet. */
static void start_watching(void)
{
    child.inlet =
        (struct bough_inlet){ .waits = waits, .take = take, .sleep = go_to_poll };
    ev_check_init(&child.after_poll, on_polled);
    ev_set_priority(&child.after_poll, EV_MAXPRI);
    ev_check_start(child.ev, &child.after_poll);
    ev_io_init(&child.woken, on_woken, child.border.wake_fd, EV_READ);
    ev_io_start(child.ev, &child.woken);
    ev_io_init(&child.orphaned, on_orphaned, child.border.socket, EV_READ);
    ev_io_start(child.ev, &child.orphaned);
    bough_inlet_open(child.loop, &child.inlet);
}

void bough_process_main(int socket)
{
    be_called(socket);
    start_watching();
    for (;;)
        run_once();
}
