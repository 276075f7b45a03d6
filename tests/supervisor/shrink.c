/* shrink.c - the same fault in fewer choices: delta debugging.
 *
 * Pieces of the list are left out, large ones first, and choices are made smaller, as
 * long as the history still fails. Any fault will do: a shorter one is better than the
 * same one.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tests/supervisor/history.h>

#include <stdlib.h>
#include <string.h>

#include <bough/core/assert.h>

struct shrinker {
    bough_history_plant *plant;
    struct bough_choices trial; /* what is tried; as large as the list */
};

static bool fails(struct shrinker *self)
{
    struct bough_history_tally tally = { 0 };
    struct bough_history_run run = { .choices = &self->trial,
                                     .plant = self->plant,
                                     .tally = &tally };

    return !bough_history_live(&run);
}

static void copy(struct bough_choices *to, const struct bough_choices *from)
{
    memcpy(to->list, from->list, from->count * sizeof(*from->list));
    to->count = from->count;
}

/* Takes `length` choices from `at` on out, when it fails without. */
static bool leave_out(struct shrinker *self, struct bough_choices *choices, size_t at,
                      size_t length)
{
    uint32_t *list = self->trial.list;

    copy(&self->trial, choices);
    memmove(list + at, list + at + length,
            (choices->count - at - length) * sizeof(*list));
    self->trial.count -= length;
    if (!fails(self)) return false;
    copy(choices, &self->trial);
    return true;
}

static bool leave_pieces_out(struct shrinker *self, struct bough_choices *choices)
{
    bool shorter = false;
    size_t length = choices->count / 2;

    /* Halves, and in the end every length: a step or a child takes a few choices. */
    for (; length > 0; length = length > 40 ? length / 2 : length - 1) {
        for (size_t at = 0; at + length <= choices->count;) {
            if (leave_out(self, choices, at, length))
                shorter = true;
            else
                at += length;
        }
    }
    return shorter;
}

static bool make_smaller(struct shrinker *self, struct bough_choices *choices)
{
    bool smaller = false;

    for (size_t i = 0; i < choices->count; i++) {
        for (uint32_t value = 0; value < choices->list[i]; value = 2 * value + 1) {
            copy(&self->trial, choices);
            self->trial.list[i] = value;
            if (!fails(self)) continue;
            choices->list[i] = value;
            smaller = true;
        }
    }
    return smaller;
}

void bough_history_shrink(struct bough_choices *choices, bough_history_plant *plant)
{
    enum { ROUNDS = 20 };
    struct shrinker self = { .plant = plant };

    choices->seed = NULL;
    self.trial.list = calloc(choices->count + 1, sizeof(*choices->list));
    bough_assert(self.trial.list);
    for (int round = 0; round < ROUNDS; round++) {
        bool shorter = leave_pieces_out(&self, choices);

        if (!make_smaller(&self, choices) && !shorter) break;
    }
    free(self.trial.list);
}
