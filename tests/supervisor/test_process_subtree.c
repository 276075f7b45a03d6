/* test_process_subtree.c - a supervisor whose isolation is `process`, and what is below
 * it.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tests/supervisor/fragile.h>

#include <errno.h>

#include <bough/supervisor/process/nursery_internal.h>

static const struct bough_child_spec inner_children[] = {
    { .name = "c", .type = &fragile_type },
    { .name = "d", .type = &fragile_type, .isolation = BOUGH_PROCESS },
    { .name = "e", .type = &fragile_type, .isolation = BOUGH_THREAD },
};
static const struct bough_supervisor_options inner = {
    .any_intensity = true,
    .intensity = 100,
    .children = inner_children,
    .child_count = bough_count_of(inner_children),
};
static const struct bough_child_spec job_children[] = {
    { .name = "a", .type = &fragile_type, .mailbox_capacity = 5000 },
    { .name = "b", .type = &fragile_type, .mailbox_capacity = 5000 },
    { .name = "inner", .type = &bough_supervisor_type, .options = &inner },
    { .name = "group", .type = &fragile_type, .replicas = 2 },
};
static const struct bough_supervisor_options jobs = {
    .any_intensity = true,
    .intensity = 100,
    .children = job_children,
    .child_count = bough_count_of(job_children),
};
static const struct bough_child_spec children[] = {
    { .name = "jobs",
      .type = &bough_supervisor_type,
      .options = &jobs,
      .isolation = BOUGH_PROCESS },
    { .name = "beside", .type = &fragile_type },
};

static struct bough_address find(struct tree *tree, const char *path)
{
    struct bough_address place;

    assert_status(bough_lookup(tree->loop, path, &place), BOUGH_OK);
    return place;
}

static struct bough_place_info info_of(struct tree *tree, const char *path)
{
    struct bough_place_info info;

    assert_status(bough_place_info(find(tree, path), &info), BOUGH_OK);
    return info;
}

static int setup(void **state)
{
    struct tree *tree = start(children, bough_count_of(children));

    tree->fragile = find(tree, "/jobs/a");
    tree->beside = find(tree, "/beside");
    *state = tree;
    return 0;
}

static struct question ask_path(struct tree *tree, const char *path,
                                enum fragile_kind kind, int64_t number)
{
    struct question question;

    ask_one(tree, &question, find(tree, path), kind, number);
    wait_for(tree, &question.done);
    return question;
}

static int64_t pid_of(struct tree *tree, const char *path)
{
    const struct question question = ask_path(tree, path, FRAGILE_PID, 0);

    assert_status(question.status, BOUGH_OK);
    return question.reply.number;
}

static void until_it_has_life(struct tree *tree, const char *path, uint32_t life)
{
    while (info_of(tree, path).life < life ||
           info_of(tree, path).state != BOUGH_PLACE_RUNNING)
        look_again(tree);
}

static void all_below_it_live_in_its_process(void **state)
{
    static const char *const inside[] = { "/jobs/a", "/jobs/b", "/jobs/inner/c",
                                          "/jobs/group/0", "/jobs/group/1" };
    struct tree *tree = *state;
    const int64_t pid = info_of(tree, "/jobs").pid;

    assert_true(pid > 0 && pid != getpid());
    assert_string_equal(info_of(tree, "/jobs").isolation, "process");
    for (size_t i = 0; i < bough_count_of(inside); i++) {
        assert_int_equal(pid_of(tree, inside[i]), pid);
        assert_string_equal(info_of(tree, inside[i]).type->name, "fragile");
        assert_string_equal(info_of(tree, inside[i]).isolation, "inline");
    }
    assert_int_equal(pid_of(tree, "/beside"), getpid());
}

/* A thread there would be one more process: which is what it is. */
static void what_is_to_be_apart_there_has_a_process_of_its_own(void **state)
{
    static const char *const apart[] = { "/jobs/inner/d", "/jobs/inner/e" };
    struct tree *tree = *state;

    for (size_t i = 0; i < bough_count_of(apart); i++) {
        const int64_t pid = pid_of(tree, apart[i]);

        assert_int_equal(info_of(tree, apart[i]).pid, pid);
        assert_true(pid != info_of(tree, "/jobs").pid && pid != getpid());
        assert_string_equal(info_of(tree, apart[i]).isolation, "process");
    }
}

