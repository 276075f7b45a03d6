/* watchdog.c - a thread that looks after handlers which run too long.
 *
 * It looks at each of those it watches several times within their limit (core/glance.h):
 * what was the same handler since an earlier look has run at least since then. Nothing is
 * asked of a loop that may be stuck, and none has more to do for being looked at.
 *
 * The list is the process's, for several runtimes, since the signal is; its lock is not
 * held while something is told, for that may take as long as names take to be found. Who
 * is taken out of the list meanwhile is waited for.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/supervisor/watchdog_internal.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <utlist.h>

#include <bough/core/event.h>
#include <bough/core/glance.h>
#include <bough/core/place.h>
#include <bough/core/text.h>
#include <bough/supervisor/process/crash_internal.h>
#include <bough/supervisor/supervision_internal.h>

/* So that what is stuck is found an eighth of its limit late, at most. */
enum { LOOKS = 8 };

struct bough_ward {
    struct bough_ward *prev, *next;
    struct bough_address place;
    struct bough_runtime *runtime;
    const char *type;
    int64_t limit_ms;
    pthread_t thread;  /* of the loop, unless that is one of Bough's, */
    const void *owner; /* as long as the loop is this one's */
    struct bough_glance seen;
    int64_t since_ms;
    uint64_t cause;   /* the event `stuck`, once it is */
    bool stuck, told; /* told: something is, and it stays where it is */
    char path[];
};

static struct {
    pthread_mutex_t life; /* around beginning and end of the thread; before `lock` */
    pthread_mutex_t lock;
    pthread_cond_t changed; /* the list, or `told` */
    struct bough_ward *wards;
    pthread_t thread;
    int hurry; /* an eventfd: somebody waits until all is told */
    bool runs, samples, quits;
} watchdog = { .life = PTHREAD_MUTEX_INITIALIZER,
               .lock = PTHREAD_MUTEX_INITIALIZER,
               .changed = PTHREAD_COND_INITIALIZER };

/* Telling. The ward is `told` meanwhile, and the lock is free. */

/* A loop that was handed to another thread is not asked: by whom it is run is not known.
 */
static bool thread_of(const struct bough_ward *ward, pthread_t *thread)
{
    *thread = ward->seen.threaded ? ward->seen.thread : ward->thread;
    return ward->seen.threaded || ward->seen.owner == ward->owner;
}

/* In memory of its own, for the size of a stack is not known here; NULL: none. */
struct where {
    char text[BOUGH_CRASH_TEXT];
    struct bough_crash_area area;
};

static struct where *find_where(const struct bough_ward *ward)
{
    struct where *where = calloc(1, sizeof(*where));
    pthread_t thread;

    if (where == NULL || !watchdog.samples || !thread_of(ward, &thread)) return where;
    if (!bough_sample_thread(thread, &where->area.stack)) return where;
    bough_crash_copy_maps(&where->area);
    bough_reader_wait(bough_runtime_nursery(ward->runtime), &where->area, watchdog.hurry,
                      where->text);
    return where;
}

static uint64_t tell(const struct bough_ward *ward, enum bough_event_kind kind,
                     int64_t stuck_ms, const char *backtrace)
{
    struct bough_event event = {
        .kind = kind,
        .path = ward->path,
        .type = ward->type,
        .life = ward->seen.life,
        .cause = kind == BOUGH_EVENT_UNSTUCK ? ward->cause : 0,
        .stuck_ms = stuck_ms,
        .backtrace = backtrace,
    };

    return bough_event_report(ward->runtime, &event);
}

static void tell_stuck(struct bough_ward *ward, int64_t stuck_ms)
{
    struct where *where = find_where(ward);
    const char *text = where != NULL ? where->text : "";
    char span[BOUGH_DURATION_TEXT];

    bough_show_stuck(ward->place, true);
    ward->cause = tell(ward, BOUGH_EVENT_STUCK, stuck_ms, text);
    bough_log(ward->runtime, BOUGH_ERROR, ward->path,
              "is stuck: a handler has run for %s, and still does",
              bough_print_ms(stuck_ms, span));
    bough_crash_log(ward->runtime, ward->path, "", text);
    free(where);
}

static void tell_goes_on(struct bough_ward *ward, int64_t stuck_ms)
{
    char span[BOUGH_DURATION_TEXT];

    bough_show_stuck(ward->place, false);
    tell(ward, BOUGH_EVENT_UNSTUCK, stuck_ms, NULL);
    bough_log(ward->runtime, BOUGH_WARNING, ward->path,
              "goes on, after a handler that ran for %s", bough_print_ms(stuck_ms, span));
}

/* Looking, with the lock held */

static void look_at(struct bough_ward *ward)
{
    const int64_t now_ms = bough_runtime_now_ms(ward->runtime);
    const int64_t since_ms = ward->since_ms;
    const bool was = ward->stuck;
    struct bough_glance glance;

    if (!bough_glance(ward->place, &glance)) return;
    const bool same = bough_glance_same(&glance, &ward->seen);
    if (!same) ward->since_ms = now_ms;
    if (!was) ward->seen = glance;
    ward->stuck = same && (was || now_ms - since_ms >= ward->limit_ms);
    if (ward->stuck == was) return;

    ward->told = true;
    pthread_mutex_unlock(&watchdog.lock);
    if (ward->stuck)
        tell_stuck(ward, now_ms - since_ms);
    else
        tell_goes_on(ward, now_ms - since_ms);
    pthread_mutex_lock(&watchdog.lock);
    if (was) ward->seen = glance;
    ward->told = false;
    pthread_cond_broadcast(&watchdog.changed);
}

