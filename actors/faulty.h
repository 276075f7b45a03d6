/* faulty.h - an actor that breaks in whatever way it is told: for trying a tree.
 *
 * Inline or on a thread most of these end the whole program, as they would in any actor;
 * in a process of its own (isolation `process`) they are restarts.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_ACTORS_FAULTY_H
#define BOUGH_ACTORS_FAULTY_H

#include <bough/core/actor.h>

/* For child specs. It has no options. */
BOUGH_PUBLIC extern const struct bough_actor_type bough_faulty_type;

/* The handle, as every type has one; a plain value. */
struct bough_faulty {
    struct bough_address address;
};

enum bough_faulty_how {
    BOUGH_FAULTY_SEGV,  /* writes where there is no memory */
    BOUGH_FAULTY_ABORT, /* abort() */
    BOUGH_FAULTY_FPE,   /* divides by zero */
    BOUGH_FAULTY_STACK, /* calls itself until the stack is used up */
    BOUGH_FAULTY_EXIT,  /* _exit(code) */
    BOUGH_FAULTY_ERROR, /* bough_fail(): ends this life and nothing else */
    BOUGH_FAULTY_HOW_COUNT
};

/* Breaks; `code` is for BOUGH_FAULTY_EXIT. The asker is told BOUGH_ECRASHED. For all of
 * these `call` is as in core/call.h: kept by the caller until done() has run. */
BOUGH_PUBLIC void bough_faulty_crash(struct bough_faulty faulty,
                                     enum bough_faulty_how how, int64_t code,
                                     struct bough_call *call);

/* Runs on and on, for `ms` milliseconds of real time, or with BOUGH_FOREVER until
 * somebody ends it. Answered with nothing. */
BOUGH_PUBLIC void bough_faulty_hang(struct bough_faulty faulty, int64_t ms,
                                    struct bough_call *call);

struct bough_faulty_leaked {
    int64_t leaked; /* bytes in all, of this life */
};

/* Takes so many bytes and keeps them as long as it lives; answered with struct
 * bough_faulty_leaked. Errors: BOUGH_ENOMEM. */
BOUGH_PUBLIC void bough_faulty_leak(struct bough_faulty faulty, int64_t size,
                                    struct bough_call *call);

struct bough_faulty_echo {
    struct bough_span text;
};

/* Answers with the same text, in struct bough_faulty_echo, after `delay_ms`; others are
 * run meanwhile. */
BOUGH_PUBLIC void bough_faulty_echo(struct bough_faulty faulty, const char *text,
                                    int64_t delay_ms, struct bough_call *call);

struct bough_faulty_counted {
    int64_t count;
};

/* How many messages this life has run, this one included: struct bough_faulty_counted. */
BOUGH_PUBLIC void bough_faulty_count(struct bough_faulty faulty, struct bough_call *call);

#endif
