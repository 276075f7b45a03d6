/* test_threads_storm.c - actors on several threads that send, ask, watch, break and end,
 * at random, all at once.
 *
 * What each thread does is drawn from a seed, which is printed and can be given as
 * BOUGH_TEST_SEED; what the scheduler does is not. So nothing is expected of the order in
 * which things happen, but the promises: every question is answered once, every watch is
 * told once, what one sender sends to one receiver comes in order, and nothing is left.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/core/place.h>

#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include <bough/tests/support/fixture.h>

enum {
    PLACES = 6,
    ASKS = 8, /* in flight at once, of each actor */
    ROUNDS = 300000,
    STORMS_LONG = 100, /* one after the other, each with a seed of its own */
    STEPS = 12,        /* things done in one round */
};

/* What the actors share: counts alone. */
struct storm {
    struct bough_address places[PLACES];
    _Atomic uint64_t asked, answered, wrong_order, told;
    _Atomic uint64_t rounds_left;
    uint64_t seed;
};

struct storm_ask {
    struct bough_call call;
    struct stormer *owner;
    bool in_flight;
};

struct stormer {
    struct storm *storm;
    uint64_t random;
    uint64_t number;       /* of its life among all, so that senders can be told apart */
    uint64_t next[PLACES]; /* numbers sent to each */
    struct storm_ask asks[ASKS];
    struct bough_watch watch;
    bool watching;
    /* From each sender's life the last number. */
    uint64_t seen_life[PLACES], seen[PLACES];
};

enum storm_kind { ROUND, NUMBER, QUESTION, BREAK, LEAVE };

struct storm_message {
    enum storm_kind kind;
    uint32_t sender; /* its place */
    uint64_t life, number;
};

struct storm_options {
    struct storm *storm;
};

static const struct bough_message_type storm_messages[] = {
    [ROUND] = { .name = "round" },       [NUMBER] = { .name = "number" },
    [QUESTION] = { .name = "question" }, [BREAK] = { .name = "break" },
    [LEAVE] = { .name = "leave" },
};

static uint64_t draw(struct stormer *self, uint64_t below)
{
    self->random = self->random * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (self->random >> 33) % below;
}

static uint32_t place_of(struct bough_actor *actor)
{
    const struct stormer *self = bough_state(actor);
    const struct bough_address me = bough_address_place(bough_self(actor));

    for (uint32_t i = 0; i < PLACES; i++) {
        if (bough_address_equal(self->storm->places[i], me)) return i;
    }
    return PLACES;
}

static void tell(struct bough_actor *actor, enum storm_kind kind, uint32_t to)
{
    struct stormer *self = bough_state(actor);
    struct storm_message message = { .kind = kind,
                                     .sender = place_of(actor),
                                     .life = self->number,
                                     .number = self->next[to] + 1 };

    if (bough_send(self->storm->places[to], &message, sizeof(message)) == BOUGH_OK)
        self->next[to]++;
}

static void answered(struct bough_call *call, enum bough_status status)
{
    struct storm_ask *ask = bough_container(call, struct storm_ask, call);

    (void)status;
    ask->in_flight = false;
    atomic_fetch_add(&ask->owner->storm->answered, 1);
}

/* One in flight is taken back sometimes: it counts as answered, for it is not again. */
static void ask(struct bough_actor *actor, uint32_t to)
{
    struct stormer *self = bough_state(actor);
    struct storm_ask *ask = &self->asks[draw(self, ASKS)];
    const struct storm_message message = { .kind = QUESTION };

    if (ask->in_flight) {
        bough_call_cancel(&ask->call);
        ask->in_flight = false;
        atomic_fetch_add(&self->storm->answered, 1);
    }
    *ask = (struct storm_ask){ .owner = self, .in_flight = true };
    ask->call.done = answered;
    ask->call.owner = actor;
    ask->call.timeout_ms = draw(self, 2) ? 0 : 1 + (int64_t)draw(self, 20);
    ask->call.high = draw(self, 4) == 0;
    atomic_fetch_add(&self->storm->asked, 1);
    bough_call_start(&ask->call, self->storm->places[to], &message, sizeof(message), NULL,
                     0);
}

static void was_told(struct bough_watch *watch, const struct bough_exit_reason *reason)
{
    struct stormer *self = bough_container(watch, struct stormer, watch);

    (void)reason;
    assert_true(self->watching);
    self->watching = false;
    atomic_fetch_add(&self->storm->told, 1);
}

