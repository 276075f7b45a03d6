/* host.c - a process where actors live: how it is born, and how it ends.
 *
 * It belongs to the life of one actor, its owner, and the two end together: what ends the
 * owner kills it, and when it ends the owner does, for the same reason. Nothing of the
 * process is left when the owner's watches are told, nor when those of an actor in it
 * are, but for its number, which is given back a moment later (remains.c).
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
#include <bough/core/text.h>
#include <bough/supervisor/process/crash_internal.h>
#include <bough/supervisor/process/nursery_internal.h>
#include <bough/supervisor/supervision_internal.h>

enum {
    PATIENCE_MS = 5000, /* for a killed process, where nobody polls any more */
    FIRST_BERTHS = 1,
    NO_BERTH = UINT32_MAX
};
static const double SURVIVES_SECONDS = 1;   /* a signal that was to end it */
static const double SETTLED_SECONDS = 0.01, /* a life that has begun */
    LONGEST_SECONDS = 60,                   /* between two looks for a spare */
    QUIET_SECONDS = 60;                     /* until one less of them is kept */
static const double CONCERN_SECONDS = 5;    /* for actors in it that were to end */

/* Numbers */

static bool grow(struct bough_host *host)
{
    const uint32_t old = host->berth_count, count = old > 0 ? 4 * old : FIRST_BERTHS;
    struct bough_berth *berths = realloc(host->berths, count * sizeof(*berths));

    if (berths == NULL) return false;
    for (uint32_t i = old; i < count; i++)
        berths[i] =
            (struct bough_berth){ .next_free = i + 1 < count ? i + 1 : host->first_free };
    host->berths = berths;
    host->berth_count = count;
    host->first_free = old;
    return true;
}

enum bough_status bough_host_enter(struct bough_host *host, struct bough_proxy *proxy)
{
    if (host->first_free == NO_BERTH) {
        if (host->berth_count == BOUGH_RESIDENTS_MAX) return BOUGH_EFULL;
        if (!grow(host)) return BOUGH_ENOMEM;
    }
    proxy->host = host;
    proxy->entered = true;
    proxy->number = host->first_free;
    host->first_free = host->berths[proxy->number].next_free;
    host->berths[proxy->number].proxy = proxy;
    bough_handed_open(proxy);
    return BOUGH_OK;
}

void bough_host_leave(struct bough_proxy *proxy)
{
    struct bough_host *host = proxy->host;
    struct bough_berth *berth = &host->berths[proxy->number];

    proxy->entered = false;
    berth->proxy = NULL;
    berth->next_free = host->first_free;
    host->first_free = proxy->number;
}

/* Birth */

static struct bough_nursery *nursery_of(const struct bough_host *host)
{
    return bough_runtime_nursery(bough_actor_runtime(host->owner));
}

static void signal_it(const struct bough_host *host, int number)
{
    syscall(SYS_pidfd_send_signal, host->pidfd, number, NULL, 0);
}

/* Once more: with a process that was killed in between and did not get its end of the
 * border; or without descriptors, with those that remain of processes before it. */
static bool is_worth_a_try(const struct bough_host *host, int *tries)
{
    enum { TRIES = 3 };

    if (errno == EPIPE) return ++*tries < TRIES;
    return errno == EMFILE && bough_remains_clear(host->owner);
}

/* One that waits for this, or else the next one that is born. */
static enum bough_status find_process(const struct bough_host *host,
                                      struct bough_spare **found)
{
    struct bough_nursery *nursery = nursery_of(host);
    enum bough_status status;
    int tries = 0;

    *found = bough_nursery_spare(nursery);
    if (*found != NULL) return BOUGH_OK;
    if (bough_remains_wait(host->owner)) bough_nursery_keep_more(nursery);
    do {
        status = bough_spare_new(nursery, true, found);
    } while (status == BOUGH_ESYSTEM && is_worth_a_try(host, &tries));
    return status;
}

static enum bough_status be_born(struct bough_host *host)
{
    struct bough_spare *found;
    const enum bough_status status = find_process(host, &found);

