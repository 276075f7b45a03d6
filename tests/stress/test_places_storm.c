/* test_places_storm.c - places on threads are made, started, stopped, freed and made
 * again at random, while others send, ask and watch; and so are loops of the program's
 * own.
 *
 * One thread draws what happens, from a seed that is printed and can be given as
 * BOUGH_TEST_SEED; when it happens is the scheduler's. In the end every question that was
 * not taken back is answered once, every watch is told once, what was sent in order came
 * in order, and nothing is left.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/core/place.h>

#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdlib.h>
#include <time.h>

#include <bough/tests/support/probe.h>

enum { PLACES = 5, QUESTIONS = 64, WATCHES = 32, LODGERS = 2, ASKS = 40 };
enum { ROUNDS = 20000, ROUNDS_LONG = 2000000, LODGE_EVERY = 300 };

enum stage { ABSENT, EMPTY, LIVED_IN };

struct post {
    struct bough_probe probe;
    struct bough_watch watch;
    struct bough_address place;
    enum stage stage;
    int64_t heard, wrong; /* by its lives, one after the other */
    unsigned ends;
};

/* A loop of the runtime on a thread of the program's, with one actor, and questions. */
struct lodger {
    struct storm *storm;
    struct bough_probe probe;
    struct bough_address address, places[PLACES];
    struct bough_probe_call calls[ASKS];
    struct bough_probe_watch watches[PLACES];
    sem_t begun;
    pthread_t thread;
    bool is_there;
    unsigned wrong; /* questions and watches that did not have one end */
};

struct storm {
    struct bough_test *test;
    uint64_t seed;
    struct bough_probe root;
    struct bough_address top;
    struct post posts[PLACES];
    struct lodger lodgers[LODGERS];
    struct bough_probe_call calls[QUESTIONS];
    struct bough_probe_watch watches[WATCHES];
    bool asked[QUESTIONS], watching[WATCHES];
    int64_t number;
    size_t questions, told, made, wrong;
};

static const char *const names[PLACES] = { "a", "b", "c", "d", "e" };

/* Posts */

static void hear(struct bough_actor *actor, struct bough_probe *probe, int64_t number)
{
    struct post *post = probe->data;

    (void)actor;
    if (number <= post->heard) post->wrong++;
    post->heard = number;
}

static void ended(struct bough_watch *watch, const struct bough_exit_reason *reason)
{
    struct post *post = bough_container(watch, struct post, watch);

    (void)reason;
    if (post->stage != LIVED_IN) post->wrong++;
    post->stage = EMPTY;
    post->ends++;
}

static void make(struct storm *storm, size_t i)
{
    struct post *post = &storm->posts[i];
    const struct bough_probe_options options = { .probe = &post->probe };
    const struct bough_place_spec spec = {
        .type = &bough_probe_type,
        .options = &options,
        .parent = storm->top,
        .name = names[i],
        .capacity = 32,
        .on_restart = bough_test_random(&storm->seed, 2) ? BOUGH_KEEP : BOUGH_DISCARD,
        .isolation = BOUGH_THREAD,
    };

    assert_status(bough_place_new(storm->test->loop, &spec, &post->place), BOUGH_OK);
    post->stage = EMPTY;
    storm->made++;
}

static void start(struct post *post)
{
    const struct bough_start how = { .watch = &post->watch };

    post->watch = (struct bough_watch){ .exited = ended };
    post->stage = LIVED_IN;
    assert_status(bough_place_start(post->place, &how, NULL), BOUGH_OK);
}

static void leave_empty(struct storm *storm, struct post *post)
{
    if (bough_test_random(&storm->seed, 2)) {
        bough_place_mark(post->place, BOUGH_PLACE_STOPPED);
        return;
    }
    bough_place_free(post->place, 0);
    post->stage = ABSENT;
}

/* What is next for a post: made, or only referred to; started or freed; ended. */
static void go_on(struct storm *storm, size_t i)
{
    struct post *post = &storm->posts[i];
    const uint32_t luck = bough_test_random(&storm->seed, 8);
    char path[] = "/?";

    path[1] = names[i][0];
    switch (post->stage) {
    case ABSENT:
        if (luck > 1) {
            make(storm, i);
        } else {
            assert_status(bough_reference(storm->test->loop, path, &post->place),
                          BOUGH_OK);
        }
        break;
    case EMPTY:
        if (luck > 2)
            start(post);
        else
            leave_empty(storm, post);
        break;
    case LIVED_IN:
        if (luck == 0)
            bough_kill(post->place);
        else if (luck == 1)
            bough_stop(post->place);
        break;
    }
}

/* Whoever is there: a post, or a lodger. */
static struct bough_address anybody(struct storm *storm)
{
    const uint32_t who = bough_test_random(&storm->seed, PLACES + LODGERS);