static void watch(struct bough_actor *actor, uint32_t who)
{
    struct stormer *self = bough_state(actor);

    if (self->watching) {
        bough_watch_cancel(&self->watch);
        self->watching = false;
        return;
    }
    self->watch = (struct bough_watch){ .exited = was_told, .owner = actor };
    self->watching = true;
    bough_watch(&self->watch, self->storm->places[who]);
}

static void do_round(struct bough_actor *actor)
{
    struct stormer *self = bough_state(actor);

    for (int i = 0; i < STEPS; i++) {
        const uint32_t who = (uint32_t)draw(self, PLACES);

        switch (draw(self, 8)) {
        case 0: ask(actor, who); break;
        case 1: watch(actor, who); break;
        case 2:
            if (draw(self, 40) == 0) tell(actor, BREAK, who);
            break;
        case 3:
            if (draw(self, 200) == 0) bough_stop(self->storm->places[who]);
            break;
        default: tell(actor, NUMBER, who); break;
        }
    }
    if (atomic_fetch_sub(&self->storm->rounds_left, 1) > PLACES)
        tell(actor, ROUND, place_of(actor));
}

/* A sender's next life begins to count anew. */
static void take_number(struct stormer *self, const struct storm_message *message)
{
    const uint32_t sender = message->sender;

    if (sender >= PLACES) return;
    if (message->life == self->seen_life[sender] && message->number <= self->seen[sender])
        atomic_fetch_add(&self->storm->wrong_order, 1);
    if (message->life < self->seen_life[sender])
        atomic_fetch_add(&self->storm->wrong_order, 1);
    self->seen_life[sender] = message->life;
    self->seen[sender] = message->number;
}

static void stormer_run(struct bough_actor *actor, const void *data, size_t size)
{
    const struct storm_message *message = data;

    (void)size;
    switch (message->kind) {
    case ROUND: do_round(actor); break;
    case NUMBER: take_number(bough_state(actor), message); break;
    case QUESTION: bough_reply(actor, NULL, 0); break;
    case BREAK: bough_fail(actor, BOUGH_EFAILED, "told to"); break;
    case LEAVE: bough_exit(actor, BOUGH_EXIT_NORMAL); break;
    }
}

static enum bough_status stormer_init(struct bough_actor *actor, const void *data)
{
    static _Atomic uint64_t lives;
    struct stormer *self = bough_state(actor);
    const struct storm_options *options = data;

    self->storm = options->storm;
    self->number = atomic_fetch_add(&lives, 1) + 1;
    self->random = self->storm->seed * 31 + self->number;
    tell(actor, ROUND, place_of(actor));
    return BOUGH_OK;
}

/* Its calls are gone with it, unanswered: they count as answered here. */
static void stormer_finish(struct bough_actor *actor)
{
    struct stormer *self = bough_state(actor);

    for (int i = 0; i < ASKS; i++) {
        if (self->asks[i].in_flight) atomic_fetch_add(&self->storm->answered, 1);
    }
}

static const struct bough_actor_type stormer_type = {
    .name = "stormer",
    .state_size = sizeof(struct stormer),
    .message_size = sizeof(struct storm_message),
    .options_size = sizeof(struct storm_options),
    .messages = storm_messages,
    .message_count = bough_count_of(storm_messages),
    .init = stormer_init,
    .run = stormer_run,
    .finish = stormer_finish,
};

/* Places: the first on the test's loop, the others on threads. Each is started again
 * whenever it ends, until the rounds are done. */

struct keeper {
    struct bough_watch watch;
    struct storm *storm;
    struct bough_address place;
    unsigned ends;
    bool lives;
};

static void start(struct keeper *keeper);

/* Looked at once: the others count on, beyond 0. */
static bool rounds_are_left(const struct storm *storm)
{
    const uint64_t left = atomic_load(&storm->rounds_left);

    return left > PLACES && left < INT64_MAX;
}

static void ended(struct bough_watch *watch, const struct bough_exit_reason *reason)
{
    struct keeper *keeper = bough_container(watch, struct keeper, watch);

    (void)reason;
    assert_true(keeper->lives);
    keeper->lives = false;
    keeper->ends++;
    if (rounds_are_left(keeper->storm)) start(keeper);
}

static void start(struct keeper *keeper)
{
    const struct bough_start how = { .watch = &keeper->watch };

    keeper->watch = (struct bough_watch){ .exited = ended };
    keeper->lives = true;
    assert_status(bough_place_start(keeper->place, &how, NULL), BOUGH_OK);
}

