/* allocator.h - memory that runs out when a test wants it to, and is counted.
 *
 * A program that includes this header is linked with --wrap for malloc, calloc, realloc
 * and aligned_alloc. Only Bough's and the test's own allocations pass through here: those
 * inside libev, cmocka and the C library do not.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_TESTS_SUPPORT_ALLOCATOR_H
#define BOUGH_TESTS_SUPPORT_ALLOCATOR_H

#include <stdbool.h>
#include <stddef.h>

/* From now on the `nth` allocation (1: the next) fails, and only that one. 0: none. */
void bough_allocator_fail_at(size_t nth);

/* The same, and all after it fail too. */
void bough_allocator_fail_from(size_t nth);

/* Stops failing; whether an allocation has failed since it was asked for. */
bool bough_allocator_heal(void);

/* Allocations since the program began. */
size_t bough_allocator_count(void);

#endif
