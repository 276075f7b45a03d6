/* test_storm.c - the promises about messages, calls and watches, under a storm.
 *
 * A few places, each with a way of its own to be full, restarted whenever their life
 * ends. At random: messages, questions with and without owner and time limit, answers
 * kept for later, refusals, failures, kills, stops, questions and watches taken back,
 * time that passes. Everything is written down, and in the end everything must add up:
 *
 *     each message was run at most once and in its sender's order,
 *     each question has had exactly one end: an answer, or taken back, or its asker's
 * end, each watch likewise, and never before the life was finished.
 *
 * The same seed gives the same storm, down to the last event. $BOUGH_SEED sets it.
 *
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include <bough/core/timer.h>
#include <bough/tests/support/probe.h>

enum { PLACES = 6, SENDERS = PLACES + 2, RECORDS = 64, CAPACITY = 8 };

/* Message: who sent it as the how manieth, and what it is to do. */

enum kind { NOTE, FORWARD, ECHO, REFUSE, LATER, FAIL, LEAVE, KIND_COUNT };

struct message {
    enum kind kind;
    uint32_t sender, receiver;
    uint32_t high; /* 1: of high priority */
    uint64_t seq;  /* of this sender to this receiver in that priority, from 1 */
};

static const struct bough_message_type messages[] = {
    [NOTE] = { .name = "note" },   [FORWARD] = { .name = "forward" },
    [ECHO] = { .name = "echo" },   [REFUSE] = { .name = "refuse" },
    [LATER] = { .name = "later" }, [FAIL] = { .name = "fail" },
    [LEAVE] = { .name = "leave" },
};

/* Books */

enum fate { FREE, OPEN };

/* A question or a watch, and what became of it. */
struct record {
    struct bough_call call;
    struct bough_watch watch;
    enum fate call_fate, watch_fate;
    uint32_t call_owner, watch_owner; /* a place's index; PLACES: nobody */
    struct storm *storm;
    uint32_t watched_finishes; /* of the place watched, when the watch began */
    uint32_t watched;
};

struct place {
    struct bough_address address;
    struct bough_watch watch; /* the restarter's */
    struct storm *storm;
    uint32_t index;
    bool lives;
    bool restart; /* the watch has fired */
    uint32_t starts, exits, finishes;
    uint64_t sent[SENDERS][2], seen[SENDERS][2]; /* normal and high */
};

struct storm {
    struct bough_test *test;
    uint64_t seed;
    struct place places[PLACES];
    struct record records[RECORDS];
    uint64_t asked, answered, taken_back, orphaned;
    uint64_t run, held_up;
    uint64_t answers[BOUGH_STATUS_COUNT];
};

static uint32_t dice(struct storm *storm, uint32_t sides)
{
    return bough_test_random(&storm->seed, sides);
}

/* Actor */

struct options {
    struct place *place;
};

struct state {
    struct place *place;
    struct bough_question *question;
    struct bough_timer timer;
};

static void post(struct storm *storm, uint32_t sender, uint32_t receiver, enum kind kind);

static void answer_at_last(struct bough_actor *actor, struct bough_timer *timer)
{
    struct state *self = bough_container(timer, struct state, timer);

    (void)actor;
    bough_question_reply(self->question, &self->question, sizeof(self->question));
    self->question = NULL;
}

static enum bough_status mess_init(struct bough_actor *actor, const void *data)
{
    const struct options *options = data;
    struct state *self = bough_state(actor);

    self->place = options->place;
    self->place->lives = true;
    if (dice(self->place->storm, 8) == 0) bough_exit(actor, BOUGH_EXIT_NORMAL);
    return BOUGH_OK;
}

/* The promise of order, and of at most once: the numbers of a sender only ever grow. */
static void write_down(struct place *place, const struct message *message)
{
    uint64_t *seen = &place->seen[message->sender][message->high];

    assert_int_equal(message->receiver, place->index);
    assert_true(message->seq > *seen);
    assert_true(message->seq <= place->sent[message->sender][message->high]);
    *seen = message->seq;
    place->storm->run++;
}

