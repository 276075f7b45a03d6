/* test_json_spec.c - a child spec in a message is what a config file says of a child.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/config/json_fields.h>

#include <signal.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include <bough/actors/counter.h>
#include <bough/actors/types.h>
#include <bough/supervisor/spec_pack.h>
#include <bough/supervisor/supervisor.h>
#include <bough/tests/support/unit.h>

/* A message with all that a supervisor's messages hold. */
struct order {
    struct bough_span spec, options;
};

static const struct bough_field order_fields[] = {
    bough_field(struct order, spec, "spec", BOUGH_SPEC, .optional = true),
    bough_field(struct order, options, "options", BOUGH_OPTIONS, .optional = true),
};

struct made {
    alignas(max_align_t) char buffer[512];
    struct bough_block block;
    enum bough_status status;
    struct bough_error error;
};

/* Makes the block of a text; `options_of` as in struct bough_json_types. */
static void make(struct made *made, const char *text,
                 const struct bough_actor_type *options_of)
{
    const struct bough_json_types types = { .all = bough_actor_types,
                                            .options_of = options_of };
    const struct order none = { .spec = { .offset = 0 } };
    json_t *json = json_loads(text, JSON_ALLOW_NUL, NULL);

    assert_non_null(json);
    made->error = (struct bough_error){ .text = "" };
    bough_block_init(&made->block, made->buffer, sizeof(made->buffer), &none,
                     sizeof(none));
    made->status = bough_json_to_block(&types, order_fields, bough_count_of(order_fields),
                                       json, &made->block, &made->error);
    json_decref(json);
}

static struct bough_child_spec *unpack(const struct made *made)
{
    const struct order *order = (const void *)made->block.data;
    struct bough_child_spec *spec = NULL;

    assert_int_equal(made->status, BOUGH_OK);
    assert_int_equal(bough_spec_unpack(bough_span_data(order, order->spec),
                                       order->spec.len, &spec, NULL),
                     BOUGH_OK);
    return spec;
}

static void check_refused(const char *text, const char *pointer, const char *sentence)
{
    struct made made;

    make(&made, text, NULL);
    assert_int_equal(made.status, BOUGH_EINVALID);
    assert_string_equal(made.error.text, sentence);
    assert_string_equal(made.error.pointer, pointer);
    bough_block_finish(&made.block);
}

/* From JSON */

static void a_spec_is_read_as_in_a_file(void **state)
{
    struct made made;
    struct bough_child_spec *spec;

    (void)state;
    make(&made,
         "{\"spec\": {\"name\": \"x\", \"type\": \"counter\", \"restart\": \"transient\","
         " \"shutdown\": \"0s\", \"options\": {\"initial\": 7}}}",
         NULL);
    spec = unpack(&made);
    assert_string_equal(spec->name, "x");
    assert_ptr_equal(spec->type, &bough_counter_type);
    assert_int_equal(spec->restart, BOUGH_TRANSIENT);
    assert_int_equal(spec->shutdown_ms, BOUGH_SHUTDOWN_AT_ONCE);
    assert_int_equal(((const struct bough_counter_options *)spec->options)->initial, 7);
    bough_spec_free(spec);
    bough_block_finish(&made.block);
}

static void a_supervisor_brings_its_children(void **state)
{
    struct made made;
    struct bough_child_spec *spec;
    const struct bough_supervisor_options *options;

    (void)state;
    make(&made,
         "{\"spec\": {\"name\": \"jobs\", \"type\": \"supervisor\", \"strategy\": "
         "\"dynamic\", \"children\": [{\"name\": \"job\", \"type\": \"worker\", "
         "\"options\": {\"run\": [\"true\"]}}]}}",
         NULL);
    spec = unpack(&made);
    options = spec->options;
    assert_int_equal(options->strategy, BOUGH_DYNAMIC);
    assert_int_equal(options->child_count, 1);
    assert_string_equal(options->children[0].name, "job");
    bough_spec_free(spec);
    bough_block_finish(&made.block);
}

