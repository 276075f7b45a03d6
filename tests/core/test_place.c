/* test_place.c - places have names, are kept between lives, and say what happens to them.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/core/place.h>

#include <string.h>

#include <bough/core/text.h>
#include <bough/tests/support/probe.h>

static void names_are_checked(void **state)
{
    char longest[BOUGH_NAME_MAX + 2];

    (void)state;
    memset(longest, 'x', sizeof(longest));
    longest[BOUGH_NAME_MAX + 1] = '\0';
    assert_false(bough_name_valid(longest));
    longest[BOUGH_NAME_MAX] = '\0';
    assert_true(bough_name_valid(longest));
    assert_true(bough_name_valid("aZ0_.-"));
    assert_true(bough_name_valid("..."));
    assert_false(bough_name_valid(""));
    assert_false(bough_name_valid("."));
    assert_false(bough_name_valid(".."));
    assert_false(bough_name_valid("a/b"));
    assert_false(bough_name_valid("a b"));
    assert_false(bough_name_valid("\xc3\xa4"));
}

static void paths_are_checked(void **state)
{
    char longest[BOUGH_PATH_MAX + 1];

    (void)state;
    assert_true(bough_path_valid("/"));
    assert_true(bough_path_valid("/a"));
    assert_true(bough_path_valid("/a/b.c/d"));
    assert_false(bough_path_valid(""));
    assert_false(bough_path_valid("a"));
    assert_false(bough_path_valid("//"));
    assert_false(bough_path_valid("/a/"));
    assert_false(bough_path_valid("/a//b"));
    assert_false(bough_path_valid("/.."));
    for (size_t i = 0; i < BOUGH_PATH_MAX; i++)
        longest[i] = i % 2 ? 'a' : '/';
    longest[BOUGH_PATH_MAX] = '\0';
    assert_false(bough_path_valid(longest));
    longest[BOUGH_PATH_MAX - 2] = '\0';
    assert_true(bough_path_valid(longest));
}

/* A type that copies its options itself. */

struct counted {
    int copies, frees;
};

static void *counted_copy(const void *options)
{
    struct counted *counted = *(struct counted *const *)options;

    counted->copies++;
    return counted;
}

static void counted_free(void *options)
{
    struct counted *counted = options;

    counted->frees++;
}

static void counted_run(struct bough_actor *actor, const void *message, size_t size)
{
    (void)actor;
    (void)message;
    (void)size;
}

static void a_type_may_copy_its_options_itself(void **state)
{
    static const struct bough_actor_type type = {
        .name = "counted",
        .run = counted_run,
        .copy_options = counted_copy,
        .free_options = counted_free,
    };
    struct bough_test *test = *state;
    struct counted counted = { 0 };
    struct counted *options = &counted;
    struct bough_place_spec spec = { .type = &type, .options = &options };
    struct bough_address place;

    assert_status(bough_place_new(test->loop, &spec, &place), BOUGH_OK);
    assert_int_equal(counted.copies, 1);
    assert_int_equal(counted.frees, 0);
    bough_place_free(place, 0);
    assert_int_equal(counted.frees, 1);
    spec.name = "not a root";
    assert_status(bough_place_new(test->loop, &spec, &place), BOUGH_EINVALID);
    assert_int_equal(counted.frees, 2);
    spec = (struct bough_place_spec){ .type = &type };
    assert_status(bough_place_new(test->loop, &spec, &place), BOUGH_OK);
    bough_place_free(place, 0);
    assert_int_equal(counted.frees, 2);
}

static void a_place_that_is_no_more_cannot_be_started(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { 0 };
    struct bough_exit_reason failure;
    const struct bough_address place =
        bough_probe_place(test, &probe, BOUGH_NOBODY, NULL);

    bough_place_free(place, 0);
    assert_status(bough_place_start(place, NULL, &failure), BOUGH_EGONE);
    assert_status(failure.status, BOUGH_EGONE);
    assert_int_equal(probe.inits, 0);
}

static void a_place_that_is_only_reserved_cannot_be_started(void **state)
{
    struct bough_test *test = *state;
    struct bough_exit_reason failure;
    struct bough_address place, root;

    assert_status(bough_reference(test->loop, "/a", &place), BOUGH_OK);
    assert_status(bough_place_start(place, NULL, &failure), BOUGH_EINVALID);
    assert_status(bough_lookup(test->loop, "/", &root), BOUGH_OK);
    bough_place_free(root, 0);
}

