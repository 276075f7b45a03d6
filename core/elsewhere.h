/* elsewhere.h - for an actor that stands for one which runs elsewhere, in another
 * process.
 *
 * Such an actor hands its messages on and must not lose them when what it stands for
 * breaks: so they stay its mailbox's until they have been run over there. Its end, too,
 * is over only when what runs elsewhere is gone.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_CORE_ELSEWHERE_H
#define BOUGH_CORE_ELSEWHERE_H

#include <stdatomic.h>

#include <bough/core/actor.h>
#include <bough/core/task.h>

/* A message that is held. It counts as one that waits, against the mailbox's capacity,
 * until bough_held_over() or bough_held_return(). Belongs to the actor, which ends it
 * before its finish() returns, in one of these ways: it was run, and answered if it was
 * asked; or it is returned. Thread: the loop's. */
struct bough_held;

/* The next message of the mailbox, held, whether or not messages are run now: so that one
 * which is starting can hand on what waits for it already. NULL: there is none, or memory
 * is out. Not in run_batch(). */
BOUGH_PUBLIC struct bough_held *bough_hold_next(struct bough_actor *actor);

/* The message itself; its bytes are valid as long as it is held. */
struct bough_held_message {
    struct bough_held *held;
    const void *bytes;
    size_t size;
    bool high;
    bool asked; /* somebody waits for its answer */
};
BOUGH_PUBLIC struct bough_held_message bough_held_message(struct bough_held *held);

/* In run_batch(), instead of bough_batch_next(): takes up to `most` messages, which are
 * held. How many; 0: the turn is over. Only for types that say `holds`. */
BOUGH_PUBLIC size_t bough_batch_hold(struct bough_batch *batch,
                                     struct bough_held_message *messages, size_t most);

/* Answers it: a reply with BOUGH_OK, a sentence with any other status. Nothing when
 * nobody asks. `held` stays. */
BOUGH_PUBLIC void bough_held_answer(struct bough_held *held, enum bough_status status,
                                    const void *reply, size_t size);

/* Several of one actor, in their order, have been run, and wait no more: releases them,
 * up to the first for which somebody still asks, who is to be answered. That one has been
 * run, too, and stays. How many were released. */
BOUGH_PUBLIC BOUGH_CHECKED size_t bough_held_over(struct bough_held *const *held,
                                                  size_t count);

/* Releases one that has been run. Who still asks is told why this life ends (in
 * finish()), else that there is no reply. */
BOUGH_PUBLIC void bough_held_free(struct bough_held *held);

/* It has not been run: it is the first in the mailbox again, so of several the last is
 * returned first. In finish(); the next life gets it, or whoever is told that this life
 * is gone. Releases `held`. */
BOUGH_PUBLIC void bough_held_return(struct bough_held *held);

/* In finish(): it was being run when the life ended; `blamed`: which ended by that. It
 * has crashed, unless its place redelivers (place.h), which blames it or runs it again.
 * Releases `held`. */
BOUGH_PUBLIC void bough_held_broke(struct bough_held *held, bool blamed);

/* The end of a life that waits for something outside. */
struct bough_linger {
    /* The end has begun, for that reason: what runs elsewhere is to go. At once: the
     * runtime ends, and nobody polls any more, so bough_linger_over() must have been
     * called when this returns. Nothing of the actor runs after it but finish(). */
    void (*ends)(struct bough_linger *linger, const struct bough_exit_reason *reason,
                 bool at_once);

    /* private */
    struct bough_owned owned;
    struct bough_actor *actor;
};

/* From now on this life, of a place with a name, does not end before
 * bough_linger_over(), which may come before or after ends(). */
BOUGH_PUBLIC void bough_linger(struct bough_actor *actor, struct bough_linger *linger);
BOUGH_PUBLIC void bough_linger_over(struct bough_linger *linger);

/* The one that this actor stands for has ended for that reason: whoever watches this life
 * is told so, as if it had, and the actor stands for the next one. Nothing else of it
 * ends. */
BOUGH_PUBLIC void bough_next_life(struct bough_actor *actor,
                                  const struct bough_exit_reason *reason);

/* Around code that a watcher of libev makes run, outside of any actor's callbacks, before
 * it calls anything of an actor's or of this header. */
BOUGH_PUBLIC void bough_loop_begin(struct bough_loop *loop);
BOUGH_PUBLIC void bough_loop_end(struct bough_loop *loop);

/* What status and events show of this life: its process; 0: none. */
BOUGH_PUBLIC void bough_show_pid(struct bough_actor *actor, int64_t pid);

/* That process has ended, having used so much processor time, which counts for the place:
 * there is none now. */
BOUGH_PUBLIC void bough_show_spent(struct bough_actor *actor, int64_t cpu_ms);

/* Whether the message that is being run has high priority. */
BOUGH_PUBLIC bool bough_is_high(struct bough_actor *actor);

/* That of its place; BOUGH_INLINE without a name. */
BOUGH_PUBLIC enum bough_isolation bough_actor_isolation(struct bough_actor *actor);

/* The actor above it, when that lives on the same loop; else NULL. */
BOUGH_PUBLIC struct bough_actor *bough_parent(struct bough_actor *actor);

/* The other side of it, in the process where the messages are run: who wants to know of
 * each message that was sent marked. Both are told from inside the turn that it has. */
