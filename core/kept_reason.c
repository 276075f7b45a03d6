/* kept_reason.c - exit reasons that are kept.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/core/kept_reason_internal.h>

#include <bough/core/assert.h>

const struct bough_kept_reason bough_bare_reasons[] = {
    [BOUGH_EXIT_NORMAL] = { .reason = { .kind = BOUGH_EXIT_NORMAL } },
    [BOUGH_EXIT_SHUTDOWN] = { .reason = { .kind = BOUGH_EXIT_SHUTDOWN } },
    [BOUGH_EXIT_ERROR] = { .reason = { .kind = BOUGH_EXIT_ERROR,
                                       .status = BOUGH_ENOMEM } },
    [BOUGH_EXIT_KILLED] = { .reason = { .kind = BOUGH_EXIT_KILLED } },
    [BOUGH_EXIT_SIGNAL] = { .reason = { .kind = BOUGH_EXIT_SIGNAL } },
    [BOUGH_EXIT_CODE] = { .reason = { .kind = BOUGH_EXIT_CODE } },
    [BOUGH_EXIT_TIMEOUT] = { .reason = { .kind = BOUGH_EXIT_TIMEOUT } },
    [BOUGH_EXIT_LOST] = { .reason = { .kind = BOUGH_EXIT_LOST } },
};
_Static_assert(bough_count_of(bough_bare_reasons) == BOUGH_EXIT_KIND_COUNT,
               "each kind has its reason");

/* Of a life that was not wanted, so that it is not taken for one that failed. */
static const struct bough_kept_reason not_wanted = {
    .reason = { .kind = BOUGH_EXIT_NORMAL, .status = BOUGH_IGNORE },
};

static const struct bough_exit_reason *
without_memory(const struct bough_exit_reason *reason)
{
    return reason->status == BOUGH_IGNORE ? &not_wanted.reason
                                          : bough_bare_reason(reason->kind);
}

struct bough_exit_reason *bough_reason_new(struct bough_loop *loop)
{
    struct bough_kept_reason *kept = bough_pool_take(&loop->pool, sizeof(*kept));

    if (kept == NULL) return NULL;
    kept->holders = 1;
    return &kept->reason;
}

const struct bough_exit_reason *bough_reason_keep(struct bough_loop *loop,
                                                  const struct bough_exit_reason *reason)
{
    struct bough_exit_reason *kept;

    bough_assert(reason->kind < BOUGH_EXIT_KIND_COUNT);
    if (bough_reason_is_bare(reason)) return bough_bare_reason(reason->kind);
    kept = bough_reason_new(loop);
    if (kept == NULL) return without_memory(reason);
    bough_exit_copy(kept, reason);
    return kept;
}
