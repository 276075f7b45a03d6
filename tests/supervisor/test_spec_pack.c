/* test_spec_pack.c - child specs and options there and back: whole, broken, and when
 * memory runs out at each allocation in turn (__wrap_malloc).
 *
 * SPDX-License-Identifier: MIT */
#include <bough/supervisor/spec_pack.h>

#include <bough/tests/supervisor/request.h>
#include <bough/tests/support/allocator.h>

enum { ENOUGH = 1000 }; /* allocations, more than any of these needs */

/* A type with options of every kind that has a pointer, and a member without a row. */

struct part {
    const char *path;
    bool loud;
};

struct output {
    int how;
    const char *file;
};

struct options {
    const char *title;
    const char *const *words;
    int64_t number;
    struct part part;
    const char *const *env;
    struct output output;
    int rowless;
};

static const char *const hows[] = { "log", "null", NULL };

static const struct bough_field output_rows[] = {
    bough_field(struct output, file, "file", BOUGH_FILE),
};

static const struct bough_field part_rows[] = {
    bough_field(struct part, path, "path", BOUGH_PATH, .optional = true),
    bough_field(struct part, loud, "loud", BOUGH_BOOL, .optional = true),
};

static const struct bough_field rows[] = {
    bough_field(struct options, title, "title", BOUGH_STRING, .optional = true,
                .fallback_text = "none"),
    bough_field(struct options, words, "words", BOUGH_STRINGS, .optional = true),
    bough_field(struct options, number, "number", BOUGH_INT64, .optional = true,
                .fallback = 7, .min = 1, .max = 100),
    bough_field(struct options, part, "part", BOUGH_OBJECT, .optional = true,
                .of = part_rows, .of_count = bough_count_of(part_rows),
                .of_size = sizeof(struct part)),
    bough_field(struct options, env, "env", BOUGH_MAP, .optional = true),
    bough_field(struct options, output, "output", BOUGH_EITHER, .optional = true,
                .choices = hows, .of = output_rows, .of_count = 1,
                .of_size = sizeof(struct output)),
};

enum { TITLE, WORDS, NUMBER, PART };

static const struct bough_actor_type talker_type = {
    .name = "talker",
    .options = rows,
    .option_count = bough_count_of(rows),
    .options_size = sizeof(struct options),
};

static const char *const words[] = { "one", "", "three", NULL };

static const char *const env[] = { "HOME", "/root", NULL };

static const struct options talker = {
    .title = "a title",
    .words = words,
    .number = 42,
    .part = { .path = "/log", .loud = true },
    .env = env,
    .output = { .file = "out.log" },
    .rowless = 5,
};

static const struct bough_policy policies[] = {
    { .kind = BOUGH_EXIT_SIGNAL, .number = 11, .act = BOUGH_POLICY_ESCALATE },
    { .act = BOUGH_POLICY_STOP },
};

static const struct bough_child_spec leaf = {
    .name = "leaf",
    .type = &talker_type,
    .options = &talker,
    .restart = BOUGH_TRANSIENT,
    .shutdown_ms = BOUGH_SHUTDOWN_BRUTAL_KILL,
    .backoff = { .min_ms = 5, .jitter = 0.5 },
    .policies = policies,
    .policy_count = bough_count_of(policies),
    .replicas = 3,
    .route = BOUGH_HASH,
    .route_field = "key",
    .redeliver = 7,
    .limits = { .rlimits = { .memory = 1 << 20, .core = BOUGH_CORE_NONE },
                .user = "someone",
                .group = "some",
                .oom_score_adj = -3 },
};

static const struct bough_child_spec bare = { .name = "bare", .type = &talker_type };

static const struct bough_child_spec both[] = { leaf, bare };

static const struct bough_supervisor_options sub = { .strategy = BOUGH_REST_FOR_ONE,
                                                     .intensity = 9,
                                                     .children = both,
                                                     .child_count = 2 };

static const struct bough_child_spec branch = { .name = "branch",
                                                .type = &bough_supervisor_type,
                                                .options = &sub };

/* A message with a packed spec. */
struct message {
    struct bough_span spec;
};

