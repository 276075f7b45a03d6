/* limits.h - what a process of its own may use, and as whom it runs.
 *
 * In three steps. Limits are plain data, in options and specs. Who starts a process makes
 * a plan of them, with names of users and groups looked up. The new process applies the
 * plan: that takes no memory and no lock, only system calls, so it may be done between
 * vfork() and exec, too. What it could not apply is made a sentence by who has time for
 * it.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_CORE_LIMITS_H
#define BOUGH_CORE_LIMITS_H

#include <stdint.h>
#include <sys/types.h>

#include <bough/core/field.h>

/* Limits of getrlimit(2), soft and hard alike. A zeroed member is left as it is;
 * BOUGH_FOREVER is no limit. */
struct bough_rlimits {
    int64_t memory; /* RLIMIT_AS: bytes of address space, 1 MiB or more */
    int64_t cpu_ms; /* RLIMIT_CPU: whole seconds; then SIGXCPU, a second later SIGKILL */
    int64_t files;  /* RLIMIT_NOFILE: 16 or more */
    int64_t core;   /* RLIMIT_CORE: bytes of a core file */
};

#define BOUGH_CORE_NONE ((int64_t)-1) /* of `core`: no core file at all */

/* Their fields, for tables of options:
 *
 *     bough_field(struct my_options, rlimits, "rlimits", BOUGH_OBJECT, .optional = true,
 *                 .of = bough_rlimit_fields, .of_count = BOUGH_RLIMIT_COUNT,
 *                 .of_size = sizeof(struct bough_rlimits))
 */
enum { BOUGH_RLIMIT_COUNT = 4 };
BOUGH_PUBLIC extern const struct bough_field bough_rlimit_fields[BOUGH_RLIMIT_COUNT];

enum { BOUGH_OOM_SCORE_ADJ_MAX = 1000 }; /* and the least is its negative */

/* All zero: nothing is changed. */
struct bough_process_limits {
    struct bough_rlimits rlimits;
    /* Names or decimal numbers, NULL: as they are; for root alone. A user has its own
     * groups, and those of the group database; a group without a user has no others. */
    const char *user, *group;
    bool no_new_privs;      /* no program that it runs gains privileges by its file */
    bool any_oom_score_adj; /* true: `oom_score_adj` is meant, also when it is 0 */
    int oom_score_adj;      /* -1000 (never killed for memory) to 1000 (first) */
};

/* Whether there is anything in it. */
BOUGH_PUBLIC bool bough_limits_any(const struct bough_process_limits *limits);

/* Checks ranges; names are not looked up. Errors: BOUGH_EINVALID. */
BOUGH_PUBLIC BOUGH_CHECKED enum bough_status
bough_rlimits_check(const struct bough_rlimits *rlimits, struct bough_error *error);
BOUGH_PUBLIC BOUGH_CHECKED enum bough_status
bough_limits_check(const struct bough_process_limits *limits, struct bough_error *error);

enum { BOUGH_LIMITS_GROUPS_MAX = 256 };

/* Limits with names looked up; no pointers, so it can be sent as bytes. */
struct bough_limits_plan {
    struct bough_rlimits rlimits;
    bool no_new_privs, any_oom_score_adj, sets_group, sets_user;
    int oom_score_adj;
    uid_t uid;
    gid_t gid;
    uint32_t group_count;
    gid_t groups[BOUGH_LIMITS_GROUPS_MAX];
};

/* Makes the plan; reads the user database when there are names. Thread: any; may block as
 * long as that takes. Errors: those of bough_limits_check(); BOUGH_ENOTFOUND (no such
 * user or group); BOUGH_EDENIED (a user or a group, and this is not root);
 * BOUGH_ETOOLARGE (too many groups); BOUGH_ENOMEM, BOUGH_ESYSTEM. */
BOUGH_PUBLIC BOUGH_CHECKED enum bough_status
bough_limits_plan(const struct bough_process_limits *limits,
                  struct bough_limits_plan *plan, struct bough_error *error);

/* What could not be applied. */
enum bough_limit_kind {
    BOUGH_LIMIT_NONE,
    BOUGH_LIMIT_MEMORY,
    BOUGH_LIMIT_CPU,
    BOUGH_LIMIT_FILES,
    BOUGH_LIMIT_CORE,
    BOUGH_LIMIT_OOM_SCORE_ADJ,
    BOUGH_LIMIT_NO_NEW_PRIVS,
    BOUGH_LIMIT_GROUPS,
    BOUGH_LIMIT_GROUP,
    BOUGH_LIMIT_USER,
    BOUGH_LIMIT_KIND_COUNT
};

/* Applies the plan to this process, which has one thread; raw system calls alone, so it
 * may be called after vfork() and in a signal handler. BOUGH_LIMIT_NONE: all of it; else
 * what failed, errno says why, and what comes after it was not tried.
 *
 * A new user clears PR_SET_PDEATHSIG (prctl(2)): who wants it sets it again, and then
 * looks whether getppid() is still who it should be. */
BOUGH_PUBLIC BOUGH_CHECKED enum bough_limit_kind
bough_limits_apply(const struct bough_limits_plan *plan);

/* What bough_limits_apply() returned, with its errno, as a sentence. Returns
 * BOUGH_ESYSTEM. */
BOUGH_PUBLIC enum bough_status bough_limits_explain(const struct bough_limits_plan *plan,
                                                    enum bough_limit_kind failed,
                                                    int errno_value,
                                                    struct bough_error *error);

#endif