/* A fault takes all of them along, and all come back; what waited is answered by the next
 * lives, each once, in order. The one beside never notices. */
static void a_fault_is_a_restart_of_the_subtree_and_nothing_is_lost(void **state)
{
    enum { MANY = 1000 };
    struct tree *tree = *state;
    const struct bough_address b = find(tree, "/jobs/b");
    struct question crash, *behind = calloc(MANY, sizeof(*behind)),
                           *others = calloc(MANY, sizeof(*others));

    assert_status(ask_path(tree, "/beside", FRAGILE_ECHO, 0).status, BOUGH_OK);
    ask(tree, &crash, FRAGILE_SEGV, 0);
    for (int i = 0; i < MANY; i++) {
        ask(tree, &behind[i], FRAGILE_ECHO, i);
        ask_one(tree, &others[i], b, FRAGILE_ECHO, i);
    }
    wait_for(tree, &crash.done);
    assert_status(crash.status, BOUGH_ECRASHED);
    for (int i = 0; i < MANY; i++) {
        wait_for(tree, &behind[i].done);
        assert_status(behind[i].status, BOUGH_OK);
        assert_int_equal(behind[i].reply.number, i);
        assert_int_equal(behind[i].reply.runs, i + 1);
        wait_for(tree, &others[i].done);
        /* One loop ran them: nothing of it was being run when the other one broke. */
        assert_status(others[i].status, BOUGH_OK);
        assert_int_equal(others[i].reply.number, i);
    }
    until_it_has_life(tree, "/jobs", 2);
    assert_int_equal(info_of(tree, "/jobs").life, 2);
    assert_int_equal(info_of(tree, "/jobs/inner/c").life, 2);
    assert_int_equal(info_of(tree, "/jobs/inner/d").life, 2);
    assert_non_null(
        strstr(tree->log, "signal SEGV: raised by itself, while /jobs/a ran a message"));
    assert_null(strstr(tree->log, "did not start"));
    assert_int_equal(ask_path(tree, "/beside", FRAGILE_ECHO, 0).reply.runs, 2);
    free(behind);
    free(others);
}

/* What was asked of `fragile` behind its crash is answered by the next life, in order and
 * once. */
static void expect_many_behind_a_crash(struct tree *tree)
{
    enum { MANY = 1000 };
    struct question crash, *behind = calloc(MANY, sizeof(*behind));

    ask(tree, &crash, FRAGILE_SEGV, 0);
    for (int i = 0; i < MANY; i++)
        ask(tree, &behind[i], FRAGILE_ECHO, i);
    wait_for(tree, &crash.done);
    assert_status(crash.status, BOUGH_ECRASHED);
    for (int i = 0; i < MANY; i++) {
        wait_for(tree, &behind[i].done);
        assert_status(behind[i].status, BOUGH_OK);
        assert_int_equal(behind[i].reply.number, i);
        assert_int_equal(behind[i].reply.runs, i + 1);
    }
    free(behind);
}

/* One that ends by itself is restarted by itself, in the same process. */
static void an_error_is_a_restart_of_one(void **state)
{
    enum { MANY = 100 };
    struct tree *tree = *state;
    const int64_t pid = info_of(tree, "/jobs").pid;
    struct question later, fail, many[MANY];

    ask(tree, &later, FRAGILE_LATER, 0);
    ask(tree, &fail, FRAGILE_FAIL, 0);
    for (int i = 0; i < MANY; i++)
        ask(tree, &many[i], FRAGILE_ECHO, i);
    wait_for(tree, &fail.done);
    wait_for(tree, &later.done);
    assert_status(fail.status, BOUGH_ECRASHED);
    assert_status(later.status, BOUGH_ECRASHED);
    for (int i = 0; i < MANY; i++) {
        wait_for(tree, &many[i].done);
        assert_status(many[i].status, BOUGH_OK);
        assert_int_equal(many[i].reply.number, i);
        assert_int_equal(many[i].reply.runs, i + 1);
    }
    assert_int_equal(info_of(tree, "/jobs/a").life, 2);
    assert_int_equal(info_of(tree, "/jobs/b").life, 1);
    assert_int_equal(pid_of(tree, "/jobs/a"), pid);
    assert_non_null(strstr(tree->log, "told to"));
}