static void pack(struct bough_block *block, const struct bough_child_spec *spec)
{
    static const struct message none = { .spec = { .offset = 0 } };

    bough_block_init(block, NULL, 0, &none, sizeof(none));
    bough_spec_pack(block, offsetof(struct message, spec), spec);
}

static const void *packed(const struct bough_block *block, size_t *len)
{
    const struct message *message = (const void *)block->data;

    *len = message->spec.len;
    return bough_span_data(message, message->spec);
}

/* There and back. */
static struct bough_child_spec *travel(const struct bough_child_spec *spec)
{
    struct bough_child_spec *copy = NULL;
    struct bough_block block;
    const void *bytes;
    size_t len;

    pack(&block, spec);
    assert_status(block.status, BOUGH_OK);
    bytes = packed(&block, &len);
    assert_status(bough_spec_unpack(bytes, len, &copy, NULL), BOUGH_OK);
    bough_block_finish(&block);
    return copy;
}

static void expect_talker(const struct options *options)
{
    assert_string_equal(options->title, "a title");
    assert_string_equal(options->words[0], "one");
    assert_string_equal(options->words[1], "");
    assert_string_equal(options->words[2], "three");
    assert_null(options->words[3]);
    assert_int_equal(options->number, 42);
    assert_string_equal(options->part.path, "/log");
    assert_true(options->part.loud);
    assert_int_equal(options->rowless, 5);
}

static void expect_leaf(const struct bough_child_spec *spec)
{
    assert_string_equal(spec->name, "leaf");
    assert_ptr_equal(spec->type, &talker_type);
    assert_int_equal(spec->restart, BOUGH_TRANSIENT);
    assert_true(spec->shutdown_ms == BOUGH_SHUTDOWN_BRUTAL_KILL);
    assert_int_equal(spec->backoff.min_ms, 5);
    assert_int_equal(spec->policy_count, 2);
    assert_int_equal(spec->policies[0].number, 11);
    assert_int_equal(spec->policies[1].act, BOUGH_POLICY_STOP);
    assert_int_equal(spec->replicas, 3);
    assert_string_equal(spec->route_field, "key");
    assert_int_equal(spec->redeliver, 7);
    assert_true(spec->limits.rlimits.core == BOUGH_CORE_NONE);
    assert_string_equal(spec->limits.user, "someone");
    assert_string_equal(spec->limits.group, "some");
    assert_int_equal(spec->limits.oom_score_adj, -3);
    expect_talker(spec->options);
}

static void a_spec_arrives_whole(void **state)
{
    struct bough_child_spec *spec = travel(&leaf);

    (void)state;
    expect_leaf(spec);
    assert_ptr_not_equal(spec->name, leaf.name);
    bough_spec_free(spec);
}

static void a_supervisor_arrives_with_all_below(void **state)
{
    struct bough_child_spec *spec = travel(&branch);
    const struct bough_supervisor_options *options = spec->options;

    (void)state;
    assert_int_equal(options->strategy, BOUGH_REST_FOR_ONE);
    assert_int_equal(options->intensity, 9);
    assert_int_equal(options->child_count, 2);
    expect_leaf(&options->children[0]);
    assert_string_equal(options->children[1].name, "bare");
    assert_null(options->children[1].options);
    bough_spec_free(spec);
}

static void a_supervisor_without_options_arrives_without(void **state)
{
    const struct bough_child_spec plain = { .name = "s", .type = &bough_supervisor_type };
    struct bough_child_spec *spec = travel(&plain);

    (void)state;
    assert_null(spec->options);
    bough_spec_free(spec);
    bough_spec_free(NULL);
}

static void *copy_nothing(const void *options)
{
    (void)options;
    return NULL;
}

static void options_that_only_their_type_can_copy_do_not_travel(void **state)
{
    const struct bough_actor_type closed = { .name = "closed",
                                             .copy_options = copy_nothing };
    const struct bough_child_spec spec = { .type = &closed, .options = "x" };
    struct bough_block block;

    (void)state;
    pack(&block, &spec);
    assert_status(block.status, BOUGH_EINVALID);
    bough_block_finish(&block);
}

