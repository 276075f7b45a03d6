/* test_apart.c - places on loops of their own: made, started, restarted, moved, freed.
 *
 * On the virtual clock: see test_letters.c.
 *
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "apart.h"

/* Starts */

static void a_start_that_fails_is_told_by_the_watch(void **state)
{
    struct apart apart;

    apart_open(&apart, *state);
    apart.probe.init_status = BOUGH_EDENIED;
    apart_start(&apart);
    assert_int_equal(apart.watch.readies, 0);
    assert_int_equal(apart.watch.exits, 1);
    assert_int_equal(apart.watch.reason.kind, BOUGH_EXIT_ERROR);
    assert_status(apart.watch.reason.status, BOUGH_EDENIED);
    apart.probe.init_status = BOUGH_IGNORE;
    apart_start(&apart);
    assert_int_equal(apart.watch.exits, 1);
    assert_int_equal(apart.watch.reason.kind, BOUGH_EXIT_NORMAL);
    assert_status(apart.watch.reason.status, BOUGH_IGNORE);
    apart.probe.init_status = BOUGH_OK;
    apart_start(&apart);
    assert_int_equal(apart.watch.readies, 1);
    apart_close(&apart);
}

static void one_that_is_asked_for_is_not_asked_for_again(void **state)
{
    struct bough_exit_reason failure;
    struct bough_address again;
    struct apart apart;

    apart_open(&apart, *state);
    apart.place = apart_place(&apart, &apart.probe, "a");
    bough_probe_watch_init(&apart.watch, &apart.probe);
    bough_probe_start(apart.place, &apart.watch);
    assert_status(bough_place_start(apart.place, NULL, &failure), BOUGH_ERUNNING);
    assert_status(apart_try_place(&apart, &apart.probe, "a", &again), BOUGH_EPRESENT);
    apart_run(&apart);
    assert_status(bough_place_start(apart.place, NULL, &failure), BOUGH_ERUNNING);
    assert_status(apart_try_place(&apart, &apart.probe, "a", &again), BOUGH_EPRESENT);
    assert_int_equal(apart.probe.inits, 1);
    apart_close(&apart);
    assert_int_equal(apart.watch.exits, 1);
}

/* Mail */

static void mail_waits_for_the_next_life(void **state)
{
    struct apart apart;
    struct bough_probe_call call;

    apart_open(&apart, *state);
    apart.place = apart_place(&apart, &apart.probe, "a");
    assert_status(bough_probe_send(apart.place, BOUGH_PROBE_NOTE, 1), BOUGH_OK);
    apart_run(&apart);
    apart_start(&apart);
    assert_int_equal(apart.probe.runs, 1);
    bough_kill(apart.place);
    apart_run(&apart);
    bough_probe_call_init(&call);
    bough_probe_ask(&call, apart.place, BOUGH_PROBE_ECHO, 2);
    apart_run(&apart);
    assert_int_equal(call.answers, 0);
    apart_start(&apart);
    assert_int_equal(call.answers, 1);
    assert_status(call.status, BOUGH_OK);
    apart_close(&apart);
}

static void what_is_discarded_is_answered(void **state)
{
    struct apart apart;
    struct bough_probe_call call;

    apart_open(&apart, *state);
    apart.on_restart = BOUGH_DISCARD;
    apart_start(&apart);
    bough_probe_call_init(&call);
    bough_kill(apart.place);
    bough_probe_ask(&call, apart.place, BOUGH_PROBE_ECHO, 1);
    apart_run(&apart);
    assert_int_equal(call.answers, 1);
    assert_status(call.status, BOUGH_EGONE);
    apart_close(&apart);
}

