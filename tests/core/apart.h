/* apart.h - a root on the test's loop and a place below it on a loop of its own, for
 * tests.
 *
 *     struct apart apart;
 *     apart_open(&apart, *state);
 *     apart_start(&apart);
 *     bough_probe_send(apart.place, BOUGH_PROBE_NOTE, 1);
 *     apart_run(&apart);
 *     apart_close(&apart);
 *
 * On the virtual clock both loops are run by apart_run(), and every letter between them
 * goes the whole way; bough_test_run() runs the test's loop alone.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_TESTS_CORE_APART_H
#define BOUGH_TESTS_CORE_APART_H

#include <bough/tests/support/probe.h>

struct apart {
    struct bough_test *test;
    struct bough_probe root, probe;
    struct bough_probe_watch watch; /* the place's lives */
    struct bough_address top, place;
    uint32_t capacity, redeliver;
    enum bough_when_full when_full;
    enum bough_on_restart on_restart;
};

static inline void apart_run(struct apart *apart)
{
    bough_test_advance(apart->test, 0);
}

static inline enum bough_status apart_try_place(struct apart *apart,
                                                struct bough_probe *probe,
                                                const char *name,
                                                struct bough_address *place)
{
    const struct bough_probe_options options = { .probe = probe };
    const struct bough_place_spec spec = {
        .type = &bough_probe_type,
        .options = &options,
        .parent = apart->top,
        .name = name,
        .capacity = apart->capacity,
        .when_full = apart->when_full,
        .on_restart = apart->on_restart,
        .isolation = BOUGH_THREAD,
        .redeliver = apart->redeliver,
    };

    return bough_place_new(apart->test->loop, &spec, place);
}

/* Another place on a loop of its own, below the root. */
static inline struct bough_address
apart_place(struct apart *apart, struct bough_probe *probe, const char *name)
{
    struct bough_address place;

    assert_status(apart_try_place(apart, probe, name, &place), BOUGH_OK);
    return place;
}

/* The root alone; the place is made by apart_start(), of what is set until then. */
static inline void apart_open(struct apart *apart, void *state)
{
    *apart = (struct apart){ .test = state };
    apart->top = bough_probe_place(apart->test, &apart->root, BOUGH_NOBODY, "/");
    bough_probe_start(apart->top, NULL);
}

/* Starts a life in the place, which is made if need be. */
static inline void apart_start(struct apart *apart)
{
    if (apart->place.slot == NULL) apart->place = apart_place(apart, &apart->probe, "a");
    bough_probe_watch_init(&apart->watch, &apart->probe);
    bough_probe_start(apart->place, &apart->watch);
    apart_run(apart);
}

static inline void apart_close(struct apart *apart)
{
    bough_kill(apart->top);
    apart_run(apart);
    bough_place_free(apart->top, 0);
    apart_run(apart);
}

/* The loop that the place lives on; it lives. */
static inline struct bough_loop *apart_loop(const struct apart *apart)
{
    return bough_actor_loop(apart->probe.actor);
}

#endif
