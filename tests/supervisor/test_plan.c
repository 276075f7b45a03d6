/* test_plan.c - from one tree to another: what is kept, changed, stopped and started, and
 * in which order.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/supervisor/plan.h>

#include <stdio.h>

#include <bough/tests/supervisor/sketch.h>
#include <bough/tests/support/allocator.h>

enum { TEXT = 1024 };

struct subject {
    struct sketch before, after;
    struct bough_plan *plan;
};

static struct subject *subject_new(const char *before, const char *after)
{
    struct subject *subject = calloc(1, sizeof(*subject));

    assert_non_null(subject);
    sketch_init(&subject->before, before);
    sketch_init(&subject->after, after);
    return subject;
}

static void subject_free(struct subject *subject)
{
    bough_plan_free(subject->plan);
    free(subject);
}

static void subject_plan(struct subject *subject)
{
    struct bough_error error;

    assert_status(bough_plan_new(&subject->before.root, &subject->after.root, NULL,
                                 &subject->plan, &error),
                  BOUGH_OK);
}

/* "-/a" stopped, "=/" changed, "x/a" deleted, "#/g" resized, "+/b" started. */
static void print_steps(const struct bough_plan *plan, char text[TEXT])
{
    static const char marks[BOUGH_PLAN_DO_COUNT] = { '-', '=', 'x', '#', '+' };
    size_t at = 0;

    text[0] = '\0';
    for (size_t i = 0; i < plan->step_count; i++)
        at += (size_t)snprintf(text + at, TEXT - at, "%s%c%s", i > 0 ? " " : "",
                               marks[plan->steps[i].what],
                               plan->children[plan->steps[i].child].path);
}

static int print_child(const struct bough_plan_child *child, char *text, size_t room)
{
    int at = snprintf(text, room, "%s %s", child->path, bough_plan_act_name(child->act));

    for (size_t i = 0; i < child->key_count; i++) {
        const struct bough_plan_key *key = &child->keys[i];

        at += snprintf(text + at, room - (size_t)at, " %s%s%s", key->name,
                       key->option ? "." : "", key->option ? key->option : "");
    }
    if (child->because)
        at += snprintf(text + at, room - (size_t)at, " with %s", child->because);
    if (child->replaces) at += snprintf(text + at, room - (size_t)at, " instead");
    return at + snprintf(text + at, room - (size_t)at, "; ");
}

/* All but those that are kept. */
static void print_children(const struct bough_plan *plan, char text[TEXT])
{
    size_t at = 0;

    text[0] = '\0';
    for (size_t i = 0; i < plan->child_count; i++) {
        if (plan->children[i].act != BOUGH_PLAN_KEPT)
            at += (size_t)print_child(&plan->children[i], text + at, TEXT - at);
    }
}

/* The table */