/* One that is told stays in the list, so that its next is known. */
static void look_at_all(const struct bough_runtime *only)
{
    for (struct bough_ward *ward = watchdog.wards; ward != NULL; ward = ward->next) {
        const bool is_virtual = bough_runtime_is_virtual(ward->runtime);

        if (only != NULL ? ward->runtime == only : !is_virtual) look_at(ward);
    }
}

void bough_watchdog_look(const struct bough_runtime *runtime)
{
    pthread_mutex_lock(&watchdog.lock);
    look_at_all(runtime);
    pthread_mutex_unlock(&watchdog.lock);
}

/* The thread */

static int64_t pause_ms(void)
{
    int64_t least_ms = BOUGH_FOREVER;

    for (const struct bough_ward *ward = watchdog.wards; ward != NULL;
         ward = ward->next) {
        if (ward->limit_ms < least_ms) least_ms = ward->limit_ms;
    }
    return least_ms > LOOKS ? least_ms / LOOKS : 1;
}

static void wait_for(int64_t ms)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += ms % 1000 * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    pthread_cond_clockwait(&watchdog.changed, &watchdog.lock, CLOCK_MONOTONIC, &until);
}

static void *run(void *data)
{
    (void)data;
    pthread_mutex_lock(&watchdog.lock);
    while (!watchdog.quits) {
        look_at_all(NULL);
        wait_for(pause_ms());
    }
    pthread_mutex_unlock(&watchdog.lock);
    return NULL;
}

/* With all signals blocked, so that each is for a thread of the program. */
static bool start_thread(void)
{
    sigset_t all, before;

    watchdog.hurry = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (watchdog.hurry < 0) return false;
    watchdog.quits = false;
    watchdog.samples = bough_sample_open();
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    watchdog.runs = pthread_create(&watchdog.thread, NULL, run, NULL) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!watchdog.runs) {
        if (watchdog.samples) bough_sample_close();
        close(watchdog.hurry);
        return false;
    }
    pthread_setname_np(watchdog.thread, "bough-watchdog");
    return true;
}

static void stop_thread(void)
{
    pthread_mutex_lock(&watchdog.lock);
    watchdog.quits = true;
    pthread_cond_broadcast(&watchdog.changed);
    pthread_mutex_unlock(&watchdog.lock);
    pthread_join(watchdog.thread, NULL);
    watchdog.runs = false;
    close(watchdog.hurry);
    if (watchdog.samples) bough_sample_close();
    watchdog.samples = false;
}

/* Wards */

static bool any_real(void)
{
    const struct bough_ward *ward = watchdog.wards;

    while (ward != NULL && bough_runtime_is_virtual(ward->runtime))
        ward = ward->next;
    return ward != NULL;
}

static bool enlist(struct bough_ward *ward)
{
    const bool needs_thread = !bough_runtime_is_virtual(ward->runtime);

    pthread_mutex_lock(&watchdog.life);
    const bool done = !needs_thread || watchdog.runs || start_thread();
    pthread_mutex_lock(&watchdog.lock);
    if (done) DL_APPEND(watchdog.wards, ward);
    pthread_cond_broadcast(&watchdog.changed);
    pthread_mutex_unlock(&watchdog.lock);
    pthread_mutex_unlock(&watchdog.life);
    return done;
}

struct bough_ward *bough_ward_new(struct bough_loop *loop, struct bough_address place,
                                  const struct bough_child_spec *spec)
{
    struct bough_place_info info;

    if (bough_place_info(place, &info) != BOUGH_OK) return NULL;
    const size_t size = strlen(info.path) + 1;
    struct bough_ward *ward = calloc(1, sizeof(*ward) + size);
    if (ward == NULL) return NULL;
    memcpy(ward->path, info.path, size);
    ward->place = place;
    ward->runtime = bough_loop_runtime(loop);
    ward->type = spec->type->name;
    ward->limit_ms = spec->stuck_after_ms;
    ward->thread = pthread_self();
    ward->owner = bough_this_thread();
    if (enlist(ward)) return ward;
    free(ward);
    return NULL;
}

/* With what is known by now: names are not waited for. */
static void wait_until_told(const struct bough_ward *ward)
{
    const uint64_t one = 1;
    uint64_t count;

    if (!ward->told) return;
    while (write(watchdog.hurry, &one, sizeof(one)) < 0 && errno == EINTR)
        continue;
    while (ward->told)
        pthread_cond_wait(&watchdog.changed, &watchdog.lock);
    (void)!read(watchdog.hurry, &count, sizeof(count));
}

void bough_ward_free(struct bough_ward *ward)
{
    if (ward == NULL) return;
    pthread_mutex_lock(&watchdog.life);
    pthread_mutex_lock(&watchdog.lock);
    wait_until_told(ward);
    DL_DELETE(watchdog.wards, ward);
    const bool needed = any_real();
    pthread_mutex_unlock(&watchdog.lock);
    if (watchdog.runs && !needed) stop_thread();
    pthread_mutex_unlock(&watchdog.life);
    if (ward->stuck) bough_show_stuck(ward->place, false);
    free(ward);
}
