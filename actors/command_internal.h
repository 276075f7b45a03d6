/* command_internal.h - a command: its state, and what its parts do for each other.
 *
 * command.c          Message, Actor, Runner, Handle
 * command_options.c  the table of options, and what does not go together
 * command_start.c    from options to a process
 * command_env.c      its environment
 * command_output.c   what it writes, line by line
 * command_input.c    what is written to it
 * command_ready.c    when it is ready
 * command_end.c      how it ends, and all that it has started
 * command_schedule.c when it runs, if that is not always
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_ACTORS_COMMAND_INTERNAL_H
#define BOUGH_ACTORS_COMMAND_INTERNAL_H

#include <bough/actors/command.h>
#include <bough/actors/job_internal.h>
#include <bough/actors/logger.h>
#include <bough/actors/taken_internal.h>
#include <bough/core/elsewhere.h>
#include <bough/core/timer.h>

struct bough_command_output_pipes;
struct bough_command_input_pipe;
struct bough_readiness;
struct bough_schedule;

/* Where its program is. */
enum bough_command_phase {
    BOUGH_COMMAND_NONE,     /* not started, or nothing of it is left */
    BOUGH_COMMAND_RUNS,     /* until its own process has ended */
    BOUGH_COMMAND_DRAINS,   /* has ended; the log has no room for its last lines */
    BOUGH_COMMAND_LEFTOVERS /* what it has started has not ended yet */
};

/* The state. There may be very many: what not every command has is allocated when it is
 * used. */
struct bough_running {
    struct bough_actor *actor;
    const struct bough_command_options *options; /* the place's */

    struct bough_process process;
    int64_t started_ms;
    struct bough_taken *taken; /* on libev's default loop */
    struct ev_io ended;        /* on its pidfd, then on that of a leftover */
    struct ev_timer *patience; /* NULL: nothing was to be waited for */
    int leftover;              /* the pidfd of one that was killed */
    int tries; /* to have its last lines taken; seconds since it was killed */
    struct bough_linger linger;
    enum bough_command_phase phase : 8;
    bool lingers, stopping, killed, has_cgroup;
    bool returns; /* most likely: its end was a fault */
    bool well;    /* its program has ended, by itself, and no fault */
    bool over;    /* the life has a reason to end */

    struct bough_command_output_pipes *output; /* NULL: nothing goes to the log */
    struct bough_command_input_pipe *input;    /* NULL: it has none */
    struct bough_readiness *readiness;         /* NULL: it is ready */
    struct bough_job *stopper;                 /* runs stop_command */
    struct bough_schedule *schedule;           /* NULL: it runs always */
};

_Static_assert(sizeof(struct bough_running) <= 192, "a class of the pool's blocks");

/* command_options.c */
enum { BOUGH_COMMAND_FIELDS = 23 };
extern const struct bough_field bough_command_fields[BOUGH_COMMAND_FIELDS];
enum bough_status bough_command_check(const void *options, struct bough_error *error);
enum bough_status bough_command_check_here(const void *options,
                                           struct bough_error *error);
int bough_command_stop_signal(const struct bough_command_options *options);

/* An address of "tcp": false when it is none. */
struct sockaddr_storage;
bool bough_tcp_parse(const char *text, struct sockaddr_storage *address, size_t *size);

/* command_env.c */

/* An environment, made for one start. */
struct bough_environment {
    char **list; /* ends with NULL; the first ones are this process's own */
    bool *made;  /* of each: it was made here */
    size_t count, capacity;
    bool failed; /* memory is out */
};

/* Makes the environment of the program, and of those that are run for it. Errors:
 * BOUGH_ENOMEM, BOUGH_ESYSTEM and BOUGH_EINVALID (the file); there is then none to free.
 */
BOUGH_CHECKED enum bough_status
bough_environment_make(const struct bough_command_options *options,
                       struct bough_environment *environment, struct bough_error *error);
void bough_environment_set(struct bough_environment *environment, const char *name,
                           const char *value);

/* Its PATH; NULL: it has none. */
const char *bough_environment_path(const struct bough_environment *environment);

/* Wipes it, for there may be secrets in it. Fine on a zeroed one. */
void bough_environment_free(struct bough_environment *environment);

/* command_start.c */

