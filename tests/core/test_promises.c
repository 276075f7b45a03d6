/* test_promises.c - the core's promises, each with something that tries to break it.
 *
 * Those of docs/promises.md. Order, at most once, one end for each question and watch are
 * in test_storm.c; here are: nothing outlives its actor (5), every queue is bounded (6),
 * the steady state allocates nothing and makes no system call (7), no input breaks an
 * actor (9), time comes from the runtime's clock (10).
 *
 * SPDX-License-Identifier: MIT */
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bough/core/timer.h>
#include <bough/tests/support/allocator.h>
#include <bough/tests/support/probe.h>

static void end(struct bough_test *test, struct bough_address address)
{
    bough_kill(address);
    bough_test_run(test);
}

/* 5: an actor with some of everything */

enum { EACH = 5 };

struct estate {
    struct bough_timer timers[EACH];
    struct bough_source sources[EACH];
    struct bough_probe_call calls[EACH];
    struct bough_probe_watch watches[EACH];
    int fds[EACH][2];
    unsigned heard;
};

static struct estate *estate_of(struct bough_actor *actor)
{
    const struct bough_probe *const *probe = bough_state(actor); /* its first member */

    return (*probe)->data;
}

static void hear_timer(struct bough_actor *actor, struct bough_timer *timer)
{
    (void)timer;
    estate_of(actor)->heard++;
}

static void hear_source(struct bough_actor *actor, struct bough_source *source,
                        int events)
{
    (void)source;
    (void)events;
    estate_of(actor)->heard++;
}

static void fill(struct estate *estate, struct bough_actor *owner,
                 struct bough_address other)
{
    for (int i = 0; i < EACH; i++) {
        bough_timer_start(owner, &estate->timers[i], 10 + i, i, hear_timer);
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, estate->fds[i]), 0);
        assert_int_equal(write(estate->fds[i][1], "x", 1), 1);
        bough_source_start(owner, &estate->sources[i], estate->fds[i][0], EV_READ,
                           hear_source);
        bough_probe_call_init(&estate->calls[i]);
        estate->calls[i].call.owner = owner;
        estate->calls[i].call.timeout_ms = 20;
        bough_probe_ask(&estate->calls[i], other,
                        i % 2 ? BOUGH_PROBE_LATER : BOUGH_PROBE_ECHO, i);
        bough_probe_watch_init(&estate->watches[i], NULL);
        estate->watches[i].watch.owner = owner;
        bough_watch(&estate->watches[i].watch, other);
    }
}

static void assert_silent(const struct estate *estate)
{
    assert_int_equal(estate->heard, 0);
    for (int i = 0; i < EACH; i++) {
        assert_int_equal(estate->calls[i].answers, 0);
        assert_int_equal(estate->watches[i].exits, 0);
        close(estate->fds[i][0]);
        close(estate->fds[i][1]);
    }
}

static void nothing_an_actor_started_outlives_it(void **state)
{
    struct bough_test *test = *state;
    struct estate *estate = calloc(1, sizeof(*estate));
    struct bough_probe owner = { .data = estate }, other = { 0 };
    const struct bough_address address = bough_probe_spawn(test, &owner, NULL);
    const struct bough_address target = bough_probe_spawn(test, &other, NULL);

    assert_non_null(estate);
    fill(estate, owner.actor, target);
    end(test, address);
    const struct bough_loop_counts left = bough_loop_count(test->loop);
    assert_int_equal(left.lives, 1);
    assert_int_equal(left.calls + left.timeouts + left.sources, 0);
    bough_test_advance(test, 100);
    end(test, target);
    assert_silent(estate);
    free(estate);
}

/* What finish() itself still starts does not outlive it either. */
static void fill_late(struct bough_actor *actor, struct bough_probe *probe)
{
    const struct bough_probe *other = ((void **)probe->data)[1];

    probe->data = ((void **)probe->data)[0];
    fill(probe->data, actor, bough_self(other->actor));
}

static void nothing_that_finish_starts_outlives_it(void **state)
{
    struct bough_test *test = *state;
    struct estate *estate = calloc(1, sizeof(*estate));
    struct bough_probe other = { 0 };
    void *both[] = { estate, &other };
    struct bough_probe owner = { .data = both, .on_finish = fill_late };
    const struct bough_address target = bough_probe_spawn(test, &other, NULL);
    const struct bough_address address = bough_probe_spawn(test, &owner, NULL);

    assert_non_null(estate);
    end(test, address);
    bough_test_advance(test, 100);
    assert_int_equal(bough_loop_count(test->loop).sources, 0);
    end(test, target);
    assert_silent(estate);
    free(estate);
}

