/* stack.c - a copy of the stack of a process that dies, or of a thread that is stuck.
 *
 * Whoever walks along a stack believes what lies there, and this one may have been
 * written over. So nobody does where it matters: the registers and the innermost part are
 * copied, by functions that are safe in a signal handler, and another process finds the
 * callers in the copy (symbols.c). No library for that is in the processes of actors.
 *
 * SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <bough/supervisor/process/crash_internal.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/uio.h>
#include <ucontext.h>
#include <unistd.h>

#include <bough/core/assert.h>

enum { PAGE = 4096, PAGES_MAX = BOUGH_CRASH_STACK_MAX / PAGE };

/* As DWARF numbers them. */

#if defined(__x86_64__)

static void copy_registers(const ucontext_t *where, struct bough_crash_stack *stack)
{
    static const int numbered[BOUGH_CRASH_REGISTERS] = {
        REG_RAX, REG_RDX, REG_RCX, REG_RBX, REG_RSI, REG_RDI, REG_RBP, REG_RSP, REG_R8,
        REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15, REG_RIP
    };

    for (int i = 0; i < BOUGH_CRASH_REGISTERS; i++)
        stack->registers[i] = (uint64_t)where->uc_mcontext.gregs[numbered[i]];
    stack->counter = (uint64_t)where->uc_mcontext.gregs[REG_RIP];
    stack->begin = (uint64_t)where->uc_mcontext.gregs[REG_RSP];
}

#elif defined(__aarch64__)

static void copy_registers(const ucontext_t *where, struct bough_crash_stack *stack)
{
    memcpy(stack->registers, where->uc_mcontext.regs, sizeof(where->uc_mcontext.regs));
    stack->registers[BOUGH_CRASH_REGISTERS - 1] = where->uc_mcontext.sp;
    stack->counter = where->uc_mcontext.pc;
    stack->begin = where->uc_mcontext.sp;
}

#else

static void copy_registers(const ucontext_t *where, struct bough_crash_stack *stack)
{
    (void)where;
    stack->counter = stack->begin = 0;
}

#endif

static uint64_t next_page(uint64_t address)
{
    return address - address % PAGE + PAGE;
}

/* As much as there is, from there on without a gap: where nothing is, the kernel says so,
 * page by page. */
static size_t copy_from(uint64_t begin, unsigned char *bytes)
{
    struct iovec to = { .iov_base = bytes, .iov_len = BOUGH_CRASH_STACK_MAX };
    struct iovec pages[PAGES_MAX];
    uint64_t at = begin;

    for (int i = 0; i < PAGES_MAX; i++) {
        pages[i] = (struct iovec){ (void *)(uintptr_t)at, next_page(at) - at };
        at = next_page(at);
    }
    const ssize_t size = process_vm_readv(getpid(), &to, 1, pages, PAGES_MAX, 0);
    return size > 0 ? (size_t)size : 0;
}

/* Of one that has overflowed the innermost frame lies where nothing is: the others lie
 * above that, no further than it is long. */
void bough_crash_copy_stack(void *context, struct bough_crash_stack *stack)
{
    enum { GAP_MAX = 256 };

    stack->size = 0;
    copy_registers(context, stack);
    if (stack->counter == 0 && stack->begin == 0) return;
    for (int i = 0; i < GAP_MAX && stack->size == 0; i++) {
        if (i > 0) stack->begin = next_page(stack->begin);
        stack->size = (uint32_t)copy_from(stack->begin, stack->bytes);
    }
}

void bough_crash_copy_maps(struct bough_crash_area *area)
{
    size_t size = 0;
    ssize_t count = 1;
    const int file = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);

    while (file >= 0 && count != 0 && size < BOUGH_CRASH_MAPS_MAX) {
        count = read(file, area->maps + size, BOUGH_CRASH_MAPS_MAX - size);
        if (count < 0 && errno != EINTR) break;
        if (count > 0) size += (size_t)count;
    }
    if (file >= 0) close(file);
    area->maps[size] = '\0';
    area->fault.maps_size = (uint32_t)size;
}
