/* fixture.c - a runtime with one loop for a test, and what has to be left when it ends.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tests/support/fixture.h>

#include <dirent.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <bough/core/text.h>

enum { TASKS_MAX = 50 * 1000 * 1000, WAIT_S = 60 };

/* Threads log at the same time. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void append(char *text, const char *line)
{
    const size_t len = strlen(text);

    bough_text_format(text + len, BOUGH_TEST_TEXT - len, "%s\n", line);
}

static void trace(struct bough_test *test, const struct bough_event *event)
{
    char reason[256] = "", line[1536];

    if (event->reason) bough_exit_print(event->reason, reason, sizeof(reason));
    bough_text_format(line, sizeof(line), "%s %s %u%s%s",
                      bough_event_kind_name(event->kind), event->path, event->life,
                      event->reason ? " " : "", reason);
    append(test->trace, line);
}

static void record_event(void *data, const struct bough_event *event)
{
    struct bough_test *test = data;

    trace(test, event);
    if (test->event_count++ >= BOUGH_TEST_EVENTS) return;
    struct bough_test_event *kept = &test->events[test->event_count - 1];
    *kept = (struct bough_test_event){
        .kind = event->kind,
        .seq = event->seq,
        .cause = event->cause,
        .life = event->life,
        .delay_ms = event->delay_ms,
        .attempt = event->attempt,
        .restarts = event->restarts,
        .allowed = event->allowed,
        .period_ms = event->period_ms,
    };
    if (event->reason) kept->reason = *event->reason;
    bough_text_format(kept->path, sizeof(kept->path), "%s", event->path);
}

static void record_log(void *data, const struct bough_log_record *record)
{
    struct bough_test *test = data;
    char line[2304];

    bough_text_format(line, sizeof(line), "%s %s: %s",
                      bough_log_level_names[record->level], record->path, record->text);
    pthread_mutex_lock(&lock);
    append(test->log, line);
    pthread_mutex_unlock(&lock);
}

size_t bough_test_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    size_t count = 0;

    assert_non_null(folder);
    while (readdir(folder))
        count++;
    closedir(folder);
    return count - 3; /* ".", ".." and the folder itself */
}

bool bough_test_is_alone(void)
{
#ifdef __SANITIZE_THREAD__
    return false;
#else
    const char *preload = getenv("LD_PRELOAD");

    return preload == NULL || strstr(preload, "vgpreload") == NULL;
#endif
}

