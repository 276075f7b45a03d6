/* suggest.c - Damerau's distance between words, by its "optimal string alignment" form.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/config/suggest.h>

#include <string.h>

enum { WORD_MAX = 64, DISTANCE_MAX = 4 };

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t difference(size_t a, size_t b)
{
    return a < b ? b - a : a - b;
}

/* Three rows of the usual table: to row i belongs the prefix of `a` of i letters. */
static size_t distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
    unsigned char rows[3][WORD_MAX + 1];
    unsigned char *older = rows[0], *old = rows[1], *now = rows[2];

    for (size_t j = 0; j <= b_len; j++)
        old[j] = (unsigned char)j;
    for (size_t i = 1; i <= a_len; i++) {
        unsigned char *spare = older;

        now[0] = (unsigned char)i;
        for (size_t j = 1; j <= b_len; j++) {
            size_t best = old[j - 1] + (a[i - 1] != b[j - 1]);

            best = smaller(best, smaller(old[j], now[j - 1]) + 1u);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                best = smaller(best, older[j - 2] + 1u);
            now[j] = (unsigned char)best;
        }
        older = old;
        old = now;
        now = spare;
    }
    return old[b_len];
}

static size_t allowed(size_t len)
{
    size_t third = len / 3;

    if (third < 1) return 1;
    return smaller(third, DISTANCE_MAX);
}

void bough_suggestion_offer(struct bough_suggestion *suggestion, const char *word)
{
    size_t wrong_len = strnlen(suggestion->word, WORD_MAX + 1);
    size_t len = strnlen(word, WORD_MAX + 1);
    size_t limit = allowed(wrong_len);
    size_t found;

    if (wrong_len == 0 || wrong_len > WORD_MAX || len == 0 || len > WORD_MAX) return;
    if (difference(wrong_len, len) > limit) return;
    found = distance(suggestion->word, wrong_len, word, len);
    /* Of a word of one letter nothing is left when one is wrong. */
    if (found > limit || found >= wrong_len) return;
    if (suggestion->nearest != NULL && found >= suggestion->distance) return;
    suggestion->nearest = word;
    suggestion->distance = found;
}

const char *bough_suggest(const char *word, const char *const *words)
{
    struct bough_suggestion suggestion = { .word = word };

    for (; *words != NULL; words++)
        bough_suggestion_offer(&suggestion, *words);
    return suggestion.nearest;
}