/* 6 */

static void a_flood_is_refused_and_takes_no_memory(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { 0 };
    const struct bough_address address = bough_probe_spawn(test, &probe, NULL);
    size_t taken = 0, full = 0;

    for (int i = 0; i < BOUGH_MAILBOX_CAPACITY; i++) {
        if (bough_probe_send(address, BOUGH_PROBE_NOTE, i) == BOUGH_OK) taken++;
    }
    const size_t before = bough_allocator_count();
    for (int i = 0; i < 200000; i++) {
        if (bough_probe_send(address, BOUGH_PROBE_NOTE, i) == BOUGH_EFULL) full++;
    }
    assert_int_equal(bough_allocator_count(), before);
    assert_int_equal(taken, BOUGH_MAILBOX_CAPACITY);
    assert_int_equal(full, 200000);
    bough_test_run(test);
    assert_int_equal(probe.runs, BOUGH_MAILBOX_CAPACITY);
    assert_int_equal(bough_loop_count(test->loop).dead_letters, 200000);
    end(test, address);
}

/* 7: two actors that ask each other, tell each other and start timers, until told to rest
 */

struct pinger {
    struct bough_probe probe;
    struct bough_address other;
    struct bough_call call;
    struct bough_timer timer;
    size_t left, answered;
};

static void ping(struct pinger *self)
{
    const struct bough_probe_message message = { BOUGH_PROBE_ECHO, (int64_t)self->left };

    self->call.owner = self->probe.actor;
    self->call.timeout_ms = 1000;
    bough_call_start(&self->call, self->other, &message, sizeof(message), NULL, 0);
}

static void ping_again(struct bough_actor *actor, struct bough_timer *timer)
{
    (void)actor;
    (void)timer;
}

static void ping_done(struct bough_call *call, enum bough_status status)
{
    struct pinger *self = bough_container(call, struct pinger, call);

    if (status != BOUGH_OK) abort();
    self->answered++;
    bough_timer_start(self->probe.actor, &self->timer, 5, 0, ping_again);
    if (bough_probe_send(self->other, BOUGH_PROBE_NOTE, 0) != BOUGH_OK) abort();
    if (self->left-- > 0) ping(self);
}

static void pingers_start(struct bough_test *test, struct pinger pair[2])
{
    for (int i = 0; i < 2; i++) {
        pair[i] = (struct pinger){ .call.done = ping_done };
        bough_probe_spawn(test, &pair[i].probe, NULL);
    }
    for (int i = 0; i < 2; i++)
        pair[i].other = bough_self(pair[1 - i].probe.actor);
}

static void pingers_run(struct bough_test *test, struct pinger pair[2], size_t rounds)
{
    for (int i = 0; i < 2; i++) {
        pair[i].left = rounds;
        ping(&pair[i]);
    }
    bough_loop_run_ready(test->loop, SIZE_MAX);
}

static void pingers_end(struct bough_test *test, struct pinger pair[2])
{
    const struct bough_address first = pair[1].other;

    bough_kill(pair[0].other);
    end(test, first);
}

static void the_steady_state_allocates_nothing(void **state)
{
    struct bough_test *test = *state;
    struct pinger pair[2];

    pingers_start(test, pair);
    pingers_run(test, pair, 100);
    const size_t before = bough_allocator_count();
    pingers_run(test, pair, 20000);
    assert_int_equal(bough_allocator_count(), before);
    assert_int_equal(pair[0].answered + pair[1].answered, 2 * 101 + 2 * 20001);
    pingers_end(test, pair);
}

/* Strict seccomp leaves a process read, write and exit: any other call kills it. */
static _Noreturn void ping_without_the_system(struct bough_test *test,
                                              struct pinger pair[2])
{
    enum { UNABLE = 2 };

    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) != 0) _exit(UNABLE);
    pingers_run(test, pair, 1000);
    syscall(SYS_exit, pair[0].answered == 100 + 1 + 1000 + 1 ? 0 : 1);
    abort();
}

static void the_steady_state_makes_no_system_call(void **state)
{
    struct bough_test *test = *state;
    struct pinger pair[2];
    int status;

    if (!bough_test_is_alone()) skip();
    pingers_start(test, pair);
    pingers_run(test, pair, 100);
    const pid_t child = fork();
    if (child == 0) ping_without_the_system(test, pair);
    assert_int_equal(waitpid(child, &status, 0), child);
    pingers_end(test, pair);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 2) skip(); /* no seccomp here */
    assert_int_equal(status, 0);
}