bool bough_test_has_children(void)
{
    siginfo_t info;

    return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

/* What is waited for may have come just now, from another thread or because it was due:
 * then the poll would wait for something else. */
static void look_again(struct ev_loop *ev, ev_prepare *look, int events)
{
    const struct bough_test *test = look->data;

    (void)events;
    if (test->waits && bough_loop_count(test->loop).rounds != test->rounds)
        ev_break(ev, EVBREAK_ONE);
}

/* Of watchers with the same priority, libev calls first the one that was started last:
 * so this is started before the loop's. */
static void start_looking(struct bough_test *test)
{
    ev_prepare_init(&test->look, look_again);
    ev_set_priority(&test->look, EV_MINPRI);
    test->look.data = test;
    ev_prepare_start(test->ev, &test->look);
    ev_unref(test->ev);
}

static void stop_looking(struct bough_test *test)
{
    ev_ref(test->ev);
    ev_prepare_stop(test->ev, &test->look);
}

static int set_up(void **state, bool is_virtual)
{
    struct bough_test *test = calloc(1, sizeof(*test));

    if (!test) return -1;
    test->descriptors = bough_test_descriptors();
    test->is_virtual = is_virtual;
    bough_virtual_clock_init(&test->clock, BOUGH_TEST_REALTIME_NS);
    test->ev = ev_loop_new(EVFLAG_AUTO);
    if (!test->ev) return -1;
    start_looking(test);
    test->runtime = bough_runtime_new(&(struct bough_runtime_options){
        .clock = is_virtual ? &test->clock.clock : NULL,
        .log = record_log,
        .log_data = test,
        .event = record_event,
        .event_data = test,
    });
    test->loop = test->runtime ? bough_loop_new(test->runtime, test->ev) : NULL;
    test->give_up_at = ev_time() + WAIT_S;
    *state = test;
    return test->loop ? 0 : -1;
}

int bough_test_setup(void **state)
{
    return set_up(state, true);
}

int bough_test_setup_real(void **state)
{
    return set_up(state, false);
}

/* What is left of the test; prints it. */
static bool is_clean(const struct bough_test *test)
{
    const struct bough_loop_counts left = bough_loop_count(test->loop);
    const bool reports = !test->is_virtual && left.dead_letters > 0;
    const struct {
        const char *name;
        size_t count;
    } rows[] = {
        { "actors", left.lives },
        { "places", left.places },
        { "messages", left.cells },
        { "questions", left.calls },
        { "deadlines", reports ? 0 : left.timeouts },
        { "sources", left.sources },
    };
    bool clean = true;

    for (size_t i = 0; i < bough_count_of(rows); i++) {
        if (rows[i].count == 0) continue;
        print_error("the test left %zu %s\n", rows[i].count, rows[i].name);
        clean = false;
    }
    return clean;
}

/* The report of dead letters keeps a deadline for a second. */
static void let_reports_end(struct bough_test *test)
{
    const struct bough_loop_counts left = bough_loop_count(test->loop);

    if (test->is_virtual && left.dead_letters > 0 && left.lives == 0 && left.calls == 0) {
        bough_test_advance(test, 2000);
    }
}

/* A runtime that is not clean may hold pointers into the test's frame, which is gone: it
 * is left alone. */
int bough_test_teardown(void **state)
{
    struct bough_test *test = *state;

    let_reports_end(test);
    if (!is_clean(test)) return -1;

    bough_runtime_free(test->runtime);
    stop_looking(test);
    ev_loop_destroy(test->ev);
    const size_t descriptors = bough_test_descriptors();
    const bool same = descriptors == test->descriptors;
    if (!same) {
        print_error("%zu descriptors, %zu before\n", descriptors, test->descriptors);
    }
    const bool childless = !bough_test_has_children();
    if (!childless) print_error("the test left a child process\n");
    free(test);
    return same && childless ? 0 : -1;
}

void bough_test_run(struct bough_test *test)
{
    size_t count = 0, more;

    if (getenv("BOUGH_TEST_APART")) bough_test_advance(test, 0);
    while ((more = bough_loop_run_ready(test->loop, TASKS_MAX)) > 0) {
        count += more;
        if (count >= TASKS_MAX) fail_msg("what is ready does not end");
    }
}

void bough_test_advance(struct bough_test *test, int64_t ms)
{
    bough_loop_advance(test->loop, &test->clock, ms);
}

static void stop_waiting(struct ev_loop *ev, ev_timer *timer, int events)
{
    (void)timer;
    (void)events;
    ev_break(ev, EVBREAK_ONE);
}

void bough_test_wait(struct bough_test *test)
{
    if (bough_loop_run_ready(test->loop, TASKS_MAX) > 0) return;

    const double left = test->give_up_at - ev_time();
    ev_timer limit;
    if (left <= 0) fail_msg("waited longer than %d s", WAIT_S);
    ev_timer_init(&limit, stop_waiting, left, 0);
    ev_now_update(test->ev);
    ev_timer_start(test->ev, &limit);
    test->rounds = bough_loop_count(test->loop).rounds;
    test->waits = true;
    ev_run(test->ev, EVRUN_ONCE);
    test->waits = false;
    /* Not even when there is something to run now: nobody was woken for it. */
    if (!ev_is_active(&limit)) fail_msg("waited longer than %d s", WAIT_S);
    ev_timer_stop(test->ev, &limit);
}

void bough_test_forget(struct bough_test *test)
{
    test->event_count = 0;
    test->trace[0] = '\0';
    test->log[0] = '\0';
}
