/* process_internal.h - actors in processes of their own: who stands for them here, and
 * what runs there.
 *
 * proxy.c    the type that lives in the parent's slot
 * handed.c   the messages it has handed on, and what has become of them
 * inbound.c  what comes from the child, checked
 * child.c    the main function of a child
 * outside.c  in a child: the actors of the tree outside, by path
 * border.c   the memory between them
 * nursery.c  where children are forked
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_SUPERVISOR_PROCESS_PROCESS_INTERNAL_H
#define BOUGH_SUPERVISOR_PROCESS_PROCESS_INTERNAL_H

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include <sys/types.h>

#include <bough/core/elsewhere.h>
#include <bough/core/timer.h>
#include <bough/supervisor/process/border_internal.h>
#include <bough/supervisor/spec.h>

/* Lives in the slot of a child with isolation `process`. Its options are the child's
 * spec, and it speaks as the spec's type. */
extern const struct bough_actor_type bough_process_type;

/* What a child is told to be; a flat block. */
struct bough_process_start {
    const struct bough_actor_type *type; /* known where it was forked, if at birth */
    uint32_t log_level, capacity;
    struct bough_span path, options; /* a text; BOUGH_OPTIONS, empty: none */
};

/* Messages under way */

enum { BOUGH_HANDED_MAX = 4096 }; /* of each lane; a power of two */

/* A message that was run and is not answered yet. */
struct bough_open_question {
    uint64_t id;
    struct bough_held *held;
    UT_hash_handle hh;
};

struct bough_lane {
    struct bough_held *held[BOUGH_HANDED_MAX];
    uint32_t first, next, end; /* not done; not sent; they go on for ever */
};

struct bough_handed_on {
    struct bough_lane lanes[BOUGH_LANE_COUNT];
    struct bough_open_question *open;
};

/* The state of a proxy. */
struct bough_process {
    struct bough_actor *actor;
    const struct bough_child_spec *spec;
    struct bough_border border;
    struct bough_handed_on handed;
    struct bough_linger linger;
    struct bough_source ended, woken;
    struct ev_io gone; /* instead of `ended`, once the life ends */
    struct ev_timer patience;
    pid_t pid;
    int pidfd; /* -1: it is gone, and reaped */
    bool lingers, paused, ready, told;
    struct bough_ask *asks; /* questions of the child's, under way */
    size_t ask_count;
    struct bough_exit_reason reason; /* what it said, when `told` */
};

/* handed.c */
void bough_handed_add(struct bough_process *self, struct bough_held *held);
bool bough_handed_is_full(const struct bough_process *self);
/* Writes what there is room for. */
void bough_handed_send(struct bough_process *self);
/* Ends those that the child says it has run. False: it says nonsense. */
bool bough_handed_retire(struct bough_process *self);
/* What the child says of its progress now, to be looked at before what it has written is
 * read, for a message's reply comes before its end. */
bool bough_handed_answer(struct bough_process *self, const struct bough_frame *frame,
                         const void *reply, size_t size);
/* The process is gone: what it was running has crashed, what it had not run is
 * returned. */
void bough_handed_close(struct bough_process *self);

/* inbound.c: reads what there is, up to a turn's share; false: nonsense, and `why` says
 * of which kind. */
bool bough_inbound_read(struct bough_process *self, bool *more, const char **why);
void bough_inbound_close(struct bough_process *self);

/* proxy.c: it has said nonsense and is to be killed. */
void bough_process_distrust(struct bough_process *self, const char *why);

/* child.c: what bough_nursery_new() is to be given. */
void bough_process_main(const int *fds, size_t count) __attribute__((noreturn));

/* outside.c */

struct bough_child_border;

/* Makes the place of that path, and those above it. */
void bough_outside_missing(void *data, struct bough_loop *loop, const char *path);

/* An answer to what an actor here asked outside. */
void bough_outside_answered(const struct bough_frame *frame, const void *reply,
                            size_t size);

/* child.c: writes a frame, or keeps it until there is room; false when too many are
 * kept. */
bool bough_child_write(struct bough_frame *frame, const void *bytes, size_t size,
                       bool must);

#endif