static void each_state_has_a_name(void **state)
{
    (void)state;
    for (int i = 0; i < BOUGH_PLACE_STATE_COUNT; i++) {
        assert_non_null(bough_place_state_name((enum bough_place_state)i));
    }
    assert_string_equal(bough_place_state_name(BOUGH_PLACE_RESTARTING), "restarting");
}

/* A root with a child "a" that lives. */
struct tree {
    struct bough_probe root_probe, probe;
    struct bough_address root, place;
};

static void tree_start(struct bough_test *test, struct tree *tree)
{
    *tree = (struct tree){ .root = BOUGH_NOBODY };
    tree->root = bough_probe_place(test, &tree->root_probe, BOUGH_NOBODY, "/");
    bough_probe_start(tree->root, NULL);
    tree->place = bough_probe_place(test, &tree->probe, tree->root, "a");
    bough_probe_start(tree->place, NULL);
    bough_test_run(test);
}

static void tree_end(struct bough_test *test, struct tree *tree)
{
    bough_kill(tree->root);
    bough_test_run(test);
    bough_place_free(tree->root, 0);
}

static struct bough_place_info info_of(struct bough_address place)
{
    struct bough_place_info info;

    assert_status(bough_place_info(place, &info), BOUGH_OK);
    return info;
}

static void a_place_says_how_it_is(void **state)
{
    struct bough_test *test = *state;
    struct tree tree;

    tree_start(test, &tree);
    bough_test_advance(test, 250);
    assert_status(bough_probe_send(tree.place, BOUGH_PROBE_NOTE, 1), BOUGH_OK);
    bough_test_run(test);
    assert_status(bough_probe_send(tree.place, BOUGH_PROBE_NOTE, 1), BOUGH_OK);
    const struct bough_place_info info = info_of(tree.place);
    assert_string_equal(info.path, "/a");
    assert_string_equal(bough_actor_path(tree.probe.actor), "/a");
    assert_ptr_equal(info.type, &bough_probe_type);
    assert_int_equal(info.state, BOUGH_PLACE_RUNNING);
    assert_int_equal(info.life, 1);
    assert_int_equal(info.restarts, 0);
    assert_string_equal(info.isolation, "inline");
    assert_int_equal(info.uptime_ms, 250);
    assert_int_equal(info.mailbox_length, 1);
    assert_int_equal(info.mailbox_capacity, BOUGH_MAILBOX_CAPACITY);
    assert_int_equal(info.handled, 1);
    tree_end(test, &tree);
}

static void states_follow_one_another(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { .starts_later = true, .ends_later = true };
    const struct bough_address place = bough_probe_place(test, &probe, BOUGH_NOBODY, "/");

    assert_int_equal(info_of(place).state, BOUGH_PLACE_RESERVED);
    bough_probe_start(place, NULL);
    assert_int_equal(info_of(place).state, BOUGH_PLACE_STARTING);
    bough_ready(probe.actor);
    assert_int_equal(info_of(place).state, BOUGH_PLACE_RUNNING);
    bough_stop(place);
    bough_test_run(test);
    assert_int_equal(info_of(place).state, BOUGH_PLACE_STOPPING);
    bough_kill(place);
    bough_test_run(test);
    assert_int_equal(info_of(place).state, BOUGH_PLACE_FAILED);
    bough_place_mark(place, BOUGH_PLACE_RESTARTING);
    assert_int_equal(info_of(place).state, BOUGH_PLACE_RESTARTING);
    bough_place_free(place, 0);
    assert_status(bough_place_info(place, &(struct bough_place_info){ 0 }), BOUGH_EGONE);
}

static void what_happens_is_reported(void **state)
{
    struct bough_test *test = *state;
    struct tree tree;

    tree_start(test, &tree);
    bough_stop(tree.place);
    bough_test_run(test);
    assert_string_equal(test->trace, "started / 1\nready / 1\nstarted /a 1\nready /a 1\n"
                                     "stopping /a 1\nexited /a 1 shutdown\n");
    bough_test_forget(test);
    assert_status(
        bough_place_start(tree.place, &(struct bough_start){ .restart = true }, NULL),
        BOUGH_OK);
    assert_int_equal(info_of(tree.place).restarts, 1);
    tree_end(test, &tree);
    assert_string_equal(test->trace, "started /a 2\nready /a 2\n"
                                     "exited /a 2 killed: its parent ended\n"
                                     "exited / 1 killed\nremoved /a 2\nremoved / 1\n");
}

