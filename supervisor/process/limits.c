/* limits.c - a process limits itself, before anybody lives there.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/supervisor/process/process_internal.h>

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { ROOM = 2 << 20 }; /* bytes, for an actor to begin with */

/* Bytes of address space that it has now; 0: not known. */
static int64_t memory_now(void)
{
    FILE *file = fopen("/proc/self/statm", "r");
    int64_t pages = 0;

    if (file == NULL) return 0;
    if (fscanf(file, "%" SCNd64, &pages) != 1) pages = 0;
    fclose(file);
    return pages * sysconf(_SC_PAGESIZE);
}

/* With less, the first that it asks for fails in ways that do not say why. */
static enum bough_status check_memory(const struct bough_rlimits *rlimits,
                                      struct bough_error *error)
{
    const int64_t least = rlimits->memory != 0 ? memory_now() + ROOM : 0;

    if (rlimits->memory >= least) return BOUGH_OK;
    return bough_error_set(error, BOUGH_EINVALID,
                           "the rlimit memory, %" PRId64 " bytes, is less than the "
                           "%" PRId64 " that the process begins with",
                           rlimits->memory, least);
}

/* A new user clears it. Who died meanwhile has sent no signal. */
static void die_with(pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(BOUGH_CODE_ORPHAN);
}

enum bough_status bough_process_limit(const struct bough_limits_plan *plan,
                                      struct bough_error *error)
{
    const pid_t parent = getppid();
    const enum bough_status status = check_memory(&plan->rlimits, error);

    if (status != BOUGH_OK) return status;
    const enum bough_limit_kind failed = bough_limits_apply(plan);
    if (failed != BOUGH_LIMIT_NONE)
        return bough_limits_explain(plan, failed, errno, error);
    die_with(parent);
    return BOUGH_OK;
}