static void a_place_that_is_marked_stopped_is_gone(void **state)
{
    struct apart apart;
    struct bough_probe_call waits, after;

    apart_open(&apart, *state);
    apart.place = apart_place(&apart, &apart.probe, "a");
    bough_probe_call_init(&waits);
    bough_probe_ask(&waits, apart.place, BOUGH_PROBE_ECHO, 1);
    apart_run(&apart);
    bough_place_mark(apart.place, BOUGH_PLACE_STOPPED);
    bough_probe_call_init(&after);
    bough_probe_ask(&after, apart.place, BOUGH_PROBE_ECHO, 1);
    apart_run(&apart);
    assert_status(waits.status, BOUGH_EGONE);
    assert_status(after.status, BOUGH_EGONE);
    assert_int_equal(waits.answers + after.answers, 2);
    bough_place_mark(apart.place, BOUGH_PLACE_RESERVED);
    assert_status(bough_probe_send(apart.place, BOUGH_PROBE_NOTE, 1), BOUGH_OK);
    apart_start(&apart);
    assert_int_equal(apart.probe.runs, 1);
    apart_close(&apart);
}

/* Names */

static void a_name_is_free_again_at_once(void **state)
{
    struct apart apart;
    struct bough_probe_call call;

    apart_open(&apart, *state);
    apart.place = apart_place(&apart, &apart.probe, "a");
    bough_probe_call_init(&call);
    bough_probe_ask(&call, apart.place, BOUGH_PROBE_ECHO, 1);
    const struct bough_address old = apart.place;
    bough_place_free(apart.place, 0);
    bough_place_free(apart.place, 0);
    apart.place = BOUGH_NOBODY;
    apart_start(&apart);
    assert_ptr_not_equal(apart.place.slot, old.slot);
    assert_int_equal(call.answers, 1);
    assert_status(call.status, BOUGH_EGONE);
    assert_status(bough_probe_send(old, BOUGH_PROBE_NOTE, 1), BOUGH_EGONE);
    bough_place_free(old, 0);
    apart_run(&apart);
    assert_int_equal(apart.watch.exits, 0);
    apart_close(&apart);
}

static void a_loop_that_is_left_is_used_again(void **state)
{
    struct apart apart;
    struct bough_loop *loop = NULL;

    apart_open(&apart, *state);
    for (int i = 0; i < 5; i++) {
        apart.place = BOUGH_NOBODY;
        apart_start(&apart);
        if (loop != NULL) assert_ptr_equal(apart_loop(&apart), loop);
        loop = apart_loop(&apart);
        bough_kill(apart.place);
        apart_run(&apart);
        bough_place_free(apart.place, 0);
        apart_run(&apart);
    }
    apart_close(&apart);
}

static void it_is_shown(void **state)
{
    struct apart apart;
    struct bough_address found;
    struct bough_place_info info;

    apart_open(&apart, *state);
    apart_start(&apart);
    assert_status(bough_lookup(apart.test->loop, "/a", &found), BOUGH_OK);
    assert_ptr_equal(found.slot, apart.place.slot);
    assert_status(bough_place_info(found, &info), BOUGH_OK);
    assert_string_equal(info.path, "/a");
    assert_string_equal(info.isolation, "thread");
    assert_int_equal(info.state, BOUGH_PLACE_RUNNING);
    assert_ptr_not_equal(apart_loop(&apart), apart.test->loop);
    apart_close(&apart);
}

/* A reference came first: its address, and what was sent there, lead to the thread. */
static void a_place_that_was_reserved_moves(void **state)
{
    struct apart apart;
    struct bough_address reserved;
    struct bough_probe_call call;
    struct bough_probe_watch watch;

    apart_open(&apart, *state);
    assert_status(bough_reference(apart.test->loop, "/a", &reserved), BOUGH_OK);
    bough_probe_call_init(&call);
    bough_probe_ask(&call, reserved, BOUGH_PROBE_ECHO, 7);
    apart_start(&apart);
    assert_ptr_not_equal(apart.place.slot, reserved.slot);
    assert_int_equal(call.answers, 1);
    assert_int_equal(call.number, 7);
    assert_status(bough_probe_send(reserved, BOUGH_PROBE_NOTE, 8), BOUGH_OK);
    bough_probe_watch_init(&watch, NULL);
    bough_watch(&watch.watch, reserved);
    bough_stop(reserved);
    apart_run(&apart);
    assert_int_equal(watch.exits, 1);
    assert_int_equal(apart.watch.exits, 1);
    bough_place_free(apart.place, 0);
    assert_status(bough_probe_send(reserved, BOUGH_PROBE_NOTE, 9), BOUGH_EGONE);
    assert_status(bough_probe_send(apart.place, BOUGH_PROBE_NOTE, 9), BOUGH_EGONE);
    apart_close(&apart);
}

