/* place.h - places with names: where lives follow one another.
 *
 * A place is a slot that is kept between lives: it has a mailbox, a name under its
 * parent, and so a path. Supervision is built on this: it makes a place for each child,
 * starts a life in it, is told by the watch when that life has ended, and starts the next
 * one.
 *
 * A child place belongs to its parent's place, not to the parent's life: when a
 * supervisor is restarted, its children's places, what waits in their mailboxes and every
 * address of them stay good. A life ends only after the lives in the places under it have
 * ended; they are killed if need be.
 *
 * A place with isolation `thread` lies on a loop of a thread of its own. It is made,
 * started, marked and freed from its parent's loop all the same; what its init returns is
 * then told by the watch. Thread: that of the parent's loop (a root's: its own) for what
 * makes, starts, marks and frees; any that runs a loop of the runtime for what finds and
 * shows.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_CORE_PLACE_H
#define BOUGH_CORE_PLACE_H

#include <bough/core/actor.h>

enum { BOUGH_NAME_MAX = 64, BOUGH_PATH_MAX = 1024 };

/* 1 to 64 of A-Z a-z 0-9 _ . - and not "." or "..". */
BOUGH_PUBLIC bool bough_name_valid(const char *name);

/* "/" or "/name/name...", every name valid, shorter than BOUGH_PATH_MAX. */
BOUGH_PUBLIC bool bough_path_valid(const char *path);

enum bough_place_state {
    BOUGH_PLACE_RESERVED, /* known by name, not started yet: takes messages */
    BOUGH_PLACE_STARTING, /* init has run, not ready */
    BOUGH_PLACE_RUNNING,
    BOUGH_PLACE_STOPPING,   /* asked to end, or ending */
    BOUGH_PLACE_RESTARTING, /* between lives: takes messages */
    BOUGH_PLACE_STOPPED,    /* nobody, and nobody expected: gone */
    BOUGH_PLACE_FAILED,     /* the same, after a fault */
    BOUGH_PLACE_STATE_COUNT
};

/* "reserved" prints as "stopped" does in `bough status`: names in lower case, never NULL.
 */
BOUGH_PUBLIC const char *bough_place_state_name(enum bough_place_state state);

enum bough_on_restart {
    BOUGH_KEEP,   /* what was sent to the place waits for the next life */
    BOUGH_DISCARD /* its callers are told `gone` */
};

/* Where the lives of a place are. */
enum bough_isolation {
    BOUGH_INLINE, /* on the loop of the place above it */
    BOUGH_THREAD, /* on a loop of a thread of its own, with all that is below it */
    /* In a process of its own. For the core it is as `inline`: what lives there is an
     * actor that stands for the other one (elsewhere.h), whose type is `speaks`. */
    BOUGH_PROCESS,
    BOUGH_ISOLATION_COUNT
};

/* "inline", "thread", "process", then NULL: fit for a BOUGH_CHOICE. */
BOUGH_PUBLIC extern const char *const bough_isolation_names[];

/* What becomes of a message for which there is no room, by the receiver's choice. What is
 * lost counts in `dropped`. */
enum bough_when_full {
    BOUGH_REFUSE, /* its sender is told BOUGH_EFULL at once */
    /* It is taken, and the actor that sent it runs no more messages until half of the
     * mailbox is free; its timers, sources, answers, watches and stops go on. Where that
     * would close a circle of actors that wait for each other, it is not held up. Who is
     * not, and who sends on regardless, is told BOUGH_EFULL at twice the capacity. */
    BOUGH_WAIT,
    BOUGH_DROP_OLDEST, /* it takes the place of the oldest, whose asker is told
                          BOUGH_EFULL */
    BOUGH_DROP_NEWEST, /* it is dropped: a send is BOUGH_OK, a call is answered
                        * BOUGH_EFULL
                        */
    BOUGH_WHEN_FULL_COUNT
};

enum { BOUGH_MAILBOX_CAPACITY = 1024 }; /* messages, when capacity is 0 */

