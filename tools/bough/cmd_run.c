/* cmd_run.c - `bough run`: a tree in the foreground, from its file to its exit code.
 *
 * One thread, one loop. The control socket is there before the tree is, so that two
 * programs never run the same tree, and goes when the tree is down, so that another can
 * follow at once. The first SIGTERM or SIGINT asks the tree to stop; after the second
 * nothing is waited for.
 *
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <ev.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <bough/actors/guard.h>
#include <bough/actors/logger.h>
#include <bough/actors/types.h>
#include <bough/core/place.h>
#include <bough/core/runtime.h>
#include <bough/supervisor/process/nursery.h>
#include <bough/supervisor/supervisor.h>
#include <bough/tools/bough/commands.h>
#include <bough/tools/bough/control.h>
#include <bough/tools/bough/exit_code.h>
#include <bough/tools/bough/history.h>
#include <bough/tools/bough/journal.h>
#include <bough/tools/bough/load.h>
#include <bough/tools/bough/output.h>
#include <bough/tools/bough/own_keys.h>
#include <bough/tools/bough/reload.h>
#include <bough/tools/bough/reporter.h>
#include <bough/tools/bough/service.h>
#include <bough/tools/bough/sockets.h>
#include <bough/tools/bough/tally.h>
#include <bough/tools/bough/verbs.h>

enum {
    RESERVED_FILES = 256, /* descriptors that are kept for actors and their programs */
    CONNECTIONS_MAX =
        65536, /* of the control socket, whatever the limit of descriptors is */
};
static const double DRAIN_SECONDS = 2; /* for the last answers, once the tree is down */
static const double ORPHAN_SECONDS = 0.2; /* that orphans which have ended may wait */

struct program {
    char *name; /* the tree's */
    size_t workers, supervisors;
    char socket[BOUGH_SOCKET_PATH];

    struct bough_guard *guard;
    struct bough_nursery *nursery;
    struct ev_loop *ev;
    struct ev_signal terminate, interrupt, hangup, child;
    struct bough_own_keys own;
    struct ev_timer orphans;
    struct bough_history *history;
    struct bough_journal *journal;
    struct bough_tally *tally;
    struct bough_runtime *runtime;
    struct bough_loop *loop;
    struct bough_reporter reporter;
    struct bough_control *control;
    struct bough_service service;
    struct bough_reload *reload;

    struct bough_supervisor root;
    struct bough_watch watch;
    bool ready, stopping, forced, gave_up, down;
    int stop_signals;                /* that came so far */
    struct bough_exit_reason reason; /* why the root ended, once down */
};

/* What happens to the tree */

/* Where there is a logger: the loop that is busy may be the one that writes the log, and
 * the one that answers who asks. */
static void complain_stuck(const struct program *program, const struct bough_event *event)
{
    bough_complain("%s: %s is stuck: a handler has run for %lld ms, and still does",
                   program->name, event->path, (long long)event->stuck_ms);
    for (const char *line = event->backtrace; *line != '\0';) {
        const size_t len = strcspn(line, "\n");

        bough_complain("  %.*s", (int)len, line);
        line += len + (line[len] == '\n');
    }
}

static void on_event(void *data, const struct bough_event *event)
{
    struct program *program = data;

    bough_exit_with_note(&program->own.exit_with, event);
    bough_reload_note(program->reload, event);
    if (event->kind == BOUGH_EVENT_GAVE_UP && strcmp(event->path, "/") == 0) {
        program->gave_up = true;
    }
    if (event->kind == BOUGH_EVENT_STUCK && bough_reporter_has_logger(&program->reporter))
        complain_stuck(program, event);
    bough_history_add(program->history, event);
    bough_tally_add(program->tally, event);
}

