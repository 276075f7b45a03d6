/* test_quarantine_back.c - what is in quarantine is put back or dropped, and is bounded.
 *
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include <bough/core/elsewhere.h>
#include <bough/tests/core/apart.h>
#include <bough/tests/core/quarantine.h>

static size_t back(const struct ward *ward, uint64_t number, enum bough_status expected)
{
    size_t count = 99;

    assert_status(bough_quarantine_put_back(ward->place, number, &count), expected);
    return count;
}

static size_t drop(const struct ward *ward, uint64_t number, enum bough_status expected)
{
    size_t count = 99;

    assert_status(bough_quarantine_drop(ward->place, number, &count), expected);
    return count;
}

/* So many are put away, with the numbers 1, 2 ... also as what they say. */
static void fill(struct ward *ward, size_t count)
{
    for (size_t i = 1; i <= count; i++) {
        ward_fail(ward, (int64_t)i);
        ward_start(ward);
    }
    ward->probe.number_count = 0;
}

/* Putting back */

static void one_is_put_back_behind_what_waits(void **state)
{
    struct ward ward;

    ward_open(&ward, *state, 1);
    fill(&ward, 3);
    assert_status(bough_probe_send(ward.place, BOUGH_PROBE_NOTE, 9), BOUGH_OK);
    assert_int_equal(back(&ward, 2, BOUGH_OK), 1);
    assert_int_equal(ward_look(&ward), 2);
    assert_int_equal(ward.numbers[0], 1);
    assert_int_equal(ward.numbers[1], 3);
    bough_test_run(ward.test);
    assert_ran(&ward, 9, 2);
    /* It has failed again, and is a new one. */
    assert_int_equal(ward_look(&ward), 3);
    assert_int_equal(ward.seen[2].number, 4);
    assert_int_equal(ward.seen[2].lives, 1);
    assert_false(ward.seen[2].asked);
    ward_close(&ward);
}

static void all_are_put_back_in_their_order(void **state)
{
    struct ward ward;

    ward_open(&ward, *state, 1);
    fill(&ward, 3);
    assert_int_equal(back(&ward, BOUGH_QUARANTINE_ALL, BOUGH_OK), 3);
    assert_int_equal(ward_look(&ward), 0);
    bough_kill(ward.place);
    bough_test_run(ward.test);
    for (int life = 0; life < 3; life++)
        ward_start(&ward);
    assert_ran(&ward, 1, 2, 3);
    ward_close(&ward);
}

/* What it has ended is forgotten. */
static void it_has_all_its_tries_again(void **state)
{
    struct ward ward;

    ward_open(&ward, *state, 2);
    ward_fail(&ward, 1);
    ward_start(&ward);
    assert_int_equal(ward_look(&ward), 1);
    assert_int_equal(back(&ward, 1, BOUGH_OK), 1);
    ward_start(&ward);
    assert_int_equal(ward.watch.exits, 1);
    assert_int_equal(ward_look(&ward), 0);
    ward_start(&ward);
    assert_int_equal(ward_look(&ward), 1);
    assert_int_equal(ward.seen[0].lives, 2);
    ward_close(&ward);
}

static bool was_high;

static void fail_once(struct bough_actor *actor, struct bough_probe *probe,
                      int64_t number)
{
    (void)number;
    was_high = bough_is_high(actor);
    if (probe->inits == 1) bough_fail(actor, BOUGH_EFAILED, "once");
}

static void its_priority_is_kept(void **state)
{
    const struct bough_probe_message message = { BOUGH_PROBE_HOOK, 1 };
    struct ward ward;

    ward_open(&ward, *state, 1);
    ward.probe.hook = fail_once;
    assert_status(bough_send_high(ward.place, &message, sizeof(message)), BOUGH_OK);
    bough_test_run(ward.test);
    ward_start(&ward);
    assert_int_equal(ward_look(&ward), 1);
    assert_true(ward.seen[0].high);
    assert_status(bough_probe_send(ward.place, BOUGH_PROBE_NOTE, 2), BOUGH_OK);
    was_high = false;
    back(&ward, 1, BOUGH_OK);
    bough_test_run(ward.test);
    assert_true(was_high);
    assert_ran(&ward, 1, 1, 2);
    ward_close(&ward);
}

