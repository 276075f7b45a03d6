/* probe.h - an actor that does what a test tells it, and a call and a watch that keep
 * count.
 *
 * The probe's records belong to the test and outlive the actor: that a life has ended can
 * be seen in them. What a message makes it do is the message's kind; `hook` is for the
 * rest.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_TESTS_SUPPORT_PROBE_H
#define BOUGH_TESTS_SUPPORT_PROBE_H

#include <bough/core/actor.h>
#include <bough/core/place.h>
#include <bough/tests/support/fixture.h>

enum bough_probe_kind {
    BOUGH_PROBE_NOTE,   /* no answer */
    BOUGH_PROBE_ECHO,   /* answers the number */
    BOUGH_PROBE_REFUSE, /* refuses with a sentence */
    BOUGH_PROBE_LATER,  /* keeps the question in `question` */
    BOUGH_PROBE_FAIL,   /* ends with an error */
    BOUGH_PROBE_LEAVE,  /* ends normally */
    BOUGH_PROBE_READY,  /* says that it is ready */
    BOUGH_PROBE_HOOK,   /* calls `hook` */
    BOUGH_PROBE_KIND_COUNT
};

struct bough_probe_message {
    enum bough_probe_kind kind;
    int64_t number;
};

enum { BOUGH_PROBE_NUMBERS = 64 };

struct bough_probe {
    /* What it is to do. */
    enum bough_status init_status; /* what init returns */
    bool starts_later;             /* init says that it is not ready */
    bool ends_later;               /* stop() does not end it */
    void (*on_init)(struct bough_actor *actor, struct bough_probe *probe);
    void (*on_stop)(struct bough_actor *actor, struct bough_probe *probe);
    void (*on_finish)(struct bough_actor *actor, struct bough_probe *probe);
    void (*hook)(struct bough_actor *actor, struct bough_probe *probe, int64_t number);
    void *data;

    /* What it has seen. */
    struct bough_actor *actor; /* while it lives */
    unsigned inits, runs, stops, finishes;
    int64_t numbers[BOUGH_PROBE_NUMBERS]; /* the first ones */
    size_t number_count;
    struct bough_question *question;
};

struct bough_probe_options {
    struct bough_probe *probe;
};

extern const struct bough_actor_type bough_probe_type;

/* A watch that counts. */
struct bough_probe_watch {
    struct bough_watch watch;
    unsigned readies, exits;
    struct bough_exit_reason reason;
    unsigned finishes_seen; /* of `probe`, when it exited */
    const struct bough_probe *probe;
};

/* A call that counts. */
struct bough_probe_call {
    struct bough_call call;
    unsigned answers;
    enum bough_status status;
    int64_t number;
    char text[128]; /* the sentence of another status than ok */
};

/* Sets the callbacks; the counts become 0. */
void bough_probe_watch_init(struct bough_probe_watch *watch,
                            const struct bough_probe *probe);
void bough_probe_call_init(struct bough_probe_call *call);

/* Spawns one without a name; fails the test when it cannot. `watch` may be NULL. */
struct bough_address bough_probe_spawn(struct bough_test *test, struct bough_probe *probe,
                                       struct bough_probe_watch *watch);

/* Makes a place for one, without starting it; `parent` BOUGH_NOBODY and "/": a root. */
struct bough_address bough_probe_place(struct bough_test *test, struct bough_probe *probe,
                                       struct bough_address parent, const char *name);

/* Starts a life in a place; fails the test when it cannot. */
void bough_probe_start(struct bough_address place, struct bough_probe_watch *watch);

enum bough_status bough_probe_send(struct bough_address address,
                                   enum bough_probe_kind kind, int64_t number);

/* Asks; the answer comes to `call`, whose owner and timeout the test may have set. */
void bough_probe_ask(struct bough_probe_call *call, struct bough_address address,
                     enum bough_probe_kind kind, int64_t number);

/* Asks and runs until it is answered: once, and not from inside the asking. */
struct bough_probe_call bough_probe_ask_once(struct bough_test *test,
                                             struct bough_address address,
                                             enum bough_probe_kind kind, int64_t number);

/* Kills it, and runs until nothing is left of it. */
void bough_probe_end(struct bough_test *test, struct bough_address address);

#endif
