/* library.h - shared libraries that are loaded when they are needed.
 *
 * For those of which most processes never need anything: each library in a process is
 * five mappings, which every process forked from it has, too, and unmaps at its end.
 *
 * A list of functions, `#define FUNCTIONS(F) F(one) F(other)`, makes the table that they
 * are called through, `struct { FUNCTIONS(BOUGH_LIBRARY_MEMBER) }`, and its rows.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_CORE_LIBRARY_H
#define BOUGH_CORE_LIBRARY_H

#include <stdbool.h>
#include <stddef.h>

#include <bough/core/public.h>

struct bough_library_function {
    const char *name;
    size_t at; /* offset of the pointer to it in the table */
};

#define BOUGH_LIBRARY_MEMBER(function) __typeof__(&(function)) function;

/* Loads the library of that name, for ever, and fills the table. False: it is not on this
 * machine, or not all of it; `*why`, the loader's and valid until it is called again,
 * says that. Thread: any, but one at a time for a table. Not in a process forked from one
 * with threads. */
BOUGH_PUBLIC BOUGH_CHECKED bool
bough_library_load(const char *name, const struct bough_library_function *functions,
                   size_t count, void *table, const char **why);

#endif