/* Whatever the receiver does with others. */
static void for_a_full_mailbox_it_stays(void **state)
{
    static const enum bough_when_full kinds[] = { BOUGH_REFUSE, BOUGH_WAIT,
                                                  BOUGH_DROP_OLDEST, BOUGH_DROP_NEWEST };

    for (size_t i = 0; i < bough_count_of(kinds); i++) {
        struct bough_place_info info;
        struct ward ward;

        ward_open_as(&ward, *state,
                     (struct bough_place_spec){
                         .redeliver = 1, .capacity = 2, .when_full = kinds[i] });
        fill(&ward, 2);
        bough_pause(ward.probe.actor);
        assert_status(bough_probe_send(ward.place, BOUGH_PROBE_NOTE, 9), BOUGH_OK);
        assert_int_equal(back(&ward, BOUGH_QUARANTINE_ALL, BOUGH_EFULL), 1);
        assert_int_equal(back(&ward, 2, BOUGH_EFULL), 0);
        assert_int_equal(ward_look(&ward), 1);
        assert_int_equal(ward.seen[0].number, 2);
        assert_status(bough_place_info(ward.place, &info), BOUGH_OK);
        assert_int_equal(info.mailbox_length, 2);
        assert_int_equal(info.dropped, 0);
        bough_resume(ward.probe.actor);
        bough_test_run(ward.test);
        assert_ran(&ward, 9, 1);
        ward_close(&ward);
    }
}

static void where_nobody_is_expected_it_stays(void **state)
{
    struct ward ward;

    ward_open(&ward, *state, 1);
    ward_fail(&ward, 1);
    bough_place_mark(ward.place, BOUGH_PLACE_STOPPED);
    bough_test_forget(ward.test);
    assert_int_equal(back(&ward, 1, BOUGH_EGONE), 0);
    assert_int_equal(ward_look(&ward), 1);
    assert_string_equal(ward.test->log, "");
    ward_close(&ward);
}

static void another_type_does_not_get_it(void **state)
{
    struct bough_actor_type other = bough_probe_type;
    struct ward ward;

    ward_open(&ward, *state, 1);
    ward_fail(&ward, 1);
    other.name = "other";
    ward.spec.type = &other;
    assert_status(bough_place_new(ward.test->loop, &ward.spec, &ward.place), BOUGH_OK);
    ward_start(&ward);
    assert_int_equal(back(&ward, 1, BOUGH_EINVALID), 0);
    assert_int_equal(ward_look(&ward), 1);
    assert_ptr_equal(ward.seen[0].type, &bough_probe_type);
    ward_close(&ward);
}

static void what_is_not_there_is_told(void **state)
{
    struct ward ward;

    ward_open(&ward, *state, 1);
    assert_int_equal(back(&ward, 1, BOUGH_ENOTFOUND), 0);
    assert_int_equal(drop(&ward, 1, BOUGH_ENOTFOUND), 0);
    assert_int_equal(back(&ward, BOUGH_QUARANTINE_ALL, BOUGH_OK), 0);
    assert_int_equal(drop(&ward, BOUGH_QUARANTINE_ALL, BOUGH_OK), 0);
    const struct bough_address place = ward.place;
    ward_close(&ward);
    ward.place = place;
    assert_status(bough_quarantine_visit(place, ward_see, &ward), BOUGH_EGONE);
    assert_status(bough_quarantine_put_back(place, 1, NULL), BOUGH_EGONE);
    assert_status(bough_quarantine_drop(BOUGH_NOBODY, 1, NULL), BOUGH_EGONE);
}