static void keep_question(struct bough_actor *actor, struct state *self)
{
    if (self->question) return; /* so this one is not answered */
    self->question = bough_later(actor);
    if (!self->question) return;
    bough_timer_start(actor, &self->timer, dice(self->place->storm, 30), 0,
                      answer_at_last);
}

static void mess_run(struct bough_actor *actor, const void *data, size_t size)
{
    const struct message *message = data;
    struct state *self = bough_state(actor);
    struct place *place = self->place;

    assert_int_equal(size, sizeof(*message));
    write_down(place, message);
    switch (message->kind) {
    case NOTE: break;
    case FORWARD:
        post(place->storm, place->index, dice(place->storm, PLACES), NOTE);
        if (bough_is_held_up(actor)) place->storm->held_up++;
        break;
    case ECHO: bough_reply(actor, &message->seq, sizeof(message->seq)); break;
    case REFUSE: bough_refuse(actor, BOUGH_EREFUSED, "refused"); break;
    case LATER: keep_question(actor, self); break;
    case FAIL: bough_fail(actor, BOUGH_EFAILED, "told to"); break;
    case LEAVE: bough_exit(actor, BOUGH_EXIT_NORMAL); break;
    case KIND_COUNT: fail_msg("no such message"); break;
    }
}

/* Some stop in the middle of a batch: what is left is the next one's. */
static void mess_run_batch(struct bough_actor *actor, struct bough_batch *batch)
{
    const struct state *self = bough_state(actor);
    const void *message;
    size_t size;

    while ((message = bough_batch_next(batch, &size)) != NULL) {
        mess_run(actor, message, size);
        if (dice(self->place->storm, 8) == 0) return;
    }
}

/* What the life that ends here has asked and watched is taken back, and must stay silent.
 */
static void mess_finish(struct bough_actor *actor)
{
    struct state *self = bough_state(actor);
    struct place *place = self->place;
    struct storm *storm = place->storm;

    place->lives = false;
    place->finishes++;
    for (struct record *record = storm->records; record < storm->records + RECORDS;
         record++) {
        if (record->call_fate == OPEN && record->call_owner == place->index) {
            record->call_fate = FREE;
            storm->orphaned++;
        }
        if (record->watch_fate == OPEN && record->watch_owner == place->index) {
            record->watch_fate = FREE;
        }
    }
}

static const struct bough_actor_type mess_type = {
    .name = "mess",
    .state_size = sizeof(struct state),
    .message_size = sizeof(struct message),
    .options_size = sizeof(struct options),
    .messages = messages,
    .message_count = KIND_COUNT,
    .init = mess_init,
    .run = mess_run,
    .finish = mess_finish,
};

static const struct bough_actor_type batch_type = {
    .name = "batch",
    .state_size = sizeof(struct state),
    .message_size = sizeof(struct message),
    .options_size = sizeof(struct options),
    .messages = messages,
    .message_count = KIND_COUNT,
    .init = mess_init,
    .run_batch = mess_run_batch,
    .finish = mess_finish,
};

/* Ends of what was written down */

static void call_done(struct bough_call *call, enum bough_status status)
{
    struct record *record = bough_container(call, struct record, call);
    struct storm *storm = record->storm;

    assert_int_equal(record->call_fate, OPEN);
    if (record->call_owner < PLACES) assert_true(storm->places[record->call_owner].lives);
    record->call_fate = FREE;
    storm->answered++;
    storm->answers[status]++;
}

static void watch_exited(struct bough_watch *watch,
                         const struct bough_exit_reason *reason)
{
    struct record *record = bough_container(watch, struct record, watch);
    const struct place *watched = &record->storm->places[record->watched];

    assert_int_equal(record->watch_fate, OPEN);
    record->watch_fate = FREE;
    if (reason->kind != BOUGH_EXIT_LOST) {
        assert_true(watched->finishes > record->watched_finishes);
    }
}

static void place_exited(struct bough_watch *watch,
                         const struct bough_exit_reason *reason)
{
    struct place *place = bough_container(watch, struct place, watch);

    (void)reason;
    place->exits++;
    assert_int_equal(place->exits, place->starts);
    assert_int_equal(place->exits, place->finishes);
    place->restart = true;
}

/* Weather */