    if (who < PLACES) return storm->posts[who].place;
    return storm->lodgers[who - PLACES].address;
}

static void send(struct storm *storm)
{
    const struct post *post = &storm->posts[bough_test_random(&storm->seed, PLACES)];
    const uint32_t luck = bough_test_random(&storm->seed, 50);
    const enum bough_probe_kind kind = luck == 0   ? BOUGH_PROBE_FAIL
                                       : luck == 1 ? BOUGH_PROBE_LEAVE
                                                   : BOUGH_PROBE_HOOK;
    /* Each number is used once, whatever becomes of the message. */
    (void)!bough_probe_send(post->place, kind, ++storm->number);
}

static void check_call(struct storm *storm, const struct bough_probe_call *call)
{
    if (call->answers != 1) storm->wrong++;
    storm->questions++;
}

/* The question that had this entry is over, or is taken back. */
static void ask(struct storm *storm)
{
    const uint32_t i = bough_test_random(&storm->seed, QUESTIONS);
    struct bough_probe_call *call = &storm->calls[i];
    const bool high = bough_test_random(&storm->seed, 4) == 0;

    if (storm->asked[i] && call->answers == 0) {
        bough_call_cancel(&call->call);
    } else if (storm->asked[i]) {
        check_call(storm, call);
    }
    storm->asked[i] = false;
    const struct bough_address to = anybody(storm);
    if (to.slot == NULL) return;
    bough_probe_call_init(call);
    call->call.loop = storm->test->loop;
    call->call.high = high;
    call->call.timeout_ms = bough_test_random(&storm->seed, 2) * 5;
    bough_probe_ask(
        call, to,
        bough_test_random(&storm->seed, 3) ? BOUGH_PROBE_ECHO : BOUGH_PROBE_LATER, 0);
    storm->asked[i] = true;
}

static void watch(struct storm *storm)
{
    const uint32_t i = bough_test_random(&storm->seed, WATCHES);
    struct bough_probe_watch *watch = &storm->watches[i];

    if (storm->watching[i] && watch->exits == 0) {
        bough_watch_cancel(&watch->watch);
    } else if (storm->watching[i]) {
        if (watch->exits != 1 || watch->readies > 1) storm->wrong++;
        storm->told++;
    }
    storm->watching[i] = false;
    const struct bough_address who = anybody(storm);
    if (who.slot == NULL) return;
    bough_probe_watch_init(watch, NULL);
    watch->watch.loop = storm->test->loop;
    bough_watch(&watch->watch, who);
    storm->watching[i] = true;
}

/* Lodgers */

static void break_loop(struct bough_actor *actor, struct bough_probe *probe,
                       int64_t number)
{
    (void)probe;
    (void)number;
    ev_break(bough_loop_ev(bough_actor_loop(actor)), EVBREAK_ALL);
}

static void ask_all(struct lodger *lodger, struct bough_loop *loop)
{
    for (size_t i = 0; i < ASKS; i++) {
        struct bough_probe_call *call = &lodger->calls[i];

        bough_probe_call_init(call);
        call->call.loop = loop;
        if (lodger->places[i % PLACES].slot == NULL) continue;
        bough_probe_ask(call, lodger->places[i % PLACES],
                        i % 2 ? BOUGH_PROBE_LATER : BOUGH_PROBE_ECHO, 0);
    }
    for (size_t i = 0; i < PLACES; i++) {
        bough_probe_watch_init(&lodger->watches[i], NULL);
        lodger->watches[i].watch.loop = loop;
        if (lodger->places[i].slot == NULL) continue;
        bough_watch(&lodger->watches[i].watch, lodger->places[i]);
    }
}

static void check_all(struct lodger *lodger)
{
    for (size_t i = 0; i < ASKS; i++) {
        const bool asked = lodger->places[i % PLACES].slot != NULL;
        if (lodger->calls[i].answers != asked) lodger->wrong++;
    }
    for (size_t i = 0; i < PLACES; i++) {
        const bool watched = lodger->places[i].slot != NULL;
        if (lodger->watches[i].exits != watched) lodger->wrong++;
    }
}

static void *lodge(void *data)
{
    struct lodger *lodger = data;
    const struct bough_probe_options options = { .probe = &lodger->probe };
    struct ev_loop *ev = ev_loop_new(EVFLAG_AUTO);
    struct bough_loop *loop = bough_loop_new(lodger->storm->test->runtime, ev);

    assert_status(
        bough_spawn(loop, &bough_probe_type, &options, NULL, &lodger->address, NULL),
        BOUGH_OK);
    sem_post(&lodger->begun);
    ask_all(lodger, loop);
    ev_run(ev, 0); /* until it is told to leave */
    bough_loop_free(loop);
    check_all(lodger);
    ev_loop_destroy(ev);
    return NULL;
}

