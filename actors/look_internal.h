/* look_internal.h - one look at how somebody is: whether anybody listens at an address,
 * or what a program says of it.
 *
 * A look belongs to an actor and is embedded in what that has; it uses the actor's
 * sources and timers.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_ACTORS_LOOK_INTERNAL_H
#define BOUGH_ACTORS_LOOK_INTERNAL_H

#include <bough/actors/job_internal.h>
#include <bough/core/timer.h>

enum { BOUGH_LOOK_TEXT = 160 };

/* Zeroed: it does not look. */
struct bough_look {
    void (*done)(struct bough_actor *actor, struct bough_look *look, bool good);
    char text[BOUGH_LOOK_TEXT]; /* what is wrong, when it is */

    /* private */
    struct bough_source source;
    struct bough_timer timer;
    int fd;
    struct bough_job *job;
    bool looks;
};

/* What to look at: one of these. */
struct bough_look_at {
    const char *tcp; /* as bough_tcp_parse() has it */
    const char *const *exec;
    const struct bough_spawn_options *ways; /* of exec */
};

/* Begins to look; done() is called once, and not from within. What cannot even be begun
 * is a look that went wrong. */
void bough_look_start(struct bough_actor *actor, struct bough_look *look,
                      const struct bough_look_at *at, int64_t timeout_ms);

bool bough_look_is_running(const struct bough_look *look);

/* Stops looking, and releases all; fine on a zeroed one. */
void bough_look_stop(struct bough_actor *actor, struct bough_look *look);

#endif
