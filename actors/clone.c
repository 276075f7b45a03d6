/* clone.c - a process that shares this one's memory until it runs a program.
 *
 * glibc has no function for clone3(), and a C function cannot return from it twice on two
 * stacks: hence the few instructions.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/actors/clone_internal.h>

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { FLAGS = CLONE_VM | CLONE_VFORK | CLONE_PIDFD };

/* With a table of descriptors of its own: valgrind knows no other way. */

static int clone_here(struct bough_clone *options, int *pidfd)
{
    char *top = (char *)options->stack + options->stack_size;

    options->handlers_cleared = false;
    return clone(options->run, top, FLAGS | SIGCHLD, options->data, pidfd);
}

#if defined(__x86_64__) && defined(SYS_clone3)

/* As in linux/sched.h, which does not go with sched.h. */
struct clone3_arguments {
    uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls,
        set_tid, set_tid_size, cgroup;
};
#define CLEAR_SIGHAND UINT64_C(0x100000000)
#define INTO_CGROUP UINT64_C(0x200000000)

/* The new process goes on behind the call with a stack of its own, where nothing is. */
static long clone3(const struct clone3_arguments *arguments, int (*run)(void *data),
                   void *data)
{
    long result;

    __asm__ volatile(
        "syscall\n\t"
        "test %%rax, %%rax\n\t"
        "jnz 1f\n\t"
        "xor %%ebp, %%ebp\n\t"
        "mov %[data], %%rdi\n\t"
        "call *%[run]\n\t"
        "mov %%eax, %%edi\n\t"
        "mov %[leave], %%eax\n\t"
        "syscall\n\t"
        "ud2\n"
        "1:"
        : "=a"(result)
        : "0"((long)SYS_clone3), "D"(arguments),
          "S"(sizeof(*arguments)), [run] "r"(run), [data] "r"(data), [leave] "i"(SYS_exit)
        : "rcx", "r11", "memory");
    return result;
}

/* The table is this process's until the new one has made its own: see spawn.c. */
static int clone_sharing(struct bough_clone *options, int cgroup, int *pidfd)
{
    const struct clone3_arguments arguments = {
        .flags = FLAGS | CLONE_FILES | CLEAR_SIGHAND | (cgroup > 0 ? INTO_CGROUP : 0),
        .pidfd = (uintptr_t)pidfd,
        .exit_signal = SIGCHLD,
        .stack = (uintptr_t)options->stack,
        .stack_size = options->stack_size,
        .cgroup = (uint64_t)cgroup,
    };

    options->handlers_cleared = true;
    const long result = clone3(&arguments, options->run, options->data);

    if (result >= 0) return (int)result;
    errno = (int)-result;
    return -1;
}

static bool is_final(int pid)
{
    return pid > 0 || errno == EAGAIN || errno == ENOMEM;
}

/* EBUSY and the like: the cgroup takes none; ENOSYS, EINVAL, E2BIG: the kernel is old, or
 * somebody forbids it. */
int bough_clone(struct bough_clone *clone, int *pidfd)
{
    int pid = clone_sharing(clone, clone->cgroup_fd, pidfd);

    if (is_final(pid)) return pid;
    if (clone->cgroup_fd > 0) pid = clone_sharing(clone, 0, pidfd);
    return is_final(pid) ? pid : clone_here(clone, pidfd);
}

#else

int bough_clone(struct bough_clone *clone, int *pidfd)
{
    return clone_here(clone, pidfd);
}

#endif
