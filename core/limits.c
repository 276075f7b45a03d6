/* limits.c - limits of a process: their ranges, and how they are applied.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/core/limits.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bough/core/assert.h>

/* What a value may be. With fewer files a process of ours has none left for its own use;
 * more than the most no kernel allows. */
enum { SECOND_MS = 1000, MEMORY_MIN = 1 << 20, FILES_MIN = 16, FILES_MAX = 1 << 30 };

const struct bough_field bough_rlimit_fields[BOUGH_RLIMIT_COUNT] = {
    bough_field(struct bough_rlimits, memory, "memory", BOUGH_SIZE, .optional = true,
                .min = MEMORY_MIN, .max = BOUGH_FOREVER,
                .help = "Address space, all that is mapped counts (RLIMIT_AS); an "
                        "allocation beyond it fails."),
    bough_field(struct bough_rlimits, cpu_ms, "cpu", BOUGH_DURATION, .optional = true,
                .min = SECOND_MS, .max = BOUGH_FOREVER,
                .help = "Time on a processor, in whole seconds (RLIMIT_CPU); after it "
                        "SIGXCPU ends the process."),
    bough_field(struct bough_rlimits, files, "files", BOUGH_INT64, .optional = true,
                .min = FILES_MIN, .max = FILES_MAX,
                .help = "Open files (RLIMIT_NOFILE)."),
    bough_field(struct bough_rlimits, core, "core", BOUGH_SIZE, .optional = true,
                .min = 0, .max = BOUGH_FOREVER, .given_zero = BOUGH_CORE_NONE,
                .help = "A core file (RLIMIT_CORE); \"0B\" for none."),
};

bool bough_limits_any(const struct bough_process_limits *limits)
{
    const struct bough_rlimits *rlimits = &limits->rlimits;

    return rlimits->memory != 0 || rlimits->cpu_ms != 0 || rlimits->files != 0 ||
           rlimits->core != 0 || limits->user != NULL || limits->group != NULL ||
           limits->no_new_privs || limits->any_oom_score_adj ||
           limits->oom_score_adj != 0;
}

/* Checks */

enum bough_status bough_rlimits_check(const struct bough_rlimits *rlimits,
                                      struct bough_error *error)
{
    if (rlimits->memory != 0 && rlimits->memory < MEMORY_MIN)
        return bough_error_set(error, BOUGH_EINVALID,
                               "the rlimit memory, %" PRId64
                               " bytes, is below the least, 1 MiB",
                               rlimits->memory);
    if (rlimits->cpu_ms != 0 && rlimits->cpu_ms < SECOND_MS)
        return bough_error_set(error, BOUGH_EINVALID,
                               "the rlimit cpu, %" PRId64
                               " ms, is below the least, 1 second",
                               rlimits->cpu_ms);
    if (rlimits->cpu_ms % SECOND_MS != 0 && rlimits->cpu_ms != BOUGH_FOREVER)
        return bough_error_set(error, BOUGH_EINVALID,
                               "the rlimit cpu, %" PRId64
                               " ms, is not a whole number of seconds",
                               rlimits->cpu_ms);
    if (rlimits->files != 0 && (rlimits->files < FILES_MIN || rlimits->files > FILES_MAX))
        return bough_error_set(error, BOUGH_EINVALID,
                               "the rlimit files, %" PRId64 ", is not in %d to %d",
                               rlimits->files, FILES_MIN, FILES_MAX);
    if (rlimits->core < 0 && rlimits->core != BOUGH_CORE_NONE)
        return bough_error_set(error, BOUGH_EINVALID,
                               "the rlimit core, %" PRId64
                               " bytes, is below 0 and not BOUGH_CORE_NONE",
                               rlimits->core);
    return BOUGH_OK;
}

enum bough_status bough_limits_check(const struct bough_process_limits *limits,
                                     struct bough_error *error)
{
    const int score = limits->oom_score_adj;

    if (score < -BOUGH_OOM_SCORE_ADJ_MAX || score > BOUGH_OOM_SCORE_ADJ_MAX)
        return bough_error_set(error, BOUGH_EINVALID,
                               "oom_score_adj %d is not in -%d to %d", score,
                               BOUGH_OOM_SCORE_ADJ_MAX, BOUGH_OOM_SCORE_ADJ_MAX);
    if (limits->user != NULL && limits->user[0] == '\0')
        return bough_error_set(error, BOUGH_EINVALID, "the user has no name");
    if (limits->group != NULL && limits->group[0] == '\0')
        return bough_error_set(error, BOUGH_EINVALID, "the group has no name");
    return bough_rlimits_check(&limits->rlimits, error);
}

/* Applying. Between vfork() and exec the memory is another process's, with its threads
 * and locks: system calls as they are, and nothing that a sanitizer looks at. */

#define IN_CHILD __attribute__((no_sanitize("address", "thread", "undefined")))

/* Of 64 bits, whatever the machine has. */
struct kernel_rlimit {
    uint64_t soft, hard;
};

IN_CHILD static bool rlimit_set(int resource, uint64_t soft, uint64_t hard)
{
    const struct kernel_rlimit limit = { soft, hard };

    return syscall(SYS_prlimit64, 0, resource, &limit, NULL) == 0;
}

IN_CHILD static uint64_t rlimit_of(int64_t value)
{
    return value == BOUGH_FOREVER ? UINT64_MAX : value < 0 ? 0 : (uint64_t)value;
}

IN_CHILD static bool rlimit_apply(int resource, int64_t value)
{
    return value == 0 || rlimit_set(resource, rlimit_of(value), rlimit_of(value));
}

/* A second more for the hard one, where that is allowed: else the two come together, and
 * what is seen is only SIGKILL. */