static void on_ready(struct bough_watch *watch)
{
    struct program *program = bough_container(watch, struct program, watch);

    program->ready = true;
    bough_service_say(&program->service, "READY=1\nSTATUS=up");
    bough_log(program->runtime, BOUGH_INFO, "/",
              "%s is up: %zu actor%s under %zu supervisor%s", program->name,
              program->workers, program->workers == 1 ? "" : "s", program->supervisors,
              program->supervisors == 1 ? "" : "s");
}

static void on_exited(struct bough_watch *watch, const struct bough_exit_reason *reason)
{
    struct program *program = bough_container(watch, struct program, watch);

    program->down = true;
    program->reason = *reason;
    ev_break(program->ev, EVBREAK_ALL);
}

static void stop(struct program *program, const char *because)
{
    if (program->stopping) return;
    program->stopping = true;
    bough_log(program->runtime, BOUGH_INFO, "/", "%s stops: %s", program->name, because);
    bough_service_say(&program->service, "STOPPING=1\nSTATUS=stopping");
    bough_supervisor_stop(program->root);
}

static void on_shutdown(void *data)
{
    stop(data, "bough shutdown");
}

/* Signals */

static void on_stop_signal(struct ev_loop *ev, struct ev_signal *watcher, int events)
{
    struct program *program = watcher->data;

    (void)events;
    if (program->stop_signals++ == 0) {
        stop(program, watcher->signum == SIGINT ? "SIGINT" : "SIGTERM");
        if (isatty(STDERR_FILENO) == 1) {
            bough_complain("%s: stopping in order; once more stops it at once",
                           program->name);
        }
        return;
    }
    program->forced = true;
    ev_break(ev, EVBREAK_ALL);
}

static void reopen_logger(void *data, struct bough_address place,
                          const struct bough_place_info *info)
{
    struct program *program = data;
    enum bough_status status;

    if (info->type != &bough_logger_type) return;
    status = bough_logger_reopen((struct bough_logger){ .address = place });
    if (status == BOUGH_OK) return;
    bough_log(program->runtime, BOUGH_WARNING, info->path,
              "cannot be told to reopen its file: %s", bough_status_text(status));
}

static void on_hangup(struct ev_loop *ev, struct ev_signal *watcher, int events)
{
    struct program *program = watcher->data;

    (void)ev, (void)events;
    if (bough_place_visit(program->loop, "/", reopen_logger, program) != BOUGH_OK)
        bough_log(program->runtime, BOUGH_WARNING, "", "SIGHUP, and no logger to tell");
    bough_reload_file(program->reload);
}

/* Many may end at once, and most are waited for by somebody. */
static void on_child(struct ev_loop *ev, struct ev_signal *watcher, int events)
{
    struct program *program = watcher->data;

    (void)events;
    if (ev_is_active(&program->orphans)) return;
    ev_timer_set(&program->orphans, ORPHAN_SECONDS, 0);
    ev_timer_start(ev, &program->orphans);
}

static void on_orphans(struct ev_loop *ev, struct ev_timer *timer, int events)
{
    const struct program *program = timer->data;

    (void)ev, (void)events;
    bough_orphans_reap();
    if (program->guard != NULL) bough_guard_check(program->guard);
}

/* What process 1 has no handler for does not end it, and is lost: so it waits until there
 * is one. */
static void hold_stop_signals(bool held)
{
    sigset_t stop;

    if (getpid() != 1) return;
    sigemptyset(&stop);
    sigaddset(&stop, SIGTERM);
    sigaddset(&stop, SIGINT);
    sigprocmask(held ? SIG_BLOCK : SIG_UNBLOCK, &stop, NULL);
}

static void watch_signals(struct program *program)
{
    signal(SIGPIPE, SIG_IGN);
    ev_signal_init(&program->terminate, on_stop_signal, SIGTERM);
    ev_signal_init(&program->interrupt, on_stop_signal, SIGINT);
    ev_signal_init(&program->hangup, on_hangup, SIGHUP);
    ev_signal_init(&program->child, on_child, SIGCHLD);
    ev_init(&program->orphans, on_orphans);
    program->terminate.data = program->interrupt.data = program->hangup.data = program;
    program->child.data = program->orphans.data = program;
    ev_signal_start(program->ev, &program->terminate);
    ev_signal_start(program->ev, &program->interrupt);
    hold_stop_signals(false);
    ev_signal_start(program->ev, &program->hangup);
    if (program->guard != NULL) ev_signal_start(program->ev, &program->child);
}