static void bytes_that_are_cut_anywhere_are_refused(void **state)
{
    struct bough_error error;
    struct bough_block block;
    const char *bytes;
    size_t len;

    (void)state;
    pack(&block, &branch);
    bytes = packed(&block, &len);
    /* The last byte of all is a NUL behind the last part. */
    for (size_t i = 0; i < len - 1; i++) {
        struct bough_child_spec *spec;
        char *cut = malloc(i + 1);

        memcpy(cut, bytes, i);
        assert_status(bough_spec_unpack(cut, i, &spec, &error), BOUGH_EINVALID);
        assert_string_equal(error.text, "the packed spec is not whole");
        free(cut);
    }
    bough_block_finish(&block);
}

/* Any span that says something else is refused, or still lies inside. */
static void spans_that_lie_are_found_out(void **state)
{
    struct bough_block block;
    uint64_t seed = bough_test_seed();
    char *bytes, *lie;
    size_t len;

    (void)state;
    pack(&block, &branch);
    bytes = (char *)(uintptr_t)packed(&block, &len);
    lie = malloc(len);
    for (int i = 0; i < 20000; i++) {
        const size_t word =
            bough_test_random(&seed, (uint32_t)(len / sizeof(uint32_t) - 1));
        const uint32_t value = bough_test_random(&seed, (uint32_t)(2 * len));
        struct bough_child_spec *spec;
        uint32_t old;

        memcpy(lie, bytes, len);
        memcpy(&old, lie + word * sizeof(old), sizeof(old));
        /* Only what looks like an offset or a length: types travel as pointers. */
        if (old == 0 || old > 2 * len) continue;
        memcpy(lie + word * sizeof(value), &value, sizeof(value));
        if (bough_spec_unpack(lie, len, &spec, NULL) == BOUGH_OK) bough_spec_free(spec);
    }
    free(lie);
    bough_block_finish(&block);
}

/* Options over options */

static struct options *lay_over(const struct options *base, const struct options *above,
                                uint64_t given)
{
    static const struct message none = { .spec = { .offset = 0 } };
    struct bough_block block;
    const void *bytes;
    void *options;
    size_t len;

    bough_block_init(&block, NULL, 0, &none, sizeof(none));
    bough_options_pack(&block, offsetof(struct message, spec), &talker_type, above,
                       given);
    assert_status(block.status, BOUGH_OK);
    bytes = packed(&block, &len);
    assert_status(bough_options_unpack(bytes, len, &talker_type, base, &options, NULL),
                  BOUGH_OK);
    bough_block_finish(&block);
    return options;
}

static void only_what_is_given_is_laid_over(void **state)
{
    const struct options above = { .number = 3 };
    struct options *options =
        lay_over(&talker, &above, bough_options_given(&talker_type, &above));

    (void)state;
    assert_int_equal(options->number, 3);
    assert_string_equal(options->title, "a title");
    assert_string_equal(options->part.path, "/log");
    assert_int_equal(options->rowless, 5);
    bough_packed_options_free(&talker_type, options);
}

static void what_is_given_as_zero_is_the_fallback(void **state)
{
    const struct options above = { .number = 0 };
    struct options *options =
        lay_over(&talker, &above, UINT64_C(1) << NUMBER | UINT64_C(1) << TITLE);

    (void)state;
    assert_int_equal(options->number, 7);
    assert_string_equal(options->title, "none");
    assert_string_equal(options->words[2], "three");
    bough_packed_options_free(&talker_type, options);
}

static void options_over_nothing_are_filled(void **state)
{
    const struct options above = { .rowless = 1 };
    struct options *options = lay_over(NULL, &above, 0);

    (void)state;
    assert_int_equal(options->number, 7);
    assert_int_equal(options->rowless, 1);
    bough_packed_options_free(&talker_type, options);
}

/* Without memory */