/* Dropping */

static void one_or_all_are_dropped(void **state)
{
    struct ward ward;

    ward_open(&ward, *state, 1);
    fill(&ward, 4);
    assert_int_equal(drop(&ward, 4, BOUGH_OK), 1);
    assert_int_equal(drop(&ward, 1, BOUGH_OK), 1);
    assert_int_equal(ward_look(&ward), 2);
    ward_fail(&ward, 5); /* behind the last one, which is not the one that was */
    assert_int_equal(ward_look(&ward), 3);
    assert_int_equal(ward.seen[2].number, 5);
    assert_int_equal(drop(&ward, BOUGH_QUARANTINE_ALL, BOUGH_OK), 3);
    assert_int_equal(ward_look(&ward), 0);
    ward_close(&ward);
}

/* Bounds */

static void the_oldest_make_room(void **state)
{
    struct bough_place_info info;
    struct ward ward;

    ward_open(&ward, *state, 1);
    fill(&ward, BOUGH_QUARANTINE_MAX + 2);
    assert_int_equal(ward_look(&ward), BOUGH_QUARANTINE_MAX);
    assert_int_equal(ward.seen[0].number, 3);
    assert_int_equal(ward.numbers[BOUGH_QUARANTINE_MAX - 1], BOUGH_QUARANTINE_MAX + 2);
    assert_status(bough_place_info(ward.place, &info), BOUGH_OK);
    assert_int_equal(info.quarantine_lost, 2);
    ward_close(&ward);
}

static void fails_with_much(struct bough_actor *actor, const void *message, size_t size)
{
    (void)message, (void)size;
    bough_fail(actor, BOUGH_EFAILED, "too much");
}

static void send_much(struct ward *ward, size_t size)
{
    char *bytes = calloc(1, size);
    const struct bough_probe_message head = { BOUGH_PROBE_NOTE, (int64_t)size };

    memcpy(bytes, &head, sizeof(head));
    assert_status(bough_send(ward->place, bytes, size), BOUGH_OK);
    free(bytes);
    bough_test_run(ward->test);
    ward_start(ward);
}

/* Of large ones there are fewer, but always the newest. */
static void their_bytes_are_bounded(void **state)
{
    struct bough_actor_type type = bough_probe_type;
    struct ward ward;

    type.run = fails_with_much;
    ward_open_as(&ward, *state,
                 (struct bough_place_spec){ .type = &type, .redeliver = 1 });
    send_much(&ward, 4096);
    send_much(&ward, BOUGH_QUARANTINE_SIZE / 2);
    send_much(&ward, BOUGH_QUARANTINE_SIZE / 2 - 4096);
    assert_int_equal(ward_look(&ward), 3);
    send_much(&ward, 5000);
    assert_int_equal(ward_look(&ward), 2);
    assert_int_equal(ward.seen[0].number, 3);
    send_much(&ward, BOUGH_QUARANTINE_SIZE + 1);
    assert_int_equal(ward_look(&ward), 1);
    assert_int_equal(ward.seen[0].size, BOUGH_QUARANTINE_SIZE + 1);
    assert_int_equal(ward.numbers[0], BOUGH_QUARANTINE_SIZE + 1);
    assert_int_equal(back(&ward, 5, BOUGH_OK), 1);
    bough_test_run(ward.test);
    assert_int_equal(ward_look(&ward), 1);
    assert_int_equal(ward.seen[0].number, 6);
    ward_close(&ward);
}

/* A place that is made anew keeps what it has, and asks no more when it is told so. */
static void a_place_made_anew_keeps_them(void **state)
{
    struct ward ward;

    ward_open(&ward, *state, 1);
    ward_fail(&ward, 1);
    ward.spec.redeliver = 0;
    assert_status(bough_place_new(ward.test->loop, &ward.spec, &ward.place), BOUGH_OK);
    ward_start(&ward);
    assert_int_equal(ward_look(&ward), 1);
    ward_fail(&ward, 2);
    assert_int_equal(ward_look(&ward), 1);
    ward.spec.redeliver = 3;
    assert_status(bough_place_new(ward.test->loop, &ward.spec, &ward.place), BOUGH_OK);
    ward_start(&ward);
    ward_fail(&ward, 3);
    assert_int_equal(ward_look(&ward), 1);
    ward_close(&ward);
}