/* The root was restarted with another spec: what lived inline lives apart now. */
static void a_place_that_was_inline_moves(void **state)
{
    struct apart apart;
    struct bough_probe inline_probe = { 0 };

    apart_open(&apart, *state);
    const struct bough_address old =
        bough_probe_place(apart.test, &inline_probe, apart.top, "a");
    bough_probe_start(old, NULL);
    bough_kill(old);
    apart_run(&apart);
    assert_status(bough_probe_send(old, BOUGH_PROBE_NOTE, 1), BOUGH_OK);
    apart_start(&apart);
    assert_int_equal(apart.probe.runs, 1);
    assert_int_equal(apart.watch.watch.address.life, 2);
    assert_status(bough_probe_send(old, BOUGH_PROBE_NOTE, 2), BOUGH_OK);
    apart_run(&apart);
    assert_int_equal(apart.probe.runs, 2);
    apart_close(&apart);
}

/* Trees */

struct child {
    struct bough_probe probe;
    struct bough_address place;
    enum bough_isolation isolation;
};

static void make_child(struct bough_actor *actor, struct bough_probe *probe)
{
    struct child *child = probe->data;
    const struct bough_probe_options options = { .probe = &child->probe };
    const struct bough_place_spec spec = {
        .type = &bough_probe_type,
        .options = &options,
        .parent = bough_address_place(bough_self(actor)),
        .name = "child",
        .isolation = child->isolation,
    };

    assert_status(bough_place_new(bough_actor_loop(actor), &spec, &child->place),
                  BOUGH_OK);
    assert_status(bough_place_start(child->place, NULL, NULL), BOUGH_OK);
}

static void open_family(struct apart *apart, struct child *child, void *state,
                        enum bough_isolation isolation)
{
    *child = (struct child){ .isolation = isolation };
    apart_open(apart, state);
    apart->probe.on_init = make_child;
    apart->probe.data = child;
    apart_start(apart);
    assert_int_equal(child->probe.inits, 1);
}

static void what_is_below_a_thread_is_on_it(void **state)
{
    struct apart apart;
    struct child child;

    open_family(&apart, &child, *state, BOUGH_INLINE);
    assert_ptr_equal(bough_actor_loop(child.probe.actor), apart_loop(&apart));
    bough_kill(apart.place);
    apart_run(&apart);
    assert_int_equal(child.probe.finishes, 1);
    assert_int_equal(apart.watch.exits, 1);
    bough_place_free(apart.place, 0);
    apart_run(&apart);
    assert_status(bough_probe_send(child.place, BOUGH_PROBE_NOTE, 1), BOUGH_EGONE);
    apart_close(&apart);
}

static void see_child(struct bough_actor *actor, struct bough_probe *probe)
{
    const struct child *child = probe->data;

    (void)actor;
    assert_int_equal(child->probe.finishes, child->probe.inits);
}

static void a_parent_waits_for_lives_on_other_loops(void **state)
{
    struct apart apart;
    struct child child;

    open_family(&apart, &child, *state, BOUGH_THREAD);
    apart.probe.on_finish = see_child;
    assert_ptr_not_equal(bough_actor_loop(child.probe.actor), apart_loop(&apart));
    struct bough_loop *loop = apart_loop(&apart);
    bough_kill(apart.place);
    bough_loop_run_ready(loop, SIZE_MAX);
    assert_int_equal(apart.probe.finishes, 0);
    apart_run(&apart);
    assert_int_equal(child.probe.finishes, 1);
    assert_int_equal(apart.watch.exits, 1);
    apart_start(&apart); /* takes its child's place over */
    assert_int_equal(child.probe.inits, 2);
    apart_close(&apart);
    assert_int_equal(child.probe.finishes, 2);
}

static void a_start_on_its_way_is_waited_for(void **state)
{
    struct apart apart;

    apart_open(&apart, *state);
    apart.place = apart_place(&apart, &apart.probe, "a");
    bough_probe_watch_init(&apart.watch, &apart.probe);
    bough_probe_start(apart.place, &apart.watch);
    apart_close(&apart);
    assert_int_equal(apart.probe.inits, apart.probe.finishes);
    assert_int_equal(apart.watch.exits, 1);
}