static void a_wrong_spec_is_refused_with_its_place(void **state)
{
    (void)state;
    check_refused("{\"spec\": {\"name\": \"x\", \"type\": \"counter\", \"restrat\": 1}}",
                  "/spec/restrat", "unknown key \"restrat\"; did you mean \"restart\"?");
    check_refused("{\"spec\": {\"name\": \"x\", \"type\": \"countre\"}}", "/spec/type",
                  "unknown type \"countre\"; did you mean \"counter\"?");
    check_refused("{\"spec\": {\"type\": \"counter\"}}", "/spec",
                  "missing key \"name\"; it must be a string");
    check_refused("{\"spec\": [1]}", "/spec", "\"spec\" must be an object, not an array");
    check_refused(
        "{\"spec\": {\"name\": \"s\", \"type\": \"supervisor\", \"children\": ["
        "{\"name\": \"a\", \"type\": \"kv\"}, {\"name\": \"a\", \"type\": \"kv\"}]}}",
        "/spec/children/1/name", "duplicate name \"a\"; item 1 has it");
    check_refused("{\"spec\": {\"name\": \"x\", \"type\": \"counter\", \"significant\": "
                  "true}}",
                  "/spec/significant",
                  "a permanent child cannot be significant, for it is always restarted; "
                  "\"restart\" must be \"transient\" or \"temporary\"");
}

/* What the supervisor is, only it knows, and then it says so. */
static void what_depends_on_the_supervisor_is_left_to_it(void **state)
{
    struct made made;
    struct bough_child_spec *spec;

    (void)state;
    make(
        &made,
        "{\"spec\": {\"name\": \"x\", \"type\": \"counter\", \"restart\": \"temporary\", "
        "\"significant\": true}}",
        NULL);
    spec = unpack(&made);
    assert_true(spec->significant);
    bough_spec_free(spec);
    bough_block_finish(&made.block);
}

/* Options of a template */

struct dish {
    int64_t price, weight;
    const char *cook;
};

static const struct bough_field dish_fields[] = {
    bough_field(struct dish, price, "price", BOUGH_INT64, .min = 1, .max = 99),
    bough_field(struct dish, weight, "weight", BOUGH_SIZE, .optional = true),
    bough_field(struct dish, cook, "cook", BOUGH_STRING),
};

static const struct bough_actor_type dish_type = {
    .name = "dish",
    .options_size = sizeof(struct dish),
    .options = dish_fields,
    .option_count = bough_count_of(dish_fields),
};

static void options_are_laid_over_those_of_the_template(void **state)
{
    const struct dish base = { .price = 3, .weight = 5, .cook = "Ann" };
    const struct order *order;
    struct made made;
    struct dish *dish;
    void *options;

    (void)state;
    make(&made, "{\"options\": {\"price\": 4}}", &dish_type);
    assert_int_equal(made.status, BOUGH_OK);
    order = (const void *)made.block.data;
    assert_int_equal(bough_options_unpack(bough_span_data(order, order->options),
                                          order->options.len, &dish_type, &base, &options,
                                          NULL),
                     BOUGH_OK);
    dish = options;
    assert_int_equal(dish->price, 4);
    assert_int_equal(dish->weight, 5);
    assert_string_equal(dish->cook, "Ann");
    bough_packed_options_free(&dish_type, options);
    bough_block_finish(&made.block);
}

static void wrong_options_are_refused(void **state)
{
    static const struct {
        const char *text, *pointer, *sentence;
    } wrong[] = {
        { "{\"options\": {\"pirce\": 4}}", "/options/pirce",
          "unknown option \"pirce\"; did you mean \"price\"?" },
        { "{\"options\": {\"price\": 100}}", "/options/price",
          "\"price\" must be from 1 to 99, not 100" },
        { "{\"options\": 1}", "/options",
          "\"options\" must be an object, not the number 1" },
    };
    struct made made;

    (void)state;
    for (size_t i = 0; i < bough_count_of(wrong); i++) {
        make(&made, wrong[i].text, &dish_type);
        assert_int_equal(made.status, BOUGH_EINVALID);
        assert_string_equal(made.error.text, wrong[i].sentence);
        assert_string_equal(made.error.pointer, wrong[i].pointer);
        bough_block_finish(&made.block);
    }
}

