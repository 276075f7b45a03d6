/* assert.h - bough_assert, on in every build.
 *
 * For bugs only: preconditions at public borders, state changes, table sizes. Never for
 * input, system calls, memory or time.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_CORE_ASSERT_H
#define BOUGH_CORE_ASSERT_H

#include <bough/core/public.h>

#define bough_assert(condition) \
    ((condition) ? (void)0 \
                 : bough_assert_failed(#condition, __FILE__, __LINE__, __func__))

/* Prints one line to stderr and aborts. */
BOUGH_PUBLIC _Noreturn void bough_assert_failed(const char *condition, const char *file,
                                                int line, const char *function);

#endif