static void come(struct storm *storm, struct lodger *lodger)
{
    *lodger = (struct lodger){ .storm = storm, .is_there = true };
    lodger->probe.hook = break_loop;
    for (size_t i = 0; i < PLACES; i++)
        lodger->places[i] = storm->posts[i].place;
    sem_init(&lodger->begun, 0, 0);
    assert_int_equal(pthread_create(&lodger->thread, NULL, lodge, lodger), 0);
    while (sem_wait(&lodger->begun) != 0)
        continue;
}

static void leave(struct storm *storm, struct lodger *lodger)
{
    while (bough_probe_send(lodger->address, BOUGH_PROBE_HOOK, 0) == BOUGH_EFULL)
        sched_yield();
    assert_int_equal(pthread_join(lodger->thread, NULL), 0);
    sem_destroy(&lodger->begun);
    lodger->is_there = false;
    storm->wrong += lodger->wrong;
}

static void come_or_leave(struct storm *storm)
{
    struct lodger *lodger = &storm->lodgers[bough_test_random(&storm->seed, LODGERS)];

    if (lodger->is_there)
        leave(storm, lodger);
    else
        come(storm, lodger);
}

/* The storm */

static void begin(struct storm *storm, struct bough_test *test)
{
    const char *given = getenv("BOUGH_TEST_SEED");
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    storm->test = test;
    storm->seed = given ? strtoull(given, NULL, 10) : (uint64_t)now.tv_nsec;
    print_message("# BOUGH_TEST_SEED=%" PRIu64 "\n", storm->seed);
    storm->top = bough_probe_place(test, &storm->root, BOUGH_NOBODY, "/");
    bough_probe_start(storm->top, NULL);
    for (size_t i = 0; i < PLACES; i++) {
        storm->posts[i].probe.hook = hear;
        storm->posts[i].probe.data = &storm->posts[i];
    }
}

static void do_round(struct storm *storm)
{
    switch (bough_test_random(&storm->seed, 6)) {
    case 0: go_on(storm, bough_test_random(&storm->seed, PLACES)); break;
    case 1: ask(storm); break;
    case 2: watch(storm); break;
    default: send(storm); break;
    }
    if (bough_test_random(&storm->seed, LODGE_EVERY) == 0) come_or_leave(storm);
    if (bough_test_random(&storm->seed, 4) == 0) bough_test_run(storm->test);
    if (bough_test_random(&storm->seed, 16) == 0) sched_yield();
}

static void end(struct storm *storm)
{
    struct bough_probe_watch watch;

    storm->test->give_up_at = ev_time() + 60; /* the long form takes longer than that */
    for (size_t i = 0; i < LODGERS; i++)
        if (storm->lodgers[i].is_there) leave(storm, &storm->lodgers[i]);
    bough_probe_watch_init(&watch, NULL);
    bough_watch(&watch.watch, storm->top);
    bough_kill(storm->top);
    while (watch.exits == 0)
        bough_test_wait(storm->test);
    bough_place_free(storm->top, 0);
    while (bough_loop_count(storm->test->loop).calls > 0 ||
           bough_loop_count(storm->test->loop).watches > 0)
        bough_test_wait(storm->test);
    bough_test_run(storm->test);
}

static void check(struct storm *storm)
{
    unsigned ends = 0;

    for (size_t i = 0; i < QUESTIONS; i++)
        if (storm->asked[i]) check_call(storm, &storm->calls[i]);
    for (size_t i = 0; i < WATCHES; i++)
        if (storm->watching[i] && storm->watches[i].exits != 1) storm->wrong++;
    for (size_t i = 0; i < PLACES; i++) {
        const struct post *post = &storm->posts[i];

        assert_int_equal(post->wrong, 0);
        assert_int_not_equal(post->stage, LIVED_IN);
        assert_int_equal(post->probe.inits, post->probe.finishes);
        assert_int_equal(post->probe.inits, post->ends);
        ends += post->ends;
    }
    print_message("# %zu questions, %zu watches told, %zu places made, %u lives\n",
                  storm->questions, storm->told, storm->made, ends);
    assert_int_equal(storm->wrong, 0);
}

static void nothing_is_lost_or_told_twice(void **state)
{
    static struct storm storm;
    const size_t rounds = getenv("BOUGH_TEST_LONG") ? ROUNDS_LONG : ROUNDS;

    begin(&storm, *state);
    for (size_t i = 0; i < rounds; i++)
        do_round(&storm);
    end(&storm);
    check(&storm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_is_lost_or_told_twice,
                                        bough_test_setup_real, bough_test_teardown),
    };

    return cmocka_run_group_tests_name("stress/places_storm", tests, NULL, NULL);
}