static const struct {
    const char *before, *after, *steps, *children;
} cases[] = {
    { "a b", "a b", "", "" },
    { "", "", "", "" },
    { "a b=1", "a b", "", "" }, /* what a zero stands for */
    { "a", "a b", "=/ +/b", "/b added; " },
    { "a", "b a", "=/ +/b", "/b added; " },
    { "", "a b", "=/ +/a +/b", "/a added; /b added; " },
    { "a b c", "b", "-/c -/a =/ x/a x/c", "/a removed; /c removed; " },
    { "a b c", "c b a", "=/", "" },
    { "a b", "a=2 b", "-/a =/ +/a", "/a restarted options.value; " },
    { "a b", "a~ b", "=/", "/a changed shutdown; " },
    { "a", "a~=2", "-/a =/ +/a", "/a restarted options.value shutdown; " },
    { "a", "a!", "=/", "/a changed restart; " },
    { "a", "a^", "-/a =/ +/a", "/a restarted isolation; " },
    { "a", "a&", "-/a =/ +/a", "/a restarted type; " },
    { "a b", "~a b", "=/", "/ changed intensity; " },
    { "a b", "*a b", "=/", "/ changed strategy; " },
    /* those that are restarted together */
    { "*a b c", "*a b=2 c", "-/c -/b -/a =/ +/a +/b +/c",
      "/a restarted with /b; /b restarted options.value; /c restarted with /b; " },
    { ">a b c", ">a b=2 c", "-/c -/b =/ +/b +/c",
      "/b restarted options.value; /c restarted with /b; " },
    { ">a b c", ">a c", "-/b =/ x/b", "/b removed; " },
    { ">a c", ">a b c", "=/ +/b", "/b added; " },
    { "*a b", "*a c", "-/b =/ x/b +/c", "/c added; /b removed; " },
    { ">a b c", "a=2 b c", "-/c -/b -/a =/ +/a +/b +/c",
      "/ changed strategy; /a restarted options.value; /b restarted with /a; /c restarted "
      "with /a; " },
    { "a b c", ">a=2 b c", "-/c -/b -/a =/ +/a +/b +/c",
      "/ changed strategy; /a restarted options.value; /b restarted with /a; /c restarted "
      "with /a; " },
    /* c was after b, and a is after c now */
    { ">a b c", ">b=2 c a", "-/c -/b -/a =/ +/b +/c +/a",
      "/b restarted options.value; /c restarted with /b; /a restarted with /b; " },
    /* supervisors */
    { "a s(b c)", "a s(b c)", "", "" },
    { "a s(b c)", "a s(b=2 c)", "-/s/b =/ =/s +/s/b", "/s/b restarted options.value; " },
    { "a s(b c)", "a s~(b c)", "=/ =/s", "/s changed intensity; " },
    { "a s(b c)", "a s*(b c)", "=/ =/s", "/s changed strategy; " },
    { "a s(b c)", "a s(b c)~", "=/ =/s", "/s changed shutdown; " },
    { "a s(b c)", "a", "-/s =/ x/s", "/s removed; " },
    { "a", "a s(b c)", "=/ +/s", "/s added; " },
    { "a s(b c)", "a s(b c)^", "-/s =/ +/s", "/s restarted isolation; " },
    { "a s(b)", "a s", "-/s =/ +/s", "/s restarted type shutdown; " },
    { "*a s(b)", "*a=2 s(b=3)", "-/s -/a =/ +/a +/s",
      "/a restarted options.value; /s restarted with /a; " },
    { "s(a t(b c)) u(d)", "s(a t(c=2)) u(e)",
      "-/u/d -/s/t/c -/s/t/b =/ =/s =/s/t =/u x/s/t/b x/u/d +/s/t/c +/u/e",
      "/s/t/b removed; /s/t/c restarted options.value; /u/e added; /u/d removed; " },
    /* a child of a supervisor that lives on takes none of its siblings along */
    { "*a s(b)", "*a s(b=2)", "-/s/b =/ =/s +/s/b", "/s/b restarted options.value; " },
    /* dynamic ones */
    { "s?(a)", "s?(a)", "", "" },
    { "s?(a)", "s?(a=2)", "-/s =/ +/s", "/s restarted children; " },
    { "s?(a)", "s?(a~)", "=/ =/s", "/s changed children; " },
    { "s?(a)", "s?~(a)", "=/ =/s", "/s changed intensity; " },
    { "s?(a)", "s(a)", "-/s =/ +/s", "/s restarted strategy; " },
    { "s(a)", "s?(a)", "-/s =/ +/s", "/s restarted strategy; " },
    { "s?(t(a b))", "s?(t(a b=2))", "-/s =/ +/s", "/s restarted children; " },
    { "?a", "?a~", "=/", "/ changed children; " },
    /* groups */
    { "ax2", "ax2", "", "" },
    { "ax2", "ax5", "=/ #/a", "/a changed replicas; " },
    { "a", "ax2", "-/a =/ +/a", "/a restarted replicas; " },
    { "ax2", "ax2~", "-/a =/ +/a", "/a restarted shutdown; " },
    { "ax2", "ax3=2", "-/a =/ +/a", "/a restarted options.value replicas; " },
    { "s(a b)x2", "s(a b=2)x2", "-/s =/ +/s", "/s restarted children; " },
};