static uint64_t seed_of_this_run(void)
{
    const char *given = getenv("BOUGH_TEST_SEED");
    struct timespec now;

    if (given != NULL) return strtoull(given, NULL, 10);
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_nsec;
}

static bool anybody_lives(const struct keeper *keepers)
{
    for (int i = 0; i < PLACES; i++) {
        if (keepers[i].lives) return true;
    }
    return false;
}

static void make_places(struct bough_loop *loop, struct storm *storm,
                        struct keeper *keepers)
{
    const struct storm_options options = { .storm = storm };
    static const enum bough_when_full when_full[] = { BOUGH_REFUSE, BOUGH_WAIT,
                                                      BOUGH_DROP_OLDEST,
                                                      BOUGH_DROP_NEWEST };

    for (int i = 0; i < PLACES; i++) {
        const struct bough_place_spec spec = {
            .type = &stormer_type,
            .options = &options,
            .capacity = 64,
            .when_full = when_full[i % 4],
            .on_restart = i % 2 == 0 ? BOUGH_KEEP : BOUGH_DISCARD,
            .isolation = i == 0 ? BOUGH_INLINE : BOUGH_THREAD,
        };

        assert_status(bough_place_new(loop, &spec, &storm->places[i]), BOUGH_OK);
        keepers[i] = (struct keeper){ .storm = storm, .place = storm->places[i] };
    }
}

static struct storm storm;
static struct keeper keepers[PLACES];

static void begin_storm(uint64_t rounds)
{
    storm = (struct storm){ .seed = seed_of_this_run(), .rounds_left = rounds };
    print_message("# seed %" PRIu64 "\n", storm.seed);
}

static void storm_once(struct bough_test *test)
{
    test->give_up_at = ev_time() + 60; /* the long form takes longer than that */
    begin_storm(ROUNDS);
    make_places(test->loop, &storm, keepers);
    for (int i = 0; i < PLACES; i++)
        start(&keepers[i]);
    while (rounds_are_left(&storm)) {
        /* All may wait for each other's messages that were dropped: one is told anew. */
        const struct storm_message message = { .kind = ROUND, .sender = PLACES };
        (void)!bough_send(storm.places[storm.asked % PLACES], &message, sizeof(message));
        bough_test_wait(test);
    }
    for (int i = 0; i < PLACES; i++)
        bough_kill(storm.places[i]);
    while (anybody_lives(keepers))
        bough_test_wait(test);
    for (int i = 0; i < PLACES; i++)
        bough_place_free(storm.places[i], 0);

    assert_int_equal(storm.wrong_order, 0);
    assert_int_equal(storm.answered, storm.asked);
    assert_true(storm.asked > 0);
    assert_true(storm.told > 0);
    print_message("# %" PRIu64 " questions, %" PRIu64 " watches told, %u lives\n",
                  storm.asked, storm.told, keepers[0].ends + keepers[1].ends);
}

static void nothing_is_lost_or_told_twice(void **state)
{
    const int storms = getenv("BOUGH_TEST_LONG") != NULL ? STORMS_LONG : 1;

    for (int i = 0; i < storms; i++)
        storm_once(*state);
}

/* Each time at another moment: everything is in the middle of something. */
static void a_runtime_ends_in_the_middle(void **state)
{
    enum { TIMES = 20, BEFORE = 200 };
    struct bough_test *test = *state;

    for (int i = 0; i < TIMES; i++) {
        struct bough_runtime *runtime = bough_runtime_new(
            &(struct bough_runtime_options){ .log_level = BOUGH_LEVEL_COUNT });
        struct bough_loop *loop = bough_loop_new(runtime, test->ev);

        begin_storm(ROUNDS);
        make_places(loop, &storm, keepers);
        for (int k = 0; k < PLACES; k++)
            start(&keepers[k]);
        while (atomic_load(&storm.rounds_left) > ROUNDS - BEFORE - storm.seed % BEFORE)
            bough_test_wait(test);
        atomic_store(&storm.rounds_left, 0);
        bough_runtime_free(runtime);
        assert_false(anybody_lives(keepers));
        assert_int_equal(storm.answered, storm.asked);
        assert_int_equal(storm.wrong_order, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_is_lost_or_told_twice,
                                        bough_test_setup_real, bough_test_teardown),
        cmocka_unit_test_setup_teardown(a_runtime_ends_in_the_middle,
                                        bough_test_setup_real, bough_test_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