    if (status != BOUGH_OK) return status;
    host->pid = found->birth.pid;
    host->pidfd = found->birth.pidfd;
    host->border = found->border;
    free(found);
    return BOUGH_OK;
}

/* Whatever it is told comes after them, and wakes it. */
static enum bough_status post_limits(struct bough_host *host,
                                     const struct bough_limits_plan *plan)
{
    struct bough_frame frame = { .kind = BOUGH_FRAME_LIMITS };

    return bough_border_post(&host->border, &frame, plan, sizeof(*plan), SIZE_MAX);
}

/* When the life has gone on for a while without another one: what waits for many, which
 * began together then, becomes fewer again. */
static void on_quiet(struct ev_loop *ev, struct ev_timer *timer, int events)
{
    struct bough_nursery *nursery = nursery_of(timer->data);

    (void)events;
    bough_nursery_keep_less(nursery);
    if (!bough_nursery_keeps_more(nursery)) ev_timer_stop(ev, timer);
}

/* When the life has begun, and not so soon that it would be in its way: the next one is
 * looked after. */
static void on_settled(struct ev_loop *ev, struct ev_timer *timer, int events)
{
    struct bough_nursery *nursery = nursery_of(timer->data);

    (void)events;
    if (!bough_nursery_stock(nursery)) {
        if (timer->repeat < LONGEST_SECONDS) timer->repeat *= 2;
    } else if (bough_nursery_keeps_more(nursery)) {
        ev_set_cb(timer, on_quiet);
        timer->repeat = QUIET_SECONDS;
    } else {
        timer->repeat = 0;
    }
    ev_timer_again(ev, timer);
}

static void on_ended(struct bough_actor *actor, struct bough_source *source, int events);
static void ends(struct bough_linger *linger, const struct bough_exit_reason *reason,
                 bool at_once);

static enum bough_status cannot(struct bough_actor *owner, enum bough_status status)
{
    bough_fail(owner, status, "its process could not be made: %s",
               status == BOUGH_ESYSTEM ? strerror(errno) : bough_status_text(status));
    return status;
}

static void attach(struct bough_host *host, const struct bough_child_spec *spec)
{
    struct bough_actor *owner = host->owner;

    bough_linger(owner, &host->linger);
    host->linger.ends = ends;
    host->lingers = true;
    bough_show_pid(owner, host->pid);
    bough_source_start(owner, &host->ended, host->pidfd, EV_READ, on_ended);
    bough_traffic_begin(host);
    host->keeps_spare = spec->spare;
    if (spec->spare) bough_nursery_want(nursery_of(host), true);
    ev_timer_init(&host->settled, on_settled, SETTLED_SECONDS, SETTLED_SECONDS);
    host->settled.data = host;
    ev_timer_start(bough_loop_ev(bough_actor_loop(owner)), &host->settled);
}

/* With the limits of its spec, of which the names are looked up here. */
static enum bough_status be_born_limited(struct bough_host *host,
                                         const struct bough_process_limits *limits)
{
    struct bough_limits_plan plan;
    struct bough_error error;
    enum bough_status status = bough_limits_plan(limits, &plan, &error);

    if (status != BOUGH_OK) {
        bough_fail(host->owner, status, "%s", error.text);
        return status;
    }
    status = be_born(host);
    if (status == BOUGH_OK && bough_limits_any(limits)) status = post_limits(host, &plan);
    return status == BOUGH_OK ? BOUGH_OK : cannot(host->owner, status);
}

enum bough_status bough_host_new(struct bough_actor *owner,
                                 const struct bough_child_spec *spec,
                                 struct bough_host **host)
{
    struct bough_host *made;

