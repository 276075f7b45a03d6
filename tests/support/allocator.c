/* allocator.c - memory that runs out when a test wants it to.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tests/support/allocator.h>

#include <errno.h>
#include <stdlib.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size) __attribute__((weak));
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);

/* The linker leaves no other place for it: the one mutable global of the tests. */
static struct {
    size_t count;
    size_t fail_at; /* in `count`s; 0: never */
    bool go_on;
    bool failed;
} allocator;

static void arm(size_t nth, bool go_on)
{
    allocator.fail_at = nth == 0 ? 0 : allocator.count + nth;
    allocator.go_on = go_on;
    allocator.failed = false;
}

void bough_allocator_fail_at(size_t nth)
{
    arm(nth, false);
}

void bough_allocator_fail_from(size_t nth)
{
    arm(nth, true);
}

bool bough_allocator_heal(void)
{
    const bool failed = allocator.failed;

    arm(0, false);
    return failed;
}

size_t bough_allocator_count(void)
{
    return allocator.count;
}

static bool is_refused(void)
{
    const size_t now = ++allocator.count;

    if (allocator.fail_at == 0 || now < allocator.fail_at) return false;
    if (now > allocator.fail_at && !allocator.go_on) return false;
    allocator.failed = true;
    errno = ENOMEM;
    return true;
}

void *__wrap_malloc(size_t size)
{
    return is_refused() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return is_refused() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
    return is_refused() ? NULL : __real_realloc(memory, size);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    return is_refused() ? NULL : __real_aligned_alloc(alignment, size);
}