static void packing_without_memory_says_so(void **state)
{
    enum bough_status status = BOUGH_ENOMEM;

    (void)state;
    for (size_t nth = 1; status != BOUGH_OK; nth++) {
        struct bough_block block;

        assert_in_range(nth, 1, ENOUGH);
        bough_allocator_fail_at(nth);
        pack(&block, &branch);
        status = block.status;
        assert_int_equal(bough_allocator_heal(), status == BOUGH_ENOMEM);
        bough_block_finish(&block);
    }
}

static void unpacking_without_memory_leaks_nothing(void **state)
{
    struct bough_child_spec *spec = NULL;
    struct bough_block block;
    const void *bytes;
    size_t len;

    (void)state;
    pack(&block, &branch);
    bytes = packed(&block, &len);
    for (size_t nth = 1; !spec; nth++) {
        struct bough_error error = { .status = BOUGH_OK };
        enum bough_status status;

        assert_in_range(nth, 1, ENOUGH);
        bough_allocator_fail_at(nth);
        status = bough_spec_unpack(bytes, len, &spec, &error);
        assert_int_equal(bough_allocator_heal(), status == BOUGH_ENOMEM);
        assert_int_equal(error.status, status);
    }
    bough_spec_free(spec);
    bough_block_finish(&block);
}

static void a_request_without_memory_is_answered_and_changes_nothing(void **state)
{
    struct bough_child_spec spec;
    struct request request = { .status = BOUGH_ENOMEM };
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 1);
    tree_start(&tree);
    /* An answer for which there is no memory is ENOMEM after the work: not here. */
    spec = tree_probe_spec(&tree, "w", 2);
    tree_start_child(&tree, &spec, &request);
    assert_status(request.status, BOUGH_OK);
    request.status = BOUGH_ENOMEM;
    spec = tree_probe_spec(&tree, "x", 1);
    for (size_t nth = 1; request.status != BOUGH_OK; nth++) {
        assert_in_range(nth, 1, ENOUGH);
        bough_allocator_fail_at(nth);
        tree_start_child(&tree, &spec, &request);
        if (!bough_allocator_heal()) assert_status(request.status, BOUGH_OK);
        assert_int_equal(request.answers, 1);
        if (request.status != BOUGH_OK) assert_false(tree_knows(&tree, "/x"));
    }
    assert_int_equal(tree_state(&tree, "/x"), BOUGH_PLACE_RUNNING);
    tree_finish(&tree);
}

static void a_group_that_grows_without_memory_keeps_what_it_has(void **state)
{
    struct request request = { .status = BOUGH_ENOMEM };
    struct tree tree;

    tree_init(&tree, *state, BOUGH_ONE_FOR_ONE, 1);
    tree.children[0].replicas = 1;
    tree_start(&tree);
    for (size_t nth = 1; request.status != BOUGH_OK; nth++) {
        assert_in_range(nth, 1, ENOUGH);
        bough_allocator_fail_at(nth);
        request_init(&request);
        bough_supervisor_set_replicas(tree.supervisor, "a", 3, &request.call);
        bough_test_advance(tree.test, 0);
        bough_allocator_heal();
        assert_int_equal(request.answers, 1);
        assert_int_equal(tree_state(&tree, "/a/0"), BOUGH_PLACE_RUNNING);
    }
    assert_int_equal(tree_state(&tree, "/a/2"), BOUGH_PLACE_RUNNING);
    tree_finish(&tree);
}

#define fact(function) \
    cmocka_unit_test_setup_teardown(function, bough_test_setup, bough_test_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        fact(a_spec_arrives_whole),
        fact(a_supervisor_arrives_with_all_below),
        fact(a_supervisor_without_options_arrives_without),
        fact(options_that_only_their_type_can_copy_do_not_travel),
        fact(bytes_that_are_cut_anywhere_are_refused),
        fact(spans_that_lie_are_found_out),
        fact(only_what_is_given_is_laid_over),
        fact(what_is_given_as_zero_is_the_fallback),
        fact(options_over_nothing_are_filled),
        fact(packing_without_memory_says_so),
        fact(unpacking_without_memory_leaks_nothing),
        fact(a_request_without_memory_is_answered_and_changes_nothing),
        fact(a_group_that_grows_without_memory_keeps_what_it_has),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