    if (bough_runtime_nursery(bough_actor_runtime(owner)) == NULL) {
        bough_fail(owner, BOUGH_EINVALID,
                   "there is no nursery to fork it: make one, before any thread, and "
                   "name it in the runtime's options");
        return BOUGH_EINVALID;
    }
    made = calloc(1, sizeof(*made));
    if (made == NULL) return cannot(owner, BOUGH_ENOMEM);
    made->owner = owner;
    made->pidfd = made->corpse = -1;
    made->first_free = NO_BERTH;
    made->border = (struct bough_border){ .wake_fd = -1, .poke_fd = -1, .socket = -1 };
    const enum bough_status status = be_born_limited(made, &spec->limits);
    if (status != BOUGH_OK) {
        if (made->pidfd >= 0)
            bough_birth_kill(&(struct bough_birth){ .pidfd = made->pidfd });
        bough_host_free(made);
        return status;
    }
    attach(made, spec);
    made->watched.limit_ms = spec->stuck_after_ms;
    bough_patience_begin(made, spec->stuck_after_ms);
    *host = made;
    return BOUGH_OK;
}

/* One that was asked to end is not expected back. */
static void leave_nursery(struct bough_host *host)
{
    struct bough_nursery *nursery = nursery_of(host);

    ev_timer_stop(bough_loop_ev(bough_actor_loop(host->owner)), &host->settled);
    if (host->keeps_spare) bough_nursery_want(nursery, false);
    if (host->asked) bough_nursery_trim(nursery);
}

/* One that has ended by itself is most often followed by another life, soon. */
static void clear_away(struct bough_host *host)
{
    const bool at_once = host->corpse < 0 || host->asked || host->ordered;

    if (!at_once && bough_remains_take(host)) return;
    if (host->corpse >= 0) bough_process_forget(host->corpse);
    bough_border_finish(&host->border);
}

void bough_host_free(struct bough_host *host)
{
    if (host == NULL) return;
    bough_inlet_close(&host->inlet);
    bough_inbound_close(host);
    bough_outlook_close(host);
    for (int i = 0; i < BOUGH_SAID_MAX; i++)
        free(host->said[i]);
    leave_nursery(host);
    clear_away(host);
    free(host->berths);
    free(host);
}

/* News */

void bough_host_distrust(struct bough_host *host, const char *why)
{
    const struct bough_exit_reason lost =
        bough_exit_make(BOUGH_EXIT_LOST, BOUGH_OK, 0,
                        "its process said nonsense and was killed: %s", why);

    host->distrusted = true;
    bough_exit_because(host->owner, &lost);
}

void bough_host_left(struct bough_host *host, const char *path, unsigned state)
{
    struct bough_frame frame = { .kind = BOUGH_FRAME_LEFT, .status = state };

    if (host->pidfd < 0) return;
    /* When memory is out it goes on waiting for somebody who does not come. */
    if (bough_border_post(&host->border, &frame, path, strlen(path) + 1, SIZE_MAX) ==
        BOUGH_OK)
        bough_border_poke(&host->border);
}

/* Ends */

static struct bough_proxy *own_proxy(const struct bough_host *host)
{
    struct bough_proxy *proxy = bough_host_proxy(host, 0);

    return proxy != NULL && proxy->actor == host->owner ? proxy : NULL;
}

/* It is to end because somebody here says so, unless it is for what it said itself. */
static void order_end(struct bough_host *host, int number)
{
    host->ordered = !host->distrusted;
    host->signal = number;
    signal_it(host, number);
}

/* Whether it has ended. waitid() is asked for the usage of the process too, which glibc's
 * does not hand on. */
static bool has_ended(struct bough_host *host, siginfo_t *info)
{
    long result;

    memset(info, 0, sizeof(*info));
    do {
        result = syscall(SYS_waitid, P_PIDFD, host->pidfd, info,
                         WEXITED | WNOHANG | WNOWAIT, &host->usage);
    } while (result != 0 && errno == EINTR);
    if (result == 0 && info->si_pid == 0) return false;
    bough_show_spent(host->owner, bough_usage_ms(&host->usage));
    return true;
}