static void unwatch_signals(struct program *program)
{
    ev_signal_stop(program->ev, &program->terminate);
    ev_signal_stop(program->ev, &program->interrupt);
    ev_signal_stop(program->ev, &program->hangup);
    ev_signal_stop(program->ev, &program->child);
    ev_timer_stop(program->ev, &program->orphans);
}

/* Making and unmaking */

/* Raises the limit of descriptors as far as it goes; how many connections fit into it. */
static size_t connection_limit(void)
{
    struct rlimit limit;
    rlim_t reserved;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return FD_SETSIZE / 2;
    if (limit.rlim_cur < limit.rlim_max) {
        const rlim_t soft = limit.rlim_cur;

        limit.rlim_cur = limit.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &limit) != 0) limit.rlim_cur = soft;
    }
    reserved = limit.rlim_cur / 2 < RESERVED_FILES ? limit.rlim_cur / 2 : RESERVED_FILES;
    if (limit.rlim_cur - reserved > CONNECTIONS_MAX) return CONNECTIONS_MAX;
    return (size_t)(limit.rlim_cur - reserved);
}

static enum bough_status make_runtime(struct program *program)
{
    struct bough_runtime_options options = {
        .event = on_event,
        .event_data = program,
        .nursery = program->nursery,
        .guard = program->guard,
    };

    program->history = bough_history_new(BOUGH_HISTORY_CAPACITY);
    program->ev = ev_loop_new(EVFLAG_AUTO);
    program->journal = bough_journal_new(BOUGH_JOURNAL_LINES, BOUGH_JOURNAL_BYTES);
    program->tally = bough_tally_new();
    if (program->history == NULL || program->journal == NULL || program->tally == NULL ||
        program->ev == NULL)
        return BOUGH_ENOMEM;
    program->runtime = bough_runtime_new(&options);
    if (program->runtime == NULL) return BOUGH_ENOMEM;
    program->loop = bough_loop_new(program->runtime, program->ev);
    return program->loop != NULL ? BOUGH_OK : BOUGH_ENOMEM;
}

static enum bough_status make_control(struct program *program, struct bough_error *error)
{
    const struct bough_control_options options = {
        .loop = program->loop,
        .history = program->history,
        .journal = program->journal,
        .tally = program->tally,
        .name = program->name,
        .path = program->socket,
        .types = bough_actor_types,
        .reload = program->reload,
        .connection_limit = connection_limit(),
        .shutdown = on_shutdown,
        .data = program,
    };

    return bough_control_new(&options, &program->control, error);
}

static void make_own_keys(struct program *program,
                          const struct bough_arguments *arguments)
{
    const struct bough_figures_source source = {
        .loop = program->loop,
        .history = program->history,
        .tally = program->tally,
        .name = program->name,
    };

    bough_own_keys_init(&program->own, program->ev, &source,
                        arguments->options[BOUGH_OPTION_METRICS]);
}

static void on_log(void *data, const char *path)
{
    struct program *program = data;
    const enum bough_status status =
        bough_reporter_set(&program->reporter, program->loop, path);

    if (status == BOUGH_OK) return;
    bough_log(program->runtime, BOUGH_WARNING, "/", "cannot reach %s: %s",
              path != NULL ? path : "no logger", bough_status_text(status));
}

static enum bough_status make_reload(struct program *program,
                                     const struct bough_config_tree *tree,
                                     const char *file)
{
    const struct bough_reload_options options = {
        .loop = program->loop,
        .types = bough_actor_types,
        .name = program->name,
        .file = file,
        .log = tree->log,
        .tree = &tree->options,
        .own = &program->own,
        .set_log = on_log,
        .data = program,
    };

    program->reload = bough_reload_new(&options);
    return program->reload != NULL ? BOUGH_OK : BOUGH_ENOMEM;
}

