/* sketch.h - a tree of specs from one line, for tests.
 *
 *     struct sketch sketch;
 *     sketch_init(&sketch, "*a b=2 s>(c d~)");
 *
 * One word a child, in start order; a supervisor's stand in brackets behind it. `*`
 * before the first child, or behind a supervisor's name: one-for-all; `>` rest-for-one;
 * `?` dynamic; then `~`: another intensity. Behind a name, or the brackets: `=N` its
 * option,
 * `~` another shutdown, `^` on a thread, `xN` replicas, `!` temporary, `&` another type.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_TESTS_SUPERVISOR_SKETCH_H
#define BOUGH_TESTS_SUPERVISOR_SKETCH_H

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <bough/core/field.h>
#include <bough/supervisor/supervisor.h>
#include <bough/tests/support/unit.h>

enum { SKETCH_PARTS = 256, SKETCH_WIDTH = 12 };

struct sketch_options {
    int64_t value;
    const char *text;
    struct {
        int64_t depth;
    } inner;
};

static const struct bough_field sketch_inner[] = {
    { .name = "depth", .kind = BOUGH_INT64, .size = sizeof(int64_t), .optional = true },
};

static const struct bough_field sketch_fields[] = {
    bough_field(struct sketch_options, value, "value", BOUGH_INT64, .optional = true,
                .fallback = 1, .min = 1, .max = 1000000),
    bough_field(struct sketch_options, text, "text", BOUGH_STRING, .optional = true,
                .fallback_text = "none"),
    bough_field(struct sketch_options, inner, "inner", BOUGH_OBJECT, .optional = true,
                .of = sketch_inner, .of_count = 1),
};

/* One whose option is SKETCH_FAILS does not start. */
enum { SKETCH_FAILS = 666 };

static inline enum bough_status sketch_actor_init(struct bough_actor *actor,
                                                  const void *data)
{
    const struct sketch_options *options = data;

    (void)actor;
    return options != NULL && options->value == SKETCH_FAILS ? BOUGH_EFAILED : BOUGH_OK;
}

static const struct bough_actor_type sketch_type = {
    .name = "sketch",
    .init = sketch_actor_init,
    .options_size = sizeof(struct sketch_options),
    .options = sketch_fields,
    .option_count = bough_count_of(sketch_fields),
};

static const struct bough_actor_type sketch_other_type = { .name = "other",
                                                           .init = sketch_actor_init };

/* All that its specs point to. */
struct sketch {
    struct bough_supervisor_options root;
    struct sketch_options options[SKETCH_PARTS];
    struct bough_supervisor_options flags[SKETCH_PARTS];
    struct bough_child_spec children[SKETCH_PARTS][SKETCH_WIDTH];
    char names[SKETCH_PARTS][16];
    size_t option_count, flag_count, name_count;
    const char *at; /* what is still to be read */
};

static inline bool sketch_strategy(struct sketch *sketch,
                                   struct bough_supervisor_options *flags)
{
    static const char marks[] = "*>?";
    static const enum bough_strategy strategies[] = { BOUGH_ONE_FOR_ALL,
                                                      BOUGH_REST_FOR_ONE, BOUGH_DYNAMIC };
    const char *mark = *sketch->at != '\0' ? strchr(marks, *sketch->at) : NULL;

    if (mark == NULL) return false;
    flags->strategy = strategies[mark - marks];
    sketch->at++;
    return true;
}

static inline void sketch_children(struct sketch *sketch,
                                   struct bough_supervisor_options *flags);

static inline void sketch_supervisor(struct sketch *sketch, struct bough_child_spec *spec)
{
    struct bough_supervisor_options *flags = &sketch->flags[sketch->flag_count++];

    assert_in_range(sketch->flag_count, 1, SKETCH_PARTS - 1);
    sketch_strategy(sketch, flags);
    while (*sketch->at == '~') {
        flags->intensity = 7;
        sketch->at++;
    }
    assert_int_equal(*sketch->at, '(');
    sketch->at++;
    sketch_children(sketch, flags);
    assert_int_equal(*sketch->at, ')');
    sketch->at++;
    spec->type = &bough_supervisor_type;
    spec->options = flags;
}

static inline int64_t sketch_number(struct sketch *sketch)
{
    char *end;
    const long number = strtol(sketch->at, &end, 10);

    sketch->at = end;
    return number;
}

static inline void sketch_marks(struct sketch *sketch, struct bough_child_spec *spec,
                                struct sketch_options *options)
{
    for (;;) {
        const char mark = *sketch->at;

        if (strchr("=~^x!&", mark) == NULL || mark == '\0') return;
        sketch->at++;
        if (mark == '=') options->value = sketch_number(sketch);
        if (mark == '~') spec->shutdown_ms = 1234;
        if (mark == '^') spec->isolation = BOUGH_THREAD;
        if (mark == 'x') spec->replicas = (uint32_t)sketch_number(sketch);
        if (mark == '!') spec->restart = BOUGH_TEMPORARY;
        if (mark == '&') spec->type = &sketch_other_type;
    }
}

static inline void sketch_child(struct sketch *sketch, struct bough_child_spec *spec)
{
    char *name = sketch->names[sketch->name_count++];
    size_t len = 0;

    assert_in_range(sketch->name_count, 1, SKETCH_PARTS);
    while (isalpha((unsigned char)*sketch->at) && *sketch->at != 'x')
        name[len++] = *sketch->at++;
    assert_in_range(len, 1, 15);
    *spec = (struct bough_child_spec){ .name = name, .type = &sketch_type };
    if (strncmp(sketch->at, "~(", 2) == 0 ||
        (*sketch->at != '\0' && strchr("(*>?", *sketch->at))) {
        sketch_supervisor(sketch, spec);
    } else {
        struct sketch_options *options = &sketch->options[sketch->option_count++];

        spec->options = options;
        sketch_marks(sketch, spec, options);
        if (spec->type == &sketch_other_type) spec->options = NULL;
    }
    if (spec->type == &bough_supervisor_type) sketch_marks(sketch, spec, NULL);
}

static inline void sketch_children(struct sketch *sketch,
                                   struct bough_supervisor_options *flags)
{
    struct bough_child_spec *children = sketch->children[sketch->name_count];

    flags->children = children;
    for (;;) {
        while (*sketch->at == ' ')
            sketch->at++;
        if (*sketch->at == '\0' || *sketch->at == ')') return;
        assert_in_range(flags->child_count, 0, SKETCH_WIDTH - 1);
        sketch_child(sketch, &children[flags->child_count++]);
    }
}

static inline void sketch_init(struct sketch *sketch, const char *text)
{
    memset(sketch, 0, sizeof(*sketch));
    sketch->at = text;
    sketch_strategy(sketch, &sketch->root);
    if (*sketch->at == '~') {
        sketch->root.intensity = 7;
        sketch->at++;
    }
    sketch_children(sketch, &sketch->root);
    assert_int_equal(*sketch->at, '\0');
}

#endif
