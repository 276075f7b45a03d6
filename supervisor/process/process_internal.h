/* process_internal.h - actors in processes of their own: who stands for them here, and
 * what runs there.
 *
 * host.c      a process where actors live: its birth and its end
 * remains.c   what is left of it
 * traffic.c   what comes from it and goes to it, and when
 * proxy.c     the type that lives in the parent's slot, and stands for one of them
 * handed.c    the messages it has handed on, and what has become of them
 * inbound.c   what comes from the process, checked
 * outlook.c   whom they watch outside of it
 * child.c     the main function of the process
 * resident.c  the actors that live there
 * outside.c   there, too: the actors of the tree outside, by path
 * border.c    the memory between them
 * cradle.c    where processes are forked
 * nursery.c   who has them forked, and keeps some ahead
 * forker.c    who forks it again
 * limits.c    what a process may use, and as whom it runs
 * patience.c  how long its handlers run
 *
 * An actor whose isolation is `process` has a host of its own. A supervisor whose
 * isolation is that has one for its whole subtree, and stays here itself: it runs none of
 * a user's code, so it cannot break; it starts, watches and restarts proxies as it would
 * actors, and when the process ends they and it end with it.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_SUPERVISOR_PROCESS_PROCESS_INTERNAL_H
#define BOUGH_SUPERVISOR_PROCESS_PROCESS_INTERNAL_H

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include <sys/resource.h>
#include <sys/types.h>

#include <bough/core/elsewhere.h>
#include <bough/core/timer.h>
#include <bough/supervisor/process/border_internal.h>
#include <bough/supervisor/spec.h>

/* Lives in the slot of an actor that is in a process. Its options are the child's spec,
 * and it speaks as the spec's type. */
extern const struct bough_actor_type bough_proxy_type;

/* What an actor is told to be; a flat block. */
struct bough_resident_start {
    const struct bough_actor_type *type; /* known where it was forked, if at birth */
    uint32_t log_level, capacity, when_full, on_restart;
    uint32_t may_spin;               /* before it sleeps */
    uint32_t alone;                  /* the process is its own, and ends with it */
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
    struct bough_held **held;
    uint32_t size;             /* of that, a power of two; 0: nothing so far */
    uint32_t first, next, end; /* not done; not sent; they go on for ever */
};

static inline uint32_t bough_lane_count(const struct bough_lane *lane)
{
    return lane->end - lane->first;
}

struct bough_handed_on {
    struct bough_lane lanes[BOUGH_LANE_COUNT];
    struct bough_open_question *open;
};

struct bough_host;
struct bough_remains;

/* The state of a proxy. */
struct bough_proxy {
    struct bough_actor *actor;
    const struct bough_child_spec *spec;
    struct bough_host *host;
    uint32_t number; /* there, once it has `entered` */
    struct bough_handed_on handed;
    bool busy; /* in the host's list */
    struct bough_proxy *prev, *next;
    bool entered, paused, ready, told;
    struct bough_exit_reason reason; /* what it said, when `told` */
    struct bough_linger linger;      /* of one whose host is not its own */
    bool lingers, ending;
};

/* What a process has asked to be told, for which its ring has no room: beyond that it
 * does not read it, and is not believed. */
enum { BOUGH_UNREAD_MAX = 8192 };

/* Of the log of a process, for the report of its end. */
enum { BOUGH_SAID_MAX = 8, BOUGH_SAID_TEXT = 200 };

/* Who had a number, and how far the counts of its messages have come. */
struct bough_berth {
    struct bough_proxy *proxy; /* NULL: free */
    uint32_t begun[BOUGH_LANE_COUNT];
    uint32_t next_free;
};

/* How long the handlers in a process run, as the parent sees it. */
struct bough_patience {
    struct bough_timer look;
    int64_t limit_ms; /* of all that live there; 0: none */
    int64_t every_ms; /* between two looks; 0: nobody looks */
    uint64_t beat;    /* what it ran then, */
    int64_t since_ms; /* and when it was first seen to */
    int64_t stuck_ms; /* how long it had run when it was to end for that; 0: it was not */
};

