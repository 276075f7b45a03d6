/* test_process_stuck.c - a handler in a process that does not return.
 *
 * The parent is on a virtual clock: what is stuck in the process stays so until the test
 * says that time has passed.
 *
 * SPDX-License-Identifier: MIT */
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/mman.h>

#include <bough/core/timer.h>
#include <bough/supervisor/process/process_internal.h>
#include <bough/tests/supervisor/fragile.h>

/* An actor that hangs where it is told to. */

enum where { IN_MESSAGE = 100, IN_TIMER, IN_SOURCE, DEAF };

/* Seen by the test and by what it forks. */
struct seen {
    atomic_int hangs, inits;
    int hang_in_init; /* which one */
};
static struct seen *seen;

struct sleeper {
    struct bough_timer timer;
    struct bough_source source;
};

static __attribute__((noinline)) void sleeper_hangs(void)
{
    atomic_fetch_add(&seen->hangs, 1);
    for (;;)
        pause();
}

static enum bough_status sleeper_init(struct bough_actor *actor, const void *options)
{
    (void)actor, (void)options;
    if (atomic_fetch_add(&seen->inits, 1) + 1 == seen->hang_in_init) sleeper_hangs();
    return BOUGH_OK;
}

static void on_timer(struct bough_actor *actor, struct bough_timer *timer)
{
    (void)actor, (void)timer;
    sleeper_hangs();
}

static void on_source(struct bough_actor *actor, struct bough_source *source, int events)
{
    (void)actor, (void)source, (void)events;
    sleeper_hangs();
}

static void sleeper_run(struct bough_actor *actor, const void *data, size_t size)
{
    const struct fragile_message *message = data;
    struct sleeper *self = bough_state(actor);
    const struct fragile_reply reply = { message->number, 0 };

    (void)size;
    switch (message->number) {
    case DEAF:
        signal(SIGABRT, SIG_IGN);
        sleeper_hangs();
        break;
    case IN_MESSAGE: sleeper_hangs(); break;
    case IN_TIMER: bough_timer_start(actor, &self->timer, 1, 0, on_timer); break;
    case IN_SOURCE:
        bough_source_start(actor, &self->source, eventfd(1, EFD_CLOEXEC), EV_READ,
                           on_source);
        break;
    default: break;
    }
    bough_reply(actor, &reply, sizeof(reply));
}

static const struct bough_actor_type sleeper_type = {
    .name = "sleeper",
    .help = "Hangs.",
    .state_size = sizeof(struct sleeper),
    .message_size = sizeof(struct fragile_message),
    .messages = messages,
    .message_count = bough_count_of(messages),
    .init = sleeper_init,
    .run = sleeper_run,
};

/* The tree */

enum { LIMIT_MS = 2000 };

static struct bough_virtual_clock virtual_clock;

static struct tree *start_virtual(const struct bough_child_spec *children, size_t count,
                                  int hang_in_init)
{
    seen = mmap(NULL, sizeof(*seen), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                -1, 0);
    assert_true(seen != MAP_FAILED);
    seen->hang_in_init = hang_in_init;
    bough_virtual_clock_init(&virtual_clock, 0);
    return start_on(&virtual_clock.clock, children, count);
}

static int setup(void **state)
{
    static const struct bough_child_spec children[] = {
        { .name = "fragile",
          .type = &sleeper_type,
          .isolation = BOUGH_PROCESS,
          .stuck_after_ms = LIMIT_MS },
    };
    struct tree *tree = start_virtual(children, bough_count_of(children), 0);

    assert_status(bough_lookup(tree->loop, "/fragile", &tree->fragile), BOUGH_OK);
    *state = tree;
    return 0;
}

static int clean_up(void **state)
{
    const int result = teardown(state);

    munmap(seen, sizeof(*seen));
    return result;
}