static struct bough_exit_reason reason_of(const struct bough_host *host,
                                          const siginfo_t *info)
{
    char place[BOUGH_FAULT_TEXT], span[BOUGH_DURATION_TEXT];

    if (info->si_code == CLD_EXITED)
        return bough_exit_make(BOUGH_EXIT_CODE, BOUGH_OK, info->si_status,
                               "its process ended by itself");
    if (host->watched.stuck_ms > 0)
        return bough_exit_make(BOUGH_EXIT_TIMEOUT, BOUGH_OK, 0, "stuck for %s",
                               bough_print_ms(host->watched.stuck_ms, span));
    if (info->si_code == CLD_KILLED || info->si_code == CLD_DUMPED) {
        bough_fault_print_end(host, info->si_status, place);
        return bough_exit_make(BOUGH_EXIT_SIGNAL, BOUGH_OK, info->si_status, "%s", place);
    }
    return bough_exit_make(BOUGH_EXIT_LOST, BOUGH_OK, 0,
                           "somebody else has waited for its process");
}

const struct bough_proxy *bough_host_runner(const struct bough_host *host)
{
    struct bough_held_message message;

    for (uint32_t i = 0; i < host->berth_count; i++) {
        const struct bough_proxy *proxy = host->berths[i].proxy;

        if (proxy != NULL && !proxy->told && bough_handed_running(proxy, &message))
            return proxy;
    }
    return NULL;
}

/* Who ran a message when it ended is named, for it is the one to look at. */
static void name_runner(const struct bough_host *host, struct bough_exit_reason *reason)
{
    const struct bough_proxy *runner = bough_host_runner(host);

    const bool said = reason->kind != BOUGH_EXIT_CODE && reason->text[0] != '\0';
    char place[BOUGH_EXIT_TEXT] = "";

    if (runner == NULL) return;
    if (said) bough_text_format(place, sizeof(place), "%s, ", reason->text);
    *reason = bough_exit_make(reason->kind, reason->status, reason->number,
                              "%swhile %s ran a message", place,
                              bough_actor_path(runner->actor));
}

static void over(struct bough_host *host)
{
    if (!host->lingers) return;
    host->lingers = false;
    bough_linger_over(&host->linger);
}

/* The ring holds no more than that many turns of it. */
static bool read_rest(struct bough_host *host, const char **why)
{
    bool more = true;

    while (more) {
        if (!bough_inbound_read(host, &more, why)) return false;
    }
    return true;
}

/* Whatever it was told: its end came before that. */
static bool ended_by_itself(const struct bough_host *host, const siginfo_t *info)
{
    return info->si_code == CLD_EXITED ||
           (info->si_status != host->signal && info->si_status != SIGKILL);
}

/* It has ended: what it has written before it ended counts, then nobody lives there any
 * more. Returns why, as its owner is to be told. */
static struct bough_exit_reason is_gone(struct bough_host *host, const siginfo_t *info)
{
    struct ev_loop *ev = bough_loop_ev(bough_actor_loop(host->owner));
    const struct bough_proxy *own = own_proxy(host);
    struct bough_exit_reason reason = reason_of(host, info);
    const char *why;

    if (ended_by_itself(host, info)) host->ordered = false;
    host->corpse = host->pidfd;
    host->pidfd = -1;
    bough_inlet_close(&host->inlet);
    ev_timer_stop(ev, &host->patience);
    ev_timer_stop(ev, &host->concern);
    if (!read_rest(host, &why)) bough_host_distrust(host, why);
    if (info->si_code == CLD_KILLED || info->si_code == CLD_DUMPED)
        bough_crash_report(host, info->si_code == CLD_DUMPED, &host->usage);
    if (host->unfit) reason = host->reason;
    if (own != NULL) return own->told ? own->reason : reason;
    if (!host->unfit) name_runner(host, &reason);
    /* The owner first: nobody below it is to restart what it takes along. */
    bough_exit_because(host->owner, &reason);
    for (uint32_t i = 0; i < host->berth_count; i++) {
        if (host->berths[i].proxy != NULL)
            bough_proxy_lost_host(host->berths[i].proxy, &reason);
    }
    return reason;
}

/* By itself. */
static void on_ended(struct bough_actor *actor, struct bough_source *source, int events)
{
    struct bough_host *host = bough_container(source, struct bough_host, ended);
    siginfo_t info;

    (void)events;
    if (!has_ended(host, &info)) return;
    bough_source_stop(source);
    const struct bough_exit_reason reason = is_gone(host, &info);
    bough_exit_because(actor, &reason);
    over(host);
}

