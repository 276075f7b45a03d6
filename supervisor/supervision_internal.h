/* supervision_internal.h - what a supervisor actor knows, and where its parts meet.
 *
 * supervisor.c  the type "supervisor": how one begins and ends
 * group.c       the type "group": a supervisor of the replicas of one child
 * children.c    who its children are, and their places
 * actions.c     does what the decider decides
 * stops.c       of that, the stops and kills
 * reports.c     says so: events, log
 * questions.c   what a supervisor can be asked, and what it answers at once
 * requests.c    what has to wait for its turn
 * change.c      other flags and children for one that runs
 * handles.c     the same from the asker's side
 *
 * A supervisor and a group are both a supervision, with a role each. All of it runs on
 * the supervisor's loop.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_SUPERVISOR_SUPERVISION_INTERNAL_H
#define BOUGH_SUPERVISOR_SUPERVISION_INTERNAL_H

#include <bough/core/assert.h>
#include <bough/core/log.h>
#include <bough/core/timer.h>
#include <bough/supervisor/decide.h>

/* What few children have: made when there is something to put there. */
struct bough_supervised_extras {
    /* The limit of a start, or a wait for a retry. Who may need it has it beforehand. */
    struct bough_timer timer;
    struct bough_supervised *child;  /* whose they are */
    struct bough_exit_reason *fault; /* NULL: it has not failed to start so far */
    struct bough_ward *ward;         /* its handlers have a limit; else NULL */
    char *path; /* of one that is forgotten, whose end is still to be told; else NULL */
};

/* One child. Its place belongs to the supervisor's place, the rest to this life; it does
 * not move, for what is under way points to its watch and its timer. There may be very
 * many: it has no name, which is its place's, and is found there, as the place's record.
 */
struct bough_supervised {
    /* What each restart touches comes first. */
    const struct bough_child_spec *spec;
    struct bough_address place;
    uint64_t cause;   /* number of the event that told why it ended */
    uint32_t number;  /* the decider's */
    bool lasting : 1; /* it comes back with the supervisor's next life */
    bool lived : 1;
    bool failed : 1;  /* its last start, for the reason `fault` */
    bool changed : 1; /* its place is to be furnished anew before the next start */
    bool late : 1;    /* killed, since it was not ready in time */
    bool awaited : 1; /* stopped by request, to be started again: what waits for it waits
                       */
    bool timed : 1;   /* its timer may run, or it is among the retries */
    bool removed : 1; /* forgotten; kept for what is still to be said about it */
    bool owns_spec : 1;
    struct bough_watch watch; /* of its life; keeps why the last one ended */
    struct bough_supervised_extras *extras; /* NULL: none */
    struct bough_supervised *next, **link;  /* among the retries, or the dead */
};

/* Who a new child is to be. */
struct bough_recruit {
    const char *name;
    const struct bough_child_spec *spec; /* outlives the child, but for `name` */
    const void *options;                 /* in place of the spec's, when `replaces` */
    bool replaces, lasting;
    bool owns_spec;   /* the child takes `spec` */
    bool keeps_order; /* its place is there, and stays where it is among the others */
};

/* A request that waits for its turn; the message follows. */
struct bough_request {
    struct bough_request *next;
    struct bough_question *question; /* NULL: told, not asked */
    size_t size;
    _Alignas(max_align_t) char message[];
};

struct bough_host;
struct bough_remains;
struct bough_supervision;

/* What a supervisor and a group do differently. */
struct bough_role {
    /* Does what is asked, while the decider is idle; the question is to be answered, now
     * or by answered(). */
    void (*handle)(struct bough_actor *actor, const void *message,
                   struct bough_question *question);
    /* The request under way is over. */
    void (*answered)(struct bough_actor *actor, const struct bough_decide_action *action);
    /* Goes on with a request of several steps, while the decider is idle; false: there is
     * none. May be NULL. */
    bool (*go_on)(struct bough_actor *actor);
};