static void options_need_a_template(void **state)
{
    struct made made;

    (void)state;
    make(&made, "{\"options\": {}}", NULL);
    assert_string_equal(
        made.error.text,
        "only a dynamic supervisor takes \"options\", for it has a template");
    bough_block_finish(&made.block);
    make(&made, "{\"options\": {}}", &bough_supervisor_type);
    assert_string_equal(
        made.error.text,
        "the template is a supervisor, which takes no other \"options\" than its own");
    bough_block_finish(&made.block);
}

/* To JSON */

/* The spec that the block holds, as JSON. */
static json_t *shown(const struct made *made)
{
    json_t *order = bough_json_from_block(order_fields, bough_count_of(order_fields),
                                          made->block.data);
    json_t *spec = json_incref(json_object_get(order, "spec"));

    assert_non_null(order);
    json_decref(order);
    return spec;
}

static void what_was_not_given_is_shown(void **state)
{
    struct made made;
    json_t *spec;
    char *text;

    (void)state;
    make(&made, "{\"spec\": {\"name\": \"x\", \"type\": \"counter\"}}", NULL);
    spec = shown(&made);
    text = json_dumps(spec, JSON_COMPACT);
    assert_string_equal(
        text, "{\"name\":\"x\",\"type\":\"counter\",\"restart\":\"permanent\","
              "\"shutdown\":\"5s\",\"significant\":false,\"start_timeout\":\"infinity\","
              "\"isolation\":\"inline\",\"mailbox\":{\"capacity\":1024,\"on_restart\":"
              "\"keep\",\"when_full\":\"refuse\"},\"options\":{\"initial\":0}}");
    free(text);
    json_decref(spec);
    bough_block_finish(&made.block);
}

/* A spec written in C may be zeroed where a config says the default. */
static void a_spec_from_c_is_shown_with_its_defaults(void **state)
{
    static const struct bough_policy policy = { .kind = BOUGH_EXIT_SIGNAL,
                                                .number = SIGSEGV,
                                                .act = BOUGH_POLICY_STOP };
    const struct bough_child_spec spec = { .name = "s",
                                           .type = &bough_supervisor_type,
                                           .shutdown_ms = BOUGH_SHUTDOWN_BRUTAL_KILL,
                                           .backoff = { .min_ms = 100 },
                                           .intensity = 3,
                                           .policies = &policy,
                                           .policy_count = 1 };
    const struct order none = { .spec = { .offset = 0 } };
    struct made made = { .status = BOUGH_OK };
    json_t *shown_spec;
    char *text;

    (void)state;
    bough_block_init(&made.block, made.buffer, sizeof(made.buffer), &none, sizeof(none));
    bough_spec_pack(&made.block, offsetof(struct order, spec), &spec);
    assert_int_equal(made.block.status, BOUGH_OK);
    shown_spec = shown(&made);
    text = json_dumps(shown_spec, JSON_COMPACT);
    assert_string_equal(
        text,
        "{\"name\":\"s\",\"type\":\"supervisor\",\"restart\":\"permanent\","
        "\"shutdown\":\"brutal-kill\",\"significant\":false,\"start_timeout\":"
        "\"infinity\",\"isolation\":\"inline\",\"mailbox\":{\"capacity\":1024,"
        "\"on_restart\":\"keep\",\"when_full\":\"refuse\"},\"limit\":{\"intensity\":3,"
        "\"period\":\"5s\"},\"backoff\":{\"min\":\"100ms\",\"max\":\"6s\",\"factor\":2.0,"
        "\"jitter\":0.0,\"reset_after\":\"6s\"},\"policies\":[{\"on\":\"signal\","
        "\"signal\":\"SEGV\",\"do\":\"stop\"}],\"strategy\":\"one-for-one\","
        "\"intensity\":1,\"period\":\"5s\",\"auto_shutdown\":\"never\",\"children\":[]}");
    free(text);
    json_decref(shown_spec);
    bough_block_finish(&made.block);
}

