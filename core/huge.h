/* huge.h - memory in huge pages, for what has grown large.
 *
 * What is larger than the processor knows the pages of is waited for twice, for itself
 * and for the tables that lead to it; and a page is where its looking ahead ends.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_CORE_HUGE_H
#define BOUGH_CORE_HUGE_H

#include <stdlib.h>
#include <sys/mman.h>

enum { BOUGH_HUGE_PAGE = 2 << 20 }; /* bytes that one entry of a page table can lead to */

/* So many bytes, aligned to as many; released by free(). NULL when memory is out. A
 * system that has no huge pages leaves it at small ones. Thread: any. */
static inline void *bough_huge_alloc(void)
{
    void *memory = aligned_alloc(BOUGH_HUGE_PAGE, BOUGH_HUGE_PAGE);

    if (memory != NULL) (void)madvise(memory, BOUGH_HUGE_PAGE, MADV_HUGEPAGE);
    return memory;
}

#endif