static void restarts_allocate_nothing(void **state)
{
    struct bough_test *test = *state;
    struct bough_probe probe = { 0 };
    const struct bough_address place =
        bough_probe_place(test, &probe, BOUGH_NOBODY, NULL);
    size_t before = 0;

    for (int i = 0; i < 200; i++) {
        if (i == 20) before = bough_allocator_count();
        bough_probe_start(place, NULL);
        assert_status(bough_probe_send(place, BOUGH_PROBE_FAIL, i), BOUGH_OK);
        bough_test_run(test);
    }
    assert_int_equal(bough_allocator_count(), before);
    assert_int_equal(probe.finishes, 200);
    bough_place_free(place, 0);
}

/* 9: whatever bytes come as a message, what is run has its kind and its size */

struct strict_message {
    uint32_t kind;
    uint32_t number;
};

static unsigned *strict_runs(struct bough_actor *actor)
{
    return bough_state(actor);
}

static void strict_run(struct bough_actor *actor, const void *data, size_t size)
{
    const struct strict_message *message = data;

    assert_true(size >= sizeof(*message));
    assert_true(message->kind < 2);
    bough_reply(actor, strict_runs(actor), sizeof(unsigned));
}

static const struct bough_message_type strict_messages[] = {
    { .name = "first" },
    { .name = "second" },
};

static const struct bough_actor_type strict_type = {
    .name = "strict",
    .state_size = sizeof(unsigned),
    .message_size = sizeof(struct strict_message),
    .messages = strict_messages,
    .message_count = 2,
    .run = strict_run,
};

static void no_bytes_break_an_actor(void **state)
{
    struct bough_test *test = *state;
    uint64_t seed = bough_test_seed();
    struct bough_address address;
    unsigned answered = 0, invalid = 0;

    assert_status(bough_spawn(test->loop, &strict_type, NULL, NULL, &address, NULL),
                  BOUGH_OK);
    for (int i = 0; i < 20000; i++) {
        unsigned char bytes[32];
        struct bough_probe_call call;
        const size_t size = bough_test_random(&seed, sizeof(bytes) + 1);
        for (size_t j = 0; j < sizeof(bytes); j++) {
            bytes[j] = (unsigned char)bough_test_random(&seed, j < 4 ? 2 : 256);
        }
        bough_probe_call_init(&call);
        bough_call_start(&call.call, address, bytes, size, NULL, 0);
        bough_test_run(test);
        assert_int_equal(call.answers, 1);
        if (call.status == BOUGH_OK) answered++;
        if (call.status == BOUGH_EINVALID) invalid++;
    }
    assert_int_equal(answered + invalid, 20000);
    assert_true(answered > 100 && invalid > 100);
    end(test, address);
}

/* 10: a year passes in no time, and an hour of the machine's is none of the runtime's */

static void count_beat(struct bough_actor *actor, struct bough_timer *timer)
{
    (void)timer;
    estate_of(actor)->heard++;
}

static void a_year_passes_on_a_virtual_clock(void **state)
{
    struct bough_test *test = *state;
    struct estate *estate = calloc(1, sizeof(*estate));
    struct bough_probe probe = { .data = estate };
    const struct bough_address address = bough_probe_spawn(test, &probe, NULL);
    const int64_t hour_ms = 3600 * 1000;

    assert_non_null(estate);
    bough_timer_start(probe.actor, &estate->timers[0], hour_ms, hour_ms, count_beat);
    bough_test_advance(test, 24 * 365 * hour_ms);
    assert_int_equal(estate->heard, 24 * 365);
    ev_run(test->ev, EVRUN_NOWAIT);
    assert_int_equal(estate->heard, 24 * 365);
    assert_int_equal(bough_loop_now_ms(test->loop), 24 * 365 * hour_ms);
    end(test, address);
    free(estate);
}

#define test_of(function) \
    cmocka_unit_test_setup_teardown(function, bough_test_setup, bough_test_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_of(nothing_an_actor_started_outlives_it),
        test_of(nothing_that_finish_starts_outlives_it),
        test_of(a_flood_is_refused_and_takes_no_memory),
        test_of(the_steady_state_allocates_nothing),
        test_of(the_steady_state_makes_no_system_call),
        test_of(restarts_allocate_nothing),
        test_of(no_bytes_break_an_actor),
        test_of(a_year_passes_on_a_virtual_clock),
    };
    return cmocka_run_group_tests_name("core/promises", tests, NULL, NULL);
}