struct bough_place_spec {
    const struct bough_actor_type *type;
    const void *options;         /* copied; NULL: fallbacks */
    bool shares_options;         /* they are from bough_options_copy(): shared instead */
    struct bough_address parent; /* BOUGH_NOBODY: a root */
    const char *name;  /* copied; NULL: no name (no path, no events). "/" for a root */
    uint32_t capacity; /* of the mailbox, in messages; 0: the default */
    enum bough_on_restart on_restart;
    enum bough_when_full when_full;
    /* How many lives a message may end: then it is put into quarantine (quarantine.h);
     * before that it is the first that the next life runs. 0: it is neither run again
     * nor kept. */
    uint32_t redeliver;
    const char *restart; /* the policy, for status: a static string, or NULL */
    enum bough_isolation isolation;
    /* One that is taken over stays where it is among its siblings; else it comes last. */
    bool keeps_order;
    /* Whose messages it takes, when not its own type's: it hands them on. NULL: its own.
     * For places with a name. */
    const struct bough_actor_type *speaks;
};

/* Makes a place, or takes over the one of that path that has no life (reserved by a
 * reference, or left by the parent's earlier life): it keeps its mailbox, lives go on
 * counting. When it was another type's, what waits there is told `gone`, and the places
 * below, which that type made, are freed.
 * `*place` gets the place's address (life 0). Errors, nothing made: BOUGH_ENOMEM,
 * BOUGH_EINVALID (name), BOUGH_EPRESENT (a life is there), BOUGH_ETOOLARGE (path). */
BOUGH_PUBLIC BOUGH_CHECKED enum bough_status
bough_place_new(struct bough_loop *loop, const struct bough_place_spec *spec,
                struct bough_address *place);

struct bough_start {
    struct bough_watch *watch; /* may be NULL */
    uint64_t cause;            /* for the event: what led to this start, 0: nothing */
    bool restart;              /* counts in `restarts` */
    /* For who goes on at once: set to true when the life is ready by the time the start
     * returns, and not touched otherwise; the watch's ready() then does not run, and its
     * `seq` is the number of the event `ready`. May be NULL. */
    bool *ready;
};

/* Starts a life in an empty place. Errors: BOUGH_ENOMEM, BOUGH_EGONE (stale),
 * BOUGH_ERUNNING, or what init returned (BOUGH_IGNORE too), `failure` (may be NULL)
 * saying why; the watch is then never called, its `seq` is the number of the event
 * `exited`, and the place is as it was, its life counted. The events `started` and
 * `ready`, or `exited`, are made here. Of a place on another loop only BOUGH_ENOMEM and
 * BOUGH_EGONE are known at once: whatever else becomes of the start comes to the watch's
 * exited(), with status BOUGH_IGNORE in the reason for one that is not wanted now. */
BOUGH_PUBLIC BOUGH_CHECKED enum bough_status
bough_place_start(struct bough_address place, const struct bough_start *start,
                  struct bough_exit_reason *failure);

/* As bough_stop() and bough_end() for who lives there, because of an event. */
BOUGH_PUBLIC void bough_place_stop(struct bough_address place, uint64_t cause);
BOUGH_PUBLIC void bough_place_end(struct bough_address place,
                                  const struct bough_exit_reason *reason, uint64_t cause);

/* Says what an empty place waits for: RESERVED and RESTARTING take messages; with STOPPED
 * and FAILED the mailbox is emptied, callers are told `gone`, and the empty places under
 * it are STOPPED in the same way. */
BOUGH_PUBLIC void bough_place_mark(struct bough_address place,
                                   enum bough_place_state state);

/* Shows a place behind all its siblings, with that policy (`restart` of the spec); lived
 * in or not. Fine on a stale one. */
BOUGH_PUBLIC void bough_place_show_last(struct bough_address place, const char *restart);

/* What the maker of a place keeps about it there, so that it needs no table of its own:
 * a pointer, which the place does nothing with. NULL until it is set, and again for who
 * takes the place over when the former maker has cleared it. Fine on a stale one. */
