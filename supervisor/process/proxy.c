/* proxy.c - the actor in the parent that stands for one in a process.
 *
 * Its life is the process's: it begins with a fork, is ready when the other one says so,
 * and ends when the process has. Whatever ends it, nothing of the process is left when
 * its watches are told.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/supervisor/process/process_internal.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bough/core/assert.h>
#include <bough/core/runtime.h>
#include <bough/supervisor/process/nursery_internal.h>
#include <bough/supervisor/spec_pack.h>

enum {
    BIRTH_MS = 10000,   /* a fork that takes longer has failed */
    PATIENCE_MS = 5000, /* for a killed process, where nobody polls any more */
};
static const double SURVIVES_SECONDS = 1; /* a signal that was to end it */

/* Beginning */

static void pack_start(struct bough_process *self, struct bough_block *block)
{
    const struct bough_child_spec *spec = self->spec;
    struct bough_process_start start = {
        .type = spec->type,
        .log_level = BOUGH_LEVEL_COUNT,
        .capacity =
            spec->mailbox_capacity != 0 ? spec->mailbox_capacity : BOUGH_MAILBOX_CAPACITY,
    };
    const struct bough_runtime *runtime = bough_actor_runtime(self->actor);

    for (int level = BOUGH_LEVEL_COUNT; level-- > 0;) {
        if (bough_log_wanted(runtime, (enum bough_log_level)level))
            start.log_level = (uint32_t)level;
    }
    bough_block_init(block, NULL, 0, &start, sizeof(start));
    bough_block_text(block, offsetof(struct bough_process_start, path),
                     bough_actor_path(self->actor));
    if (spec->options != NULL && spec->type->options_size > 0)
        bough_options_pack(block, offsetof(struct bough_process_start, options),
                           spec->type, spec->options, UINT64_MAX);
}

static enum bough_status tell_start(struct bough_process *self)
{
    struct bough_frame frame = { .kind = BOUGH_FRAME_START };
    struct bough_block block;
    enum bough_status status;

    pack_start(self, &block);
    status = block.status;
    if (status == BOUGH_OK)
        status = bough_border_write(&self->border, &frame, block.data, block.size, true);
    bough_block_finish(&block);
    bough_border_poke(&self->border);
    return status;
}

static enum bough_status await_birth(struct bough_process *self)
{
    struct pollfd polled = { .fd = self->border.socket, .events = POLLIN };
    int ready;

    do {
        ready = poll(&polled, 1, BIRTH_MS);
    } while (ready < 0 && errno == EINTR);
    if (ready <= 0) return BOUGH_ETIMEOUT;
    return bough_birth_receive(self->border.socket, &self->pid, &self->pidfd);
}

/* A nursery that was killed while it was asked is there again when it is asked again. */
static enum bough_status be_born(struct bough_process *self)
{
    enum { TRIES = 3 };
    struct bough_nursery *nursery =
        bough_runtime_nursery(bough_actor_runtime(self->actor));
    enum bough_status status = BOUGH_EGONE;

    for (int i = 0; i < TRIES && status == BOUGH_EGONE; i++) {
        int files[BOUGH_BORDER_FILE_COUNT];

        bough_border_finish(&self->border);
        status = bough_border_new(&self->border, files);
        if (status != BOUGH_OK) return status;
        status = bough_nursery_fork(nursery, files, BOUGH_BORDER_FILE_COUNT);
        close(files[BOUGH_BORDER_SOCKET]);
        close(files[BOUGH_BORDER_PARENT_PAGE]);
        close(files[BOUGH_BORDER_CHILD_PAGE]);
        if (status == BOUGH_OK) status = await_birth(self);
    }
    return status;
}

static void on_ended(struct bough_actor *actor, struct bough_source *source, int events);
static void on_woken(struct bough_actor *actor, struct bough_source *source, int events);
static void ends(struct bough_linger *linger, const struct bough_exit_reason *reason,
                 bool at_once);

static enum bough_status fail(struct bough_process *self, enum bough_status status,
                              const char *what)
{
    if (status == BOUGH_ESYSTEM)
        bough_fail(self->actor, status, "%s: %s", what, strerror(errno));
    else
        bough_fail(self->actor, status, "%s: %s", what, bough_status_text(status));
    bough_border_finish(&self->border);
    return status;
}

static enum bough_status process_init(struct bough_actor *actor, const void *options)
{
    struct bough_process *self = bough_state(actor);
    enum bough_status status;