static void events_are_numbered_and_name_their_causes(void **state)
{
    struct bough_test *test = *state;
    struct tree tree;

    tree_start(test, &tree);
    bough_test_forget(test);
    assert_status(bough_place_start(tree.place, NULL, NULL), BOUGH_ERUNNING);
    bough_kill(tree.place);
    bough_test_run(test);
    const uint64_t cause = test->events[0].seq;
    assert_status(
        bough_place_start(tree.place, &(struct bough_start){ .cause = cause }, NULL),
        BOUGH_OK);
    assert_int_equal(test->event_count, 3);
    assert_int_equal(cause, 5);
    assert_int_equal(test->events[1].kind, BOUGH_EVENT_STARTED);
    assert_int_equal(test->events[1].cause, cause);
    assert_int_equal(test->events[2].kind, BOUGH_EVENT_READY);
    assert_int_equal(test->events[2].cause, test->events[1].seq);
    tree_end(test, &tree);
}

static void a_removal_names_its_cause(void **state)
{
    struct bough_test *test = *state;
    struct tree tree;

    tree_start(test, &tree);
    bough_test_forget(test);
    bough_kill(tree.place);
    bough_test_run(test);
    bough_place_free(tree.place, 77);
    assert_int_equal(test->events[1].kind, BOUGH_EVENT_REMOVED);
    assert_int_equal(test->events[1].cause, 77);
    tree_end(test, &tree);
}

static void a_start_that_fails_is_an_exit_and_counts_as_a_life(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { .init_status = BOUGH_ESYSTEM };
    const struct bough_address place = bough_probe_place(test, &probe, BOUGH_NOBODY, "/");
    struct bough_exit_reason failure;

    assert_status(bough_place_start(place, NULL, &failure), BOUGH_ESYSTEM);
    assert_int_equal(failure.kind, BOUGH_EXIT_ERROR);
    assert_string_equal(test->trace, "exited / 1 error: system\n");
    assert_int_equal(info_of(place).state, BOUGH_PLACE_RESERVED);
    assert_int_equal(info_of(place).life, 1);
    probe.init_status = BOUGH_IGNORE;
    assert_status(bough_place_start(place, NULL, &failure), BOUGH_IGNORE);
    assert_true(bough_exit_good(&failure));
    bough_place_free(place, 0);
}

static void a_place_is_found_by_its_path(void **state)
{
    struct bough_test *test = *state;
    struct bough_address found;
    struct tree tree;

    tree_start(test, &tree);
    assert_status(bough_lookup(test->loop, "/a", &found), BOUGH_OK);
    assert_true(bough_address_equal(found, tree.place));
    assert_status(bough_lookup(test->loop, "/", &found), BOUGH_OK);
    assert_true(bough_address_equal(found, tree.root));
    assert_status(bough_lookup(test->loop, "/b", &found), BOUGH_ENOTFOUND);
    assert_status(bough_lookup(test->loop, "", &found), BOUGH_ENOTFOUND);
    tree_end(test, &tree);
    assert_status(bough_lookup(test->loop, "/a", &found), BOUGH_ENOTFOUND);
}

static enum bough_status make(struct bough_test *test, struct bough_address parent,
                              const char *name)
{
    struct bough_probe probe = { 0 };
    const struct bough_place_spec spec = {
        .type = &bough_probe_type,
        .options = &(struct bough_probe_options){ &probe },
        .parent = parent,
        .name = name,
    };
    struct bough_address place;

    return bough_place_new(test->loop, &spec, &place);
}

static void bad_places_are_refused(void **state)
{
    struct bough_test *test = *state;
    struct tree tree;

    tree_start(test, &tree);
    const size_t places = bough_loop_count(test->loop).places;
    assert_status(make(test, tree.root, "a b"), BOUGH_EINVALID);
    assert_status(make(test, tree.root, "/"), BOUGH_EINVALID);
    assert_status(make(test, BOUGH_NOBODY, "a"), BOUGH_EINVALID);
    assert_status(make(test, BOUGH_NOBODY, "/"), BOUGH_EPRESENT);
    assert_status(make(test, tree.root, "a"), BOUGH_EPRESENT);
    assert_int_equal(bough_loop_count(test->loop).places, places);
    const struct bough_address root = tree.root;
    tree_end(test, &tree);
    assert_status(make(test, root, "a"), BOUGH_EGONE);
}

static void a_path_has_a_largest_length(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { 0 };
    const struct bough_address root = bough_probe_place(test, &probe, BOUGH_NOBODY, "/");
    struct bough_address place = root;
    char name[BOUGH_NAME_MAX + 1];

    memset(name, 'x', BOUGH_NAME_MAX);
    name[BOUGH_NAME_MAX] = '\0';
    for (int i = 0; i < 15; i++)
        place = bough_probe_place(test, &probe, place, name);
    assert_int_equal(strlen(info_of(place).path), 15 * 65);
    assert_status(make(test, place, name), BOUGH_ETOOLARGE);
    bough_place_free(root, 0);
}