/* A process, of one life of its owner: the proxy itself, or a supervisor. */
struct bough_host {
    struct bough_actor *owner;
    struct bough_border border;
    struct bough_linger linger; /* of the owner */
    struct bough_source ended, woken;
    struct bough_inlet inlet; /* open while something is expected from there */
    struct ev_io gone;        /* instead of `ended`, once the owner's life ends */
    struct ev_timer patience; /* with a process that was to end */
    struct ev_timer concern;  /* with actors that were to end */
    size_t ending;            /* those */
    bool keeps_spare, asked;  /* asked: its owner is to end in order */
    struct ev_timer settled;
    pid_t pid;
    int pidfd;  /* -1: it is gone */
    int corpse; /* its pidfd, then, until it is reaped; -1: it is */
    bool lingers;
    bool distrusted, ordered; /* why it is to end: it says nonsense; it was told to */
    int signal;               /* what it was sent for that */
    bool unfit;               /* for `reason` nobody can live there */
    struct bough_exit_reason reason;
    struct bough_patience watched;
    struct bough_berth *berths; /* by number */
    uint32_t berth_count, first_free;
    struct bough_proxy *busy; /* those that have handed on something */
    size_t paused;            /* of them, those that wait for it to be done */
    struct bough_ask *asks;   /* questions from there, under way */
    size_t ask_count;
    struct bough_outlook *outlooks; /* whom they watch outside */
    struct rusage usage;            /* of the process that is gone */
    char *said[BOUGH_SAID_MAX];     /* the last lines of their log */
    unsigned said_count;            /* ever */
};

/* The processor time of a process that is gone. */
static inline int64_t bough_usage_ms(const struct rusage *usage)
{
    return (int64_t)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * 1000 +
           (usage->ru_utime.tv_usec + usage->ru_stime.tv_usec) / 1000;
}

/* host.c */

/* Begins one in the owner's init(), which has said by bough_fail() why when it is not
 * BOUGH_OK. From then on the owner's life and the process end together: the end of
 * either is followed by the other's. */
BOUGH_CHECKED enum bough_status bough_host_new(struct bough_actor *owner,
                                               const struct bough_child_spec *spec,
                                               struct bough_host **host);

/* In the owner's finish(), or when its init fails; NULL is fine. */
void bough_host_free(struct bough_host *host);

/* Gives a proxy a number. Errors: BOUGH_EFULL, BOUGH_ENOMEM. */
BOUGH_CHECKED enum bough_status bough_host_enter(struct bough_host *host,
                                                 struct bough_proxy *proxy);
void bough_host_leave(struct bough_proxy *proxy);

/* The proxy of that number, or NULL. */
static inline struct bough_proxy *bough_host_proxy(const struct bough_host *host,
                                                   uint64_t number)
{
    return number < host->berth_count ? host->berths[number].proxy : NULL;
}

/* Who ran a message when it ended, or NULL. */
const struct bough_proxy *bough_host_runner(const struct bough_host *host);

/* It has said nonsense and is to be killed. */
void bough_host_distrust(struct bough_host *host, const char *why);

/* Begins to wait for the end of an actor there; the process answers for it. */
void bough_host_expect_end(struct bough_host *host);
void bough_host_saw_end(struct bough_host *host);

/* It is to end by a fault of its own, which it reports, and soon by force. */
void bough_host_abort(struct bough_host *host);

/* Kills the process and waits for it: nobody polls any more. */
void bough_host_end_now(struct bough_host *host);

/* What an actor in there finds at that path from now on: an enum bough_place_state, or no
 * place at all. */
void bough_host_left(struct bough_host *host, const char *path, unsigned state);
enum { BOUGH_LEFT_FREE = BOUGH_PLACE_STATE_COUNT };

/* remains.c: of up to so many processes, with the supervision above their owners: four
 * descriptors each. */
enum { BOUGH_REMAINS_MAX = 64 };
struct bough_corpse;
struct bough_remains {
    struct bough_timer timer; /* of the supervision's actor */
    struct bough_corpse *first, **tail;
    size_t count;
};

/* Takes the border and the corpse of a host whose owner ends, to be cleared
 * away later. False: it has taken neither, for there is nobody or no room to keep them.
 */