/* The state of the types "supervisor" and "group" begins with it. */
struct bough_supervision {
    const struct bough_role *role;
    const struct bough_supervisor_options *options; /* flags; live as long as the place */
    bool elsewhere;                /* its children live in another process */
    bool housed;                   /* which is its own */
    struct bough_host *host;       /* that process; NULL: none, or not yet */
    struct bough_remains *remains; /* of its children's processes; NULL: none */
    struct bough_decider *decider;
    enum bough_log_level log_level;     /* the runtime's: lower ones are not logged */
    struct bough_supervised **children; /* by the decider's number; NULL: nobody */
    size_t capacity;                    /* of the array */
    struct bough_supervised
        *dead;              /* freed before the next thing that happens is taken in */
    struct bough_timer all; /* the common limit of a dynamic supervisor's end */

    /* Those to be tried again at once, the first one when the timer is due. */
    struct bough_supervised *retries, **retries_tail;
    struct bough_timer retry;

    /* First the begin, then the limit of the stop under way, of which there is one at a
     * time. It runs on from one stop to the next and looks what is left when it is due:
     * nearly all end long before, and to set it for each was a tenth of their restart. */
    struct bough_timer timer;
    bool timed; /* it runs, for a stop */
    int64_t timer_at_ms;
    struct bough_supervised *stopping; /* NULL: nobody, or without a limit */
    int64_t stop_until_ms;

    uint64_t cause; /* number of the event that the present starts follow from */
    uint64_t news;  /* that of the last one taken in, for stops; 0: none, or a request */
    unsigned
        at_once; /* starts whose outcome may still be taken in at once, in this turn */
    struct bough_exit_reason end; /* once it gave up, or shuts down by itself */

    uint64_t names; /* dynamic: numbers given as names */

    /* The request under way, and those that wait for their turn. */
    struct bough_supervised *asked; /* whom it is about; NULL: none is under way */
    bool asked_to_start;
    struct bough_question *question;
    struct bough_request *requests, **requests_tail;
    size_t request_count;
};

/* Begins a life: no children, and the flags of `options` for the decider. The supervision
 * is ready when bough_supervision_begin() has had all its children started. Errors: says
 * by bough_fail() why. */
BOUGH_CHECKED enum bough_status
bough_supervision_init(struct bough_actor *actor, const struct bough_role *role,
                       const struct bough_supervisor_options *options);
void bough_supervision_begin(struct bough_actor *actor);

/* Begins the process for its children, if its own isolation says so: the last step of
 * init. Errors: as above. */
BOUGH_CHECKED enum bough_status bough_supervision_house(struct bough_actor *actor);

/* The process where the children of a supervision live of which that actor is one; NULL:
 * it is none, or they live in this process. */
struct bough_host *bough_supervision_host(struct bough_actor *actor);

/* Where a supervision of which that actor is a child has what remains of processes; NULL:
 * it is none. */
struct bough_remains **bough_supervision_remains(struct bough_actor *actor);

/* Nobody is expected at a child's empty place, unless it is awaited. */
void bough_supervision_settle(struct bough_actor *actor, struct bough_supervised *child);

/* Releases what init took: after a failed start of the rest, or in finish(). */
void bough_supervision_release(struct bough_actor *actor);

/* Children */

/* Makes a child known, DOWN, and its place. Errors, nothing changed: those of
 * bough_place_new(), BOUGH_ENOMEM. */
BOUGH_CHECKED enum bough_status bough_supervision_add(struct bough_actor *actor,
                                                      const struct bough_recruit *recruit,
                                                      struct bough_supervised **child);

/* Whether what lives in the place of such a child is a proxy, whose options are the spec.
 */
bool bough_supervised_is_elsewhere(const struct bough_supervision *self,
                                   const struct bough_child_spec *spec);

/* What the decider is to know of a child with that spec. */
struct bough_child_spec bough_supervised_spec(const struct bough_child_spec *spec);

/* Its limits, of an end and of a start. */
int64_t bough_supervised_shutdown_ms(const struct bough_supervised *child);
int64_t bough_supervised_start_limit_ms(const struct bough_supervised *child);

/* Its extras, made if need be; NULL when memory is out. */
struct bough_supervised_extras *bough_supervised_extras(struct bough_supervised *child);

/* Makes room for all that a child with that spec may need while it is supervised. False
 * when memory is out. */
BOUGH_CHECKED bool bough_supervised_prepare(struct bough_supervised *child,
                                            const struct bough_child_spec *spec);

