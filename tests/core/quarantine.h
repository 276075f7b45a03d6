/* quarantine.h - a place that redelivers, under a root, and what is in its quarantine.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_TESTS_CORE_QUARANTINE_H
#define BOUGH_TESTS_CORE_QUARANTINE_H

#include <stdio.h>

#include <bough/core/quarantine.h>
#include <bough/tests/support/probe.h>

enum { WARD_SEEN = BOUGH_QUARANTINE_MAX + 1 };

struct ward {
    struct bough_test *test;
    struct bough_probe root, probe;
    struct bough_probe_watch watch; /* of the last life */
    struct bough_address top, place;
    struct bough_place_spec spec; /* what the place is made of */
    struct bough_probe_options options;

    /* What was seen by the last ward_look(). */
    struct bough_quarantined seen[WARD_SEEN];
    int64_t numbers[WARD_SEEN]; /* of their messages */
    char senders[WARD_SEEN][32];
    struct bough_exit_reason reasons[WARD_SEEN];
    size_t count;
};

/* The next life, which is watched. */
static inline void ward_start(struct ward *ward)
{
    bough_probe_watch_init(&ward->watch, &ward->probe);
    bough_probe_start(ward->place, &ward->watch);
    bough_test_run(ward->test);
}

/* A root and a place "/a"; `spec` may say more than that. */
static inline void ward_open_as(struct ward *ward, struct bough_test *test,
                                struct bough_place_spec spec)
{
    *ward = (struct ward){ .test = test };
    ward->top = bough_probe_place(test, &ward->root, BOUGH_NOBODY, "/");
    bough_probe_start(ward->top, NULL);
    ward->options.probe = &ward->probe;
    ward->spec = spec;
    if (spec.type == NULL) ward->spec.type = &bough_probe_type;
    ward->spec.options = &ward->options;
    ward->spec.parent = ward->top;
    ward->spec.name = "a";
    assert_status(bough_place_new(test->loop, &ward->spec, &ward->place), BOUGH_OK);
    ward_start(ward);
}

static inline void ward_open(struct ward *ward, struct bough_test *test,
                             uint32_t redeliver)
{
    ward_open_as(ward, test, (struct bough_place_spec){ .redeliver = redeliver });
}

static inline void ward_close(struct ward *ward)
{
    bough_kill(ward->top);
    bough_test_run(ward->test);
    bough_place_free(ward->top, 0);
    bough_test_run(ward->test);
}

static inline void ward_see(void *data, const struct bough_quarantined *one)
{
    struct ward *ward = data;
    const size_t i = ward->count++;

    assert_true(i < WARD_SEEN);
    ward->seen[i] = *one;
    ward->numbers[i] = ((const struct bough_probe_message *)one->message)->number;
    snprintf(ward->senders[i], sizeof(ward->senders[i]), "%s", one->sender);
    ward->reasons[i] = *one->reason;
}

/* How many are in it. */
static inline size_t ward_look(struct ward *ward)
{
    struct bough_place_info info;

    ward->count = 0;
    assert_status(bough_quarantine_visit(ward->place, ward_see, ward), BOUGH_OK);
    assert_status(bough_place_info(ward->place, &info), BOUGH_OK);
    assert_int_equal(info.quarantined, ward->count);
    return ward->count;
}

/* Tells it to fail, and lets the life end. */
static inline void ward_fail(struct ward *ward, int64_t number)
{
    assert_status(bough_probe_send(ward->place, BOUGH_PROBE_FAIL, number), BOUGH_OK);
    bough_test_run(ward->test);
    assert_int_equal(ward->watch.exits, 1);
}

/* The numbers that its lives have run, since the last time. */
static inline void ward_assert_ran(struct ward *ward, const int64_t *numbers,
                                   size_t count)
{
    assert_int_equal(ward->probe.number_count, count);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(ward->probe.numbers[i], numbers[i]);
    ward->probe.number_count = 0;
}

#define assert_ran(ward, ...) \
    ward_assert_ran((ward), (const int64_t[]){ __VA_ARGS__ }, \
                    sizeof((const int64_t[]){ __VA_ARGS__ }) / sizeof(int64_t))

#endif
