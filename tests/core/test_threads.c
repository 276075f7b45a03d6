/* test_threads.c - the promises between real threads, on the machine's clock.
 *
 * What the letters do is tested step by step in test_letters.c, test_watch_apart.c and
 * test_apart.c. Here they cross for good: places on threads of their own, and loops that
 * the program runs on its own threads. Nothing sleeps: who waits runs its loop, or waits
 * for a semaphore. What a probe has seen is looked at after an answer or a watch.
 *
 * SPDX-License-Identifier: MIT */
#define _GNU_SOURCE

#include <dirent.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <string.h>

#include "apart.h"

/* Threads of this process. */
static size_t threads(void)
{
    DIR *folder = opendir("/proc/self/task");
    size_t count = 0;

    assert_non_null(folder);
    while (readdir(folder))
        count++;
    closedir(folder);
    return count - 2;
}

/* One that was joined is seen by the kernel for a moment longer. */
static void await_threads(size_t count)
{
    const double give_up_at = ev_time() + 10;

    while (threads() != count) {
        if (ev_time() > give_up_at) fail_msg("%zu threads, not %zu", threads(), count);
        sched_yield();
    }
}

static void open_apart(struct apart *apart, void *state)
{
    apart_open(apart, state);
    apart->place = apart_place(apart, &apart->probe, "a");
    bough_probe_watch_init(&apart->watch, &apart->probe);
}

static void start(struct apart *apart)
{
    bough_probe_start(apart->place, &apart->watch);
    while (apart->watch.readies == 0)
        bough_test_wait(apart->test);
}

static void end(struct apart *apart)
{
    struct bough_probe_watch watch;

    bough_probe_watch_init(&watch, NULL);
    bough_watch(&watch.watch, apart->top);
    bough_kill(apart->top);
    while (watch.exits == 0)
        bough_test_wait(apart->test);
    bough_place_free(apart->top, 0);
}

static struct bough_probe_call ask(struct apart *apart, enum bough_probe_kind kind,
                                   int64_t timeout_ms)
{
    struct bough_probe_call call;

    bough_probe_call_init(&call);
    call.call.timeout_ms = timeout_ms;
    bough_probe_ask(&call, apart->place, kind, 7);
    assert_int_equal(call.answers, 0);
    while (call.answers == 0)
        bough_test_wait(apart->test);
    assert_int_equal(call.answers, 1);
    return call;
}

/* Messages and calls */

static void look_around(struct bough_actor *actor, struct bough_probe *probe,
                        int64_t number)
{
    (void)number;
    *(pthread_t *)probe->data = pthread_self();
    bough_reply(actor, NULL, 0);
}

static void a_place_has_a_thread_of_its_own(void **state)
{
    struct apart apart;
    pthread_t seen = pthread_self();

    open_apart(&apart, *state);
    apart.probe.hook = look_around;
    apart.probe.data = &seen;
    start(&apart);
    assert_status(ask(&apart, BOUGH_PROBE_HOOK, 0).status, BOUGH_OK);
    assert_false(pthread_equal(seen, pthread_self()));
    end(&apart);
}

static void hear_in_order(struct bough_actor *actor, struct bough_probe *probe,
                          int64_t number)
{
    int64_t *next = probe->data;

    (void)actor;
    if (number == *next) (*next)++;
}

/* Until there is room. */
static void send_surely(struct bough_address to, enum bough_probe_kind kind,
                        int64_t number)
{
    enum bough_status status;

    while ((status = bough_probe_send(to, kind, number)) == BOUGH_EFULL)
        sched_yield();
    assert_status(status, BOUGH_OK);
}

static void messages_arrive_in_order_and_once(void **state)
{
    enum { MANY = 20000 };
    struct apart apart;
    int64_t next = 0;

    open_apart(&apart, *state);
    apart.probe.hook = hear_in_order;
    apart.probe.data = &next;
    start(&apart);
    for (int i = 0; i < MANY; i++)
        send_surely(apart.place, BOUGH_PROBE_HOOK, i);
    ask(&apart, BOUGH_PROBE_ECHO, 0);
    assert_int_equal(next, MANY);
    assert_int_equal(apart.probe.runs, MANY + 1);
    end(&apart);
}

