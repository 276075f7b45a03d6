/* lineage.c - marks in a resource limit that limits nothing.
 *
 * A mark has the sign in its upper bits, one bit for "acts", then the two numbers of
 * processes, of 22 bits each (PID_MAX_LIMIT is 2^22).
 *
 * SPDX-License-Identifier: MIT */
#include <bough/core/lineage.h>

#include <stdint.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { PID_BITS = 22, PID_MASK = (1 << PID_BITS) - 1 };
#define ACTS (UINT64_C(1) << (2 * PID_BITS))
#define SIGN (UINT64_C(0xb06) << (2 * PID_BITS + 1))
#define SIGN_MASK (~UINT64_C(0) << (2 * PID_BITS + 1))

/* Of 64 bits, whatever the machine has. */
struct kernel_rlimit {
    uint64_t soft, hard;
};

__attribute__((no_sanitize("address", "thread", "undefined"))) void
bough_lineage_begin(pid_t root, bool acts)
{
    const long head = syscall(SYS_getpid);
    struct kernel_rlimit limit;

    if (syscall(SYS_prlimit64, 0, RLIMIT_LOCKS, NULL, &limit) != 0) return;
    limit.soft = SIGN | (uint64_t)root << PID_BITS | (uint64_t)head;
    if (acts) limit.soft |= ACTS;
    syscall(SYS_prlimit64, 0, RLIMIT_LOCKS, &limit, NULL);
}

/* 0: none. */
static uint64_t mark_of(pid_t pid)
{
    struct kernel_rlimit limit;

    if (syscall(SYS_prlimit64, pid, RLIMIT_LOCKS, NULL, &limit) != 0) return 0;
    return (limit.soft & SIGN_MASK) == SIGN ? limit.soft : 0;
}

static struct bough_lineage lineage_of(uint64_t mark)
{
    return (struct bough_lineage){
        .root = (pid_t)(mark >> PID_BITS & PID_MASK),
        .head = (pid_t)(mark & PID_MASK),
    };
}

bool bough_lineage_of(pid_t pid, struct bough_lineage *lineage)
{
    const uint64_t mark = mark_of(pid);

    if (mark == 0) return false;
    *lineage = lineage_of(mark);
    return true;
}

pid_t bough_lineage_root(void)
{
    const uint64_t mark = mark_of(0);
    const struct bough_lineage own = lineage_of(mark);

    return (mark & ACTS) != 0 && own.head == getpid() ? own.root : getpid();
}