static void post(struct storm *storm, uint32_t sender, uint32_t receiver, enum kind kind)
{
    struct place *place = &storm->places[receiver];
    const uint32_t high = dice(storm, 4) == 0;
    const uint64_t seq = ++place->sent[sender][high];
    const struct message message = { kind, sender, receiver, high, seq };
    const enum bough_status status =
        high ? bough_send_high(place->address, &message, sizeof(message))
             : bough_send(place->address, &message, sizeof(message));

    assert_true(status == BOUGH_OK || status == BOUGH_EFULL);
}

/* A living place's actor, or nobody. */
static struct bough_actor *any_owner(struct storm *storm, uint32_t *index)
{
    *index = dice(storm, 2 * PLACES);
    if (*index >= PLACES || !storm->places[*index].lives) *index = PLACES;
    return *index < PLACES ? storm->places[*index].address.slot : NULL;
}

static void ask(struct storm *storm)
{
    struct record *record = &storm->records[dice(storm, RECORDS)];
    const uint32_t receiver = dice(storm, PLACES), sender = PLACES + dice(storm, 2);
    struct place *place = &storm->places[receiver];

    if (record->call_fate != FREE) return;
    const uint32_t high = dice(storm, 4) == 0;
    const struct message message = {
        .kind = (enum kind)dice(storm, KIND_COUNT),
        .sender = sender,
        .receiver = receiver,
        .high = high,
        .seq = ++place->sent[sender][high],
    };
    record->call = (struct bough_call){ .done = call_done, .high = high };
    record->call.owner = any_owner(storm, &record->call_owner);
    record->call.timeout_ms = dice(storm, 3) == 0 ? 1 + dice(storm, 20) : 0;
    record->call_fate = OPEN;
    storm->asked++;
    bough_call_start(&record->call, place->address, &message, sizeof(message), NULL, 0);
    assert_int_equal(record->call_fate, OPEN);
}

static void watch(struct storm *storm)
{
    struct record *record = &storm->records[dice(storm, RECORDS)];
    const uint32_t watched = dice(storm, PLACES);

    if (record->watch_fate != FREE) return;
    record->watch = (struct bough_watch){ .exited = watch_exited };
    record->watch.owner = any_owner(storm, &record->watch_owner);
    record->watch_fate = OPEN;
    record->watched = watched;
    record->watched_finishes = storm->places[watched].finishes;
    bough_watch(&record->watch, storm->places[watched].address);
    assert_int_equal(record->watch_fate, OPEN);
}

static void take_back(struct storm *storm)
{
    struct record *record = &storm->records[dice(storm, RECORDS)];

    if (record->call_fate == OPEN) {
        record->call_fate = FREE;
        storm->taken_back++;
    }
    bough_call_cancel(&record->call);
    record->watch_fate = FREE;
    bough_watch_cancel(&record->watch);
}

static void start_again(struct storm *storm)
{
    for (struct place *place = storm->places; place < storm->places + PLACES; place++) {
        if (!place->restart) continue;
        place->restart = false;
        place->starts++;
        place->watch = (struct bough_watch){ .exited = place_exited };
        const struct bough_start start = { .watch = &place->watch };
        assert_status(bough_place_start(place->address, &start, NULL), BOUGH_OK);
    }
}

static void step(struct storm *storm)
{
    const struct bough_address any = storm->places[dice(storm, PLACES)].address;

    switch (dice(storm, 16)) {
    case 0: bough_kill(any); break;
    case 1: bough_stop(any); break;
    case 2: take_back(storm); break;
    case 3:
    case 4: watch(storm); break;
    case 5: bough_test_advance(storm->test, dice(storm, 10)); break;
    case 6: bough_loop_run_ready(storm->test->loop, 1 + dice(storm, 10)); break;
    case 7: start_again(storm); break;
    case 8:
    case 9: post(storm, PLACES, dice(storm, PLACES), NOTE); break;
    case 10: post(storm, PLACES + 1, dice(storm, PLACES), FORWARD); break;
    default: ask(storm); break;
    }
}

/* Beginning and end */

static struct storm *storm_new(struct bough_test *test, uint64_t seed)
{
    struct storm *storm = calloc(1, sizeof(*storm));