BOUGH_CHECKED bool bough_remains_take(struct bough_host *host);
/* Whether a process of this actor, or of a sibling, has ended by itself just now. */
bool bough_remains_wait(struct bough_actor *owner);
/* Clears away at once what there is of those. False: nothing. */
bool bough_remains_clear(struct bough_actor *owner);
/* Clears away what there is; NULL is fine. */
void bough_remains_free(struct bough_remains *remains);
/* Reaps that process and closes its pidfd. Never waits: one that was killed and hangs in
 * the kernel all the same is left as it is. */
void bough_process_forget(int pidfd);

/* traffic.c: with the host's life; ends with that of its owner. And it has been told
 * something, and will say what has come of that. */
void bough_traffic_begin(struct bough_host *host);
void bough_traffic_expect(struct bough_host *host);

/* patience.c: looks after the handlers of all in there, which may run so long; or of that
 * proxy, with the limit of its spec. 0: without a limit. */
void bough_patience_begin(struct bough_host *host, int64_t limit_ms);

/* proxy.c: news of it, and of its host. */
void bough_proxy_is_ready(struct bough_proxy *proxy);
void bough_proxy_exited(struct bough_proxy *proxy,
                        const struct bough_exit_reason *reason);
void bough_proxy_lost_host(struct bough_proxy *proxy,
                           const struct bough_exit_reason *reason);
/* Takes more messages, or none for now. */
void bough_proxy_pace(struct bough_proxy *proxy);

/* handed.c */

/* From now on its messages count from those that its predecessor of that number began. */
void bough_handed_open(struct bough_proxy *proxy);
/* Room for one of either lane, before it is held. False: memory is out. */
BOUGH_CHECKED bool bough_handed_grow(struct bough_proxy *proxy);
BOUGH_CHECKED static inline bool bough_handed_reserve(struct bough_proxy *proxy)
{
    const struct bough_lane *lanes = proxy->handed.lanes;

    return (bough_lane_count(&lanes[BOUGH_LANE_NORMAL]) < lanes[BOUGH_LANE_NORMAL].size &&
            bough_lane_count(&lanes[BOUGH_LANE_HIGH]) < lanes[BOUGH_LANE_HIGH].size) ||
           bough_handed_grow(proxy);
}
/* How many there is room for in any lane. */
static inline uint32_t bough_handed_room(const struct bough_proxy *proxy)
{
    const struct bough_lane *lanes = proxy->handed.lanes;
    const uint32_t normal =
        lanes[BOUGH_LANE_NORMAL].size - bough_lane_count(&lanes[BOUGH_LANE_NORMAL]);
    const uint32_t high =
        lanes[BOUGH_LANE_HIGH].size - bough_lane_count(&lanes[BOUGH_LANE_HIGH]);

    return normal < high ? normal : high;
}
/* Writes them, too, if there is room in the ring, and none that waits for that. */
void bough_handed_add(struct bough_proxy *proxy,
                      const struct bough_held_message *messages, size_t count);
static inline bool bough_handed_is_full(const struct bough_proxy *proxy)
{
    const struct bough_lane *lanes = proxy->handed.lanes;

    return bough_lane_count(&lanes[BOUGH_LANE_NORMAL]) == BOUGH_HANDED_MAX ||
           bough_lane_count(&lanes[BOUGH_LANE_HIGH]) == BOUGH_HANDED_MAX;
}
/* Whether there are any that are not done. */
bool bough_handed_waits(const struct bough_proxy *proxy);
/* Writes what there is room for, and shows it. */
void bough_handed_send(struct bough_proxy *proxy);
/* Whether a good part of them has been run: so many that it is worth a look. */
bool bough_handed_moves(const struct bough_proxy *proxy);
/* Whether any of them has been run and is still to be retired. */
bool bough_handed_has_run(const struct bough_proxy *proxy);
/* Ends those that the child says it has run. False: it says nonsense. */
bool bough_handed_retire(struct bough_proxy *proxy);
/* The message that it is running, as far as it says; false: none. */
bool bough_handed_running(const struct bough_proxy *proxy,
                          struct bough_held_message *message);
/* What the child says of its progress now, to be looked at before what it has written is
 * read, for a message's reply comes before its end. */
