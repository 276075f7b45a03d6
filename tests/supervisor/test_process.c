/* test_process.c - actors in processes of their own, under a supervisor.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tests/supervisor/fragile.h>

#include <malloc.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <bough/supervisor/process/nursery_internal.h>

static int setup(void **state)
{
    static const struct bough_child_spec children[] = {
        { .name = "fragile",
          .type = &fragile_type,
          .isolation = BOUGH_PROCESS,
          .mailbox_capacity = 5000 },
        { .name = "beside", .type = &fragile_type },
    };
    struct tree *tree = start(children, bough_count_of(children));

    assert_status(bough_lookup(tree->loop, "/fragile", &tree->fragile), BOUGH_OK);
    assert_status(bough_lookup(tree->loop, "/beside", &tree->beside), BOUGH_OK);
    *state = tree;
    return 0;
}

static struct bough_place_info info_of(struct bough_address place)
{
    struct bough_place_info info;

    assert_status(bough_place_info(place, &info), BOUGH_OK);
    return info;
}

static void one_that_hangs_is_ended_and_says_where(void **state)
{
    static const struct bough_child_spec children[] = {
        { .name = "fragile",
          .type = &fragile_type,
          .isolation = BOUGH_PROCESS,
          .stuck_after_ms = 400 },
    };
    struct tree *tree = start(children, bough_count_of(children));
    struct question behind;
    void *torn_down = tree;

    (void)state;
    assert_status(bough_lookup(tree->loop, "/fragile", &tree->fragile), BOUGH_OK);
    for (int64_t in_timer = 0; in_timer < 2; in_timer++) {
        struct question hangs;

        ask(tree, &hangs, FRAGILE_HANG, in_timer);
        ask(tree, &behind, FRAGILE_ECHO, in_timer);
        wait_for(tree, &hangs.done);
        assert_status(hangs.status, BOUGH_ECRASHED);
        wait_for(tree, &behind.done);
        assert_status(behind.status, BOUGH_OK);
        while (tree->end.reports <= in_timer)
            one_round(tree);
        assert_non_null(strstr(tree->log, "timeout: stuck for "));
        assert_non_null(strstr(tree->end.crash.what, "being stuck for "));
        assert_true(strncmp(tree->end.backtrace, "#0 ", 3) == 0);
        tree->log[0] = '\0';
    }
    /* One that only waits says so, and is never stuck. */
    const struct bough_proxy *proxy = bough_state(tree->fragile.slot);
    while (atomic_load(&proxy->host->border.theirs->beat) >> 32 != BOUGH_BEAT_RESTS)
        sched_yield();
    assert_int_equal(info_of(tree->fragile).life, 3);
    teardown(&torn_down);
}

static void it_answers_from_another_process(void **state)
{
    struct tree *tree = *state;
    struct bough_place_info info;

    for (int i = 1; i <= 3; i++) {
        const struct question question = ask_once(tree, FRAGILE_ECHO, 10 * i);

        assert_status(question.status, BOUGH_OK);
        assert_int_equal(question.reply.number, 10 * i);
        assert_int_equal(question.reply.runs, i);
    }
    assert_status(bough_place_info(tree->fragile, &info), BOUGH_OK);
    assert_string_equal(info.type->name, "fragile");
    assert_string_equal(info.isolation, "process");
    assert_true(info.pid > 0 && info.pid != getpid());
}

/* The one that it breaks of is told so; a thousand behind it are answered by the next
 * life, each once, in order. */
static void what_waits_is_run_by_the_next_life(void **state)
{
    enum { MANY = 1000 };
    struct tree *tree = *state;
    struct question crash, *many = calloc(MANY, sizeof(*many));

    ask(tree, &crash, FRAGILE_SEGV, 0);
    for (int i = 0; i < MANY; i++)
        ask(tree, &many[i], FRAGILE_ECHO, i);
    wait_for(tree, &crash.done);
    assert_status(crash.status, BOUGH_ECRASHED);
    for (int i = 0; i < MANY; i++) {
        wait_for(tree, &many[i].done);
        assert_status(many[i].status, BOUGH_OK);
        assert_int_equal(many[i].reply.number, i);
        assert_int_equal(many[i].reply.runs, i + 1);
    }
    free(many);
}