static void questions_have_every_kind_of_answer(void **state)
{
    struct apart apart;

    open_apart(&apart, *state);
    start(&apart);
    assert_int_equal(ask(&apart, BOUGH_PROBE_ECHO, 60000).number, 7);
    assert_status(ask(&apart, BOUGH_PROBE_REFUSE, 0).status, BOUGH_EREFUSED);
    assert_status(ask(&apart, BOUGH_PROBE_NOTE, 0).status, BOUGH_ENOREPLY);
    assert_status(ask(&apart, BOUGH_PROBE_LATER, 1).status, BOUGH_ETIMEOUT);
    const struct bough_probe_call call = ask(&apart, BOUGH_PROBE_FAIL, 0);
    assert_status(call.status, BOUGH_ECRASHED);
    assert_non_null(strstr(call.text, "told to fail, 7"));
    while (apart.watch.exits == 0)
        bough_test_wait(apart.test);
    assert_int_equal(apart.watch.reason.kind, BOUGH_EXIT_ERROR);
    end(&apart);
}

static void who_asks_may_die_first(void **state)
{
    enum { MANY = 50 };
    static struct bough_probe_call calls[MANY];
    struct bough_probe asker = { 0 };
    struct apart apart;

    open_apart(&apart, *state);
    start(&apart);
    const struct bough_address address = bough_probe_spawn(apart.test, &asker, NULL);
    for (int i = 0; i < MANY; i++) {
        bough_probe_call_init(&calls[i]);
        calls[i].call.owner = asker.actor;
        bough_probe_ask(&calls[i], apart.place, BOUGH_PROBE_ECHO, i);
    }
    bough_probe_end(apart.test, address);
    ask(&apart, BOUGH_PROBE_ECHO, 0); /* after all of theirs */
    assert_int_equal(apart.probe.runs, MANY + 1);
    assert_int_equal(bough_loop_count(apart.test->loop).calls, 0);
    end(&apart);
}

/* Ends */

struct gate {
    sem_t entered, open;
};

static void gate_init(struct gate *gate)
{
    sem_init(&gate->entered, 0, 0);
    sem_init(&gate->open, 0, 0);
}

static void gate_finish(struct gate *gate)
{
    sem_destroy(&gate->entered);
    sem_destroy(&gate->open);
}

static void wait_at_gate(struct bough_actor *actor, struct bough_probe *probe,
                         int64_t number)
{
    struct gate *gate = probe->data;

    (void)actor;
    (void)number;
    sem_post(&gate->entered);
    while (sem_wait(&gate->open) != 0)
        continue;
}

static void one_that_is_busy_is_stopped_when_it_returns(void **state)
{
    struct apart apart;
    struct gate gate;
    struct bough_probe_call busy, waits;

    open_apart(&apart, *state);
    gate_init(&gate);
    apart.probe.hook = wait_at_gate;
    apart.probe.data = &gate;
    start(&apart);
    bough_probe_call_init(&busy);
    bough_probe_call_init(&waits);
    bough_probe_ask(&busy, apart.place, BOUGH_PROBE_HOOK, 1);
    while (sem_wait(&gate.entered) != 0)
        continue;
    bough_stop(apart.place);
    bough_probe_ask(&waits, bough_address_place(apart.place), BOUGH_PROBE_ECHO, 1);
    bough_test_run(apart.test);
    assert_int_equal(busy.answers + waits.answers + apart.watch.exits, 0);
    sem_post(&gate.open);
    while (apart.watch.exits == 0 || busy.answers == 0)
        bough_test_wait(apart.test);
    assert_int_equal(apart.watch.reason.kind, BOUGH_EXIT_SHUTDOWN);
    assert_status(busy.status, BOUGH_ENOREPLY);
    assert_int_equal(waits.answers, 0); /* it waits for the next life */
    end(&apart);
    while (waits.answers == 0)
        bough_test_wait(apart.test);
    assert_status(waits.status, BOUGH_EGONE);
    gate_finish(&gate);
}

