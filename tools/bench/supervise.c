/* supervise.c - keeps N processes of a program running, until it is killed.
 *
 * For tools that kill such programs and look how soon they are back. It is what an
 * embedder writes: a guard, a supervisor, a command of N replicas, no limit on restarts.
 *
 * SPDX-License-Identifier: MIT */
#include <ev.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include <bough/actors/command.h>
#include <bough/actors/guard.h>
#include <bough/supervisor/supervisor.h>
#include <bough/tools/bench/bench.h>

static void on_exited(struct bough_watch *watch, const struct bough_exit_reason *reason)
{
    char text[BOUGH_EXIT_TEXT + 64];

    (void)watch;
    bench_die("the tree", bough_exit_print(reason, text, sizeof(text)));
}

/* A descriptor for each. */
static void raise_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

/* A group of them, whose members are restarted singly. */
static void start(struct bough_loop *loop, const char *program, uint64_t n,
                  struct bough_watch *watch, struct bough_supervisor *root)
{
    const char *const run[] = { program, NULL };
    const struct bough_command_options command = {
        .run = run,
        .stdout_to = { .to = BOUGH_TO_INHERIT },
        .stderr_to = { .to = BOUGH_TO_INHERIT },
    };
    const struct bough_child_spec child = {
        .name = "programs",
        .type = &bough_command_type,
        .options = &command,
        .replicas = (uint32_t)n,
    };
    const struct bough_supervisor_options options = {
        .any_intensity = true,
        .intensity = BOUGH_INTENSITY_MAX,
        .children = &child,
        .child_count = 1,
    };
    struct bough_error error = { .text = "" };

    if (bough_supervisor_start(loop, &options, watch, root, &error) != BOUGH_OK)
        bench_die("the tree", error.text);
}

static void on_child(struct ev_loop *ev, struct ev_signal *watcher, int events)
{
    struct ev_timer *orphans = watcher->data;

    (void)events;
    if (ev_is_active(orphans)) return;
    ev_timer_set(orphans, 1, 0);
    ev_timer_start(ev, orphans);
}

static void on_orphans(struct ev_loop *ev, struct ev_timer *timer, int events)
{
    (void)ev, (void)timer, (void)events;
    bough_orphans_reap();
}

_Noreturn void bench_supervise(const char *program, uint64_t n)
{
    struct bough_runtime_options options = { .log_level = BOUGH_LEVEL_COUNT };
    struct bough_error error = { .text = "" };
    struct bough_watch watch = { .exited = on_exited };
    struct bough_supervisor root;
    struct ev_signal child;
    struct ev_timer orphans;

    raise_limit();
    if (bough_guard_new(NULL, &options.guard, &error) != BOUGH_OK)
        bench_die("a guard", error.text);
    /* By a descriptor, a signal that comes with each end does not interrupt what is done
     * about that end; there is no other thread which it could go to. */
    struct ev_loop *ev = ev_loop_new(EVFLAG_SIGNALFD);
    struct bough_runtime *runtime = bough_runtime_new(&options);
    if (ev == NULL || runtime == NULL) bench_die("a runtime", "memory");
    struct bough_loop *loop = bough_loop_new(runtime, ev);
    if (loop == NULL) bench_die("a loop", "memory");
    ev_init(&orphans, on_orphans);
    ev_signal_init(&child, on_child, SIGCHLD);
    child.data = &orphans;
    ev_signal_start(ev, &child);
    start(loop, program, n, &watch, &root);
    ev_run(ev, 0);
    bench_die("the loop", "it has ended");
}