static enum bough_status start_tree(struct program *program,
                                    const struct bough_config_tree *tree,
                                    struct bough_error *error)
{
    const enum bough_status status =
        bough_reporter_init(&program->reporter, program->loop, tree->log);

    if (status != BOUGH_OK)
        return bough_error_set(error, status, "cannot reach %s", tree->log);
    bough_journal_tap(program->journal, program->runtime);
    program->watch.ready = on_ready;
    program->watch.exited = on_exited;
    return bough_supervisor_start(program->loop, &tree->options, &program->watch,
                                  &program->root, error);
}

static enum bough_status make(struct program *program,
                              const struct bough_config_tree *tree,
                              const struct bough_arguments *arguments,
                              struct bough_error *error)
{
    enum bough_status status = bough_socket_choose(
        arguments->options[BOUGH_OPTION_CONTROL], arguments->options[BOUGH_OPTION_NAME],
        program->name, program->socket, error);

    if (status != BOUGH_OK) return status;
    if (bough_guard_new(NULL, &program->guard, error) != BOUGH_OK)
        bough_complain("%s: what its programs start may outlive a kill of bough: %s",
                       program->name, error->text);
    /* Without one all runs but what is to have a process, and that says so. */
    if (bough_nursery_new(&program->nursery, error) != BOUGH_OK)
        bough_complain("%s: no actor can have a process of its own: %s", program->name,
                       error->text);
    status = make_runtime(program);
    if (status == BOUGH_OK) make_own_keys(program, arguments);
    if (status == BOUGH_OK) status = make_reload(program, tree, arguments->words[0]);
    if (status != BOUGH_OK) return bough_error_set(error, status, "out of memory");
    status = make_control(program, error);
    if (status == BOUGH_OK) status = bough_own_keys_open(&program->own, tree, error);
    if (status != BOUGH_OK) return status;
    watch_signals(program);
    bough_service_watch(&program->service, program->ev);
    return start_tree(program, tree, error);
}

static void on_overdue(int number)
{
    static const char said[] = "bough: a thread does not return from its handler; ended "
                               "without it\n";

    (void)number;
    (void)!bough_stderr_write(said, sizeof(said) - 1);
    _exit(BOUGH_CODE_FAILED);
}

/* A thread that is stuck would be waited for in vain: who was told twice does not. */
static void limit_the_end(const struct program *program)
{
    enum { SECONDS = 2 };

    if (!program->forced) return;
    signal(SIGALRM, on_overdue);
    alarm(SECONDS);
}

static void unmake(struct program *program)
{
    limit_the_end(program);
    bough_own_keys_finish(&program->own);
    bough_control_free(program->control);
    bough_reload_free(program->reload);
    program->reload = NULL; /* the last places are still reported */
    if (program->runtime != NULL) bough_runtime_free(program->runtime);
    bough_service_close(&program->service);
    if (program->ev != NULL) {
        unwatch_signals(program);
        ev_loop_destroy(program->ev);
    }
    bough_reporter_finish(&program->reporter);
    bough_nursery_free(program->nursery);
    bough_guard_free(program->guard);
    bough_history_free(program->history);
    bough_journal_free(program->journal);
    bough_tally_free(program->tally);
    free(program->name);
}

/* Running */

static void introduce(const struct program *program)
{
    const struct bough_endpoint *metrics = bough_own_keys_endpoint(&program->own);
    char endpoint[BOUGH_ENDPOINT_TEXT];

    bough_complain("%s: pid %d, control socket %s", program->name, (int)getpid(),
                   program->socket);
    if (metrics != NULL)
        bough_complain("%s: metrics at http://%s/metrics", program->name,
                       bough_endpoint_print(metrics, endpoint));
    if (isatty(STDERR_FILENO) != 1) return;
    bough_complain(
        "look at it from another terminal with `bough status`, stop it with Ctrl-C");
}