static void look_at_signals(struct bough_actor *actor, struct bough_probe *probe,
                            int64_t number)
{
    (void)number;
    pthread_sigmask(SIG_BLOCK, NULL, probe->data);
    bough_reply(actor, NULL, 0);
}

static void signals_are_the_programs(void **state)
{
    static const int theirs[] = { SIGTERM, SIGINT, SIGHUP, SIGCHLD, SIGUSR1, SIGALRM };
    struct apart apart;
    sigset_t blocked;

    open_apart(&apart, *state);
    apart.probe.hook = look_at_signals;
    apart.probe.data = &blocked;
    start(&apart);
    ask(&apart, BOUGH_PROBE_HOOK, 0);
    for (size_t i = 0; i < bough_count_of(theirs); i++)
        assert_int_equal(sigismember(&blocked, theirs[i]), 1);
    assert_int_equal(sigismember(&blocked, SIGSEGV), 0);
    end(&apart);
}

static void threads_are_used_again(void **state)
{
    const size_t before = threads();
    struct apart apart;

    apart_open(&apart, *state);
    for (int i = 0; i < 20; i++) {
        apart.place = apart_place(&apart, &apart.probe, "a");
        bough_probe_watch_init(&apart.watch, &apart.probe);
        start(&apart);
        bough_kill(apart.place);
        while (apart.watch.exits == 0)
            bough_test_wait(apart.test);
        bough_place_free(apart.place, 0);
    }
    /* The next is made before the last is quite free: a few, and not twenty. */
    assert_in_range(threads() - before, 1, 10);
    end(&apart);
}

/* Threads of the program */

struct sender {
    struct bough_address to;
    int64_t count;
};

static void *send_all(void *data)
{
    const struct sender *sender = data;

    for (int64_t i = 0; i < sender->count; i++)
        send_surely(sender->to, BOUGH_PROBE_HOOK, i);
    return NULL;
}

/* To a place on a thread, and to one on the loop that this thread runs. */
static void a_thread_without_a_loop_may_send(void **state)
{
    enum { MANY = 3000 };
    struct bough_probe near = { .hook = hear_in_order };
    struct apart apart;
    int64_t next = 0, near_next = 0;
    pthread_t thread[2];

    open_apart(&apart, *state);
    apart.probe.hook = hear_in_order;
    apart.probe.data = &next;
    near.data = &near_next;
    start(&apart);
    const struct bough_address address = bough_probe_spawn(apart.test, &near, NULL);
    struct sender to_far = { apart.place, MANY }, to_near = { address, MANY };
    assert_int_equal(pthread_create(&thread[0], NULL, send_all, &to_far), 0);
    assert_int_equal(pthread_create(&thread[1], NULL, send_all, &to_near), 0);
    while (near.runs < MANY)
        bough_test_wait(apart.test);
    assert_int_equal(pthread_join(thread[0], NULL), 0);
    assert_int_equal(pthread_join(thread[1], NULL), 0);
    ask(&apart, BOUGH_PROBE_ECHO, 0);
    assert_int_equal(next, MANY);
    assert_int_equal(near_next, MANY);
    bough_probe_end(apart.test, address);
    end(&apart);
}

/* A loop of the runtime on a thread of the program's own. */
struct lodger {
    struct bough_runtime *runtime;
    struct bough_probe probe;
    struct bough_address address;
    sem_t begun;
    pthread_t thread;
};

static void *lodge(void *data)
{
    struct lodger *lodger = data;
    const struct bough_probe_options options = { .probe = &lodger->probe };
    struct ev_loop *ev = ev_loop_new(EVFLAG_AUTO);
    struct bough_loop *loop = bough_loop_new(lodger->runtime, ev);

    assert_status(
        bough_spawn(loop, &bough_probe_type, &options, NULL, &lodger->address, NULL),
        BOUGH_OK);
    sem_post(&lodger->begun);
    ev_run(ev, 0); /* until nothing lives, or somebody breaks it */
    bough_loop_free(loop);
    ev_loop_destroy(ev);
    return NULL;
}