static void a_parent_that_fails_to_start_leaves_nobody(void **state)
{
    struct apart apart;
    struct child child = { .isolation = BOUGH_THREAD };

    apart_open(&apart, *state);
    apart.probe.on_init = make_child;
    apart.probe.data = &child;
    apart.probe.init_status = BOUGH_EFAILED;
    apart_start(&apart);
    assert_int_equal(apart.watch.exits, 1);
    assert_int_equal(child.probe.inits, child.probe.finishes);
    apart_close(&apart);
}

/* Loops and runtimes that end */

struct second {
    struct ev_loop *ev;
    struct bough_loop *loop;
    struct bough_probe probe;
    struct bough_address address;
};

static void second_open(struct second *second, struct apart *apart)
{
    const struct bough_probe_options options = { .probe = &second->probe };

    *second = (struct second){ .ev = ev_loop_new(EVFLAG_AUTO) };
    second->loop = bough_loop_new(apart->test->runtime, second->ev);
    assert_non_null(second->loop);
    assert_status(bough_spawn(second->loop, &bough_probe_type, &options, NULL,
                              &second->address, NULL),
                  BOUGH_OK);
}

struct errand {
    struct second *second;
    struct bough_probe_call calls[3];
    struct bough_probe_watch watches[2];
    size_t asked;
};

static void ask_second(struct bough_actor *actor, struct bough_probe *probe,
                       int64_t number)
{
    struct errand *errand = probe->data;
    struct bough_probe_call *call = &errand->calls[errand->asked++];

    bough_probe_call_init(call);
    call->call.owner = actor;
    bough_probe_ask(call, errand->second->address, (enum bough_probe_kind)number, 1);
    if (errand->asked > 2) return;
    struct bough_probe_watch *watch = &errand->watches[errand->asked - 1];
    bough_probe_watch_init(watch, NULL);
    watch->watch.owner = actor;
    bough_watch(&watch->watch, errand->second->address);
}

static void ask_for(struct apart *apart, enum bough_probe_kind kind)
{
    assert_status(bough_probe_send(apart->place, BOUGH_PROBE_HOOK, kind), BOUGH_OK);
}

/* One is kept, one waits, one comes too late. */
static void a_loop_that_ends_answers_who_asked_it(void **state)
{
    struct apart apart;
    struct second second;
    struct errand errand = { .second = &second };

    apart_open(&apart, *state);
    apart.probe.hook = ask_second;
    apart.probe.data = &errand;
    apart_start(&apart);
    second_open(&second, &apart);
    ask_for(&apart, BOUGH_PROBE_LATER);
    apart_run(&apart);
    ask_for(&apart, BOUGH_PROBE_ECHO);
    bough_loop_run_ready(apart_loop(&apart), SIZE_MAX); /* it lies in the inbox */
    bough_loop_free(second.loop);
    ask_for(&apart, BOUGH_PROBE_ECHO);
    apart_run(&apart);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(errand.calls[i].answers, 1);
    assert_status(errand.calls[2].status, BOUGH_EGONE);
    assert_int_equal(errand.watches[0].exits, 1);
    assert_int_equal(errand.watches[1].exits, 1);
    apart_close(&apart);
    ev_loop_destroy(second.ev);
}

static void ask_again(struct bough_call *call, enum bough_status status)
{
    struct bough_probe_call *self = bough_container(call, struct bough_probe_call, call);
    const struct bough_address *to = call->owner == NULL ? (void *)self->text : NULL;

    (void)status;
    if (++self->answers < 3) bough_probe_ask(self, *to, BOUGH_PROBE_LATER, 1);
}

/* Whoever is told that the loop ends may ask once more, and is told once more. */
static void a_loop_that_ends_answers_who_asks_meanwhile(void **state)
{
    struct apart apart;
    struct second second;
    struct bough_probe_call call;

    apart_open(&apart, *state);
    apart_start(&apart);
    second_open(&second, &apart);
    bough_probe_call_init(&call);
    memcpy(call.text, &apart.place, sizeof(apart.place));
    call.call.done = ask_again;
    call.call.loop = second.loop;
    bough_probe_ask(&call, apart.place, BOUGH_PROBE_LATER, 1);
    bough_loop_free(second.loop);
    assert_int_equal(call.answers, 3);
    apart_run(&apart);
    apart_close(&apart);
    ev_loop_destroy(second.ev);
}