/* On a loop of its own */

static void open_apart(struct apart *apart, void *state, uint32_t redeliver)
{
    apart_open(apart, state);
    apart->capacity = 2;
    apart->redeliver = redeliver;
    apart_start(apart);
}

static void it_is_the_same_on_a_loop_of_its_own(void **state)
{
    struct bough_probe_call call;
    struct apart apart;
    struct ward ward = { .test = *state };
    size_t count;

    open_apart(&apart, *state, 2);
    ward.place = apart.place;
    bough_probe_call_init(&call);
    bough_probe_ask(&call, apart.place, BOUGH_PROBE_FAIL, 5);
    apart_run(&apart);
    assert_int_equal(call.answers, 0);
    apart_start(&apart);
    assert_int_equal(call.answers, 1);
    assert_status(call.status, BOUGH_ECRASHED);
    assert_int_equal(ward_look(&ward), 1);
    assert_int_equal(ward.numbers[0], 5);
    assert_true(ward.seen[0].asked);
    assert_status(bough_quarantine_put_back(apart.place, 1, &count), BOUGH_OK);
    assert_int_equal(count, 1);
    assert_int_equal(ward_look(&ward), 0);
    apart_start(&apart);
    apart_start(&apart);
    assert_int_equal(apart.probe.runs, 4);
    assert_int_equal(ward_look(&ward), 1);
    assert_status(bough_quarantine_drop(apart.place, 2, NULL), BOUGH_OK);
    apart_close(&apart);
}

static void a_full_mailbox_there_is_known_at_once(void **state)
{
    struct apart apart;
    struct ward ward = { .test = *state };

    open_apart(&apart, *state, 1);
    ward.place = apart.place;
    assert_status(bough_probe_send(apart.place, BOUGH_PROBE_FAIL, 1), BOUGH_OK);
    apart_run(&apart);
    assert_int_equal(ward_look(&ward), 1);
    assert_status(bough_probe_send(apart.place, BOUGH_PROBE_NOTE, 2), BOUGH_OK);
    assert_status(bough_probe_send(apart.place, BOUGH_PROBE_NOTE, 3), BOUGH_OK);
    assert_status(bough_quarantine_put_back(apart.place, 1, NULL), BOUGH_EFULL);
    assert_int_equal(ward_look(&ward), 1);
    apart_start(&apart);
    assert_status(bough_quarantine_put_back(apart.place, 1, NULL), BOUGH_OK);
    apart_run(&apart);
    assert_int_equal(apart.probe.runs, 4);
    apart_close(&apart);
}

#define test_of(function) \
    cmocka_unit_test_setup_teardown(function, bough_test_setup, bough_test_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_of(one_is_put_back_behind_what_waits),
        test_of(all_are_put_back_in_their_order),
        test_of(it_has_all_its_tries_again),
        test_of(its_priority_is_kept),
        test_of(for_a_full_mailbox_it_stays),
        test_of(where_nobody_is_expected_it_stays),
        test_of(another_type_does_not_get_it),
        test_of(what_is_not_there_is_told),
        test_of(one_or_all_are_dropped),
        test_of(the_oldest_make_room),
        test_of(their_bytes_are_bounded),
        test_of(a_place_made_anew_keeps_them),
        test_of(it_is_the_same_on_a_loop_of_its_own),
        test_of(a_full_mailbox_there_is_known_at_once),
    };
    return cmocka_run_group_tests_name("core/quarantine_back", tests, NULL, NULL);
}