static void lodger_start(struct lodger *lodger, struct bough_test *test)
{
    *lodger = (struct lodger){ .runtime = test->runtime };
    sem_init(&lodger->begun, 0, 0);
    assert_int_equal(pthread_create(&lodger->thread, NULL, lodge, lodger), 0);
    while (sem_wait(&lodger->begun) != 0)
        continue;
}

static void lodger_finish(struct lodger *lodger)
{
    assert_int_equal(pthread_join(lodger->thread, NULL), 0);
    sem_destroy(&lodger->begun);
}

static void a_program_runs_loops_on_its_own_threads(void **state)
{
    enum { LODGERS = 4, ASKS = 500 };
    static struct bough_probe_call calls[LODGERS][ASKS];
    static struct lodger lodgers[LODGERS];
    struct bough_probe_watch watches[LODGERS];
    struct bough_test *test = *state;

    for (int i = 0; i < LODGERS; i++) {
        lodger_start(&lodgers[i], test);
        bough_probe_watch_init(&watches[i], NULL);
        watches[i].watch.loop = test->loop;
        bough_watch(&watches[i].watch, lodgers[i].address);
        for (int k = 0; k < ASKS; k++) {
            bough_probe_call_init(&calls[i][k]);
            calls[i][k].call.loop = test->loop;
            bough_probe_ask(&calls[i][k], lodgers[i].address, BOUGH_PROBE_ECHO, k);
        }
        bough_stop(lodgers[i].address);
    }
    while (bough_loop_count(test->loop).calls + bough_loop_count(test->loop).watches > 0)
        bough_test_wait(test);
    bough_test_run(test);
    for (int i = 0; i < LODGERS; i++) {
        assert_int_equal(watches[i].readies + watches[i].exits, 2);
        for (int k = 0; k < ASKS; k++)
            assert_int_equal(calls[i][k].answers, 1);
        lodger_finish(&lodgers[i]);
    }
}

static void break_loop(struct bough_actor *actor, struct bough_probe *probe,
                       int64_t number)
{
    (void)probe;
    (void)number;
    ev_break(bough_loop_ev(bough_actor_loop(actor)), EVBREAK_ALL);
}

/* Questions are kept, on their way, and asked for as long as it takes. */
static void a_loop_that_is_freed_answers_all(void **state)
{
    enum { MOST = 200000 };
    static struct bough_probe_call calls[MOST];
    struct bough_test *test = *state;
    struct lodger lodger;
    size_t count = 0, wrong = 0;
    enum bough_status last = BOUGH_OK;

    lodger_start(&lodger, test);
    lodger.probe.hook = break_loop;
    while (last != BOUGH_EGONE && count < MOST) {
        if (count == 300) send_surely(lodger.address, BOUGH_PROBE_HOOK, 0);
        bough_probe_call_init(&calls[count]);
        calls[count].call.loop = test->loop;
        calls[count].call.timeout_ms = 60000;
        bough_probe_ask(&calls[count], lodger.address,
                        count % 2 ? BOUGH_PROBE_LATER : BOUGH_PROBE_ECHO, 1);
        if (count % 16 == 0) bough_test_run(test);
        last = calls[count].answers > 0 ? calls[count].status : BOUGH_OK;
        count++;
    }
    while (bough_loop_count(test->loop).calls > 0)
        bough_test_wait(test);
    bough_test_run(test);
    for (size_t i = 0; i < count; i++)
        if (calls[i].answers != 1 || calls[i].status == BOUGH_ETIMEOUT) wrong++;
    assert_int_equal(wrong, 0);
    assert_true(count < MOST);
    lodger_finish(&lodger);
}

/* Runtimes that end while threads are at work */

static void go_on(struct bough_actor *actor, struct bough_probe *probe, int64_t number)
{
    (void)probe;
    if (bough_probe_send(bough_self(actor), BOUGH_PROBE_HOOK, number + 1) != BOUGH_OK)
        bough_fail(actor, BOUGH_EFAILED, "cannot go on");
}

