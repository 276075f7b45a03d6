/* suggest.h - "did you mean": the nearest of some words to one that is not among them.
 *
 * Near is counted in typing mistakes: a letter too many, missing, wrong, or swapped with
 * its neighbour. A third of the word may be wrong, at least one letter, at most four.
 *
 * Thread: any.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_CONFIG_SUGGEST_H
#define BOUGH_CONFIG_SUGGEST_H

#include <stddef.h>

#include <bough/core/public.h>

/* The search for the nearest word; begin with { .word = "restrat" }. */
struct bough_suggestion {
    const char *word;
    const char *nearest; /* one of the words that were offered, or NULL: none is near */
    /* private */
    size_t distance;
};

/* Offers a word, which must live as long as the suggestion; the first of equals is kept.
 * Words longer than 64 bytes are never near. */
BOUGH_PUBLIC void bough_suggestion_offer(struct bough_suggestion *suggestion,
                                         const char *word);

/* The nearest of `words`, which ends with NULL; NULL when none is near. */
BOUGH_PUBLIC const char *bough_suggest(const char *word, const char *const *words);

#endif