static void on_gone(struct ev_loop *ev, struct ev_io *io, int events)
{
    struct bough_host *host = io->data;
    struct bough_loop *loop = bough_actor_loop(host->owner);
    siginfo_t info;

    (void)events;
    if (!has_ended(host, &info)) return;
    ev_io_stop(ev, io);
    bough_loop_begin(loop);
    is_gone(host, &info);
    over(host);
    bough_loop_end(loop);
}

static void on_patience_over(struct ev_loop *ev, struct ev_timer *timer, int events)
{
    const struct bough_host *host = timer->data;

    (void)ev, (void)events;
    signal_it(host, SIGKILL);
}

static void start_timer(struct bough_host *host, struct ev_timer *timer,
                        void (*due)(struct ev_loop *, struct ev_timer *, int),
                        double seconds)
{
    struct ev_loop *ev = bough_loop_ev(bough_actor_loop(host->owner));

    ev_timer_stop(ev, timer);
    ev_timer_init(timer, due, seconds, 0);
    timer->data = host;
    ev_timer_start(ev, timer);
}

void bough_host_abort(struct bough_host *host)
{
    signal_it(host, SIGABRT);
    start_timer(host, &host->patience, on_patience_over, SURVIVES_SECONDS);
}

void bough_host_end_now(struct bough_host *host)
{
    struct pollfd polled = { .fd = host->pidfd, .events = POLLIN };
    siginfo_t info;

    if (host->pidfd < 0) return;
    order_end(host, SIGKILL);
    while (poll(&polled, 1, PATIENCE_MS) < 0 && errno == EINTR)
        continue;
    (void)has_ended(host, &info);
    ev_io_stop(bough_loop_ev(bough_actor_loop(host->owner)), &host->gone);
    bough_source_stop(&host->ended);
    is_gone(host, &info);
}

/* The owner's end: asked for from outside, or of its own when it said nonsense. A signal
 * can be asked for by name; one that it survives is followed by the other. */
static void ends(struct bough_linger *linger, const struct bough_exit_reason *reason,
                 bool at_once)
{
    struct bough_host *host = bough_container(linger, struct bough_host, linger);
    const bool by_name = reason->kind == BOUGH_EXIT_SIGNAL && reason->number != SIGKILL;

    bough_inlet_close(&host->inlet);
    if (reason->kind == BOUGH_EXIT_SHUTDOWN) host->asked = true;
    if (at_once) bough_host_end_now(host);
    if (host->pidfd < 0) {
        over(host);
        return;
    }
    order_end(host, by_name ? reason->number : SIGKILL);
    ev_io_init(&host->gone, on_gone, host->pidfd, EV_READ);
    host->gone.data = host;
    ev_io_start(bough_loop_ev(bough_actor_loop(host->owner)), &host->gone);
    start_timer(host, &host->patience, on_patience_over, SURVIVES_SECONDS);
}

/* An actor that does not end keeps the whole process busy: which ends then. */
static void on_concern(struct ev_loop *ev, struct ev_timer *timer, int events)
{
    const struct bough_host *host = timer->data;
    struct bough_loop *loop = bough_actor_loop(host->owner);
    const struct bough_exit_reason reason =
        bough_exit_make(BOUGH_EXIT_TIMEOUT, BOUGH_OK, 0,
                        "an actor in its process was to end and did not");

    (void)ev, (void)events;
    bough_loop_begin(loop);
    bough_exit_because(host->owner, &reason);
    bough_loop_end(loop);
}

void bough_host_expect_end(struct bough_host *host)
{
    if (host->ending++ > 0) return;
    start_timer(host, &host->concern, on_concern, CONCERN_SECONDS);
}

void bough_host_saw_end(struct bough_host *host)
{
    if (--host->ending > 0) return;
    ev_timer_stop(bough_loop_ev(bough_actor_loop(host->owner)), &host->concern);
}