BOUGH_PUBLIC void bough_place_set_record(struct bough_address place, void *record);

/* The record of the place of that name under an actor's; NULL: there is no such place, or
 * nothing is kept there. */
BOUGH_PUBLIC void *bough_place_record(struct bough_actor *parent, const char *name);

/* Frees the empty places under that of an actor that were made before `first` (of which
 * it is the parent; BOUGH_NOBODY: all): those that an earlier life of it left, and that
 * this one has not taken over. Only reserved ones stay. On its loop's thread. */
BOUGH_PUBLIC void bough_place_sweep(struct bough_actor *actor,
                                    struct bough_address first);

/* Other options for the place of an actor, from the next life on; for who keeps what it
 * was told to be. Takes them: made as its type's copy of options. The old ones are freed
 * here, so that nobody may use them any more. On its loop's thread. */
BOUGH_PUBLIC void bough_place_replace_options(struct bough_actor *actor, void *options);

/* Ends an empty place and the empty places under it, with event `removed` for those that
 * have names. Its address goes stale. Fine on a stale one. */
BOUGH_PUBLIC void bough_place_free(struct bough_address place, uint64_t cause);

/* The place of that path (life 0). BOUGH_ENOTFOUND when there is none. */
BOUGH_PUBLIC BOUGH_CHECKED enum bough_status
bough_lookup(struct bough_loop *loop, const char *path, struct bough_address *place);

/* The same, and reserves it when it is not there yet, so that what is sent waits for who
 * will live there: for references in a config, which are checked to exist in the tree.
 * Errors: BOUGH_EINVALID (path), BOUGH_ENOMEM. */
BOUGH_PUBLIC BOUGH_CHECKED enum bough_status
bough_reference(struct bough_loop *loop, const char *path, struct bough_address *place);

struct bough_place_info {
    const char *path; /* "" without a name; valid as long as the place */
    const struct bough_actor_type *type;   /* NULL while only reserved */
    const struct bough_actor_type *speaks; /* whose messages it takes: `type`, mostly */
    /* Its own copy, NULL: none. Valid as long as the place, or until they are replaced
     * (bough_place_replace_options()): of an actor that does that, and lives on another
     * loop, they are only to be read by a visitor. */
    const void *options;
    enum bough_place_state state;
    uint32_t life; /* the current or last one; 0: never lived */
    uint32_t restarts;
    const char *restart, *isolation; /* as in the spec */
    int64_t pid;                     /* 0: inline */
    bool stuck;        /* a handler runs for too long: bough_child_spec.stuck_after_ms */
    int64_t spent_ms;  /* processor time of its processes that have ended, all lives */
    int64_t uptime_ms; /* of the current life, else 0 */
    size_t mailbox_length, mailbox_capacity;
    uint64_t dropped;         /* messages refused or lost at this place */
    uint64_t handled;         /* messages run, all lives */
    uint32_t quarantined;     /* messages in quarantine.h */
    uint64_t quarantine_lost; /* for which that had no room */
};

/* Errors: BOUGH_EGONE. */
BOUGH_PUBLIC BOUGH_CHECKED enum bough_status
bough_place_info(struct bough_address place, struct bough_place_info *info);

/* Visits the named places under and including `path`, parents before children, children
 * in the order in which they were made. The visitor must not change places.
 * BOUGH_ENOTFOUND. */
typedef void bough_place_visitor(void *data, struct bough_address place,
                                 const struct bough_place_info *info);
BOUGH_PUBLIC BOUGH_CHECKED enum bough_status
bough_place_visit(struct bough_loop *loop, const char *path, bough_place_visitor *visitor,
                  void *data);

/* Visits that place alone, also one without a name. Errors: BOUGH_EGONE. */
BOUGH_PUBLIC BOUGH_CHECKED enum bough_status
bough_place_look(struct bough_address place, bough_place_visitor *visitor, void *data);

#endif
