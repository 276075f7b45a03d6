/* foresight.h - what the limits of a tree mean, known before it runs.
 *
 * Pure arithmetic over child specs: how often an actor may be started before the whole
 * tree gives up, and how long it may take to stop. The worst that the limits allow is
 * meant, not what is likely. Children that are made by request are not in it, but for the
 * template.
 *
 * Thread: any.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_CONFIG_FORESIGHT_H
#define BOUGH_CONFIG_FORESIGHT_H

#include <bough/supervisor/spec.h>

/* More starts than this are not counted. */
#define BOUGH_STARTS_MAX UINT64_C(1000000000000000000)

struct bough_foresight {
    /* The most starts of one actor that fails at once whenever it is started, until the
     * tree gives up; nested limits multiply, and waits are taken in full. 0: no such
     * actor makes it give up. Above BOUGH_STARTS_MAX: more than that. */
    uint64_t starts;
    char starts_path[BOUGH_PATH_MAX]; /* of that actor; "" when there is none */

    /* The longest that the tree may take to stop, in ms; BOUGH_FOREVER. */
    int64_t stop_ms;
    char stop_path[BOUGH_PATH_MAX]; /* of the first actor without limit, else "" */
};

/* Looks at a tree that bough_supervisor_check() accepts. */
BOUGH_PUBLIC void bough_foresee(const struct bough_supervisor_options *options,
                                struct bough_foresight *foresight);

/* The longest that a child may take until it is down, in ms: its limit, or less when
 * nothing in it can take as long. BOUGH_FOREVER. */
BOUGH_PUBLIC int64_t bough_foresee_stop_ms(const struct bough_child_spec *spec);

/* The same for all children of a supervisor, one after another, without its own limit. */
BOUGH_PUBLIC int64_t
bough_foresee_children_stop_ms(const struct bough_supervisor_options *options);

/* The same for those that have to stop before a group restart, at worst; 0 unless the
 * strategy is one-for-all or rest-for-one. */
BOUGH_PUBLIC int64_t
bough_foresee_group_stop_ms(const struct bough_supervisor_options *options);

/* What limits the restarts of a child. */
struct bough_limit {
    uint32_t intensity; /* restarts, ... */
    int64_t period_ms;  /* ... in so many ms */
};

BOUGH_PUBLIC struct bough_limit
bough_limit_of_supervisor(const struct bough_supervisor_options *options);
BOUGH_PUBLIC struct bough_limit bough_limit_of_child(const struct bough_child_spec *spec);

/* Whether a child that waits so long before each restart can never pass the limit by
 * itself, however fast it fails. */
BOUGH_PUBLIC bool bough_backoff_outruns(const struct bough_backoff *backoff,
                                        struct bough_limit limit);

/* What the faults of a child can lead to at worst, by restart type and policies. */
enum bough_fate {
    BOUGH_FATE_OVER,     /* never a restart that counts, nor a supervisor that gives up */
    BOUGH_FATE_COUNTED,  /* restarts that count */
    BOUGH_FATE_ESCALATE, /* no restart: the supervisor gives up at once */
};

BOUGH_PUBLIC enum bough_fate bough_foresee_fault(const struct bough_child_spec *spec);

/* The same for the end with the reason `shutdown`: that of a supervisor which gives up.
 */
BOUGH_PUBLIC enum bough_fate bough_foresee_give_up(const struct bough_child_spec *spec);

/* The most starts of one actor until a supervisor gives up; as in the struct. */
BOUGH_PUBLIC uint64_t
bough_foresee_starts(const struct bough_supervisor_options *options);

#endif