static void what_it_was_to_answer_later_has_crashed(void **state)
{
    struct tree *tree = *state;
    struct question later, answered, crash;

    ask(tree, &later, FRAGILE_LATER, 1);
    ask(tree, &answered, FRAGILE_ECHO, 2);
    ask(tree, &crash, FRAGILE_EXIT, 3);
    wait_for(tree, &crash.done);
    wait_for(tree, &later.done);
    assert_status(later.status, BOUGH_ECRASHED);
    assert_status(answered.status, BOUGH_OK);
    assert_status(crash.status, BOUGH_ECRASHED);
    assert_non_null(strstr(tree->log, "exit 3"));
}

static void it_asks_others_of_the_tree(void **state)
{
    struct tree *tree = *state;
    const struct question first = ask_once(tree, FRAGILE_ASK, 77 * 3);

    assert_status(first.status, BOUGH_OK);
    assert_int_equal(first.reply.number, 77 * 3);
}

/* Each time, and when there is nobody at all. */
static void it_watches_others_of_the_tree(void **state)
{
    struct tree *tree = *state;
    struct question watching, nobody;

    for (uint32_t life = 2; life < 4; life++) {
        ask(tree, &watching, FRAGILE_WATCH, 0);
        /* What it is asked next, it is asked after it has begun to watch; and so is what
         * it asks. */
        assert_status(ask_once(tree, FRAGILE_ASK, 0).status, BOUGH_OK);
        assert_false(watching.done);
        bough_kill(tree->beside);
        wait_for(tree, &watching.done);
        assert_status(watching.status, BOUGH_OK);
        assert_int_equal(watching.reply.number, BOUGH_EXIT_KILLED);
        while (info_of(tree->beside).life != life)
            look_again(tree);
    }
    ask(tree, &nobody, FRAGILE_WATCH, 2);
    wait_for(tree, &nobody.done);
    assert_int_equal(nobody.reply.number, BOUGH_EXIT_LOST);
}

/* Also of one that nobody has asked for an answer. */
static void what_it_has_run_does_not_wait_any_more(void **state)
{
    struct tree *tree = *state;
    const struct fragile_message told = { FRAGILE_ECHO, 1 };
    struct bough_place_info info;

    assert_status(bough_send(tree->fragile, &told, sizeof(told)), BOUGH_OK);
    do {
        look_again(tree);
        assert_status(bough_place_info(tree->fragile, &info), BOUGH_OK);
    } while (info.handled == 0);
    assert_int_equal(info.mailbox_length, 0);
    assert_status(ask_once(tree, FRAGILE_ECHO, 2).status, BOUGH_OK);
    assert_status(bough_place_info(tree->fragile, &info), BOUGH_OK);
    assert_int_equal(info.handled, 2);
    assert_int_equal(info.mailbox_length, 0);
}

/* Who sends outside of actors runs the loop when a mailbox is full, and tries again: a
 * loop that slept over the room it had made would sleep until the alarm. */
static void room_that_was_made_is_not_slept_over(void **state)
{
    enum { MESSAGES = 1000000 };
    static const struct bough_child_spec child = { .name = "fragile",
                                                   .type = &fragile_type,
                                                   .isolation = BOUGH_PROCESS,
                                                   .mailbox_capacity = 64 };
    const struct fragile_message told = { FRAGILE_ECHO, 1 };
    struct tree *tree = start(&child, 1);
    int sent = 0;

    *state = tree;
    assert_status(bough_lookup(tree->loop, "/fragile", &tree->fragile), BOUGH_OK);
    while (sent < MESSAGES) {
        if (bough_send(tree->fragile, &told, sizeof(told)) == BOUGH_OK)
            sent++;
        else
            one_round(tree);
    }
    while (info_of(tree->fragile).handled < MESSAGES)
        look_again(tree);
}