/* How a program of this command is run: where, with what, as whom. */
struct bough_ways {
    struct bough_environment environment;
    struct bough_limits_plan *plan; /* NULL: none */
    struct bough_spawn_options options;
};

BOUGH_CHECKED enum bough_status
bough_ways_make(const struct bough_command_options *options, struct bough_ways *ways,
                struct bough_error *error);
void bough_ways_free(struct bough_ways *ways);

/* Starts the program. Nothing is left when it fails. */
BOUGH_CHECKED enum bough_status bough_command_start(struct bough_running *self,
                                                    struct bough_error *error);

/* command_output.c */

/* Opens what descriptor 1 or 2 is to be: one of this process's, to be closed by the
 * caller when it is 3 or more, or one of BOUGH_SPAWN_*. */
BOUGH_CHECKED enum bough_status bough_command_open_output(struct bough_running *self,
                                                          int number, int *fd,
                                                          struct bough_error *error);

/* Whom its lines go to; nobody: the log. Reserves the place. Errors: bough_reference()'s.
 */
BOUGH_CHECKED enum bough_status
bough_command_find_logger(const struct bough_running *self, struct bough_logger *logger,
                          struct bough_error *error);

/* Begins to read, once the program runs. */
void bough_command_watch_output(struct bough_running *self);

/* The program has ended: reads what is left. False: the log has no room for all of it
 * now; to be called again. `last`: what there is no room for is lost. */
bool bough_command_drain(struct bough_running *self, bool last);
void bough_command_close_output(struct bough_running *self);

/* Its last line on stderr, "" when there is none. */
const char *bough_command_last_words(const struct bough_running *self);
void bough_command_count_output(const struct bough_running *self,
                                struct bough_command_status *status);

/* command_input.c */
BOUGH_CHECKED enum bough_status
bough_command_open_input(struct bough_running *self, int *fd, struct bough_error *error);

/* Errors, nothing was taken: BOUGH_EGONE (it reads no more), BOUGH_EFULL, BOUGH_ENOMEM,
 * BOUGH_EREFUSED (it has no input). */
BOUGH_CHECKED enum bough_status bough_command_write(struct bough_running *self,
                                                    const void *bytes, size_t size,
                                                    bool last);
void bough_command_close_input(struct bough_running *self);
int64_t bough_command_input_waiting(const struct bough_running *self);

/* command_ready.c */

/* Before the program runs: opens what it will say it by. `*handed` is a descriptor for
 * it, to be closed by the caller, or 0. */
BOUGH_CHECKED enum bough_status
bough_readiness_open(struct bough_running *self, struct bough_environment *environment,
                     int *handed, struct bough_error *error);

/* The program runs: says that it is ready, or begins to look. */
void bough_readiness_start(struct bough_running *self);

/* It has written a line. */
void bough_readiness_line(struct bough_running *self, const char *line);

/* Why it is not ready yet, in a sentence. */
void bough_readiness_explain(const struct bough_running *self, char *text, size_t size);
void bough_readiness_close(struct bough_running *self);

/* command_schedule.c */

/* Whether it runs at times, and not always. */
bool bough_command_is_scheduled(const struct bough_command_options *options);
BOUGH_CHECKED enum bough_status bough_schedule_start(struct bough_running *self,
                                                     struct bough_error *error);
void bough_schedule_stop(struct bough_running *self);
void bough_schedule_free(struct bough_running *self);

/* Runs it now; it must not run. */
BOUGH_CHECKED enum bough_status bough_command_run_once(struct bough_running *self,
                                                       struct bough_error *error);
int64_t bough_schedule_runs(const struct bough_running *self);

/* When it runs next, in nanoseconds since 1970; 0: never. */
int64_t bough_schedule_next_ns(const struct bough_running *self);

/* command_end.c */

/* From now on the life is over only when nothing of the program is left. */
void bough_command_linger(struct bough_running *self);
void bough_command_watch_end(struct bough_running *self);

/* Asks the program to end, as the options have it. */
void bough_command_ask_to_end(struct bough_running *self);

/* The life ends: for finish(). */
void bough_command_end_now(struct bough_running *self);

/* Its last descriptors and the rest, when nothing runs. */
void bough_command_release(struct bough_running *self);

#endif