IN_CHILD static bool cpu_apply(int64_t ms)
{
    const uint64_t soft = ms == BOUGH_FOREVER ? UINT64_MAX : (uint64_t)(ms / SECOND_MS);
    struct kernel_rlimit old;

    if (ms == 0) return true;
    if (ms == BOUGH_FOREVER) return rlimit_set(RLIMIT_CPU, soft, soft);
    if (syscall(SYS_prlimit64, 0, RLIMIT_CPU, NULL, &old) != 0) return false;
    return rlimit_set(RLIMIT_CPU, soft, soft == old.hard ? soft : soft + 1);
}

/* The number, a line, at the end of `digits`; where it begins. */
IN_CHILD static char *number_line(char *end, int number)
{
    unsigned rest = number < 0 ? -(unsigned)number : (unsigned)number;

    *--end = '\n';
    do {
        *--end = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (number < 0) *--end = '-';
    return end;
}

IN_CHILD static bool oom_score_apply(int score)
{
    const long fd = syscall(SYS_openat, AT_FDCWD, "/proc/self/oom_score_adj",
                            O_WRONLY | O_CLOEXEC, 0);
    char line[16], *end = line + sizeof(line), *begin = number_line(end, score);

    if (fd < 0) return false;
    const long written = syscall(SYS_write, (int)fd, begin, end - begin);
    const int error = errno;
    syscall(SYS_close, (int)fd);
    errno = error;
    return written == end - begin;
}

/* The newer calls where the first ones knew 16 bits only. */
#ifdef SYS_setresuid32
enum {
    SET_GROUPS = SYS_setgroups32,
    SET_GROUP = SYS_setresgid32,
    SET_USER = SYS_setresuid32
};
#else
enum { SET_GROUPS = SYS_setgroups, SET_GROUP = SYS_setresgid, SET_USER = SYS_setresuid };
#endif

/* The C library's would change all threads of the process whose memory this is. */
IN_CHILD static enum bough_limit_kind owner_apply(const struct bough_limits_plan *plan)
{
    if (!plan->sets_group) return BOUGH_LIMIT_NONE;
    if (syscall(SET_GROUPS, (size_t)plan->group_count, plan->groups) != 0)
        return BOUGH_LIMIT_GROUPS;
    if (syscall(SET_GROUP, plan->gid, plan->gid, plan->gid) != 0)
        return BOUGH_LIMIT_GROUP;
    if (plan->sets_user && syscall(SET_USER, plan->uid, plan->uid, plan->uid) != 0)
        return BOUGH_LIMIT_USER;
    return BOUGH_LIMIT_NONE;
}

/* The owner last: it may not be allowed what comes before. */
IN_CHILD enum bough_limit_kind bough_limits_apply(const struct bough_limits_plan *plan)
{
    const struct bough_rlimits *rlimits = &plan->rlimits;

    if (plan->any_oom_score_adj && !oom_score_apply(plan->oom_score_adj))
        return BOUGH_LIMIT_OOM_SCORE_ADJ;
    if (!rlimit_apply(RLIMIT_AS, rlimits->memory)) return BOUGH_LIMIT_MEMORY;
    if (!cpu_apply(rlimits->cpu_ms)) return BOUGH_LIMIT_CPU;
    if (!rlimit_apply(RLIMIT_NOFILE, rlimits->files)) return BOUGH_LIMIT_FILES;
    if (!rlimit_apply(RLIMIT_CORE, rlimits->core)) return BOUGH_LIMIT_CORE;
    if (plan->no_new_privs && syscall(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return BOUGH_LIMIT_NO_NEW_PRIVS;
    return owner_apply(plan);
}

/* What went wrong */

static enum bough_status explain_rlimit(const char *name, int64_t value, const char *unit,
                                        struct bough_error *error)
{
    if (value == BOUGH_FOREVER)
        return bough_error_system(error, "cannot set the rlimit %s to infinity", name);
    return bough_error_system(error, "cannot set the rlimit %s to %" PRIu64 "%s", name,
                              rlimit_of(value), unit);
}

enum bough_status bough_limits_explain(const struct bough_limits_plan *plan,
                                       enum bough_limit_kind failed, int errno_value,
                                       struct bough_error *error)
{
    const struct bough_rlimits *rlimits = &plan->rlimits;
    const int64_t cpu =
        rlimits->cpu_ms == BOUGH_FOREVER ? BOUGH_FOREVER : rlimits->cpu_ms / SECOND_MS;

    errno = errno_value;
    switch (failed) {
    case BOUGH_LIMIT_MEMORY:
        return explain_rlimit("memory", rlimits->memory, " bytes", error);
    case BOUGH_LIMIT_CPU: return explain_rlimit("cpu", cpu, " seconds", error);
    case BOUGH_LIMIT_FILES: return explain_rlimit("files", rlimits->files, "", error);
    case BOUGH_LIMIT_CORE: return explain_rlimit("core", rlimits->core, " bytes", error);
    case BOUGH_LIMIT_OOM_SCORE_ADJ:
        return bough_error_system(error, "cannot set oom_score_adj to %d",
                                  plan->oom_score_adj);
    case BOUGH_LIMIT_NO_NEW_PRIVS:
        return bough_error_system(error, "cannot set no_new_privs");
    case BOUGH_LIMIT_GROUPS:
        return bough_error_system(error, "cannot take on the groups of its user");
    case BOUGH_LIMIT_GROUP:
        return bough_error_system(error, "cannot become group %u", (unsigned)plan->gid);
    case BOUGH_LIMIT_USER:
        return bough_error_system(error, "cannot become user %u", (unsigned)plan->uid);
    case BOUGH_LIMIT_NONE:
    case BOUGH_LIMIT_KIND_COUNT: break;
    }
    bough_assert(!"no limit that can fail");
    return BOUGH_ESYSTEM;
}
