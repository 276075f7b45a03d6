/* proxy.c - the actor in the parent that stands for one in a process.
 *
 * Its life is the other one's: it begins when that one is told what to be, is ready when
 * it says so, and ends when it has ended, or its process has. One that is to end asks it
 * to, and waits.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/supervisor/process/process_internal.h>

#include <string.h>

#include <bough/core/assert.h>
#include <bough/core/runtime.h>
#include <bough/supervisor/spec_pack.h>
#include <bough/supervisor/supervision_internal.h>

/* Beginning */

static bool is_alone(const struct bough_proxy *proxy)
{
    return proxy->host->owner == proxy->actor;
}

static void pack_start(struct bough_proxy *proxy, struct bough_block *block)
{
    const struct bough_child_spec *spec = proxy->spec;
    const struct bough_resident_start start = {
        .type = spec->type,
        .log_level = bough_log_level(bough_actor_runtime(proxy->actor)),
        .capacity =
            spec->mailbox_capacity != 0 ? spec->mailbox_capacity : BOUGH_MAILBOX_CAPACITY,
        .when_full = spec->when_full,
        .on_restart = spec->on_restart,
        .may_spin = bough_loop_may_spin(bough_actor_loop(proxy->actor)),
        .alone = is_alone(proxy),
    };

    bough_block_init(block, NULL, 0, &start, sizeof(start));
    bough_block_text(block, offsetof(struct bough_resident_start, path),
                     bough_actor_path(proxy->actor));
    if (spec->options != NULL && spec->type->options_size > 0)
        bough_options_pack(block, offsetof(struct bough_resident_start, options),
                           spec->type, spec->options, UINT64_MAX);
}

/* Orders get through, also when the ring is full now. */
static enum bough_status post(struct bough_proxy *proxy, enum bough_frame_kind kind,
                              const void *bytes, size_t size)
{
    struct bough_frame frame = { .kind = (uint8_t)kind, .id = proxy->number };

    return bough_border_post(&proxy->host->border, &frame, bytes, size, SIZE_MAX);
}

static enum bough_status tell(struct bough_proxy *proxy, enum bough_frame_kind kind,
                              const void *bytes, size_t size)
{
    const enum bough_status status = post(proxy, kind, bytes, size);

    bough_border_poke(&proxy->host->border);
    return status;
}

/* What waits for it goes along, and wakes it. */
static enum bough_status post_start(struct bough_proxy *proxy)
{
    struct bough_block block;
    enum bough_status status;

    pack_start(proxy, &block);
    status = block.status;
    if (status == BOUGH_OK)
        status = post(proxy, BOUGH_FRAME_START, block.data, block.size);
    bough_block_finish(&block);
    return status;
}

static void ends(struct bough_linger *linger, const struct bough_exit_reason *reason,
                 bool at_once);

static enum bough_status enter(struct bough_proxy *proxy, struct bough_host *host)
{
    enum bough_status status = bough_host_enter(host, proxy);

    if (status != BOUGH_OK) {
        bough_fail(proxy->actor, status, "no room in its process: %s",
                   status == BOUGH_EFULL ? "it has as many actors as one can have"
                                         : bough_status_text(status));
        return status;
    }
    bough_patience_begin(host, proxy->spec->stuck_after_ms);
    status = post_start(proxy);
    if (status != BOUGH_OK)
        bough_fail(proxy->actor, status, "its process could not be told what to be: %s",
                   bough_status_text(status));
    return status;
}

/* What waits already goes along, so that it is run as soon as the other one is ready: the
 * first of it in one wake-up with the start. */
static void hand_on_what_waits(struct bough_proxy *proxy)
{
    enum { FIRST = 16 };
    struct bough_held *held;
    size_t count = 0;

    while (!bough_handed_is_full(proxy) && bough_handed_reserve(proxy) &&
           (held = bough_hold_next(proxy->actor)) != NULL) {
        const struct bough_held_message message = bough_held_message(held);

        bough_handed_add(proxy, &message, 1);
        if (++count == FIRST) bough_handed_send(proxy);
    }
    bough_handed_send(proxy);
}

/* The process has begun, so that whatever fails now ends it in order. */
static enum bough_status begin_alone(struct bough_proxy *proxy)
{
    struct bough_host *host;
    const enum bough_status status = bough_host_new(proxy->actor, proxy->spec, &host);

    if (status != BOUGH_OK) return status;
    proxy->host = host;
    if (enter(proxy, host) == BOUGH_OK) hand_on_what_waits(proxy);
    return BOUGH_OK;
}

static enum bough_status begin_among_others(struct bough_proxy *proxy)
{
    struct bough_host *host = bough_supervision_host(proxy->actor);

    if (host == NULL || host->pidfd < 0) {
        bough_fail(proxy->actor, BOUGH_EGONE, "the process it was to live in is gone");
        return BOUGH_EGONE;
    }
    const enum bough_status status = enter(proxy, host);
    if (status != BOUGH_OK) {
        if (proxy->entered) bough_host_leave(proxy);
        return status;
    }
    bough_linger(proxy->actor, &proxy->linger);
    proxy->linger.ends = ends;
    proxy->lingers = true;
    hand_on_what_waits(proxy);
    return BOUGH_OK;
}

static enum bough_status proxy_init(struct bough_actor *actor, const void *options)
{
    struct bough_proxy *proxy = bough_state(actor);
    const char *obstacle;