/* Two sides that wake each other for nothing would never rest. */
static void nobody_works_when_there_is_nothing_to_do(void **state)
{
    struct tree *tree = *state;
    int rounds = 0;

    assert_status(ask_once(tree, FRAGILE_ECHO, 1).status, BOUGH_OK);
    ev_run(tree->ev, EVRUN_NOWAIT);
    const struct bough_proxy *proxy = bough_state(tree->fragile.slot);
    const struct bough_border *border = &proxy->host->border;
    const uint32_t asleep = atomic_load(&border->mine->asleep);
    struct pollfd polled = { .fd = border->wake_fd, .events = POLLIN };

    while (rounds < 20 && poll(&polled, 1, 100) == 1) {
        ev_run(tree->ev, EVRUN_NOWAIT);
        rounds++;
    }
    assert_true(rounds < 5);
    assert_true(atomic_load(&border->mine->asleep) - asleep < 20); /* five sleeps */
}

static void a_killed_one_is_restarted(void **state)
{
    struct tree *tree = *state;
    struct bough_place_info before, after;

    for (int i = 0; i < 20; i++) {
        assert_status(bough_place_info(tree->fragile, &before), BOUGH_OK);
        kill((pid_t)before.pid, SIGKILL);
        do {
            look_again(tree);
            assert_status(bough_place_info(tree->fragile, &after), BOUGH_OK);
        } while (after.life == before.life || after.state != BOUGH_PLACE_RUNNING);
        assert_status(ask_once(tree, FRAGILE_ECHO, i).status, BOUGH_OK);
    }
}

static void a_nursery_that_is_killed_is_made_again(void **state)
{
    struct tree *tree = *state;
    struct bough_place_info info;

    for (int i = 0; i < 3; i++) {
        kill(bough_nursery_pid(tree->nursery), SIGKILL);
        assert_status(bough_place_info(tree->fragile, &info), BOUGH_OK);
        kill((pid_t)info.pid, SIGKILL);
        while (bough_place_info(tree->fragile, &info) == BOUGH_OK &&
               info.life != (uint32_t)i + 2)
            look_again(tree);
        assert_status(ask_once(tree, FRAGILE_ECHO, i).status, BOUGH_OK);
    }
}

/* BOUGH_CHILDREN: how many; a hundred when not given. All are killed at once, and are
 * back. */
static char process_state(pid_t pid)
{
    char path[40], state = '?';

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%*d (%*[^)]) %c", &state), 1);
    fclose(file);
    return state;
}

/* One that was sent last is run first, however many lie in the ring before it. */
static void one_of_high_priority_is_run_first(void **state)
{
    enum { BEFORE = 2000 };
    struct tree *tree = *state;
    const pid_t pid = (pid_t)ask_once(tree, FRAGILE_PID, 0).reply.number;
    struct question *before = calloc(BEFORE, sizeof(*before)), high = { .done = false };
    const struct fragile_message message = { FRAGILE_ECHO, 7 };
    const struct bough_proxy *proxy = bough_state(tree->fragile.slot);
    const _Atomic uint32_t *asleep = &proxy->host->border.theirs->asleep;

    /* Asleep: one that is stopped while it reads looks for those in a hurry later. */
    while ((atomic_load(asleep) & BOUGH_BORDER_SLEEPS) == 0)
        sched_yield();
    assert_int_equal(kill(pid, SIGSTOP), 0);
    while (process_state(pid) != 'T')
        sched_yield();
    for (int i = 0; i < BEFORE; i++)
        ask(tree, &before[i], FRAGILE_ECHO, i);
    bough_loop_run_ready(tree->loop, SIZE_MAX);
    high.call = (struct bough_call){ .done = before[0].call.done,
                                     .loop = tree->loop,
                                     .high = true };
    bough_call_start(&high.call, tree->fragile, &message, sizeof(message), NULL, 0);
    bough_loop_run_ready(tree->loop, SIZE_MAX);
    assert_int_equal(kill(pid, SIGCONT), 0);
    wait_for(tree, &high.done);
    assert_status(high.status, BOUGH_OK);
    assert_int_equal(high.reply.runs, 2);
    for (int i = 0; i < BEFORE; i++) {
        wait_for(tree, &before[i].done);
        assert_status(before[i].status, BOUGH_OK);
        assert_int_equal(before[i].reply.number, i);
    }
    free(before);
}