/* Again and again: its number there and what is counted for it are used again. */
static void many_errors_leave_nothing_behind(void **state)
{
    struct tree *tree = *state;
    size_t cells = 0;

    for (int i = 0; i < 50; i++) {
        assert_status(ask_path(tree, "/jobs/a", FRAGILE_FAIL, 0).status, BOUGH_ECRASHED);
        assert_int_equal(ask_path(tree, "/jobs/a", FRAGILE_ECHO, i).reply.runs, 1);
        if (i == 10) cells = bough_loop_count(tree->loop).cells;
    }
    assert_in_range(bough_loop_count(tree->loop).cells, 0, cells + 1);
    assert_int_equal(info_of(tree, "/jobs").life, 1);
}

static void one_that_is_killed_by_hand_ends_there(void **state)
{
    struct tree *tree = *state;
    const int64_t pid = info_of(tree, "/jobs").pid;

    bough_kill(find(tree, "/jobs/b"));
    until_it_has_life(tree, "/jobs/b", 2);
    assert_int_equal(pid_of(tree, "/jobs/b"), pid);
    assert_int_equal(info_of(tree, "/jobs/a").life, 1);
}

static void they_find_each_other_and_those_outside(void **state)
{
    struct tree *tree = *state;
    const struct question outside = ask_path(tree, "/jobs/a", FRAGILE_ASK, 0);
    const struct question inside = ask_path(tree, "/jobs/a", FRAGILE_ASK, 1);

    assert_status(outside.status, BOUGH_OK);
    assert_status(inside.status, BOUGH_OK);
    assert_int_equal(inside.reply.number, 1);
    /* It did not come by this process. */
    assert_int_equal(info_of(tree, "/jobs/b").handled, 0);
}

struct added {
    struct bough_call call;
    bool done;
    enum bough_status status;
};

static void on_added(struct bough_call *call, enum bough_status status)
{
    struct added *added = bough_container(call, struct added, call);

    added->done = true;
    added->status = status;
}

/* Somebody has looked for it before it was there: who stood for it there makes way, and
 * where it was is known when it is gone. */
static void one_that_comes_later_is_found_there_and_goes(void **state)
{
    static const struct bough_child_spec late = { .name = "late", .type = &fragile_type };
    const struct bough_supervisor jobs_handle = { find(*state, "/jobs") };
    struct tree *tree = *state;
    struct added added = { .call = { .done = on_added, .loop = tree->loop } };

    assert_status(ask_path(tree, "/jobs/a", FRAGILE_ASK, 2).status, BOUGH_ENOTFOUND);
    bough_supervisor_start_child(jobs_handle, &late, &added.call);
    wait_for(tree, &added.done);
    assert_status(added.status, BOUGH_OK);
    assert_status(ask_path(tree, "/jobs/a", FRAGILE_ASK, 2).status, BOUGH_OK);
    assert_int_equal(info_of(tree, "/jobs/late").handled, 0);

    added = (struct added){ .call = { .done = on_added, .loop = tree->loop } };
    bough_supervisor_terminate_child(jobs_handle, "late", &added.call);
    wait_for(tree, &added.done);
    assert_status(ask_path(tree, "/jobs/a", FRAGILE_ASK, 2).status, BOUGH_EGONE);
    added = (struct added){ .call = { .done = on_added, .loop = tree->loop } };
    bough_supervisor_delete_child(jobs_handle, "late", &added.call);
    wait_for(tree, &added.done);
    assert_status(added.status, BOUGH_OK);
    assert_status(ask_path(tree, "/jobs/a", FRAGILE_ASK, 2).status, BOUGH_ENOTFOUND);
}

static void a_killed_process_and_a_killed_nursery_come_back(void **state)
{
    struct tree *tree = *state;
    const pid_t nursery = bough_nursery_pid(tree->nursery);

    assert_int_equal(kill(nursery, SIGKILL), 0);
    assert_int_equal(kill((pid_t)info_of(tree, "/jobs").pid, SIGKILL), 0);
    until_it_has_life(tree, "/jobs", 2);
    assert_status(ask_path(tree, "/jobs/a", FRAGILE_ECHO, 1).status, BOUGH_OK);
    assert_non_null(strstr(tree->log, "signal KILL"));
}