/* Nothing wakes the parent for it. */
static void wait_for_hang(struct tree *tree, int count)
{
    while (atomic_load(&seen->hangs) < count) {
        bough_loop_run_ready(tree->loop, SIZE_MAX);
        ev_run(tree->ev, EVRUN_NOWAIT);
        sched_yield();
    }
}

static uint32_t life_of(struct bough_address place)
{
    struct bough_place_info info;

    assert_status(bough_place_info(place, &info), BOUGH_OK);
    return info.life;
}

/* Time passes at once: first it must have come to rest, as it would in that time. */
static void wait_for_rest(struct tree *tree)
{
    const struct bough_proxy *self = bough_state(tree->fragile.slot);
    const struct bough_border_page *theirs = self->host->border.theirs;

    while (atomic_load(&theirs->beat) >> 32 != BOUGH_BEAT_RESTS)
        sched_yield();
}

static void advance(struct tree *tree, int64_t ms)
{
    bough_loop_advance(tree->loop, &virtual_clock, ms);
}

/* Just below the limit nothing happens; a little above it, its end, with a report. */
static void expect_the_end(struct tree *tree)
{
    const uint32_t life = life_of(tree->fragile);
    const int reports = tree->end.reports;

    advance(tree, LIMIT_MS - 1);
    assert_int_equal(life_of(tree->fragile), life);
    assert_int_equal(tree->end.reports, reports);
    advance(tree, LIMIT_MS / 4);
    while (tree->end.reports == reports)
        one_round(tree);
    assert_int_equal(life_of(tree->fragile), life + 1);
    assert_int_equal(tree->end.reason.kind, BOUGH_EXIT_TIMEOUT);
    assert_non_null(strstr(tree->end.reason.text, "stuck for 2s"));
    assert_int_equal(tree->end.crash.signal, SIGABRT);
    assert_in_range(tree->end.crash.stuck_ms, LIMIT_MS, LIMIT_MS * 5 / 4);
    assert_int_equal(tree->end.cause, tree->end.seq);
#ifdef BOUGH_SYMBOLS
    assert_non_null(strstr(tree->end.backtrace, "sleeper_hangs+"));
#endif
}

static void a_message_that_hangs_is_answered_and_the_next_is_run(void **state)
{
    struct tree *tree = *state;
    struct question hang, next;

    ask(tree, &hang, FRAGILE_ECHO, IN_MESSAGE);
    ask(tree, &next, FRAGILE_ECHO, 7);
    wait_for_hang(tree, 1);
    expect_the_end(tree);
    wait_for(tree, &hang.done);
    wait_for(tree, &next.done);
    assert_status(hang.status, BOUGH_ECRASHED);
    assert_status(next.status, BOUGH_OK);
    assert_int_equal(next.reply.number, 7);
}

static void a_timer_that_hangs_is_found(void **state)
{
    struct tree *tree = *state;

    assert_status(ask_once(tree, FRAGILE_ECHO, IN_TIMER).status, BOUGH_OK);
    wait_for_hang(tree, 1);
    expect_the_end(tree);
    assert_string_equal(tree->end.runner, "/fragile");
}

static void a_source_that_hangs_is_found(void **state)
{
    struct tree *tree = *state;

    assert_status(ask_once(tree, FRAGILE_ECHO, IN_SOURCE).status, BOUGH_OK);
    wait_for_hang(tree, 1);
    expect_the_end(tree);
    assert_status(ask_once(tree, FRAGILE_ECHO, 1).status, BOUGH_OK);
}

/* Of the second life, so that the tree is up. */
static void an_init_that_hangs_is_found(void **state)
{
    struct tree *tree = *state;
    struct question question;

    seen->hang_in_init = 2;
    assert_status(ask_once(tree, FRAGILE_ECHO, IN_TIMER).status, BOUGH_OK);
    wait_for_hang(tree, 1);
    expect_the_end(tree);
    ask(tree, &question, FRAGILE_ECHO, 1);
    wait_for_hang(tree, 2);
    expect_the_end(tree);
    wait_for(tree, &question.done);
    assert_status(question.status, BOUGH_OK);
}

