/* sketch_random.h - sketches by chance: names from a few, so that two have much in
 * common.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_TESTS_SUPERVISOR_SKETCH_RANDOM_H
#define BOUGH_TESTS_SUPERVISOR_SKETCH_RANDOM_H

#include <bough/tests/supervisor/sketch.h>

enum { SKETCH_TEXT = 2048, SKETCH_LEVELS = 3 };

static inline void sketch_add(char *text, const char *more)
{
    const size_t len = strlen(text);

    assert_in_range(len + strlen(more), 0, SKETCH_TEXT - 1);
    memcpy(text + len, more, strlen(more) + 1);
}

static inline void sketch_add_strategy(char *text, uint64_t *seed)
{
    static const char *const marks[] = { "", "*", ">" };

    sketch_add(text, marks[bough_test_random(seed, 3)]);
}

static inline void sketch_add_marks(char *text, uint64_t *seed, bool leaf)
{
    static const char *const marks[] = { "=2", "=3", "~", "^", "x2", "x3", "&", "!" };

    for (size_t i = 0; i < 8; i++) {
        if (!leaf && (i < 2 || i > 5)) continue;
        if (bough_test_random(seed, 12) == 0) sketch_add(text, marks[i]);
    }
}

static inline void sketch_add_children(char *text, uint64_t *seed, int level)
{
    static const char *const names[] = { "a", "b", "c", "d", "s", "t", "u", "e" };
    const uint32_t first =
        bough_test_random(seed, 4) == 0 ? bough_test_random(seed, 8) : 0;

    for (uint32_t i = 0; i < 8; i++) {
        const uint32_t which = (first + i) % 8;
        const bool supervisor = which >= 4 && which < 7 && level < SKETCH_LEVELS;

        if (bough_test_random(seed, 3) == 0) continue;
        sketch_add(text, names[which]);
        if (supervisor && bough_test_random(seed, 8) == 0) {
            sketch_add(text, bough_test_random(seed, 2) ? "?(a)" : "?(a=2)");
        } else if (supervisor) {
            sketch_add_strategy(text, seed);
            if (bough_test_random(seed, 8) == 0) sketch_add(text, "~");
            sketch_add(text, "(");
            sketch_add_children(text, seed, level + 1);
            sketch_add(text, ")");
        }
        sketch_add_marks(text, seed, !supervisor);
        sketch_add(text, " ");
    }
}

static inline void sketch_random(struct sketch *sketch, char text[SKETCH_TEXT],
                                 uint64_t *seed)
{
    text[0] = '\0';
    sketch_add_strategy(text, seed);
    sketch_add_children(text, seed, 1);
    sketch_init(sketch, text);
}

#endif