    self->actor = actor;
    self->spec = options;
    self->pidfd = -1;
    self->border = (struct bough_border){ .wake_fd = -1, .poke_fd = -1, .socket = -1 };
    if (bough_runtime_nursery(bough_actor_runtime(actor)) == NULL) {
        bough_fail(actor, BOUGH_EINVALID,
                   "there is no nursery to fork it: make one, before any thread, and "
                   "name it in the runtime's options");
        return BOUGH_EINVALID;
    }
    status = be_born(self);
    if (status != BOUGH_OK) return fail(self, status, "its process could not be made");
    status = tell_start(self);
    bough_linger(actor, &self->linger);
    self->linger.ends = ends;
    self->lingers = true;
    bough_show_pid(actor, self->pid);
    bough_starting(actor);
    bough_source_start(actor, &self->ended, self->pidfd, EV_READ, on_ended);
    bough_source_start(actor, &self->woken, self->border.wake_fd, EV_READ, on_woken);
    if (status != BOUGH_OK)
        bough_fail(actor, status, "its process could not be told what to be: %s",
                   bough_status_text(status));
    if (!bough_border_sleep(&self->border)) bough_border_come_back(&self->border);
    return BOUGH_OK;
}

/* Mail */

/* When too many are handed on it takes no more until some of it is done; the child is
 * asked to say so. */
static void pace(struct bough_process *self)
{
    const bool full = bough_handed_is_full(self);

    if (full == self->paused) return;
    self->paused = full;
    atomic_store(&self->border.mine->curious, full ? 1 : 0);
    if (full)
        bough_pause(self->actor);
    else
        bough_resume(self->actor);
}

static void process_run_batch(struct bough_actor *actor, struct bough_batch *batch)
{
    struct bough_process *self = bough_state(actor);
    size_t size;

    while (!self->paused && bough_batch_next(batch, &size) != NULL) {
        struct bough_held *held = bough_hold(actor);

        if (held == NULL) {
            bough_refuse(actor, BOUGH_ENOMEM, "no memory to hand it on");
            continue;
        }
        bough_handed_add(self, held);
        if (bough_handed_is_full(self) && !bough_handed_retire(self))
            bough_process_distrust(self, "it was not sent so much");
        pace(self);
    }
    bough_handed_send(self);
}

static void on_woken(struct bough_actor *actor, struct bough_source *source, int events)
{
    struct bough_process *self = bough_state(actor);
    const char *why = NULL;
    bool more;

    (void)source, (void)events;
    bough_border_woken(&self->border);
    if (!bough_inbound_read(self, &more, &why) || !bough_handed_retire(self)) {
        bough_process_distrust(self, why != NULL ? why : "it was not sent so much");
        return;
    }
    if (more || !bough_border_sleep(&self->border)) bough_border_come_back(&self->border);
    bough_border_flush(&self->border);
    bough_handed_send(self);
    pace(self);
}

static void process_stop(struct bough_actor *actor)
{
    struct bough_process *self = bough_state(actor);
    struct bough_frame frame = { .kind = BOUGH_FRAME_STOP };

    if (bough_border_write(&self->border, &frame, NULL, 0, true) != BOUGH_OK) {
        bough_process_distrust(self, "it does not read what it is told");
        return;
    }
    bough_border_poke(&self->border);
}

/* Ends */

void bough_process_distrust(struct bough_process *self, const char *why)
{
    const struct bough_exit_reason lost =
        bough_exit_make(BOUGH_EXIT_LOST, BOUGH_OK, 0,
                        "its process said nonsense and was killed: %s", why);

    bough_exit_because(self->actor, &lost);
}

/* waitid() is asked for the usage of the process too, which glibc's does not hand on. */
static bool reap(struct bough_process *self, siginfo_t *info)
{
    struct rusage usage;
    long result;

    memset(info, 0, sizeof(*info));
    do {
        result =
            syscall(SYS_waitid, P_PIDFD, self->pidfd, info, WEXITED | WNOHANG, &usage);
    } while (result != 0 && errno == EINTR);
    if (result == 0 && info->si_pid == 0) return false;
    bough_show_pid(self->actor, 0);
    return true;
}

static void forget_process(struct bough_process *self)
{
    close(self->pidfd);
    self->pidfd = -1;
}

