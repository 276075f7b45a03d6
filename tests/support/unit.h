/* unit.h - cmocka with what it needs before it, and a few questions that it cannot ask.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_TESTS_SUPPORT_UNIT_H
#define BOUGH_TESTS_SUPPORT_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <bough/core/status.h>

/* Fails unless the status is the one expected, and prints both by name. */
#define assert_status(actual, expected) \
    bough_test_status((actual), (expected), #actual, __FILE__, __LINE__)

void bough_test_status(enum bough_status actual, enum bough_status expected,
                       const char *expression, const char *file, int line);

/* Whether `function` ends its process by abort(), as a failed assertion does: it runs in
 * a child, whose stderr is closed. */
bool bough_test_aborts(void (*function)(void *data), void *data);

/* A pseudo-random number below `bound` (not 0), from a seed that goes on: the same seed
 * gives the same storm. */
uint32_t bough_test_random(uint64_t *seed, uint32_t bound);

/* The seed of a storm: $BOUGH_SEED, or a fixed one. Prints it, so that a failure can be
 * had again. */
uint64_t bough_test_seed(void);

#endif
