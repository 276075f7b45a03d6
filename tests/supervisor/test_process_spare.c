/* test_process_spare.c - processes that wait to be the next one.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tests/supervisor/fragile.h>

#include <bough/supervisor/process/nursery_internal.h>

static const struct bough_child_spec children[] = {
    { .name = "fragile",
      .type = &fragile_type,
      .isolation = BOUGH_PROCESS,
      .spare = true },
    { .name = "other", .type = &fragile_type, .isolation = BOUGH_PROCESS, .spare = true },
    { .name = "beside", .type = &fragile_type },
};

static int setup(void **state)
{
    struct tree *tree = start(children, bough_count_of(children));

    assert_status(bough_lookup(tree->loop, "/fragile", &tree->fragile), BOUGH_OK);
    *state = tree;
    return 0;
}

/* The processes there are now. */
static size_t list_children(pid_t *pids, size_t room)
{
    char path[64];
    size_t count = 0;
    long pid;

    snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    while (count < room && fscanf(file, "%ld", &pid) == 1)
        pids[count++] = (pid_t)pid;
    fclose(file);
    return count;
}

/* But for the nursery. */
static size_t count_children(const struct tree *tree)
{
    pid_t pids[16];
    size_t others = 0;
    const size_t count = list_children(pids, bough_count_of(pids));

    for (size_t i = 0; i < count; i++)
        others += pids[i] != bough_nursery_pid(tree->nursery);
    return others;
}

/* Nothing is missing, as far as the life at that place has seen. */
static bool is_stocked(const struct tree *tree, const char *path)
{
    struct bough_address place;

    assert_status(bough_lookup(tree->loop, path, &place), BOUGH_OK);
    const struct bough_proxy *proxy = bough_state(place.slot);
    return fragile_is_settled(proxy);
}

/* Goes on until so many are there: those that live, those that wait, and the one that is
 * forked ahead. */
static void until_there_are(struct tree *tree, size_t count)
{
    while (count_children(tree) != count)
        look_again(tree);
}

static void until_stocked(struct tree *tree, const char *path)
{
    while (!is_stocked(tree, path))
        look_again(tree);
}

static pid_t pid_of(struct bough_address place)
{
    struct bough_place_info info;

    assert_status(bough_place_info(place, &info), BOUGH_OK);
    return (pid_t)info.pid;
}

static bool is_child(pid_t pid)
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    return access(path, F_OK) == 0;
}

static bool contains(const pid_t *pids, size_t count, pid_t pid)
{
    for (size_t i = 0; i < count; i++) {
        if (pids[i] == pid) return true;
    }
    return false;
}

enum { LIVES = 2, SPARES = 2, AHEAD = 1, ALL = LIVES + SPARES + AHEAD };

static void the_next_life_is_in_a_process_that_was_there(void **state)
{
    struct tree *tree = *state;
    pid_t before[16];

    until_there_are(tree, ALL);
    const size_t count = list_children(before, bough_count_of(before));
    const pid_t first = pid_of(tree->fragile);

    assert_status(ask_once(tree, FRAGILE_SEGV, 0).status, BOUGH_ECRASHED);
    assert_status(ask_once(tree, FRAGILE_ECHO, 0).status, BOUGH_OK);
    const pid_t second = pid_of(tree->fragile);
    assert_true(second != first);
    assert_true(contains(before, count, second));
    until_there_are(tree, ALL);
}

static void one_that_is_killed_while_it_waits_is_not_missed(void **state)
{
    struct tree *tree = *state;
    struct bough_address other;
    pid_t pids[16];

    assert_status(bough_lookup(tree->loop, "/other", &other), BOUGH_OK);
    until_there_are(tree, ALL);
    const size_t count = list_children(pids, bough_count_of(pids));
    for (size_t i = 0; i < count; i++) {
        if (pids[i] != pid_of(tree->fragile) && pids[i] != pid_of(other) &&
            pids[i] != bough_nursery_pid(tree->nursery))
            kill(pids[i], SIGKILL);
    }
    for (int64_t i = 1; i <= 3; i++) {
        assert_status(ask_once(tree, FRAGILE_SEGV, 0).status, BOUGH_ECRASHED);
        assert_status(ask_once(tree, FRAGILE_ECHO, i).status, BOUGH_OK);
    }
    /* Some that were missed are kept in any case from now on. */
    while (count_children(tree) < ALL)
        look_again(tree);
}

enum { SEVERAL = 5 };
static const char *const paths[SEVERAL] = { "/a", "/b", "/c", "/d", "/e" };

