/* kept_reason_internal.h - an exit reason on its way from a life to those who watch it.
 *
 * It has room for a sentence, so it is written once and not copied: it lies in a block of
 * the loop's pool, does not change, and is freed by the last who holds it. Most say no
 * more than their kind: those are constants, which nobody frees. All who hold one are on
 * the loop's thread.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_CORE_KEPT_REASON_INTERNAL_H
#define BOUGH_CORE_KEPT_REASON_INTERNAL_H

#include <bough/core/exit_reason.h>
#include <bough/core/loop_internal.h>

struct bough_kept_reason {
    uint32_t holders; /* 0: a constant */
    struct bough_exit_reason reason;
};

/* Reasons that say no more than their kind, and what is left of the others when there is
 * no memory for them. */
extern const struct bough_kept_reason bough_bare_reasons[BOUGH_EXIT_KIND_COUNT];

static inline const struct bough_exit_reason *bough_bare_reason(enum bough_exit_kind kind)
{
    return &bough_bare_reasons[kind].reason;
}

/* Whether it says no more than its kind. */
static inline bool bough_reason_is_bare(const struct bough_exit_reason *reason)
{
    return reason->text[0] == '\0' && reason->number == 0 &&
           reason->status == bough_bare_reason(reason->kind)->status;
}

/* One that is held once, to be written before anybody reads it; NULL: no memory. */
struct bough_exit_reason *bough_reason_new(struct bough_loop *loop);

/* A copy that is held once. */
const struct bough_exit_reason *bough_reason_keep(struct bough_loop *loop,
                                                  const struct bough_exit_reason *reason);

static inline struct bough_kept_reason *
bough_reason_kept(const struct bough_exit_reason *reason)
{
    return bough_container((uintptr_t)reason, struct bough_kept_reason, reason);
}

/* One more holds what was kept. */
static inline const struct bough_exit_reason *
bough_reason_hold(const struct bough_exit_reason *reason)
{
    struct bough_kept_reason *kept = bough_reason_kept(reason);

    if (kept->holders > 0) kept->holders++;
    return reason;
}

/* One holds it no more; on the loop where it was kept. */
static inline void bough_reason_drop(struct bough_loop *loop,
                                     const struct bough_exit_reason *reason)
{
    struct bough_kept_reason *kept = bough_reason_kept(reason);

    if (kept->holders == 0 || --kept->holders > 0) return;
    bough_pool_give(&loop->pool, kept, sizeof(*kept));
}

#endif