static void each_case_has_its_plan(void **state)
{
    char steps[TEXT], children[TEXT];

    (void)state;
    for (size_t i = 0; i < bough_count_of(cases); i++) {
        struct subject *subject = subject_new(cases[i].before, cases[i].after);

        subject_plan(subject);
        print_steps(subject->plan, steps);
        print_children(subject->plan, children);
        if (strcmp(steps, cases[i].steps) != 0 ||
            strcmp(children, cases[i].children) != 0)
            fail_msg("\"%s\" to \"%s\": got \"%s\", \"%s\"", cases[i].before,
                     cases[i].after, steps, children);
        subject_free(subject);
    }
}

static void the_root_cannot_be_restarted(void **state)
{
    static const char *const ways[][2] = { { "a", "?a" },
                                           { "?a", "a" },
                                           { "?a", "?a=2" } };
    struct bough_error error;

    (void)state;
    for (size_t i = 0; i < bough_count_of(ways); i++) {
        struct subject *subject = subject_new(ways[i][0], ways[i][1]);

        assert_status(bough_plan_new(&subject->before.root, &subject->after.root, NULL,
                                     &subject->plan, &error),
                      BOUGH_EREFUSED);
        assert_non_null(strstr(error.text, "stop the tree"));
        subject_free(subject);
    }
}

static bool knows_x(void *data, const char *path)
{
    (void)data;
    return strcmp(path, "/s/y") == 0;
}

static void whoever_was_started_at_run_time_makes_room(void **state)
{
    struct subject *subject = subject_new("s(a b)", "s(y a b=2)");
    struct bough_error error;
    char text[TEXT];

    (void)state;
    assert_status(bough_plan_new(&subject->before.root, &subject->after.root,
                                 &(struct bough_plan_world){ .known = knows_x },
                                 &subject->plan, &error),
                  BOUGH_OK);
    print_steps(subject->plan, text);
    assert_string_equal(text, "-/s/y -/s/b =/ =/s +/s/y +/s/b");
    print_children(subject->plan, text);
    assert_string_equal(text, "/s/y added instead; /s/b restarted options.value; ");
    subject_free(subject);
}

/* It is asked of all that are in both, by path, and with what is to be. */
static const char *stale_y(void *data, const char *path,
                           const struct bough_child_spec *after)
{
    unsigned *asked = data;

    (*asked)++;
    return strcmp(path, "/s/y") == 0 && strcmp(after->name, "y") == 0 ? "file" : NULL;
}

static void options_that_mean_something_else_lead_to_a_restart(void **state)
{
    struct subject *subject = subject_new("a s(y b)", "a s(y b) c");
    unsigned asked = 0;
    const struct bough_plan_world world = { .stale = stale_y, .stale_data = &asked };
    struct bough_error error;
    char text[TEXT];

    (void)state;
    assert_status(bough_plan_new(&subject->before.root, &subject->after.root, &world,
                                 &subject->plan, &error),
                  BOUGH_OK);
    assert_int_equal(asked, 4);
    print_children(subject->plan, text);
    assert_string_equal(text, "/s/y restarted options.file; /c added; ");
    subject_free(subject);
}

static void what_is_below_is_counted(void **state)
{
    struct subject *subject = subject_new("a", "a s(b t(c d)) g(e)x3");

    (void)state;
    subject_plan(subject);
    assert_int_equal(subject->plan->children[0].below, 13);
    assert_int_equal(subject->plan->children[1].below, 0);
    assert_int_equal(subject->plan->children[2].below, 4);
    assert_int_equal(subject->plan->children[3].below, 6);
    assert_int_equal(bough_plan_count(subject->plan, BOUGH_PLAN_ADDED), 2);
    assert_int_equal(bough_plan_count(subject->plan, BOUGH_PLAN_KEPT), 2);
    subject_free(subject);
}

