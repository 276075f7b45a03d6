/* spec.h - child specs: plain data that says what a supervisor keeps running, and how.
 *
 * Written by hand in C with designated initialisers, or made from JSON by config/. A
 * zeroed member is OTP's default. The rules are OTP's (supervisor, child specification).
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_SUPERVISOR_SPEC_H
#define BOUGH_SUPERVISOR_SPEC_H

#include <bough/core/limits.h>
#include <bough/core/place.h>

enum bough_strategy {
    BOUGH_ONE_FOR_ONE,
    BOUGH_ONE_FOR_ALL,
    BOUGH_REST_FOR_ONE,
    BOUGH_DYNAMIC, /* OTP's simple_one_for_one: one template, children made by request */
    BOUGH_STRATEGY_COUNT
};

enum bough_restart {
    BOUGH_PERMANENT,
    BOUGH_TRANSIENT,
    BOUGH_TEMPORARY,
    BOUGH_RESTART_COUNT
};

/* What the end of a significant child by itself does to its supervisor. */
enum bough_auto_shutdown {
    BOUGH_NEVER,
    BOUGH_ANY_SIGNIFICANT, /* the first that ends for good takes it along */
    BOUGH_ALL_SIGNIFICANT, /* the last one does */
    BOUGH_AUTO_SHUTDOWN_COUNT
};

/* How a message to a group of replicas finds its member. */
enum bough_route { BOUGH_ROUND_ROBIN, BOUGH_LEAST_BUSY, BOUGH_HASH, BOUGH_ROUTE_COUNT };

/* What to do about an end, whatever the restart type would say. */
enum bough_policy_act {
    BOUGH_POLICY_RESTART,   /* as a permanent child */
    BOUGH_POLICY_UNCOUNTED, /* the same, and it does not count against the limits */
    BOUGH_POLICY_STOP, /* it stays down, and is known: as a transient child's good end */
    BOUGH_POLICY_ESCALATE, /* the supervisor gives up at once */
    BOUGH_POLICY_COUNT
};

/* "one-for-one", ... and "permanent", ..., then NULL: fit for a BOUGH_CHOICE. */
BOUGH_PUBLIC extern const char *const bough_strategy_names[];
BOUGH_PUBLIC extern const char *const bough_restart_names[];
BOUGH_PUBLIC extern const char *const bough_when_full_names[];
BOUGH_PUBLIC extern const char *const bough_auto_shutdown_names[];
BOUGH_PUBLIC extern const char *const bough_route_names[];
BOUGH_PUBLIC extern const char *const bough_policy_names[];

/* How long a child may take to end in order, in ms; then it is killed. */
enum { BOUGH_SHUTDOWN_DEFAULT = 0 };         /* 5,000; BOUGH_FOREVER for a supervisor */
#define BOUGH_SHUTDOWN_BRUTAL_KILL INT64_MIN /* at once, without asking */
#define BOUGH_SHUTDOWN_INFINITY BOUGH_FOREVER
#define BOUGH_SHUTDOWN_AT_ONCE \
    ((int64_t)-1) /* asked, then killed with no time: OTP's 0 */

/* How long a restart waits: `min_ms`, then `factor` times as long each time, up to
 * `max_ms`, each wait made up to `jitter` (0 to 1) of itself shorter by chance; from
 * `min_ms` again once a life has lasted `reset_after_ms`. All zero: no wait, as in OTP.
 * Waiting restarts count when they are tried. */
struct bough_backoff {
    int64_t min_ms;         /* 0: no backoff at all */
    int64_t max_ms;         /* 0: sixty times min_ms */
    double factor;          /* 0: 2.0 */
    double jitter;          /* 0: none */
    int64_t reset_after_ms; /* 0: max_ms */
};

/* The first policy that fits an end is followed. A zeroed condition fits everything. */
struct bough_policy {
    bool any_kind;             /* true: `kind` is meant, also when it is `normal` (0) */
    enum bough_exit_kind kind; /* of the exit reason */
    enum bough_status status;  /* an error's; BOUGH_OK: any */
    bool any_number;           /* true: `number` is meant, also when it is 0 */
    int number;                /* a signal's, or an exit code */
    enum bough_policy_act act;
};

struct bough_child_spec {
    const char *name; /* 1 to 64 of A-Z a-z 0-9 _ . - ; unique among its siblings */
    const struct bough_actor_type *type; /* &bough_supervisor_type for a nested one */
    const void *options;                 /* the type's; NULL: fallbacks */
    enum bough_restart restart;
    int64_t shutdown_ms;       /* a time, or one of the values above */
    uint32_t mailbox_capacity; /* messages; 0: BOUGH_MAILBOX_CAPACITY */
    enum bough_on_restart on_restart;
    enum bough_isolation isolation;
    bool spare; /* with isolation `process`: another one waits, for the next life */
    enum bough_when_full when_full; /* of a group: its own and its members' */

    /* Transient or temporary only, under an auto_shutdown other than never. */
    bool significant;