static void on_drained(struct ev_loop *ev, struct ev_timer *timer, int events)
{
    (void)ev, (void)events;
    *(bool *)timer->data = true;
}

/* The tree is down; those who wait for an answer get it. */
static void drain(struct program *program)
{
    bool over = false;
    struct ev_timer limit;

    bough_own_keys_close_port(&program->own);
    bough_control_close(program->control);
    ev_timer_init(&limit, on_drained, DRAIN_SECONDS, 0);
    limit.data = &over;
    ev_timer_start(program->ev, &limit);
    while (!over && !program->forced && bough_control_pending(program->control) > 0) {
        ev_run(program->ev, EVRUN_ONCE);
    }
    ev_timer_stop(program->ev, &limit);
}

/* The exit code, with a word on stderr when something went wrong. */
static int judge(const struct program *program)
{
    const char *name = program->name;
    char reason[BOUGH_EXIT_TEXT + 64];

    bough_exit_print(&program->reason, reason, sizeof(reason));
    if (program->forced) {
        bough_complain("%s: stopped at once, not in order", name);
        return BOUGH_CODE_FAILED;
    }
    if (program->gave_up) {
        bough_complain("%s: %s", name, reason);
        return BOUGH_CODE_GAVE_UP;
    }
    if (program->stopping || (program->ready && bough_exit_good(&program->reason))) {
        return BOUGH_CODE_DONE;
    }
    if (!program->ready) {
        bough_complain("%s: could not start: %s", name, reason);
        return BOUGH_CODE_CHILD;
    }
    bough_complain("%s: ended: %s", name, reason);
    return BOUGH_CODE_FAILED;
}

/* What was read is of no use once the tree has its own copy: it goes back to the system,
 * as it may be a hundred megabytes that a tree which runs for a year will not need again.
 */
static int make_from(struct program *program, struct bough_config *config,
                     const struct bough_arguments *arguments)
{
    const struct bough_config_tree *tree = bough_config_tree(config);
    struct bough_error error = { .text = "out of memory" };
    enum bough_status status = BOUGH_ENOMEM;

    program->name = strdup(tree->name);
    program->workers = tree->workers;
    program->supervisors = tree->supervisors;
    if (program->name != NULL) status = make(program, tree, arguments, &error);
    if (status != BOUGH_OK) bough_complain("%s: %s", tree->name, error.text);
    bough_config_free(config);
    malloc_trim(0);
    return status == BOUGH_OK ? BOUGH_CODE_DONE : BOUGH_CODE_FAILED;
}

static int check_arguments(const struct bough_arguments *arguments)
{
    const char *metrics = arguments->options[BOUGH_OPTION_METRICS];
    struct bough_endpoint endpoint;
    struct bough_error error;

    if (metrics == NULL || bough_endpoint_parse(metrics, &endpoint, &error) == BOUGH_OK)
        return BOUGH_CODE_DONE;
    bough_complain("run: --metrics: %s", error.text);
    return BOUGH_CODE_USAGE;
}

int bough_cmd_run(const struct bough_arguments *arguments)
{
    struct program program = { .name = NULL };
    struct bough_config *config;
    int code = check_arguments(arguments);

    hold_stop_signals(true);
    if (code == BOUGH_CODE_DONE) code = bough_load(arguments->words[0], &config);
    if (code != BOUGH_CODE_DONE) return code;
    bough_complain_impatiently();
    bough_service_open(&program.service);
    code = make_from(&program, config, arguments);
    if (code != BOUGH_CODE_DONE) {
        unmake(&program);
        return code;
    }
    introduce(&program);
    ev_run(program.ev, 0);
    if (program.down) drain(&program);
    code = judge(&program);
    code = bough_exit_with_code(&program.own.exit_with, code);
    unmake(&program);
    return code;
}