bool bough_handed_answer(struct bough_proxy *proxy, const struct bough_frame *frame,
                         const void *reply, size_t size);
/* It is gone: what it had not run is returned, what it was running is to blame, unless it
 * was told to end. */
void bough_handed_close(struct bough_proxy *proxy);

/* A message's id: its actor's number, its lane and its own number there. */
static inline uint64_t bough_handed_id(uint32_t number, int lane, uint32_t message)
{
    return (uint64_t)number << 33 | (uint64_t)lane << 32 | message;
}
static inline uint64_t bough_handed_number(uint64_t id)
{
    return id >> 33;
}

/* inbound.c: reads what there is, up to a turn's share; false: nonsense, and `why` says
 * of which kind. */
bool bough_inbound_read(struct bough_host *host, bool *more, const char **why);
void bough_inbound_close(struct bough_host *host);

/* outlook.c: tells the end of the life of that path, once. */
void bough_outlook_begin(struct bough_host *host, const char *path);
void bough_outlook_close(struct bough_host *host);

/* child.c */

/* What a process can do before it is known what it is to be; and the rest of its life,
 * told over that socket. */
void bough_process_prepare(void);
void bough_process_main(int socket) __attribute__((noreturn));

/* What ps(1) and core files call it. */
#define BOUGH_CHILD_NAME "bough-child"

/* Exit codes, as in sysexits.h: EX_SOFTWARE, EX_UNAVAILABLE. */
enum { BOUGH_CODE_CONFUSED = 70, BOUGH_CODE_ORPHAN = 69 };

/* Writes a frame, or keeps it until there is room. BOUGH_EFULL: too many are kept;
 * BOUGH_ENOMEM: there is no memory, or no descriptor, for it. */
BOUGH_CHECKED enum bough_status
bough_child_write(struct bough_frame *frame, const void *bytes, size_t size, bool must);

/* What must be said; a process that cannot say it ends. */
void bough_child_say(struct bough_frame frame, const void *bytes, size_t size);

/* Ends the process, when all is written, however long that takes the parent. */
void bough_child_leave(int code);

/* What the parent reads of progress, of each lane. */
_Atomic uint64_t *bough_child_progress(uint32_t number);

/* A message that was marked has been run, and `done` of its lane are: what was written
 * meanwhile goes with that. */
void bough_child_ran(uint32_t done);

/* The loop where its actors live, and its runtime. */
struct bough_loop *bough_child_loop(void);

/* limits.c: limits this process, which has one thread. Errors: `error` says which limit
 * it cannot have, and why. */
BOUGH_CHECKED enum bough_status bough_process_limit(const struct bough_limits_plan *plan,
                                                    struct bough_error *error);

/* resident.c */

/* Lives and is gone, before there is anybody to tell: so that the memory which the first
 * one is going to touch is there. */
void bough_resident_rehearse(void);

void bough_resident_start(uint32_t number, const struct bough_resident_start *start);
void bough_resident_stop(uint32_t number);
void bough_resident_end(uint32_t number, const struct bough_exit_reason *reason);
/* A message; `at_once`: it is run now, if its actor can. */
void bough_resident_take(const struct bough_frame *frame, const void *bytes, size_t size,
                         bool at_once);
void bough_resident_left(const char *path, uint32_t state);

extern const struct bough_run_observers bough_resident_observers;

/* outside.c */

/* Makes the place of that path, and those above it. */
void bough_outside_missing(void *data, struct bough_loop *loop, const char *path);

/* What is there without making it. */
BOUGH_CHECKED enum bough_status bough_outside_find(struct bough_loop *loop,
                                                   const char *path,
                                                   struct bough_address *place);

/* Whoever stands for that path here leaves it to one who is going to live here. */
void bough_outside_yield(struct bough_loop *loop, const char *path);

/* Who lived there has ended: whoever watches it here is told. */
void bough_outside_gone(struct bough_loop *loop, const char *path,
                        const struct bough_exit_reason *reason);

/* An answer to what an actor here asked outside. */
void bough_outside_answered(const struct bough_frame *frame, const void *reply,
                            size_t size);

#endif