/* Each key by itself */

static struct bough_child_spec spec_before, spec_after;

static void note_key(void *data, const struct bough_plan_key *key)
{
    char *text = data;

    snprintf(text + strlen(text), 64, "%s%s%s%s ", key->restarts ? "" : "~", key->name,
             key->option ? "." : "", key->option ? key->option : "");
}

static void expect_keys(const char *expected)
{
    char text[TEXT] = "";

    assert_true(bough_plan_diff(&spec_before, &spec_after, note_key, text));
    assert_string_equal(text, expected);
    spec_after = spec_before;
}

static void each_key_is_told(void **state)
{
    static const struct bough_policy policy = { .act = BOUGH_POLICY_STOP };
    static const struct sketch_options given = { .value = 1, .text = "none" };
    static const struct sketch_options other = { .text = "x", .inner.depth = 3 };

    (void)state;
    spec_before = (struct bough_child_spec){ .name = "a", .type = &sketch_type };
    spec_after = spec_before;
    expect_keys("");
    spec_after.options = &given;
    expect_keys("");
    spec_after.options = &other;
    expect_keys("options.text options.inner ");
    spec_after.shutdown_ms = 5000;
    spec_after.start_timeout_ms = BOUGH_FOREVER;
    spec_after.mailbox_capacity = BOUGH_MAILBOX_CAPACITY;
    expect_keys("");
    spec_after.start_timeout_ms = 1;
    spec_after.backoff.min_ms = 1;
    spec_after.any_intensity = true;
    spec_after.significant = true;
    spec_after.policies = &policy;
    spec_after.policy_count = 1;
    expect_keys("~significant ~backoff ~start_timeout ~policies ~intensity ");
    spec_after.mailbox_capacity = 1;
    spec_after.spare = true;
    spec_after.stuck_after_ms = 1;
    spec_after.redeliver = 1;
    expect_keys("spare stuck_after mailbox redeliver ");
    spec_after.limits = (struct bough_process_limits){ .rlimits.cpu_ms = 1000,
                                                       .no_new_privs = true,
                                                       .user = "u",
                                                       .group = "g",
                                                       .any_oom_score_adj = true };
    expect_keys("rlimits no_new_privs user group oom_score_adj ");
    spec_before.replicas = spec_after.replicas = 2;
    spec_after.route = BOUGH_HASH;
    spec_after.route_field = "key";
    spec_after.backoff.min_ms = 1;
    expect_keys("backoff route route_field ");
    spec_before =
        (struct bough_child_spec){ .name = "s", .type = &bough_supervisor_type };
    spec_after = spec_before;
    spec_after.intensity = 2;
    expect_keys("~limit ");
}

static void without_memory_there_is_no_plan(void **state)
{
    struct bough_error error;
    size_t nth = 0;

    (void)state;
    for (bool failed = true; failed;) {
        struct subject *subject =
            subject_new("*a b s(c d) t?(e)", "*a=2 b s(d c f) t?(e~)");
        enum bough_status status;

        bough_allocator_fail_at(++nth);
        status = bough_plan_new(&subject->before.root, &subject->after.root, NULL,
                                &subject->plan, &error);
        failed = bough_allocator_heal();
        assert_status(status, failed ? BOUGH_ENOMEM : BOUGH_OK);
        subject_free(subject);
    }
    assert_in_range(nth, 10, 1000);
}

int main(void)
{
    const struct CMUnitTest facts[] = {
        cmocka_unit_test(each_case_has_its_plan),
        cmocka_unit_test(the_root_cannot_be_restarted),
        cmocka_unit_test(whoever_was_started_at_run_time_makes_room),
        cmocka_unit_test(options_that_mean_something_else_lead_to_a_restart),
        cmocka_unit_test(what_is_below_is_counted),
        cmocka_unit_test(each_key_is_told),
        cmocka_unit_test(without_memory_there_is_no_plan),
    };

    return cmocka_run_group_tests(facts, NULL, NULL);
}