/* Gives it another spec; `owned`: which it takes. */
void bough_supervised_set_spec(struct bough_supervised *child,
                               const struct bough_child_spec *spec, bool owned);

/* Gives its empty place what its changed spec says. Errors: as bough_place_new(). */
BOUGH_CHECKED enum bough_status
bough_supervision_refurnish(struct bough_actor *actor, struct bough_supervised *child);

/* Watches over its place as its spec says, from now on. */
void bough_supervision_watch_over(struct bough_actor *actor,
                                  struct bough_supervised *child);

/* Releases its place, and it as soon as nothing is under way with it. */
void bough_supervision_remove(struct bough_actor *actor, struct bough_supervised *child);
void bough_supervision_bury(struct bough_supervision *self);

/* The child of that name, or NULL. */
struct bough_supervised *bough_supervision_find(struct bough_actor *actor,
                                                const char *name);
static inline struct bough_supervised *
bough_supervision_child(const struct bough_supervision *self, size_t number)
{
    bough_assert(number < self->capacity);
    bough_assert(self->children[number] != NULL);
    return self->children[number];
}
static inline enum bough_child_state
bough_supervised_state(const struct bough_supervision *self,
                       const struct bough_supervised *child)
{
    return child->removed ? BOUGH_CHILD_FORGOTTEN
                          : bough_decider_child(self->decider, child->number);
}
/* Its path, and the last part of it: valid as long as its place. Of one that is forgotten
 * and is significant they stay. */
const char *bough_supervised_path(const struct bough_supervised *child);
const char *bough_supervised_name(const struct bough_supervised *child);

/* Why its last life ended, or did not begin. */
const struct bough_exit_reason *
bough_supervised_reason(const struct bough_supervised *child);

/* Nobody is expected at a child that is DOWN and that no retry would start. */
void bough_supervision_settle_down(struct bough_actor *actor);

/* Frees places that an earlier life has left, with other options than this one has: once
 * all of its children are known. */
void bough_supervision_sweep(struct bough_actor *actor);

/* Leaves the children's places, all empty, with what waits in them: whoever settles the
 * place of this supervisor for good settles them too. Those made at run time are freed.
 */
void bough_supervision_leave(struct bough_actor *actor);

/* Actions */

/* Prepares the watch of its lives. */
void bough_supervision_watch(struct bough_actor *actor, struct bough_supervised *child);

/* Tells the decider what happened, does what it decides, and then what waits for its
 * turn. */
void bough_supervision_feed(struct bough_actor *actor, struct bough_decide_event event);

/* The same without what waits: for a request that is being done. */
void bough_supervision_step(struct bough_actor *actor, struct bough_decide_event event);

/* Asks the child to end, as the type's stop(). */
void bough_supervision_stop(struct bough_actor *actor);

/* Stops its timer, or takes it out of the retries. */
void bough_supervised_end_wait(struct bough_supervised *child);

/* The timer of a child: few restarts have a limit of their start, or a wait, so that one
 * that does not run is seen here, without a call. */
static inline void bough_supervised_stop_timer(struct bough_supervised *child)
{
    if (!child->timed) return;
    bough_supervised_end_wait(child);
}

/* Actions of the decider. False: what comes of them is told later. */
bool bough_supervision_do_stop(struct bough_actor *actor,
                               const struct bough_decide_action *action,
                               struct bough_decide_event *outcome);
bool bough_supervision_do_kill(struct bough_actor *actor,
                               const struct bough_decide_action *action,
                               struct bough_decide_event *outcome);
bool bough_supervision_do_stop_all(struct bough_actor *actor,
                                   const struct bough_decide_action *action,
                                   struct bough_decide_event *outcome);
bool bough_supervision_do_kill_all(struct bough_actor *actor,
                                   const struct bough_decide_action *action,
                                   struct bough_decide_event *outcome);

/* Reports */

enum { BOUGH_REASON_TEXT = 224, BOUGH_DURATION_TEXT = 24 };

/* A line of the log; what it says is put together only when somebody wants the line. */
#define bough_report(actor, level, ...) \
    do { \
        struct bough_runtime *const its_runtime = bough_actor_runtime(actor); \
        const enum bough_log_level its_level = (level); \
\
        if (bough_log_wanted(its_runtime, its_level)) \
            bough_log(its_runtime, its_level, bough_actor_path(actor), __VA_ARGS__); \
    } while (0)

