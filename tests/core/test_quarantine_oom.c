/* test_quarantine_oom.c - memory runs out while messages are redelivered and put away.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/core/slot_internal.h>
#include <bough/tests/core/quarantine.h>
#include <bough/tests/support/allocator.h>

/* Made whole, or not at all. */
static void a_place_that_redelivers_survives_no_memory(void **state)
{
    struct bough_test *test = *state;
    struct ward ward;
    bool failed = true;

    ward_open(&ward, test, 1);
    for (size_t nth = 1; failed; nth++) {
        struct bough_address place;
        struct bough_place_spec spec = ward.spec;

        spec.name = "b";
        bough_allocator_fail_at(nth);
        const enum bough_status status = bough_place_new(test->loop, &spec, &place);
        failed = bough_allocator_heal();
        assert_status(status, failed ? BOUGH_ENOMEM : BOUGH_OK);
        assert_true(nth > 1 || failed);
    }
    ward_close(&ward);
}

/* Its asker is told and the life is over, whatever becomes of the message, which is
 * counted when it is lost. `nth` 0: there is memory. Whether an allocation failed. */
static bool put_away(struct bough_test *test, size_t nth, size_t *lost)
{
    struct bough_probe_call call;
    struct bough_place_info info;
    struct ward ward;

    ward_open(&ward, test, 1);
    bough_probe_call_init(&call);
    bough_probe_ask(&call, ward.place, BOUGH_PROBE_FAIL, 7);
    bough_allocator_fail_at(nth);
    bough_test_run(test);
    const bool failed = bough_allocator_heal();
    assert_int_equal(call.answers, 1);
    assert_status(call.status, BOUGH_ECRASHED);
    assert_int_equal(ward.watch.exits, 1);
    const size_t kept = ward_look(&ward);
    assert_status(bough_place_info(ward.place, &info), BOUGH_OK);
    assert_int_equal(kept + info.quarantine_lost, 1);
    *lost += info.quarantine_lost;
    ward_close(&ward);
    return failed;
}

/* The pools have all that they need after the first time. */
static void putting_away_survives_no_memory(void **state)
{
    size_t nth = 1, lost = 0;

    assert_false(put_away(*state, 0, &lost));
    assert_int_equal(lost, 0);
    while (put_away(*state, nth, &lost))
        nth++;
    assert_int_equal(lost, 2); /* the entry, and the copy of its bytes */
}

/* Not kept, and said so. */
static void one_that_is_lost_is_reported(void **state)
{
    struct bough_test *test = *state;
    struct ward ward;

    ward_open(&ward, test, 1);
    assert_status(bough_probe_send(ward.place, BOUGH_PROBE_FAIL, 7), BOUGH_OK);
    bough_test_forget(test);
    bough_allocator_fail_from(1);
    bough_test_run(test);
    assert_true(bough_allocator_heal());
    assert_string_equal(test->log, "warning /a: a message \"fail\" has ended 1 life and "
                                   "is lost: no memory to keep it\n");
    assert_int_equal(test->events[1].kind, BOUGH_EVENT_QUARANTINED);
    ward_close(&ward);
}

/* The next try needs no memory. */
static void a_next_try_survives_no_memory(void **state)
{
    struct ward ward;

    ward_open(&ward, *state, 3);
    assert_status(bough_probe_send(ward.place, BOUGH_PROBE_FAIL, 7), BOUGH_OK);
    bough_allocator_fail_from(1);
    bough_test_run(ward.test);
    bough_allocator_heal();
    ward_start(&ward);
    assert_ran(&ward, 7, 7);
    ward_close(&ward);
}

static void putting_back_survives_no_memory(void **state)
{
    struct ward ward;

    ward_open(&ward, *state, 1);
    ward_fail(&ward, 7);
    /* Cells until the pool has none at hand. */
    ward_start(&ward);
    bough_pause(ward.probe.actor);
    ward.place.slot->capacity = UINT32_MAX;
    bough_allocator_fail_from(1);
    while (bough_probe_send(ward.place, BOUGH_PROBE_NOTE, 1) == BOUGH_OK)
        continue;
    assert_status(bough_quarantine_put_back(ward.place, 1, NULL), BOUGH_ENOMEM);
    bough_allocator_heal();
    assert_int_equal(ward_look(&ward), 1);
    assert_status(bough_quarantine_put_back(ward.place, 1, NULL), BOUGH_OK);
    assert_int_equal(ward_look(&ward), 0);
    ward_close(&ward);
}

#define test_of(function) \
    cmocka_unit_test_setup_teardown(function, bough_test_setup, bough_test_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_of(a_place_that_redelivers_survives_no_memory),
        test_of(putting_away_survives_no_memory),
        test_of(one_that_is_lost_is_reported),
        test_of(a_next_try_survives_no_memory),
        test_of(putting_back_survives_no_memory),
    };
    return cmocka_run_group_tests_name("core/quarantine_oom", tests, NULL, NULL);
}