    assert_non_null(storm);
    storm->test = test;
    storm->seed = seed;
    for (uint32_t i = 0; i < PLACES; i++) {
        struct place *place = &storm->places[i];
        const struct bough_place_spec spec = {
            .type = i % 2 == 0 ? &mess_type : &batch_type,
            .options = &(struct options){ place },
            .capacity = CAPACITY,
            .when_full = (enum bough_when_full)dice(storm, BOUGH_WHEN_FULL_COUNT),
        };
        place->storm = storm;
        place->index = i;
        place->restart = true;
        assert_status(bough_place_new(test->loop, &spec, &place->address), BOUGH_OK);
    }
    for (int i = 0; i < RECORDS; i++)
        storm->records[i].storm = storm;
    start_again(storm);
    return storm;
}

/* All places end for good: what is still open must come to its end by that alone. */
static void calm(struct storm *storm)
{
    for (int i = 0; i < PLACES; i++)
        bough_kill(storm->places[i].address);
    bough_test_run(storm->test);
    for (int i = 0; i < PLACES; i++)
        bough_place_free(storm->places[i].address, 0);
    bough_test_run(storm->test);
}

static void assert_all_ended(const struct storm *storm)
{
    for (int i = 0; i < RECORDS; i++) {
        assert_int_equal(storm->records[i].call_fate, FREE);
        assert_int_equal(storm->records[i].watch_fate, FREE);
    }
    for (int i = 0; i < PLACES; i++) {
        assert_int_equal(storm->places[i].exits, storm->places[i].starts);
        assert_int_equal(storm->places[i].finishes, storm->places[i].starts);
    }
    assert_int_equal(storm->asked, storm->answered + storm->taken_back + storm->orphaned);
}

static void everything_has_exactly_one_end(void **state)
{
    struct bough_test *test = *state;
    uint64_t seed = bough_test_seed();

    for (int round = 0; round < 20; round++) {
        struct storm *storm = storm_new(test, seed + (uint64_t)round);
        for (int i = 0; i < 20000; i++)
            step(storm);
        calm(storm);
        assert_all_ended(storm);
        assert_true(storm->run > 1000 && storm->places[0].starts > 50);
        free(storm);
    }
}

/* A storm in which something never happens proves nothing about it. */
static void a_storm_meets_every_outcome(void **state)
{
    static const enum bough_status outcomes[] = {
        BOUGH_OK,    BOUGH_EREFUSED, BOUGH_ENOREPLY, BOUGH_ETIMEOUT,
        BOUGH_EFULL, BOUGH_ECRASHED, BOUGH_EGONE,
    };
    struct bough_test *test = *state;
    struct storm *storm = storm_new(test, bough_test_seed());

    for (int i = 0; i < 100000; i++)
        step(storm);
    calm(storm);
    for (size_t i = 0; i < bough_count_of(outcomes); i++) {
        if (storm->answers[outcomes[i]] > 0) continue;
        fail_msg("no question was answered %s", bough_status_name(outcomes[i]));
    }
    assert_true(storm->taken_back > 0 && storm->orphaned > 0 && storm->held_up > 0);
    free(storm);
}

static uint64_t fingerprint(struct bough_test *test, uint64_t seed)
{
    struct storm *storm = storm_new(test, seed);

    for (int i = 0; i < 20000; i++)
        step(storm);
    uint64_t print = storm->seed ^ storm->run << 32 ^ storm->answered;
    for (int i = 0; i < PLACES; i++)
        print = print * 31 + storm->places[i].finishes;
    calm(storm);
    free(storm);
    return print;
}

static void the_same_seed_gives_the_same_storm(void **state)
{
    const uint64_t seed = bough_test_seed();
    struct bough_test *test = *state;
    const uint64_t first = fingerprint(test, seed);

    assert_true(fingerprint(test, seed) == first);
    assert_true(fingerprint(test, seed + 1) != first);
}

#define test_of(function) \
    cmocka_unit_test_setup_teardown(function, bough_test_setup, bough_test_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_of(everything_has_exactly_one_end),
        test_of(a_storm_meets_every_outcome),
        test_of(the_same_seed_gives_the_same_storm),
    };
    return cmocka_run_group_tests_name("core/storm", tests, NULL, NULL);
}