/* Each message makes a thread, and lets its place go. */
static void make_threads(struct bough_actor *actor, struct bough_probe *probe,
                         int64_t number)
{
    const struct bough_place_spec spec = {
        .type = &bough_probe_type,
        .options = probe->data,
        .isolation = BOUGH_THREAD,
    };
    struct bough_address place;

    if (bough_place_new(bough_actor_loop(actor), &spec, &place) == BOUGH_OK)
        bough_place_free(place, 0);
    go_on(actor, probe, number);
}

static void world_open(struct bough_test *world)
{
    *world = (struct bough_test){ .ev = ev_loop_new(EVFLAG_AUTO),
                                  .give_up_at = ev_time() + 60 };
    world->runtime = bough_runtime_new(
        &(struct bough_runtime_options){ .log_level = BOUGH_LEVEL_COUNT });
    world->loop = bough_loop_new(world->runtime, world->ev);
    assert_non_null(world->loop);
}

static void free_at_work(void (*hook)(struct bough_actor *actor,
                                      struct bough_probe *probe, int64_t number),
                         size_t rounds)
{
    static struct bough_test world;
    const struct bough_probe_options options = { NULL };
    struct apart apart;
    struct bough_probe_call kept, on_its_way;

    world_open(&world);
    open_apart(&apart, &world);
    apart.probe.hook = hook;
    apart.probe.data = (void *)(uintptr_t)&options;
    bough_probe_start(apart.place, &apart.watch);
    bough_probe_call_init(&kept);
    bough_probe_call_init(&on_its_way);
    bough_probe_ask(&kept, apart.place, BOUGH_PROBE_LATER, 1);
    if (hook != NULL) send_surely(apart.place, BOUGH_PROBE_HOOK, 0);
    for (size_t i = 0; i < rounds; i++)
        bough_test_run(&world);
    bough_probe_ask(&on_its_way, apart.place, BOUGH_PROBE_LATER, 1);
    bough_runtime_free(world.runtime);
    assert_int_equal(kept.answers, 1);
    assert_int_equal(on_its_way.answers, 1);
    assert_int_equal(apart.watch.exits, 1);
    assert_int_equal(apart.probe.inits, apart.probe.finishes);
    ev_loop_destroy(world.ev);
}

static void a_runtime_may_be_freed_while_threads_work(void **state)
{
    const size_t threads_before = threads();
    const size_t descriptors_before = bough_test_descriptors();

    (void)state;
    for (size_t i = 0; i < 60; i++)
        free_at_work(i % 2 ? go_on : NULL, i * i);
    await_threads(threads_before);
    assert_int_equal(bough_test_descriptors(), descriptors_before);
}

static void and_while_they_make_others(void **state)
{
    const size_t threads_before = threads();
    const size_t descriptors_before = bough_test_descriptors();

    (void)state;
    for (size_t i = 0; i < 30; i++)
        free_at_work(make_threads, 10 * i);
    await_threads(threads_before);
    assert_int_equal(bough_test_descriptors(), descriptors_before);
}

int main(void)
{
#define FACT(fact) \
    cmocka_unit_test_setup_teardown(fact, bough_test_setup_real, bough_test_teardown)
    const struct CMUnitTest tests[] = {
        FACT(a_place_has_a_thread_of_its_own),
        FACT(messages_arrive_in_order_and_once),
        FACT(questions_have_every_kind_of_answer),
        FACT(who_asks_may_die_first),
        FACT(one_that_is_busy_is_stopped_when_it_returns),
        FACT(signals_are_the_programs),
        FACT(threads_are_used_again),
        FACT(a_thread_without_a_loop_may_send),
        FACT(a_program_runs_loops_on_its_own_threads),
        FACT(a_loop_that_is_freed_answers_all),
        cmocka_unit_test(a_runtime_may_be_freed_while_threads_work),
        cmocka_unit_test(and_while_they_make_others),
    };
    return cmocka_run_group_tests_name("core/threads", tests, NULL, NULL);
}