static struct bough_exit_reason reason_of(const struct bough_process *self,
                                          const siginfo_t *info)
{
    if (self->told) return self->reason;
    if (info->si_code == CLD_EXITED)
        return bough_exit_make(BOUGH_EXIT_CODE, BOUGH_OK, info->si_status,
                               "its process ended by itself");
    if (info->si_code == CLD_KILLED || info->si_code == CLD_DUMPED)
        return bough_exit_make(BOUGH_EXIT_SIGNAL, BOUGH_OK, info->si_status, NULL);
    return bough_exit_make(BOUGH_EXIT_LOST, BOUGH_OK, 0,
                           "somebody else has waited for its process");
}

static void over(struct bough_process *self)
{
    if (!self->lingers) return;
    self->lingers = false;
    bough_linger_over(&self->linger);
}

/* The ring holds no more than that many turns of it. */
static bool read_rest(struct bough_process *self, const char **why)
{
    bool more = true;

    while (more) {
        if (!bough_inbound_read(self, &more, why)) return false;
    }
    return true;
}

/* By itself. What it has written before it ended counts. */
static void on_ended(struct bough_actor *actor, struct bough_source *source, int events)
{
    struct bough_process *self = bough_state(actor);
    const char *why;
    siginfo_t info;

    (void)events;
    if (!reap(self, &info)) return;
    bough_source_stop(source);
    forget_process(self);
    if (!read_rest(self, &why)) bough_process_distrust(self, why);
    const struct bough_exit_reason reason = reason_of(self, &info);
    bough_exit_because(actor, &reason);
    over(self);
}

static void on_patience_over(struct ev_loop *ev, struct ev_timer *timer, int events)
{
    struct bough_process *self = timer->data;

    (void)ev, (void)events;
    syscall(SYS_pidfd_send_signal, self->pidfd, SIGKILL, NULL, 0);
}

static void on_gone(struct ev_loop *ev, struct ev_io *io, int events)
{
    struct bough_process *self = io->data;
    struct bough_loop *loop = bough_actor_loop(self->actor);
    siginfo_t info;

    (void)events;
    if (!reap(self, &info)) return;
    ev_io_stop(ev, io);
    ev_timer_stop(ev, &self->patience);
    forget_process(self);
    bough_loop_begin(loop);
    over(self);
    bough_loop_end(loop);
}

static void wait_for(struct bough_process *self)
{
    struct pollfd polled = { .fd = self->pidfd, .events = POLLIN };
    siginfo_t info;

    while (poll(&polled, 1, PATIENCE_MS) < 0 && errno == EINTR)
        continue;
    reap(self, &info);
    forget_process(self);
}

/* Asked for from outside, or of its own when it said nonsense. A signal can be asked for
 * by name; one that it survives is followed by the other. */
static void ends(struct bough_linger *linger, const struct bough_exit_reason *reason,
                 bool at_once)
{
    struct bough_process *self = bough_container(linger, struct bough_process, linger);
    struct ev_loop *ev = bough_loop_ev(bough_actor_loop(self->actor));

    if (self->pidfd < 0) {
        over(self);
        return;
    }
    if (reason->kind == BOUGH_EXIT_SIGNAL && reason->number != SIGKILL)
        syscall(SYS_pidfd_send_signal, self->pidfd, reason->number, NULL, 0);
    else
        syscall(SYS_pidfd_send_signal, self->pidfd, SIGKILL, NULL, 0);
    if (at_once) {
        wait_for(self);
        over(self);
        return;
    }
    ev_io_init(&self->gone, on_gone, self->pidfd, EV_READ);
    self->gone.data = self;
    ev_io_start(ev, &self->gone);
    ev_timer_init(&self->patience, on_patience_over, SURVIVES_SECONDS, 0);
    self->patience.data = self;
    ev_timer_start(ev, &self->patience);
}

/* The process is gone; what it had answered before is still read. */
static void process_finish(struct bough_actor *actor)
{
    struct bough_process *self = bough_state(actor);
    const char *why;

    if (self->border.theirs != NULL && !read_rest(self, &why)) self->told = false;
    bough_inbound_close(self);
    bough_handed_close(self);
    bough_border_finish(&self->border);
}

/* Options: the child's spec */

static void *copy_options(const void *options)
{
    return bough_spec_copy(options);
}

static void free_options(void *options)
{
    bough_spec_free(options);
}

const struct bough_actor_type bough_process_type = {
    .name = "process",
    .help = "Stands for an actor that lives in a process of its own.",
    .state_size = sizeof(struct bough_process),
    .options_size = sizeof(struct bough_child_spec),
    .holds = true,
    .init = process_init,
    .run_batch = process_run_batch,
    .stop = process_stop,
    .finish = process_finish,
    .copy_options = copy_options,
    .free_options = free_options,
};