static void a_place_is_taken_over_with_its_mail(void **state)
{
    struct bough_test *test = *state;
    struct tree tree;
    struct bough_probe next = { 0 };

    tree_start(test, &tree);
    bough_kill(tree.place);
    bough_test_run(test);
    assert_status(bough_probe_send(tree.place, BOUGH_PROBE_NOTE, 8), BOUGH_OK);
    const struct bough_address again = bough_probe_place(test, &next, tree.root, "a");
    assert_true(bough_address_equal(again, tree.place));
    bough_probe_start(again, NULL);
    bough_test_run(test);
    assert_int_equal(next.runs, 1);
    assert_int_equal(next.numbers[0], 8);
    assert_int_equal(info_of(again).life, 2);
    tree_end(test, &tree);
}

static void a_reference_reserves_a_path(void **state)
{
    struct bough_test *test = *state;
    struct bough_address reference, same;
    struct bough_probe root = { 0 }, group = { 0 }, probe = { 0 };

    assert_status(bough_reference(test->loop, "/x/y", &reference), BOUGH_OK);
    assert_status(bough_reference(test->loop, "/x/y", &same), BOUGH_OK);
    assert_true(bough_address_equal(reference, same));
    assert_null(info_of(reference).type);
    assert_status(bough_probe_send(reference, BOUGH_PROBE_NOTE, 3), BOUGH_OK);
    const struct bough_address top = bough_probe_place(test, &root, BOUGH_NOBODY, "/");
    bough_probe_start(top, NULL);
    const struct bough_address middle = bough_probe_place(test, &group, top, "x");
    bough_probe_start(middle, NULL);
    const struct bough_address place = bough_probe_place(test, &probe, middle, "y");
    assert_true(bough_address_equal(place, reference));
    bough_probe_start(place, NULL);
    bough_test_run(test);
    assert_int_equal(probe.runs, 1);
    bough_kill(top);
    bough_test_run(test);
    bough_place_free(top, 0);
}

static void bad_references_are_refused(void **state)
{
    struct bough_test *test = *state;
    struct bough_address reference;

    assert_status(bough_reference(test->loop, "x", &reference), BOUGH_EINVALID);
    assert_status(bough_reference(test->loop, "/x/", &reference), BOUGH_EINVALID);
    assert_status(bough_reference(test->loop, "/../x", &reference), BOUGH_EINVALID);
    assert_int_equal(bough_loop_count(test->loop).places, 0);
}

static void append_path(void *data, struct bough_address place,
                        const struct bough_place_info *info)
{
    char *text = data;
    const size_t len = strlen(text);

    assert_true(bough_address_equal(place, bough_address_place(place)));
    bough_text_format(text + len, 100 - len, "%s ", info->path);
}

static void places_are_visited_parents_first(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probes[6] = { 0 };
    char paths[100] = "";
    struct bough_address reserved;
    const struct bough_address root =
        bough_probe_place(test, &probes[0], BOUGH_NOBODY, "/");
    const struct bough_address z = bough_probe_place(test, &probes[1], root, "z");

    bough_probe_place(test, &probes[2], z, "1");
    bough_probe_place(test, &probes[3], z, "0");
    bough_probe_place(test, &probes[4], root, "a");
    assert_status(bough_reference(test->loop, "/only/reserved", &reserved), BOUGH_OK);
    assert_status(bough_place_visit(test->loop, "/", append_path, paths), BOUGH_OK);
    assert_string_equal(paths, "/ /z /z/1 /z/0 /a ");
    paths[0] = '\0';
    assert_status(bough_place_visit(test->loop, "/z", append_path, paths), BOUGH_OK);
    assert_string_equal(paths, "/z /z/1 /z/0 ");
    assert_status(bough_place_visit(test->loop, "/none", append_path, paths),
                  BOUGH_ENOTFOUND);
    bough_place_free(root, 0);
}

static void free_a_life(void *data)
{
    const struct tree *tree = data;

    bough_place_free(tree->place, 0);
}

static void a_place_that_is_lived_in_cannot_be_freed(void **state)
{
    struct bough_test *test = *state;
    struct tree tree;

    tree_start(test, &tree);
    assert_true(bough_test_aborts(free_a_life, &tree));
    tree_end(test, &tree);
}

static void start_child(struct bough_actor *actor, struct bough_probe *probe)
{
    const struct bough_address *child = probe->data;
    struct bough_exit_reason failure;

    (void)actor;
    assert_status(bough_place_start(*child, NULL, &failure), BOUGH_EGONE);
}