/* It works for longer than the limit, a message at a time; then it rests for longer. */
static void who_works_or_rests_is_not_stuck(void **state)
{
    struct tree *tree = *state;

    for (int i = 0; i < 20; i++) {
        assert_status(ask_once(tree, FRAGILE_ECHO, i).status, BOUGH_OK);
        advance(tree, LIMIT_MS / 3);
    }
    wait_for_rest(tree);
    advance(tree, 100 * LIMIT_MS);
    assert_status(ask_once(tree, FRAGILE_ECHO, 1).status, BOUGH_OK);
    assert_int_equal(life_of(tree->fragile), 1);
}

/* Then there is no report, for nobody has written one. */
static void who_does_not_listen_is_killed(void **state)
{
    struct tree *tree = *state;
    struct question deaf;

    ask(tree, &deaf, FRAGILE_ECHO, DEAF);
    wait_for_hang(tree, 1);
    advance(tree, 2 * LIMIT_MS);
    wait_for(tree, &deaf.done);
    assert_status(deaf.status, BOUGH_ECRASHED);
    while (life_of(tree->fragile) != 2)
        look_again(tree);
    assert_int_equal(tree->end.reason.kind, BOUGH_EXIT_TIMEOUT);
    assert_int_equal(tree->end.reports, 0);
}

/* Among others in one process the limit is that of who runs. */
static void a_limit_is_for_its_own_actor(void **state)
{
    static const struct bough_child_spec jobs[] = {
        { .name = "a", .type = &sleeper_type, .stuck_after_ms = LIMIT_MS },
        { .name = "b", .type = &sleeper_type },
    };
    static const struct bough_supervisor_options options = {
        .any_intensity = true, .intensity = 9, .children = jobs, .child_count = 2
    };
    static const struct bough_child_spec children[] = {
        { .name = "jobs",
          .type = &bough_supervisor_type,
          .options = &options,
          .isolation = BOUGH_PROCESS },
    };
    struct tree *tree = start_virtual(children, 1, 0);
    struct bough_address jobs_place, a, b;
    struct bough_place_info info;
    struct question hang;

    *state = tree;
    assert_status(bough_lookup(tree->loop, "/jobs", &jobs_place), BOUGH_OK);
    assert_status(bough_lookup(tree->loop, "/jobs/a", &a), BOUGH_OK);
    assert_status(bough_lookup(tree->loop, "/jobs/b", &b), BOUGH_OK);
    ask_one(tree, &hang, b, FRAGILE_ECHO, IN_MESSAGE);
    wait_for_hang(tree, 1);
    advance(tree, 100 * LIMIT_MS);
    assert_int_equal(life_of(jobs_place), 1);
    assert_status(bough_place_info(jobs_place, &info), BOUGH_OK);
    kill((pid_t)info.pid, SIGKILL);
    wait_for(tree, &hang.done);

    ask_one(tree, &hang, a, FRAGILE_ECHO, IN_MESSAGE);
    wait_for_hang(tree, 2);
    advance(tree, 2 * LIMIT_MS);
    wait_for(tree, &hang.done);
    while (life_of(jobs_place) != 3)
        look_again(tree);
    assert_non_null(strstr(tree->log, "stuck for 2s, while /jobs/a ran a message"));
    assert_int_equal(clean_up(state), 0);
}

#define test_of(function) cmocka_unit_test_setup_teardown(function, setup, clean_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_of(a_message_that_hangs_is_answered_and_the_next_is_run),
        test_of(a_timer_that_hangs_is_found),
        test_of(a_source_that_hangs_is_found),
        test_of(an_init_that_hangs_is_found),
        test_of(who_works_or_rests_is_not_stuck),
        test_of(who_does_not_listen_is_killed),
        cmocka_unit_test(a_limit_is_for_its_own_actor),
    };
    return cmocka_run_group_tests_name("supervisor/process_stuck", tests, NULL, NULL);
}