static void many_live_at_the_same_time(void **state)
{
    const char *given = getenv("BOUGH_CHILDREN");
    const size_t count = given != NULL ? strtoull(given, NULL, 10) : 100;
    struct bough_child_spec *children = calloc(count, sizeof(*children));
    struct question *questions = calloc(count, sizeof(*questions));
    char(*names)[32] = calloc(count, sizeof(*names));
    struct bough_place_info info;

    for (size_t i = 0; i < count; i++) {
        snprintf(names[i], sizeof(names[i]), "c%zu", i);
        children[i] = (struct bough_child_spec){ .name = names[i],
                                                 .type = &fragile_type,
                                                 .isolation = BOUGH_PROCESS };
    }
    struct tree *tree = start(children, count);
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < count; i++) {
            char path[40];

            snprintf(path, sizeof(path), "/%s", names[i]);
            assert_status(bough_lookup(tree->loop, path, &tree->fragile), BOUGH_OK);
            ask(tree, &questions[i], FRAGILE_ECHO, (int64_t)i);
        }
        for (size_t i = 0; i < count; i++) {
            wait_for(tree, &questions[i].done);
            assert_status(questions[i].status, BOUGH_OK);
            assert_int_equal(questions[i].reply.number, i);
        }
        for (size_t i = 0; round == 0 && i < count; i++) {
            char path[40];

            snprintf(path, sizeof(path), "/%s", names[i]);
            assert_status(bough_lookup(tree->loop, path, &tree->fragile), BOUGH_OK);
            assert_status(bough_place_info(tree->fragile, &info), BOUGH_OK);
            kill((pid_t)info.pid, SIGKILL);
        }
    }
    *state = tree;
    teardown(state);
    free(children);
    free(questions);
    free(names);
}

/* Lines of a file of /proc/self, or entries of a folder. */
static size_t count_lines(const char *path)
{
    FILE *file = fopen(path, "r");
    size_t lines = 0;

    assert_non_null(file);
    for (int c; (c = getc(file)) != EOF;)
        lines += c == '\n';
    fclose(file);
    return lines;
}

/* Each fault is reported, some time after the next life has begun. */
static void cycle(struct tree *tree, uint64_t count)
{
    const int reports = tree->end.reports + (int)((count + 1) / 2);

    for (uint64_t i = 0; i < count; i++) {
        struct question crash, echo;

        ask(tree, &crash, i % 2 == 0 ? FRAGILE_SEGV : FRAGILE_EXIT, 0);
        ask(tree, &echo, FRAGILE_ECHO, (int64_t)i);
        wait_for(tree, &crash.done);
        assert_status(crash.status, BOUGH_ECRASHED);
        wait_for(tree, &echo.done);
        assert_status(echo.status, BOUGH_OK);
        assert_int_equal(echo.reply.number, i);
        tree->log[0] = '\0';
    }
    while (tree->end.reports < reports)
        one_round(tree);
}

/* What the last life left is tidied up, the next process waits, and crashes are told. */
static void settle(struct tree *tree)
{
    enum { LIVES = 3 };
    const struct bough_proxy *proxy = bough_state(tree->fragile.slot);

    while (!fragile_is_settled(proxy) || bough_loop_count(tree->loop).lives > LIVES)
        look_again(tree);
}