static const char rich[] =
    "{\"spec\": {\"name\": \"jobs\", \"type\": \"supervisor\", \"strategy\": "
    "\"rest-for-one\", \"intensity\": 0, \"period\": \"1m\", \"auto_shutdown\": "
    "\"all-significant\", \"limit\": {\"intensity\": 2}, \"children\": ["
    "{\"name\": \"kv\", \"type\": \"kv\", \"replicas\": 3, \"route\": \"hash\", "
    "\"route_field\": \"key\", \"intensity\": 9, \"period\": \"2s\"},"
    "{\"name\": \"c\", \"type\": \"counter\", \"restart\": \"temporary\", "
    "\"significant\": true, \"start_timeout\": \"3s\", \"options\": {\"initial\": -4}, "
    "\"backoff\": {\"min\": \"1s\", \"max\": \"9s\", \"factor\": 1.5, \"jitter\": 0.5}, "
    "\"policies\": [{\"code\": 0, \"do\": \"stop\"}, {\"on\": \"lost\", \"do\": "
    "\"escalate\"}, {\"status\": \"full\", \"do\": \"uncounted\"}]},"
    "{\"name\": \"p\", \"type\": \"counter\", \"isolation\": \"process\", \"rlimits\": "
    "{\"memory\": \"infinity\", \"cpu\": \"90s\", \"core\": \"0B\"}, \"no_new_privs\": true, "
    "\"user\": \"www\", \"group\": \"33\", \"oom_score_adj\": 0, \"redeliver\": 4},"
    "{\"name\": \"w\", \"type\": \"worker\", \"shutdown\": \"brutal-kill\", \"mailbox\": "
    "{\"capacity\": 7, \"on_restart\": \"discard\", \"when_full\": \"wait\"}, \"options\": {\"run\": [\"cat\", "
    "\"-\"]}}]}}";

static void what_is_shown_reads_back_as_the_same(void **state)
{
    struct made first, again;
    json_t *spec, *order;
    char *text;

    (void)state;
    make(&first, rich, NULL);
    if (first.status != BOUGH_OK) fail_msg("%s", first.error.text);
    spec = shown(&first);
    order = json_pack("{s:O}", "spec", spec);
    text = json_dumps(order, 0);
    make(&again, text, NULL);
    if (again.status != BOUGH_OK) fail_msg("%s", again.error.text);
    json_decref(order);
    order = shown(&again);
    assert_true(json_equal(spec, order));
    assert_int_equal(json_array_size(json_object_get(spec, "children")), 4);
    const json_t *limited = json_array_get(json_object_get(spec, "children"), 2);
    assert_string_equal(json_string_value(json_object_get(limited, "user")), "www");
    assert_true(json_is_integer(json_object_get(limited, "oom_score_adj")));
    assert_int_equal(json_integer_value(json_object_get(limited, "redeliver")), 4);
    limited = json_object_get(limited, "rlimits");
    assert_int_equal(json_object_size(limited), 3);
    assert_string_equal(json_string_value(json_object_get(limited, "core")), "0B");
    free(text);
    json_decref(order);
    json_decref(spec);
    bough_block_finish(&first.block);
    bough_block_finish(&again.block);
}

static void nothing_is_shown_as_null(void **state)
{
    struct made made;
    json_t *spec;

    (void)state;
    make(&made, "{}", NULL);
    spec = shown(&made);
    assert_true(json_is_null(spec));
    json_decref(spec);
    bough_block_finish(&made.block);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_spec_is_read_as_in_a_file),
        cmocka_unit_test(a_supervisor_brings_its_children),
        cmocka_unit_test(a_wrong_spec_is_refused_with_its_place),
        cmocka_unit_test(what_depends_on_the_supervisor_is_left_to_it),
        cmocka_unit_test(options_are_laid_over_those_of_the_template),
        cmocka_unit_test(wrong_options_are_refused),
        cmocka_unit_test(options_need_a_template),
        cmocka_unit_test(what_was_not_given_is_shown),
        cmocka_unit_test(a_spec_from_c_is_shown_with_its_defaults),
        cmocka_unit_test(what_is_shown_reads_back_as_the_same),
        cmocka_unit_test(nothing_is_shown_as_null),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