struct bough_run_observers {
    /* One has been run; so many of its priority are `done`. One by which its life is to
     * end is not done, and is not answered here. */
    void (*ran)(void *data, uint32_t done);

    /* The answer to one that was given `id`; from inside the function that answers. A
     * sentence with a status other than BOUGH_OK. */
    void (*answer)(void *data, uint64_t id, enum bough_status status, const void *reply,
                   size_t size);
    void *data;
};

/* Once for a loop, before any of its places is observed. False when memory is out. */
BOUGH_PUBLIC BOUGH_CHECKED bool
bough_observe_runs(struct bough_loop *loop, const struct bough_run_observers *observers);

/* How far the messages of one priority have come, counted from the first one ever; both
 * in a word, so that they are read as one. */
union bough_progress {
    struct {
        uint32_t begun, done;
    };
    uint64_t all;
};

/* A place of that loop, with a name, is observed for as long as it is there. `progress`:
 * where it is said how far its messages have come, of normal and of high priority; each
 * is begun before it is run, and done after that, a store each, which is there whatever
 * happens next. Not changed by anybody else while a message is run. */
BOUGH_PUBLIC void bough_observe_place(struct bough_address place, uint32_t number,
                                      _Atomic uint64_t progress[2]);

/* Whether a message that was sent marked is being run now. */
BOUGH_PUBLIC bool bough_loop_runs_marked(const struct bough_loop *loop);

/* Where such a loop says what it runs, for who watches it from outside: another number
 * with each handler that begins. The upper half is the number of the place that is
 * observed plus 1, or 0 for anybody else; all ones: the loop rests, and nobody runs. What
 * is zero has not begun. Relaxed stores. */
#define BOUGH_BEAT_RESTS UINT32_MAX
BOUGH_PUBLIC void bough_loop_beat_at(struct bough_loop *loop, _Atomic uint64_t *beat);

/* Nothing is ready there, nothing is due, no descriptor is watched, and nobody has asked
 * for the libev loop: who sees to letters need not poll that. */
BOUGH_PUBLIC bool bough_loop_awaits_letters(const struct bough_loop *loop);

/* Runs what is ready, up to a turn's time, and what comes meanwhile. True: something has,
 * by a letter or an inlet, so that whoever runs the loop is to look around before it
 * sleeps. */
BOUGH_PUBLIC bool bough_loop_run_slice(struct bough_loop *loop);

/* Whether the loops of its runtime may look for a while for what comes, before they
 * sleep: `no_spin` of the runtime's options. */
BOUGH_PUBLIC bool bough_loop_may_spin(const struct bough_loop *loop);
BOUGH_PUBLIC void bough_loop_let_spin(struct bough_loop *loop, bool may);

/* Before its next sleep the loop lets others run, if it may look for a while: somebody
 * who has just been woken will answer soon, and may have to wait for this processor. */
BOUGH_PUBLIC void bough_loop_offer_processor(struct bough_loop *loop);

/* Memory shared with another process, where something may come in that is no letter. An
 * open one is looked at by the loop itself, between turns and for a while before it
 * sleeps, so that nobody has to wake it. Belongs to who opens it, and is closed before
 * its memory goes. Thread: the loop's. */
struct bough_inlet {
    /* Whether something is there. Called often. */
    bool (*waits)(const struct bough_inlet *inlet);

    /* Takes it in; as between bough_loop_begin() and bough_loop_end(). */
    void (*take)(struct bough_inlet *inlet);

    /* The loop is about to sleep: who puts something there has to wake it from now on,
     * and the inlet is closed. False: something is there after all. Like take(). */
    bool (*sleep)(struct bough_inlet *inlet);

    /* private */
    struct bough_loop *loop; /* NULL: closed */
    struct bough_inlet *prev, *next;
};
BOUGH_PUBLIC void bough_inlet_open(struct bough_loop *loop, struct bough_inlet *inlet);
BOUGH_PUBLIC void bough_inlet_close(struct bough_inlet *inlet);

/* Around the poll of the libev loop, and whatever else it waits in. */
BOUGH_PUBLIC void bough_loop_rests(const struct bough_loop *loop);
BOUGH_PUBLIC void bough_loop_wakes(const struct bough_loop *loop);

/* The path of whose handler is on the stack; NULL: nobody's, or one without a name. Safe
 * in a signal handler on the loop's thread. */
BOUGH_PUBLIC const char *bough_loop_runs(const struct bough_loop *loop);

/* As bough_send(), marked, to a place that is observed; `asked`: it is a question of that
 * `id`. Whoever sends has them waiting: so there is always room, and those that a life
 * has not run are forgotten at its end, and nobody is told. */
struct bough_marked {
    const void *message;
    size_t size;
    bool high, asked;
    uint64_t id;
};
BOUGH_PUBLIC BOUGH_CHECKED enum bough_status
bough_send_marked(struct bough_address address, const struct bough_marked *marked);

/* The same, and it is run at once, as long as it is not in a hurry and nothing is in its
 * way: not what waits for that place, nor a stop or an end of anybody. Then it is not
 * copied: the actor is given `message` itself, which is aligned to 16 bytes, and has four
 * that can be read. Between bough_loop_begin() and bough_loop_end(). */
BOUGH_PUBLIC BOUGH_CHECKED enum bough_status
bough_run_marked(struct bough_address address, const struct bough_marked *marked);

#endif
