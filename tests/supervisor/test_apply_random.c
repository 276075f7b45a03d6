/* test_apply_random.c - applies between trees by chance, of which some cannot be started:
 * afterwards the one or the other runs, to its last child.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/supervisor/apply.h>

#include <stdio.h>

#include <bough/core/text.h>
#include <bough/tests/supervisor/sketch_random.h>
#include <bough/tests/supervisor/tree.h>

enum { TREES = 400, LIST = 16 * 1024 };

/* A line for each actor that is to run: path, type, and what its option says. */
struct list {
    char text[LIST];
    size_t used;
};

static void add_line(struct list *list, const char *path,
                     const struct bough_actor_type *type, const void *options)
{
    const struct sketch_options *own = options;
    const long value =
        type == &sketch_type && own != NULL && own->value != 0 ? (long)own->value : 1;

    list->used += (size_t)snprintf(list->text + list->used, LIST - list->used,
                                   "%s %s %ld\n", path, type->name, value);
    assert_in_range(list->used, 0, LIST - 1);
}

static void list_children(struct list *list, const char *path,
                          const struct bough_supervisor_options *flags);

static void list_one(struct list *list, const char *path,
                     const struct bough_child_spec *spec)
{
    add_line(list, path, spec->type, spec->options);
    if (spec->type == &bough_supervisor_type) list_children(list, path, spec->options);
}

static void list_child(struct list *list, const char *path,
                       const struct bough_child_spec *spec)
{
    if (spec->replicas == 0) {
        list_one(list, path, spec);
        return;
    }
    list->used += (size_t)snprintf(list->text + list->used, LIST - list->used,
                                   "%s group 1\n", path);
    for (uint32_t i = 0; i < spec->replicas; i++) {
        char member[BOUGH_PATH_MAX];

        bough_text_format(member, sizeof(member), "%s/%u", path, i);
        list_one(list, member, spec);
    }
}

static void list_children(struct list *list, const char *path,
                          const struct bough_supervisor_options *flags)
{
    if (flags->strategy == BOUGH_DYNAMIC) return;
    for (size_t i = 0; i < flags->child_count; i++) {
        char below[BOUGH_PATH_MAX];

        bough_text_format(below, sizeof(below), "%s/%s", path[1] == '\0' ? "" : path,
                          flags->children[i].name);
        list_child(list, below, &flags->children[i]);
    }
}

static void list_sketch(struct list *list, const struct sketch *sketch)
{
    *list = (struct list){ .used = 0 };
    add_line(list, "/", &bough_supervisor_type, NULL);
    list_children(list, "/", &sketch->root);
}

static void list_place(void *data, struct bough_address place,
                       const struct bough_place_info *info)
{
    struct list *list = data;

    (void)place;
    if (info->state == BOUGH_PLACE_RUNNING)
        add_line(list, info->path, info->type, info->options);
    else
        list->used +=
            (size_t)snprintf(list->text + list->used, LIST - list->used, "%s %s\n",
                             info->path, bough_place_state_name(info->state));
}

static void list_tree(struct list *list, struct bough_test *test)
{
    *list = (struct list){ .used = 0 };
    assert_status(bough_place_visit(test->loop, "/", list_place, list), BOUGH_OK);
}

/* Applies */

struct outcome {
    struct bough_apply apply;
    unsigned ends;
    enum bough_status status;
};

static void note_end(struct bough_apply *apply, enum bough_status status)
{
    struct outcome *outcome = bough_container(apply, struct outcome, apply);

    outcome->ends++;
    outcome->status = status;
}

/* One of its actors, by chance, does not start. */
static void spoil(struct sketch *sketch, uint64_t *seed)
{
    if (sketch->option_count == 0 || bough_test_random(seed, 3) != 0) return;
    sketch->options[bough_test_random(seed, (uint32_t)sketch->option_count)].value =
        SKETCH_FAILS;
}

static void expect_same(const struct list *got, const struct sketch *sketch,
                        const char *from, const char *to)
{
    static struct list expected;

    list_sketch(&expected, sketch);
    size_t same = 0;

    if (strcmp(got->text, expected.text) == 0) return;
    while (got->text[same] == expected.text[same])
        same++;
    while (same > 0 && got->text[same - 1] != '\n')
        same--;
    fail_msg("from \"%s\" to \"%s\": got %.200s, expected %.200s", from, to,
             got->text + same, expected.text + same);
}

static void a_tree_is_the_new_one_or_the_old_one(void **state)
{
    static struct sketch sketches[2];
    static struct list list;
    static char texts[2][SKETCH_TEXT];
    struct bough_test *test = *state;
    struct bough_supervisor root;
    struct outcome outcome = { .apply.done = note_end };
    struct bough_probe_watch watch;
    uint64_t seed = bough_test_seed();
    unsigned fresh = 0, backs = 0;

    sketch_random(&sketches[0], texts[0], &seed);
    bough_probe_watch_init(&watch, NULL);
    assert_status(
        bough_supervisor_start(test->loop, &sketches[0].root, &watch.watch, &root, NULL),
        BOUGH_OK);
    bough_test_advance(test, 0);
    for (int i = 0; i < TREES; i++) {
        sketch_random(&sketches[!fresh], texts[!fresh], &seed);
        spoil(&sketches[!fresh], &seed);
        outcome.ends = 0;
        assert_status(bough_apply_start(&outcome.apply, test->loop, root,
                                        &sketches[!fresh].root, NULL),
                      BOUGH_OK);
        bough_test_advance(test, 10);
        assert_int_equal(outcome.ends, 1);
        if (outcome.status == BOUGH_OK) fresh = !fresh;
        if (outcome.status != BOUGH_OK) backs += outcome.apply.went_back;
        if (outcome.status != BOUGH_OK && !outcome.apply.went_back)
            fail_msg("not back from \"%s\" to \"%s\": %s", texts[fresh], texts[!fresh],
                     outcome.apply.text);
        list_tree(&list, test);
        expect_same(&list, &sketches[fresh],
                    texts[outcome.status != BOUGH_OK ? fresh : !fresh],
                    texts[outcome.status != BOUGH_OK ? !fresh : fresh]);
        bough_test_forget(test);
    }
    assert_in_range(backs, TREES / 20, TREES);
    bough_supervisor_stop(root);
    bough_test_advance(test, 10);
    assert_int_equal(watch.exits, 1);
    bough_place_free(root.address, 0);
}

int main(void)
{
    const struct CMUnitTest facts[] = {
        cmocka_unit_test_setup_teardown(a_tree_is_the_new_one_or_the_old_one,
                                        bough_test_setup, bough_test_teardown),
    };

    return cmocka_run_group_tests(facts, NULL, NULL);
}
