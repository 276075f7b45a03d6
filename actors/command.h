/* command.h - an actor that is a program: it runs when the actor does, and its end is the
 * actor's end.
 *
 * Exit code 0 is the reason `normal`, another code `exit`, a signal `signal`; when it was
 * asked to stop, the end by the stop signal or with code 0 is `shutdown`. The program is
 * ready at once, or when it says so or shows it (`ready`), and until then the actor is
 * starting. It leads a session of its own. What it has started ends with it, wherever
 * that has gone; see guard.h for what that takes. A program that cannot be run is a start
 * that failed, with a sentence.
 *
 * What it writes goes to the log, a line a record. While the log has no room, nothing is
 * read, and a program that goes on writing waits. Secrets come from `env_file`: what is
 * in it is read for each start, handed to the program, and kept and shown nowhere.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_ACTORS_COMMAND_H
#define BOUGH_ACTORS_COMMAND_H

#include <stdint.h>

#include <bough/core/actor.h>
#include <bough/core/limits.h>

/* For child specs. Its options are `struct bough_command_options`. */
BOUGH_PUBLIC extern const struct bough_actor_type bough_command_type;

/* The handle: a plain value. Any address of a command makes one. */
struct bough_command {
    struct bough_address address;
};

enum bough_command_stdin {
    BOUGH_COMMAND_NO_INPUT, /* /dev/null */
    BOUGH_COMMAND_INPUT     /* what bough_command_input() sends */
};

enum bough_command_output_to { BOUGH_TO_LOG, BOUGH_TO_INHERIT, BOUGH_TO_NULL };

struct bough_command_output {
    int to;           /* enum bough_command_output_to */
    const char *file; /* appended to, instead */
};

enum bough_command_ready_when {
    BOUGH_READY_STARTED, /* as soon as it runs */
    BOUGH_READY_NOTIFY   /* it sends READY=1 to $NOTIFY_SOCKET, see sd_notify(3) */
};

/* When it is ready; one of these, or else `when`. */
struct bough_command_ready {
    int when;                /* enum bough_command_ready_when */
    int64_t notify_fd;       /* it writes a newline to this descriptor, 3 or more */
    const char *tcp;         /* somebody listens there: "127.0.0.1:80", "[::1]:80" */
    const char *const *exec; /* this program ends with code 0; ends with NULL */
    const char *log;         /* a line that it writes fits this POSIX regex */
    int64_t every_ms; /* between two looks of tcp and exec; 0: more and more, from 5 ms */
};

/* What is looked at while it is ready; one of these. Fails `threshold` times on end: the
 * life ends with BOUGH_EFAILED. */
struct bough_command_health {
    int none; /* 0 */
    const char *tcp;
    const char *const *exec;
    int64_t every_ms;   /* 0: 10,000 */
    int64_t timeout_ms; /* of one look; 0: 5,000 */
    int64_t threshold;  /* 0: 3 */
};

#define BOUGH_NICE_GIVEN_ZERO 20    /* of `nice`: 0 itself */
#define BOUGH_SCORE_GIVEN_ZERO 2000 /* of `oom_score_adj` */

struct bough_command_options {
    const char *const *run; /* the program and its arguments, or one script for `shell` */
    bool shell;             /* /bin/sh -c */
    bool clear_env;         /* nothing of this process's environment, but PATH */
    const char *cwd;        /* NULL: this process's; so all that is NULL */
    const char *const *env; /* name, value ... NULL; over those of the file */
    const char *env_file;   /* lines NAME=VALUE */
    const char *user, *group;
    const char *umask; /* octal */
    int64_t nice;      /* 0: this process's */
    struct bough_rlimits rlimits;
    bool no_new_privs;     /* as in core/limits.h */
    int64_t oom_score_adj; /* the same; 0: this process's */
    int stdin_from;        /* enum bough_command_stdin */
    struct bough_command_output stdout_to, stderr_to;
    const char *logger;              /* for what it writes; NULL: the runtime's log */
    const char *stop_signal;         /* name or number; NULL: TERM */
    const char *const *stop_command; /* instead; it finds the process in $MAINPID */
    struct bough_command_ready ready;
    struct bough_command_health health;
    /* Not always, but at times: the actor is there all the while, and runs its program
     * each time. A run that ends well is no end of the actor. One of these. */
    int64_t every_ms; /* at this interval, for the first time after it; 0: always */
    const char *at;   /* as crontab(5) has it: "30 3 * * mon-fri", "@daily"; local time */
};

/* A question being asked; the asker sets call.done, and call.timeout_ms (0: for ever). */
struct bough_command_ask {
    struct bough_call call;
};

struct bough_command_stream_status {
    int64_t lines, bytes; /* so far; of lines, those that have ended */
};

struct bough_command_status {
    int64_t pid; /* 0: it does not run */
    int64_t uptime_ms;
    struct bough_command_stream_status out, err; /* of what goes to the log */
    int64_t input_waiting; /* bytes sent, which it has not read yet */
    int64_t runs;          /* of this life, with `every` and `at` */
};

/* Starts a command on `loop`; the handle names this life. `options` is copied. `watch`
 * may be NULL, as with bough_spawn(). Thread: the loop's, which must outlive the program.
 * Errors: those of the options (BOUGH_EINVALID), of bough_process_spawn(), of the files
 * that are named; `failure` (may be NULL) says why, `watch` is then never called. */
BOUGH_PUBLIC BOUGH_CHECKED enum bough_status
bough_command_spawn(struct bough_loop *loop, const struct bough_command_options *options,
                    struct bough_watch *watch, struct bough_command *command,
                    struct bough_exit_reason *failure);

/* Sends the program a signal. The caller keeps `ask` until ask->call.done() has run, or
 * bough_call_cancel() has returned; likewise below. */
BOUGH_PUBLIC void bough_command_signal(struct bough_command command, const char *signal,
                                       struct bough_command_ask *ask);

/* Sends bytes to its stdin, which are copied; `last`: and then its end. BOUGH_EFULL while
 * it does not read what it was sent before. */
BOUGH_PUBLIC void bough_command_input(struct bough_command command, const void *bytes,
                                      size_t size, bool last,
                                      struct bough_command_ask *ask);

/* Runs one that runs at times now, out of turn. BOUGH_ERUNNING while it runs. */
BOUGH_PUBLIC void bough_command_run_now(struct bough_command command,
                                        struct bough_command_ask *ask);

BOUGH_PUBLIC void bough_command_ask_status(struct bough_command command,
                                           struct bough_command_ask *ask);

/* In done() with BOUGH_OK: what bough_command_ask_status() asked for. */
BOUGH_PUBLIC struct bough_command_status
bough_command_read(const struct bough_command_ask *ask);

#endif