    /* Bough's own, all off when zeroed */
    struct bough_backoff backoff;
    int64_t start_timeout_ms; /* until ready, else failed with `timeout`; 0: for ever */
    /* How long one handler (init, a message, a timer, a descriptor) may run; 0: for ever.
     * In a process it is made to report where it is, and is ended and restarted, with
     * `timeout`; of a supervisor in a process it is about all that live there. Elsewhere
     * it is reported (BOUGH_EVENT_STUCK) and shown: see supervisor/watchdog.c. */
    int64_t stuck_after_ms;
    bool any_intensity; /* true: `intensity` is meant, also when it is 0; else 0: none */
    uint32_t intensity; /* a limit of its own, beside its supervisor's */
    int64_t period_ms;  /* 0: 5,000 */
    const struct bough_policy *policies;
    size_t policy_count;
    uint32_t replicas;       /* 0: one child, no group. Else a group of so many members */
    enum bough_route route;  /* of a group */
    const char *route_field; /* BOUGH_HASH: the message field that is hashed */
    /* How many of its lives a message may end, before which it is run again: then it is
     * put into quarantine (core/quarantine.h). 0: none is, but for one in a process: 1.
     * Not of a supervisor. */
    uint32_t redeliver;
    /* Of a process of its own (BOUGH_PROCESS) alone; of a supervisor's, with all below
     * it. A life whose process cannot have them fails to start; names are looked up at
     * each start. */
    struct bough_process_limits limits;
};

/* A window of one million restarts takes 8 MB; who wants more wants no limit. */
enum { BOUGH_INTENSITY_MAX = 1000000 };
enum { BOUGH_REDELIVER_PROCESS = 1, BOUGH_REDELIVER_MAX = 1000 };
enum { BOUGH_INTENSITY_DEFAULT = 1, BOUGH_PERIOD_DEFAULT = 5000 /* ms */ };

/* The options of the type "supervisor": its flags and its children. */
struct bough_supervisor_options {
    enum bough_strategy strategy;
    bool any_intensity; /* true: `intensity` is meant, also when it is 0 */
    uint32_t intensity; /* restarts within the period; 0 without any_intensity: 1 */
    int64_t period_ms;  /* 0: 5,000 */
    enum bough_auto_shutdown auto_shutdown;
    /* In start order. BOUGH_DYNAMIC: one, the template; its name is ignored. */
    const struct bough_child_spec *children;
    size_t child_count;
};

/* What the zeroes above stand for. */
BOUGH_PUBLIC uint32_t
bough_supervisor_intensity(const struct bough_supervisor_options *options);
BOUGH_PUBLIC int64_t
bough_supervisor_period_ms(const struct bough_supervisor_options *options);

/* The time to end in order, in ms: 0 for AT_ONCE, BOUGH_FOREVER, or
 * BOUGH_SHUTDOWN_BRUTAL_KILL. */
BOUGH_PUBLIC int64_t bough_child_shutdown_ms(const struct bough_child_spec *spec);

/* Why no actor of that type can live in a process of its own, as a sentence; NULL: it
 * can. */
BOUGH_PUBLIC const char *bough_process_obstacle(const struct bough_actor_type *type);

/* The backoff with its zeroes filled in; `min_ms` 0 stays: no backoff. */
BOUGH_PUBLIC struct bough_backoff bough_backoff_fill(const struct bough_backoff *backoff);

/* Whether the child has a limit of its own, and over which period, in ms. */
BOUGH_PUBLIC bool bough_child_limited(const struct bough_child_spec *spec);
BOUGH_PUBLIC int64_t bough_child_period_ms(const struct bough_child_spec *spec);

/* Checks flags and specs, nested ones too: strategy, intensity, period, names valid and
 * unique, paths not too long, types given, restart and shutdown allowed. Allocates for
 * the time of the check. Errors: BOUGH_EINVALID, `error` saying where (the path) and what
 * is allowed; BOUGH_ENOMEM. */
BOUGH_PUBLIC BOUGH_CHECKED enum bough_status
bough_supervisor_check(const struct bough_supervisor_options *options,
                       struct bough_error *error);

/* Checks one spec that is to be a child of a supervisor with these flags (its children
 * are not looked at), nested ones too: OTP's check_childspecs. Of a dynamic supervisor
 * it is the template, which needs no name. Errors: as above. */
BOUGH_PUBLIC BOUGH_CHECKED enum bough_status
bough_supervisor_check_child(const struct bough_supervisor_options *options,
                             const struct bough_child_spec *spec,
                             struct bough_error *error);

/* A deep copy, children, names and their options included (each by its type's own rule):
 * copy_options of the type "supervisor". `options` NULL: an empty supervisor. NULL when
 * memory is out. */
BOUGH_PUBLIC BOUGH_CHECKED void *bough_supervisor_options_copy(const void *options);

/* Releases such a copy; NULL is fine. */
BOUGH_PUBLIC void bough_supervisor_options_free(void *options);

#endif