static struct tree *start_several(void)
{
    struct bough_child_spec several[SEVERAL];

    for (size_t i = 0; i < SEVERAL; i++)
        several[i] = (struct bough_child_spec){ .name = paths[i] + 1,
                                                .type = &fragile_type,
                                                .isolation = BOUGH_PROCESS };
    return start(several, SEVERAL);
}

/* All have died before the first death is seen. */
static void kill_all(struct tree *tree)
{
    siginfo_t info;

    for (size_t i = 0; i < SEVERAL; i++) {
        assert_status(bough_lookup(tree->loop, paths[i], &tree->fragile), BOUGH_OK);
        const pid_t pid = pid_of(tree->fragile);
        assert_int_equal(kill(pid, SIGKILL), 0);
        assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    }
    for (size_t i = 0; i < SEVERAL; i++) {
        assert_status(bough_lookup(tree->loop, paths[i], &tree->fragile), BOUGH_OK);
        while (ask_once(tree, FRAGILE_ECHO, 0).status != BOUGH_OK)
            continue;
    }
}

static void as_many_wait_as_were_missing(void **state)
{
    struct tree *tree = start_several();

    *state = tree;
    until_stocked(tree, paths[SEVERAL - 1]);    /* so that the first one misses none, */
    until_there_are(tree, SEVERAL + 1 + AHEAD); /* as the start of a tree does */
    assert_false(bough_nursery_keeps_more(tree->nursery));
    kill_all(tree);
    assert_true(bough_nursery_keeps_more(tree->nursery));
    until_stocked(tree, paths[SEVERAL - 1]);
    assert_in_range(count_children(tree), SEVERAL + 2 + AHEAD, 2 * SEVERAL + AHEAD);

    /* And less as time goes by. */
    const struct bough_proxy *proxy = bough_state(tree->fragile.slot);
    while (bough_nursery_keeps_more(tree->nursery))
        ev_invoke(tree->ev, &proxy->host->settled, EV_TIMER);
    assert_false(ev_is_active(&proxy->host->settled));
    until_there_are(tree, SEVERAL + 1 + AHEAD);
}

/* What remains of the first ones is in the way of the last. */
static void the_next_lives_have_the_descriptors_of_those_before(void **state)
{
    enum { FEW = 8 }; /* a birth's and a border's */
    struct tree *tree = start_several();
    struct bough_address places[SEVERAL];
    struct rlimit before, few;

    *state = tree;
    until_stocked(tree, paths[SEVERAL - 1]);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    few = before;
    few.rlim_cur = bough_test_descriptors() + FEW;
    for (size_t i = 0; i < SEVERAL; i++) {
        assert_status(bough_lookup(tree->loop, paths[i], &places[i]), BOUGH_OK);
        assert_int_equal(kill(pid_of(places[i]), SIGKILL), 0);
    }
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    for (size_t i = 0; i < SEVERAL; i++) {
        struct bough_place_info info = { .life = 0 };

        while (info.life < 2 || info.state != BOUGH_PLACE_RUNNING) {
            look_again(tree);
            assert_status(bough_place_info(places[i], &info), BOUGH_OK);
        }
        assert_int_equal(info.life, 2); /* none that failed */
    }
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
}

static void nothing_waits_any_more_when_all_is_over(void **state)
{
    struct tree *tree = start(children, bough_count_of(children));
    pid_t pids[16];

    (void)state;
    until_there_are(tree, ALL);
    const size_t count = list_children(pids, bough_count_of(pids));
    bough_supervisor_stop(tree->root);
    wait_for(tree, &tree->exited);
    /* What the nursery keeps by itself: one, and the next. */
    assert_int_equal(count_children(tree), 2);
    bough_runtime_free(tree->runtime);
    ev_loop_destroy(tree->ev);
    bough_nursery_free(tree->nursery);
    for (size_t i = 0; i < count; i++)
        assert_false(is_child(pids[i]));
    free(tree);
    alarm(0);
}

#define test_of(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_of(the_next_life_is_in_a_process_that_was_there),
        test_of(one_that_is_killed_while_it_waits_is_not_missed),
        cmocka_unit_test_teardown(as_many_wait_as_were_missing, teardown),
        cmocka_unit_test_teardown(the_next_lives_have_the_descriptors_of_those_before,
                                  teardown),
        cmocka_unit_test(nothing_waits_any_more_when_all_is_over),
    };
    return cmocka_run_group_tests_name("supervisor/process_spare", tests, NULL, NULL);
}