/* And the lives of other loops are left alone. */
static void a_loop_may_end_while_others_live(void **state)
{
    struct apart apart;
    struct second second;

    apart_open(&apart, *state);
    apart_start(&apart);
    second_open(&second, &apart);
    bough_loop_free(second.loop);
    assert_int_equal(second.probe.finishes, 1);
    assert_int_equal(apart.probe.finishes, 0);
    apart_close(&apart);
    ev_loop_destroy(second.ev);
}

static void open_world(struct bough_test *world, struct apart *apart)
{
    *world = (struct bough_test){ .is_virtual = true, .ev = ev_loop_new(EVFLAG_AUTO) };
    bough_virtual_clock_init(&world->clock, 0);
    world->runtime = bough_runtime_new(&(struct bough_runtime_options){
        .clock = &world->clock.clock, .log_level = BOUGH_LEVEL_COUNT });
    world->loop = bough_loop_new(world->runtime, world->ev);
    apart_open(apart, world);
}

/* After each number of steps, the runtime goes: who asks and who watches is told. */
static void a_runtime_may_be_freed_at_any_time(void **state)
{
    static struct bough_test world;

    (void)state;
    for (size_t steps = 0; steps < 40; steps++) {
        struct apart apart;
        struct bough_probe_call call;
        struct child child = { .isolation = BOUGH_THREAD };

        open_world(&world, &apart);
        apart.probe.on_init = make_child;
        apart.probe.data = &child;
        apart.place = apart_place(&apart, &apart.probe, "a");
        bough_probe_watch_init(&apart.watch, &apart.probe);
        bough_probe_start(apart.place, &apart.watch);
        bough_probe_call_init(&call);
        bough_probe_ask(&call, apart.place,
                        steps % 2 ? BOUGH_PROBE_LATER : BOUGH_PROBE_FAIL, 1);
        bough_loop_run_ready(world.loop, steps);
        for (size_t i = 0; i < steps && apart.probe.actor != NULL; i++)
            bough_loop_run_ready(apart_loop(&apart), 1);
        if (steps > 20) apart_run(&apart);
        bough_runtime_free(world.runtime);
        assert_int_equal(call.answers, 1);
        assert_int_equal(apart.watch.exits, 1);
        assert_int_equal(apart.probe.inits, apart.probe.finishes);
        assert_int_equal(child.probe.inits, child.probe.finishes);
        ev_loop_destroy(world.ev);
    }
}

int main(void)
{
#define FACT(fact) \
    cmocka_unit_test_setup_teardown(fact, bough_test_setup, bough_test_teardown)
    const struct CMUnitTest tests[] = {
        FACT(a_start_that_fails_is_told_by_the_watch),
        FACT(one_that_is_asked_for_is_not_asked_for_again),
        FACT(mail_waits_for_the_next_life),
        FACT(what_is_discarded_is_answered),
        FACT(a_place_that_is_marked_stopped_is_gone),
        FACT(a_name_is_free_again_at_once),
        FACT(a_loop_that_is_left_is_used_again),
        FACT(it_is_shown),
        FACT(a_place_that_was_reserved_moves),
        FACT(a_place_that_was_inline_moves),
        FACT(what_is_below_a_thread_is_on_it),
        FACT(a_parent_waits_for_lives_on_other_loops),
        FACT(a_start_on_its_way_is_waited_for),
        FACT(a_parent_that_fails_to_start_leaves_nobody),
        FACT(a_loop_that_ends_answers_who_asked_it),
        FACT(a_loop_that_ends_answers_who_asks_meanwhile),
        FACT(a_loop_may_end_while_others_live),
        cmocka_unit_test(a_runtime_may_be_freed_at_any_time),
    };
    return cmocka_run_group_tests_name("core/apart", tests, NULL, NULL);
}
