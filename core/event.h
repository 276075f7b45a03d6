/* event.h - what happened to the places of a runtime that have names.
 *
 * The core reports starts, readiness, stops and ends; supervision adds restarts and
 * giving up. Each event has a number, 1, 2, 3 ..., and the number of the event that led
 * to it, so that the chain of causes can be followed back.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_CORE_EVENT_H
#define BOUGH_CORE_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bough/core/exit_reason.h>

struct bough_actor_type;
struct bough_runtime;

enum bough_event_kind {
    BOUGH_EVENT_STARTED, /* init has returned; `pid` for a process */
    BOUGH_EVENT_READY,
    BOUGH_EVENT_STOPPING, /* asked to end */
    BOUGH_EVENT_EXITED, /* `reason`; also a start that failed: life is then the one tried
                         */
    BOUGH_EVENT_RESTARTING, /* `delay_ms`, `attempt` (1: the first try of this restart) */
    BOUGH_EVENT_REMOVED,    /* the place is no more */
    BOUGH_EVENT_GAVE_UP,    /* a supervisor's limit was passed; `reason` */
    BOUGH_EVENT_CRASH_REPORT, /* what a process left that died of a fault: `crash`. Some
                                 time after the end that it is about, its `cause` */
    BOUGH_EVENT_QUARANTINED,  /* a message was put away (quarantine.h); `message`,
                               * `number`, `lives`; `reason` and `life` of the end that it
                               * was */
    /* A handler runs longer than it may (`stuck_ms` so far, `backtrace`), where it cannot
     * be ended; and: it has returned after all, its `cause` is the event before it. On a
     * thread of Bough's that is no loop's, for the loop is busy. */
    BOUGH_EVENT_STUCK,
    BOUGH_EVENT_UNSTUCK,
    /* At "/": the tree is to become what a file says, and has (`message`: in how many
     * places), or could not (`reason`). For who applies it. */
    BOUGH_EVENT_APPLYING,
    BOUGH_EVENT_APPLIED,
    BOUGH_EVENT_APPLY_FAILED,
    BOUGH_EVENT_KIND_COUNT
};

/* "started", "ready", "stopping", "exited", "restarting", "removed", "gave_up",
 * "crash_report", "quarantined", "stuck", "unstuck", "applying", "applied",
 * "apply_failed". */
BOUGH_PUBLIC const char *bough_event_kind_name(enum bough_event_kind kind);

/* What is known of a fault. Texts are of one or more lines, without a newline at the end,
 * or "". */
struct bough_crash {
    int signal, code; /* si_code of the signal: sigaction(2) */
    int64_t stuck_ms; /* for how long a handler ran, for which it was to end so; or 0 */
    bool has_address; /* the kernel has said what it was about: */
    uint64_t address;
    char what[96];         /* "SEGV at 0x8: nothing is there" */
    const char *backtrace; /* the innermost function first, a line each */
    const char *log;       /* the last lines that it had logged */
    const char *core;      /* about its core file */
    /* What was being run; NULL: no message. Of who lived at `runner`. */
    const char *runner;
    const struct bough_actor_type *type;
    const void *message;
    size_t message_size;
    int64_t user_ms, system_ms;         /* processor time of the process */
    int64_t memory;                     /* bytes resident, at the most */
    int64_t minor_faults, major_faults; /* of its pages; the latter read from a disk */
    void *view; /* for who keeps it in another form, once the event is over; NULL */
};

struct bough_event {
    uint64_t seq;
    int64_t realtime_ns;
    enum bough_event_kind kind;
    const char *path;
    const char *type;
    uint32_t life;
    uint64_t cause; /* seq of the event that led to this one; 0: none, or a person */
    const struct bough_exit_reason
        *reason;      /* exited, gave_up, quarantined, apply_failed; else NULL */
    int64_t delay_ms; /* restarting */
    uint32_t attempt; /* restarting */
    /* restarting, gave_up: that many restarts within the period, of those allowed; all 0
     * when no limit was asked (a policy decided) */
    uint32_t restarts, allowed;
    int64_t period_ms;
    int64_t pid;                     /* 0: inline */
    const struct bough_crash *crash; /* crash_report; else NULL */
    int64_t stuck_ms;                /* stuck, unstuck */
    const char *backtrace;           /* stuck: lines, the innermost function first */
    /* quarantined: the name of its kind (else NULL); its number, 0 when there was no
     * memory to keep it; the lives that it has ended */
    const char *message;
    uint64_t number;
    uint32_t lives;
};

/* Told to the runtime's observer while things change: it copies what it keeps and calls
 * nothing of the runtime. On the thread of the loop where it happened (but for STUCK and
 * UNSTUCK), one at a time, in the order of the numbers. */
typedef void bough_event_function(void *data, const struct bough_event *event);

/* Whether somebody listens; else there are no events, and what would be the number of one
 * is 0. Thread: any. */
BOUGH_PUBLIC bool bough_event_wanted(const struct bough_runtime *runtime);

/* Numbers, stamps and reports an event: `seq` and `realtime_ns` are filled in. Returns
 * the number; when nobody listens 0, and nothing is done. For the core and for
 * supervisors. */
BOUGH_PUBLIC uint64_t bough_event_report(struct bough_runtime *runtime,
                                         struct bough_event *event);

#endif