/* The allocators of sanitizers keep what was freed, in mappings of its own;
 * how many does not depend on the cycles. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { MORE_MAPPINGS = 64, MORE_BYTES = 1 << 20 };
#else
enum { MORE_MAPPINGS = 2, MORE_BYTES = 16384 };
#endif

/* BOUGH_CYCLES: how many; some hundred when not given. */
static void a_restart_leaves_nothing_behind(void **state)
{
    enum { WARM_UP = 20, CYCLES = 300, MANY = 100 };
    struct tree *tree = *state;
    const char *given = getenv("BOUGH_CYCLES");

    alarm(0);
    for (int i = 0; i < MANY; i++)
        bough_nursery_keep_more(tree->nursery); /* as many as there may ever be */
    cycle(tree, WARM_UP);
    settle(tree);
    const size_t files = bough_test_descriptors();
    const size_t mappings = count_lines("/proc/self/maps");
    const size_t bytes = mallinfo2().uordblks;
    const struct bough_loop_counts before = bough_loop_count(tree->loop);
    cycle(tree, given != NULL ? strtoull(given, NULL, 10) : CYCLES);
    settle(tree);
    const struct bough_loop_counts after = bough_loop_count(tree->loop);
    assert_int_equal(bough_test_descriptors(), files);
    assert_in_range(count_lines("/proc/self/maps"), 1, mappings + MORE_MAPPINGS);
    assert_in_range(mallinfo2().uordblks, 0, bytes + MORE_BYTES);
    /* That the last one was run may be known only with the next wake-up. */
    assert_in_range(after.cells, 0, before.cells + 1);
    assert_int_equal(after.sources, before.sources);
    assert_int_equal(after.calls, before.calls);
}

static void the_last_life_leaves_nothing_either(void **state)
{
    static const struct bough_child_spec child = { .name = "fragile",
                                                   .type = &fragile_type,
                                                   .restart = BOUGH_TEMPORARY,
                                                   .isolation = BOUGH_PROCESS };
    struct tree *tree = start(&child, 1);

    *state = tree;
    assert_status(bough_lookup(tree->loop, "/fragile", &tree->fragile), BOUGH_OK);
    const pid_t pid = (pid_t)info_of(tree->fragile).pid;
    assert_int_equal(kill(pid, SIGKILL), 0);
    while (kill(pid, 0) == 0) /* also when it is a zombie */
        look_again(tree);
}

/* Such as one that hangs in the kernel: nobody is to hang with it. */
static void one_that_has_not_ended_is_not_waited_for(void **state)
{
    (void)state;
    alarm(60);
    const pid_t pid = fork();
    if (pid == 0) {
        pause();
        _exit(0);
    }
    bough_process_forget((int)syscall(SYS_pidfd_open, pid, 0));
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    alarm(0);
}

#define test_of(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_of(it_answers_from_another_process),
        test_of(what_waits_is_run_by_the_next_life),
        test_of(what_it_was_to_answer_later_has_crashed),
        test_of(it_asks_others_of_the_tree),
        test_of(it_watches_others_of_the_tree),
        test_of(what_it_has_run_does_not_wait_any_more),
        test_of(nobody_works_when_there_is_nothing_to_do),
        test_of(one_of_high_priority_is_run_first),
        test_of(a_killed_one_is_restarted),
        test_of(a_nursery_that_is_killed_is_made_again),
        test_of(a_restart_leaves_nothing_behind),
        cmocka_unit_test(one_that_has_not_ended_is_not_waited_for),
        cmocka_unit_test_teardown(the_last_life_leaves_nothing_either, teardown),
        cmocka_unit_test_teardown(room_that_was_made_is_not_slept_over, teardown),
        cmocka_unit_test(one_that_hangs_is_ended_and_says_where),
        cmocka_unit_test(many_live_at_the_same_time),
    };
    return cmocka_run_group_tests_name("supervisor/process", tests, NULL, NULL);
}