    proxy->actor = actor;
    proxy->spec = options;
    obstacle = bough_process_obstacle(proxy->spec->type);
    if (obstacle != NULL) {
        bough_fail(actor, BOUGH_EINVALID, "%s", obstacle);
        return BOUGH_EINVALID;
    }
    const enum bough_status status = proxy->spec->isolation == BOUGH_PROCESS
                                         ? begin_alone(proxy)
                                         : begin_among_others(proxy);
    if (status == BOUGH_OK) bough_starting(actor);
    return status;
}

void bough_proxy_is_ready(struct bough_proxy *proxy)
{
    if (!proxy->ready) bough_ready(proxy->actor);
    proxy->ready = true;
}

/* Mail */

static void count_paused(struct bough_host *host, int more)
{
    host->paused += (size_t)more;
    atomic_store(&host->border.mine->curious, host->paused > 0 ? 1 : 0);
}

/* When too many are handed on it takes no more until some of it is done; the child is
 * asked to say so. */
void bough_proxy_pace(struct bough_proxy *proxy)
{
    const bool full = bough_handed_is_full(proxy);

    if (full == proxy->paused) return;
    proxy->paused = full;
    count_paused(proxy->host, full ? 1 : -1);
    if (full)
        bough_pause(proxy->actor);
    else
        bough_resume(proxy->actor);
}

static void make_room(struct bough_proxy *proxy)
{
    if (!bough_handed_retire(proxy))
        bough_host_distrust(proxy->host, "it was not sent so much");
    bough_proxy_pace(proxy);
}

/* For want of memory. */
static void refuse_one(struct bough_actor *actor, struct bough_batch *batch)
{
    size_t size;

    if (bough_batch_next(batch, &size) != NULL)
        bough_refuse(actor, BOUGH_ENOMEM, "no memory to hand it on");
}

static void proxy_run_batch(struct bough_actor *actor, struct bough_batch *batch)
{
    enum { AT_ONCE = 32 };
    struct bough_proxy *proxy = bough_state(actor);
    struct bough_held_message messages[AT_ONCE];
    size_t count = 1;

    while (count > 0 && !proxy->paused && bough_handed_reserve(proxy)) {
        const size_t room = bough_handed_room(proxy);

        count = bough_batch_hold(batch, messages, room < AT_ONCE ? room : AT_ONCE);
        bough_handed_add(proxy, messages, count);
        if (bough_handed_is_full(proxy)) make_room(proxy);
    }
    if (!bough_handed_reserve(proxy)) refuse_one(actor, batch);
    bough_handed_send(proxy);
}

/* Ends */

static void proxy_stop(struct bough_actor *actor)
{
    struct bough_proxy *proxy = bough_state(actor);

    if (is_alone(proxy)) proxy->host->asked = true;
    if (tell(proxy, BOUGH_FRAME_STOP, NULL, 0) != BOUGH_OK)
        bough_host_distrust(proxy->host, "it does not read what it is told");
}

static void over(struct bough_proxy *proxy)
{
    if (proxy->ending) bough_host_saw_end(proxy->host);
    proxy->ending = false;
    if (!proxy->lingers) return;
    proxy->lingers = false;
    bough_linger_over(&proxy->linger);
}

void bough_proxy_exited(struct bough_proxy *proxy, const struct bough_exit_reason *reason)
{
    proxy->told = true;
    proxy->reason = *reason;
    if (is_alone(proxy)) return; /* its process ends, too */
    bough_exit_because(proxy->actor, reason);
    over(proxy);
}

void bough_proxy_lost_host(struct bough_proxy *proxy,
                           const struct bough_exit_reason *reason)
{
    bough_exit_because(proxy->actor, reason);
    over(proxy);
}

/* What ends it ends the other one first. */
static void ends(struct bough_linger *linger, const struct bough_exit_reason *reason,
                 bool at_once)
{
    struct bough_proxy *proxy = bough_container(linger, struct bough_proxy, linger);

    if (at_once) bough_host_end_now(proxy->host);
    if (!proxy->lingers) return;
    if (proxy->told || proxy->host->pidfd < 0) {
        over(proxy);
        return;
    }
    proxy->ending = true;
    bough_host_expect_end(proxy->host);
    if (tell(proxy, BOUGH_FRAME_END, reason, sizeof(*reason)) != BOUGH_OK)
        bough_host_distrust(proxy->host, "it does not read what it is told");
}

static void proxy_finish(struct bough_actor *actor)
{
    struct bough_proxy *proxy = bough_state(actor);
    struct bough_host *host = proxy->host;
    const bool alone = is_alone(proxy);

    if (proxy->entered) {
        bough_handed_close(proxy);
        if (proxy->paused) count_paused(host, -1);
        bough_host_leave(proxy);
    }
    if (alone) bough_host_free(host);
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

const struct bough_actor_type bough_proxy_type = {
    .name = "proxy",
    .help = "Stands for an actor that lives in a process.",
    .state_size = sizeof(struct bough_proxy),
    .options_size = sizeof(struct bough_child_spec),
    .holds = true,
    .init = proxy_init,
    .run_batch = proxy_run_batch,
    .stop = proxy_stop,
    .finish = proxy_finish,
    .copy_options = copy_options,
    .free_options = free_options,
};