/* The process that waits to be the next is killed, too. */
static void what_waits_is_run_by_a_process_of_the_next_nursery(void **state)
{
    struct tree *tree = *state;
    struct bough_spare *spare;

    assert_status(ask_path(tree, "/beside", FRAGILE_ECHO, 0).status, BOUGH_OK);
    const pid_t nursery = bough_nursery_pid(tree->nursery);
    assert_int_equal(kill(nursery, SIGKILL), 0);
    while ((spare = bough_nursery_spare(tree->nursery)) != NULL)
        bough_spare_free(spare);
    expect_many_behind_a_crash(tree);
    until_it_has_life(tree, "/jobs", 2);
    assert_int_not_equal(bough_nursery_pid(tree->nursery), nursery);
    assert_int_equal(ask_path(tree, "/beside", FRAGILE_ECHO, 0).reply.runs, 2);
}

static void its_process_ends_with_it(void **state)
{
    struct tree *tree = *state;
    const pid_t pid = (pid_t)info_of(tree, "/jobs").pid;
    const pid_t apart = (pid_t)info_of(tree, "/jobs/inner/d").pid;

    bough_kill(find(tree, "/jobs"));
    until_it_has_life(tree, "/jobs", 2);
    assert_int_equal(kill(pid, 0), -1);
    assert_int_equal(errno, ESRCH);
    assert_int_equal(kill(apart, 0), -1);
}

/* Nobody polls any more then. */
static void a_runtime_that_is_freed_takes_all_along(void **state)
{
    struct tree *tree = start(children, bough_count_of(children));
    const pid_t pid = (pid_t)info_of(tree, "/jobs").pid;
    struct question question;

    (void)state;
    tree->fragile = find(tree, "/jobs/a");
    ask(tree, &question, FRAGILE_LATER, 0);
    bough_loop_run_ready(tree->loop, SIZE_MAX);
    bough_runtime_free(tree->runtime);
    assert_true(question.done);
    assert_int_equal(kill(pid, 0), -1);
    ev_loop_destroy(tree->ev);
    bough_nursery_free(tree->nursery);
    free(tree);
    alarm(0);
}

/* One for all, with siblings in processes. */
static void siblings_in_processes_end_together(void **state)
{
    static const struct bough_child_spec siblings[] = {
        { .name = "a",
          .type = &fragile_type,
          .isolation = BOUGH_PROCESS,
          .mailbox_capacity = 5000 },
        { .name = "b", .type = &fragile_type, .isolation = BOUGH_PROCESS },
        { .name = "jobs",
          .type = &bough_supervisor_type,
          .options = &jobs,
          .isolation = BOUGH_PROCESS },
    };
    static const struct bough_supervisor_options all = {
        .strategy = BOUGH_ONE_FOR_ALL,
        .any_intensity = true,
        .intensity = 100,
        .children = siblings,
        .child_count = bough_count_of(siblings),
    };
    static const struct bough_child_spec top[] = {
        { .name = "all", .type = &bough_supervisor_type, .options = &all },
        { .name = "beside", .type = &fragile_type },
    };
    struct tree *tree = start(top, bough_count_of(top));
    const int64_t before = info_of(tree, "/all/b").pid;
    void *teared = tree;

    (void)state;
    tree->fragile = find(tree, "/all/a");
    assert_status(ask_path(tree, "/beside", FRAGILE_ECHO, 0).status, BOUGH_OK);
    expect_many_behind_a_crash(tree);
    until_it_has_life(tree, "/all/jobs", 2);
    assert_true(pid_of(tree, "/all/b") != before);
    assert_int_equal(info_of(tree, "/beside").life, 1);
    assert_int_equal(ask_path(tree, "/beside", FRAGILE_ECHO, 0).reply.runs, 2);
    teardown(&teared);
}

#define test_of(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_of(all_below_it_live_in_its_process),
        test_of(what_is_to_be_apart_there_has_a_process_of_its_own),
        test_of(a_fault_is_a_restart_of_the_subtree_and_nothing_is_lost),
        test_of(an_error_is_a_restart_of_one),
        test_of(many_errors_leave_nothing_behind),
        test_of(one_that_is_killed_by_hand_ends_there),
        test_of(they_find_each_other_and_those_outside),
        test_of(one_that_comes_later_is_found_there_and_goes),
        test_of(a_killed_process_and_a_killed_nursery_come_back),
        test_of(what_waits_is_run_by_a_process_of_the_next_nursery),
        test_of(its_process_ends_with_it),
        cmocka_unit_test(a_runtime_that_is_freed_takes_all_along),
        cmocka_unit_test(siblings_in_processes_end_together),
    };
    return cmocka_run_group_tests_name("supervisor/process_subtree", tests, NULL, NULL);
}
