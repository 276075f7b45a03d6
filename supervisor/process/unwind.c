/* unwind.c - along the stack of a process that dies, or of a thread that is stuck.
 *
 * By libunwind, which is loaded by who may come to need it: a program with a nursery, or
 * with somebody to watch over. It and what it needs would take some 80 KiB of every other
 * one, and ten mappings of every process forked from it.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/supervisor/process/crash_internal.h>

#include <stddef.h>
#include <ucontext.h>

#include <bough/core/library.h>

#ifdef BOUGH_UNWIND
#define UNW_LOCAL_ONLY
#include <libunwind.h>
#endif

/* The innermost alone. */
static void note_innermost(const ucontext_t *where, uint64_t *frames,
                           volatile uint32_t *count)
{
#if defined(__x86_64__)
    frames[0] = (uint64_t)where->uc_mcontext.gregs[REG_RIP];
    *count = 1;
#elif defined(__aarch64__)
    frames[0] = where->uc_mcontext.pc;
    *count = 1;
#else
    (void)where, (void)frames;
    *count = 0;
#endif
}

#ifdef BOUGH_UNWIND

/* They are names of the preprocessor for those of the machine at hand. */
#define FUNCTIONS(F) F(unw_init_local2) F(unw_get_reg) F(unw_step)

static struct unwind {
    FUNCTIONS(BOUGH_LIBRARY_MEMBER)
    bool loaded;
} unwind;

static const struct bough_library_function functions[] = {
#define ROW_OF(function) { #function, offsetof(struct unwind, function) },
#define ROW(function) ROW_OF(function)
    FUNCTIONS(ROW)
#undef ROW
#undef ROW_OF
};

void bough_crash_load(void)
{
    const char *why;

    if (unwind.loaded) return;
    unwind.loaded = bough_library_load(BOUGH_UNWIND_LIBRARY, functions,
                                       bough_count_of(functions), &unwind, &why);
}

void bough_crash_walk(void *context, uint64_t *frames, volatile uint32_t *count)
{
    unw_cursor_t cursor;
    unw_word_t ip;

    *count = 0;
    if (!unwind.loaded) {
        note_innermost(context, frames, count);
        return;
    }
    if (unwind.unw_init_local2(&cursor, context, UNW_INIT_SIGNAL_FRAME) != 0) return;
    do {
        if (unwind.unw_get_reg(&cursor, UNW_REG_IP, &ip) != 0 || ip == 0) break;
        frames[*count] = ip;
        ++*count;
    } while (*count < BOUGH_CRASH_FRAMES_MAX && unwind.unw_step(&cursor) > 0);
}

void bough_crash_warm_up(void)
{
    uint64_t frames[BOUGH_CRASH_FRAMES_MAX];
    ucontext_t context;
    uint32_t count;

    bough_crash_load();
    if (getcontext(&context) == 0) bough_crash_walk(&context, frames, &count);
}

#else

void bough_crash_load(void)
{
}

void bough_crash_walk(void *context, uint64_t *frames, volatile uint32_t *count)
{
    note_innermost(context, frames, count);
}

void bough_crash_warm_up(void)
{
}

#endif