static void nothing_is_started_under_one_that_ends(void **state)
{
    struct bough_test *test = *state;
    struct tree tree;

    tree_start(test, &tree);
    bough_kill(tree.place);
    bough_test_run(test);
    tree.root_probe.on_finish = start_child;
    tree.root_probe.data = &tree.place;
    tree_end(test, &tree);
    assert_int_equal(tree.root_probe.finishes, 1);
    assert_int_equal(tree.probe.inits, 1);
}

static void places_outlive_a_restart_of_their_parent(void **state)
{
    struct bough_test *test = *state;
    struct tree tree;
    struct bough_probe probe = { 0 };

    tree_start(test, &tree);
    const struct bough_address leaf = bough_probe_place(test, &probe, tree.place, "leaf");
    bough_probe_start(leaf, NULL);
    bough_kill(tree.place);
    bough_test_run(test);
    assert_int_equal(probe.finishes, 1);
    assert_status(bough_probe_send(leaf, BOUGH_PROBE_NOTE, 4), BOUGH_OK);
    bough_probe_start(tree.place, NULL);
    assert_string_equal(info_of(leaf).path, "/a/leaf");
    bough_probe_start(leaf, NULL);
    bough_test_run(test);
    assert_int_equal(probe.runs, 1);
    tree_end(test, &tree);
}

/* Its own type's messages, unless it says that it hands on another's. */
static void a_place_says_whose_messages_it_takes(void **state)
{
    static const struct bough_actor_type language = { .name = "language" };
    struct bough_test *test = *state;
    struct bough_probe probe = { 0 };
    const struct bough_probe_options options = { .probe = &probe };
    struct bough_place_spec spec = {
        .type = &bough_probe_type,
        .options = &options,
        .name = "/",
    };
    struct bough_address place;

    assert_status(bough_place_new(test->loop, &spec, &place), BOUGH_OK);
    assert_ptr_equal(info_of(place).speaks, &bough_probe_type);
    assert_memory_equal(info_of(place).options, &options, sizeof(options));
    spec.speaks = &language;
    assert_status(bough_place_new(test->loop, &spec, &place), BOUGH_OK);
    assert_ptr_equal(info_of(place).speaks, &language);
    assert_ptr_equal(info_of(place).type, &bough_probe_type);
    bough_place_free(place, 0);
}

static void under_a_root_that_ended_all_is_gone(void **state)
{
    struct bough_test *test = *state;
    struct tree tree;

    tree_start(test, &tree);
    assert_status(bough_probe_send(tree.place, BOUGH_PROBE_NOTE, 4), BOUGH_OK);
    bough_kill(tree.root);
    bough_test_run(test);
    assert_status(bough_probe_send(tree.place, BOUGH_PROBE_NOTE, 4), BOUGH_EGONE);
    assert_status(bough_probe_send(tree.root, BOUGH_PROBE_NOTE, 4), BOUGH_EGONE);
    assert_int_equal(info_of(tree.place).mailbox_length, 0);
    bough_place_free(tree.root, 0);
}

#define test_of(function) \
    cmocka_unit_test_setup_teardown(function, bough_test_setup, bough_test_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_checked),
        cmocka_unit_test(paths_are_checked),
        cmocka_unit_test(each_state_has_a_name),
        test_of(a_place_says_how_it_is),
        test_of(a_type_may_copy_its_options_itself),
        test_of(a_place_that_is_no_more_cannot_be_started),
        test_of(a_place_that_is_only_reserved_cannot_be_started),
        test_of(states_follow_one_another),
        test_of(what_happens_is_reported),
        test_of(events_are_numbered_and_name_their_causes),
        test_of(a_removal_names_its_cause),
        test_of(a_start_that_fails_is_an_exit_and_counts_as_a_life),
        test_of(a_place_is_found_by_its_path),
        test_of(bad_places_are_refused),
        test_of(a_path_has_a_largest_length),
        test_of(a_place_is_taken_over_with_its_mail),
        test_of(a_reference_reserves_a_path),
        test_of(bad_references_are_refused),
        test_of(places_are_visited_parents_first),
        test_of(nothing_is_started_under_one_that_ends),
        test_of(a_place_that_is_lived_in_cannot_be_freed),
        test_of(places_outlive_a_restart_of_their_parent),
        test_of(a_place_says_whose_messages_it_takes),
        test_of(under_a_root_that_ended_all_is_gone),
    };
    return cmocka_run_group_tests_name("core/place", tests, NULL, NULL);
}