const char *bough_print_ms(int64_t ms, char buffer[BOUGH_DURATION_TEXT]);
void bough_report_up(struct bough_actor *actor, const struct bough_supervision *self,
                     const struct bough_supervised *child);
/* Before the decider knows of it. */
void bough_report_end(struct bough_actor *actor, const struct bough_supervision *self,
                      const struct bough_supervised *child);

/* Events and their lines in the log. */
void bough_report_wait(struct bough_actor *actor, struct bough_supervised *child,
                       const struct bough_decide_action *action);
void bough_report_restart(struct bough_actor *actor, struct bough_supervised *child,
                          const struct bough_decide_action *action);
void bough_report_give_up(struct bough_actor *actor, const struct bough_supervised *child,
                          const struct bough_decide_action *action);
void bough_report_auto_shutdown(struct bough_actor *actor,
                                const struct bough_supervised *child);

/* Requests */

enum { BOUGH_REQUESTS_MAX = 256 }; /* that wait; more are refused, BOUGH_EFULL */

/* Does what the message being run asks, now or when its turn comes. */
void bough_supervision_request(struct bough_actor *actor, const void *message,
                               size_t size);

/* What waits, as far as it can be done now. */
void bough_supervision_serve(struct bough_actor *actor);

/* Marks the request under way; role->answered() ends it. */
void bough_supervision_ask(struct bough_actor *actor, struct bough_supervised *child,
                           enum bough_decide_event_kind kind,
                           struct bough_question *question);

/* Says why a request has not been done: BOUGH_ERUNNING, BOUGH_EFAILED ... */
void bough_supervision_refuse(struct bough_question *question,
                              const struct bough_supervised *child,
                              enum bough_status status);

/* Does what OTP's code_change does, with the options of the spec in the message. */
void bough_supervision_change(struct bough_actor *actor, const void *spec, size_t len,
                              struct bough_question *question);

/* What a supervisor does with the requests among its messages. */
extern const struct bough_role bough_supervisor_role;

/* Messages */

enum bough_supervisor_kind {
    BOUGH_WHICH_CHILDREN,
    BOUGH_COUNT_CHILDREN,
    BOUGH_GET_CHILD_SPEC,
    BOUGH_START_CHILD,
    BOUGH_TERMINATE_CHILD,
    BOUGH_RESTART_CHILD,
    BOUGH_DELETE_CHILD,
    BOUGH_CHANGE,
    BOUGH_SET_REPLICAS,
    BOUGH_SUPERVISOR_KIND_COUNT
};

/* All kinds have the same fixed part. */
struct bough_supervisor_message {
    enum bough_supervisor_kind kind;
    struct bough_span name;    /* a text */
    struct bough_span spec;    /* BOUGH_SPEC */
    struct bough_span options; /* BOUGH_OPTIONS */
    int64_t replicas;
    bool awaited; /* to be started again soon: what is sent there waits */
};

extern const struct bough_message_type
    bough_supervisor_messages[BOUGH_SUPERVISOR_KIND_COUNT];

void bough_supervisor_run(struct bough_actor *actor, const void *message, size_t size);

/* Groups */

enum { BOUGH_REPLICAS_MAX = 10000 };

/* Its options are struct bough_supervisor_options: one child, the member with its
 * replicas, and the limit under which members are restarted. */
extern const struct bough_actor_type bough_group_type;

/* To a group: so many members from now on. No member has a message of this kind. */
struct bough_resize {
    uint32_t kind; /* BOUGH_RESIZE */
    uint32_t replicas;
};
#define BOUGH_RESIZE UINT32_MAX

/* Fowler, Noll and Vo's hash, 64 bits, variant 1a. */
static inline uint64_t bough_fnv1a(const void *bytes, size_t len)
{
    const unsigned char *byte = bytes;
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < len; i++)
        hash = (hash ^ byte[i]) * UINT64_C(0x100000001b3);
    return hash;
}

/* Checks */

/* bough_supervisor_check() without what is below its children. */
BOUGH_CHECKED enum bough_status
bough_supervisor_check_flat(const struct bough_supervisor_options *options,
                            struct bough_error *error);

#endif
