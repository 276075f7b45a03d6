/* why.c - how an actor came to be in its present state, in sentences.
 *
 * The events it reads: a life's `started` names the `restarting` that it followed from,
 * or nothing when a request or the start of its own supervisor led to it; `restarting`
 * names the end before it, the wait before it, or the try before it; so walking back from
 * a `started` ends at the end that began it all.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tools/bough/why.h>

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include <bough/core/text.h>
#include <bough/tools/bough/crash.h>
#include <bough/tools/bough/span.h>

enum { STEPS_MAX = 100000, CHAIN_MAX = 8, REASON = 224 };
static const char not_kept[] = "the event that led to this is no longer kept";

/* Looking events up */

static const struct bough_event *event_at(const struct bough_why *why, uint64_t seq)
{
    size_t low = 0, high = why->count;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;

        if (why->events[middle].seq < seq)
            low = middle + 1;
        else
            high = middle;
    }
    return low < why->count && why->events[low].seq == seq ? &why->events[low] : NULL;
}

/* The last event of a kind at that path with a number below `before`; `life` 0: any. */
static const struct bough_event *last_of(const struct bough_why *why, const char *path,
                                         enum bough_event_kind kind, uint32_t life,
                                         uint64_t before)
{
    for (size_t i = why->count; i-- > 0;) {
        const struct bough_event *event = &why->events[i];

        if (event->kind == kind && event->seq < before &&
            (life == 0 || event->life == life) && strcmp(event->path, path) == 0)
            return event;
    }
    return NULL;
}

/* The end that an event goes back to: past waits, tries, and starts that failed. NULL: it
 * is no longer kept, or there is none. */
static const struct bough_event *origin_of(const struct bough_why *why,
                                           const struct bough_event *event)
{
    const struct bough_event *origin = NULL;

    for (int step = 0; event != NULL && step < STEPS_MAX; step++) {
        if (event->kind == BOUGH_EVENT_EXITED) origin = event;
        if (event->cause == 0 || event->cause >= event->seq) return origin;
        event = event_at(why, event->cause);
    }
    return NULL;
}

static void parent_of(const char *path, char parent[BOUGH_PATH_MAX])
{
    const size_t length = (size_t)(strrchr(path, '/') - path);

    bough_text_format(parent, BOUGH_PATH_MAX, "%.*s", length == 0 ? 1 : (int)length,
                      path);
}

static bool is_told(const struct bough_why *why, uint64_t seq)
{
    for (size_t i = 0; i < why->told_count; i++) {
        if (why->told[i] == seq) return true;
    }
    return false;
}

static void note(struct bough_why *why, const struct bough_event *event)
{
    if (is_told(why, event->seq)) return;
    if (why->told_count < BOUGH_WHY_EVENTS) why->told[why->told_count++] = event->seq;
}

/* Words */

static const char *print_time(const struct bough_event *event,
                              char buffer[BOUGH_TIME_TEXT])
{
    bough_time_print(event->realtime_ns, buffer, BOUGH_TIME_TEXT);
    memmove(buffer, buffer + strlen("2026-01-31T"), strlen("12:00:00.000"));
    buffer[strlen("12:00:00.000")] = '\0';
    return buffer;
}

/* "exited with signal SEGV", "ended normally". */
static const char *print_end(const struct bough_exit_reason *reason, char buffer[REASON])
{
    char text[REASON - 16];
    const bool said = reason->text[0] != '\0';

    bough_exit_print(reason, text, sizeof(text));
    switch (reason->kind) {
    case BOUGH_EXIT_NORMAL: bough_text_format(buffer, REASON, "ended normally"); break;
    case BOUGH_EXIT_SHUTDOWN:
        bough_text_format(buffer, REASON, "ended in order%s%s", said ? ": " : "",
                          reason->text);
        break;
    case BOUGH_EXIT_KILLED:
        bough_text_format(buffer, REASON, "was killed%s%s", said ? ": " : "",
                          reason->text);
        break;
    case BOUGH_EXIT_CODE:
        bough_text_format(buffer, REASON, "exited with code %d%s%s", reason->number,
                          said ? ": " : "", reason->text);
        break;
    case BOUGH_EXIT_LOST:
        bough_text_format(buffer, REASON, "was lost%s%s", said ? ": " : "", reason->text);
        break;
    case BOUGH_EXIT_ERROR:
    case BOUGH_EXIT_SIGNAL:
    case BOUGH_EXIT_TIMEOUT:
    case BOUGH_EXIT_KIND_COUNT:
        bough_text_format(buffer, REASON, "exited with %s", text);
        break;
    }
    return buffer;
}

/* Of a supervisor that gave up: the event that says so; NULL: another end, or the event
 * is no longer kept. */
static const struct bough_event *giving_up_of(const struct bough_why *why,
                                              const struct bough_event *exited)
{
    const struct bough_event *gave_up =
        last_of(why, exited->path, BOUGH_EVENT_GAVE_UP, exited->life, exited->seq);

    return exited->reason->kind == BOUGH_EXIT_SHUTDOWN ? gave_up : NULL;
}

/* "/db exited with signal SEGV at 12:00:03.119", or with another subject. */
static void say_end(struct bough_why *why, FILE *file, const char *subject,
                    const struct bough_event *exited)
{
    char end[REASON], time[BOUGH_TIME_TEXT];

    note(why, exited);
    fprintf(file, "%s %s at %s", subject,
            giving_up_of(why, exited) != NULL ? "gave up"
                                              : print_end(exited->reason, end),
            print_time(exited, time));
}

/* "rest-for-one", or who it was when that is not known. */
static const char *who(const struct bough_why *why, const char *path)
{
    char parent[BOUGH_PATH_MAX];
    const char *strategy;

    parent_of(path, parent);
    strategy = why->strategy != NULL ? why->strategy(why->data, parent) : NULL;
    return strategy != NULL ? strategy : "its supervisor";
}

static void say_limit(FILE *file, const struct bough_event *restarting)
{
    char period[BOUGH_SPAN_TEXT];

    if (restarting->attempt > 1)
        fprintf(file, "; it took %" PRIu32 " tries", restarting->attempt);
    if (restarting->period_ms > 0)
        fprintf(file, "; %" PRIu32 " of %" PRIu32 " restarts used in %s",
                restarting->restarts, restarting->allowed,
                bough_span_print(restarting->period_ms, period));
}

static void say_not_kept(struct bough_why *why, FILE *file, const char *before)
{
    why->incomplete = true;
    fprintf(file, "%s%s", before, not_kept);
}

/* What came before: supervisors that gave up, and the starts of those above. Each is said
 * on a line of its own. */

static void say_start_of(struct bough_why *why, FILE *file, const char *path,
                         uint32_t life, int depth);

/* A supervisor that gave up says because of whom. */
static void say_giving_up(struct bough_why *why, FILE *file,
                          const struct bough_event *gave_up, int depth)
{
    const struct bough_event *origin;
    char time[BOUGH_TIME_TEXT], period[BOUGH_SPAN_TEXT];

    if (gave_up == NULL || depth > CHAIN_MAX) return;
    note(why, gave_up);
    origin = origin_of(why, gave_up);
    fprintf(file, "\n%s gave up at %s", gave_up->path, print_time(gave_up, time));
    if (origin == NULL) {
        say_not_kept(why, file, "; ");
    } else {
        fputs(" because ", file);
        say_end(why, file, origin->path, origin);
    }
    if (gave_up->period_ms > 0)
        fprintf(file, "; that was restart %" PRIu32 " in %s, and %" PRIu32 " %s allowed",
                gave_up->restarts, bough_span_print(gave_up->period_ms, period),
                gave_up->allowed, gave_up->allowed == 1 ? "is" : "are");
    if (origin != NULL) say_giving_up(why, file, giving_up_of(why, origin), depth + 1);
}

/* A restart: its own end, or that of a sibling. */
static void say_restart(struct bough_why *why, FILE *file,
                        const struct bough_event *started, int depth)
{
    const struct bough_event *restarting = event_at(why, started->cause);
    const struct bough_event *origin = origin_of(why, restarting), *before;
    char time[BOUGH_TIME_TEXT];

    if (restarting == NULL || origin == NULL) {
        say_not_kept(why, file, "; ");
        return;
    }
    note(why, restarting);
    if (strcmp(origin->path, started->path) == 0) {
        say_end(why, file, ": it", origin);
    } else {
        before = last_of(why, started->path, BOUGH_EVENT_EXITED, 0, started->seq);
        if (before != NULL && before->seq < origin->seq) before = NULL;
        if (before != NULL) note(why, before);
        fprintf(file, ": %s %s it at %s because ", who(why, started->path),
                before != NULL ? "stopped" : "started",
                print_time(before != NULL ? before : started, time));
        say_end(why, file, origin->path, origin);
    }
    say_limit(file, restarting);
    say_giving_up(why, file, giving_up_of(why, origin), depth);
}

/* Whether the parent was just coming up when a child was started. */
static const struct bough_event *parent_coming_up(const struct bough_why *why,
                                                  const struct bough_event *started)
{
    char parent[BOUGH_PATH_MAX];
    const struct bough_event *began, *ready;

    if (started->path[1] == '\0') return NULL;
    parent_of(started->path, parent);
    began = last_of(why, parent, BOUGH_EVENT_STARTED, 0, started->seq);
    ready = last_of(why, parent, BOUGH_EVENT_READY, 0, started->seq);
    return began != NULL && (ready == NULL || ready->seq < began->seq) ? began : NULL;
}

/* Who asked for what has no cause. */
static const char *by_whom(struct bough_why *why, const struct bough_event *event)
{
    static const enum bough_event_kind ends[] = { BOUGH_EVENT_APPLIED,
                                                  BOUGH_EVENT_APPLY_FAILED };
    const struct bough_event *began =
        last_of(why, "/", BOUGH_EVENT_APPLYING, 0, event->seq);

    if (began == NULL) return "by hand";
    for (size_t i = 0; i < bough_count_of(ends); i++) {
        const struct bough_event *end = last_of(why, "/", ends[i], 0, event->seq);

        if (end != NULL && end->seq > began->seq) return "by hand";
    }
    note(why, began);
    return "by an apply";
}

static void say_start(struct bough_why *why, FILE *file,
                      const struct bough_event *started, int depth)
{
    const struct bough_event *above, *before;
    char time[BOUGH_TIME_TEXT];

    note(why, started);
    if (started->cause != 0) {
        say_restart(why, file, started, depth);
        return;
    }
    above = parent_coming_up(why, started);
    if (above != NULL) {
        fprintf(file, ": %s started it at %s, in life %" PRIu32 " of its own",
                above->path, print_time(started, time), above->life);
        say_start_of(why, file, above->path, above->life, depth + 1);
        return;
    }
    fprintf(file, ": it was started %s at %s", by_whom(why, started),
            print_time(started, time));
    before = last_of(why, started->path, BOUGH_EVENT_EXITED, 0, started->seq);
    if (before != NULL) say_end(why, file, "; before that it", before);
}

/* The same about an actor above, on a line of its own. */
static void say_start_of(struct bough_why *why, FILE *file, const char *path,
                         uint32_t life, int depth)
{
    const struct bough_event *started;

    if (depth > CHAIN_MAX || life <= 1) return;
    started = last_of(why, path, BOUGH_EVENT_STARTED, life, UINT64_MAX);
    fprintf(file, "\n%s is in life %" PRIu32, path, life);
    if (started != NULL)
        say_start(why, file, started, depth);
    else
        say_not_kept(why, file, "; ");
}

/* States */

static void say_alive(struct bough_why *why, FILE *file, const char *state)
{
    const struct bough_event *started =
        last_of(why, why->path, BOUGH_EVENT_STARTED, why->life, UINT64_MAX);

    fprintf(file, "%s is in life %" PRIu32 "%s", why->path, why->life, state);
    if (why->life <= 1)
        fputs("; it has never ended", file);
    else if (started == NULL)
        say_not_kept(why, file, "; ");
    else
        say_start(why, file, started, 0);
}

/* Between lives: of its own accord, or because the group is being restarted. */
static void say_restarting(struct bough_why *why, FILE *file)
{
    const struct bough_event *exited =
        last_of(why, why->path, BOUGH_EVENT_EXITED, 0, UINT64_MAX);
    const struct bough_event *waits =
        last_of(why, why->path, BOUGH_EVENT_RESTARTING, 0, UINT64_MAX);
    const struct bough_event *origin = exited != NULL ? origin_of(why, exited) : NULL;
    char span[BOUGH_SPAN_TEXT], time[BOUGH_TIME_TEXT];
    int64_t left_ms;

    fprintf(file, "%s is being restarted", why->path);
    if (origin == NULL) {
        say_not_kept(why, file, "; ");
        return;
    }
    if (strcmp(origin->path, why->path) == 0) {
        say_end(why, file, ": it", origin);
    } else {
        fprintf(file, ": %s stopped it at %s because ", who(why, why->path),
                print_time(exited, time));
        note(why, exited);
        say_end(why, file, origin->path, origin);
    }
    if (waits == NULL || waits->seq < origin->seq) return;
    note(why, waits);
    if (waits->attempt > 1) fprintf(file, "; this is try %" PRIu32, waits->attempt);
    if (waits->period_ms > 0) say_limit(file, waits);
    left_ms = waits->delay_ms - (why->now_ns - waits->realtime_ns) / 1000000;
    if (waits->delay_ms > 0)
        fprintf(file, "; next try in %s",
                bough_span_print(left_ms > 0 ? left_ms : 0, span));
}

/* What happened to the supervisor above that took the actor along: its end, or else the
 * beginning of that. NULL: nothing, it lives. */
static const struct bough_event *end_above(const struct bough_why *why,
                                           const struct bough_event *exited)
{
    static const enum bough_event_kind kinds[] = { BOUGH_EVENT_EXITED,
                                                   BOUGH_EVENT_GAVE_UP,
                                                   BOUGH_EVENT_STOPPING };
    char parent[BOUGH_PATH_MAX];
    const struct bough_event *start;

    if (why->path[1] == '\0') return NULL;
    parent_of(why->path, parent);
    start = last_of(why, parent, BOUGH_EVENT_STARTED, 0, UINT64_MAX);
    for (size_t i = 0; i < bough_count_of(kinds); i++) {
        const struct bough_event *end = last_of(why, parent, kinds[i], 0, UINT64_MAX);

        if (end == NULL || (start != NULL && start->seq > end->seq)) continue;
        if (kinds[i] != BOUGH_EVENT_EXITED || end->seq > exited->seq) return end;
    }
    return NULL;
}

static void say_taken_along(struct bough_why *why, FILE *file,
                            const struct bough_event *exited,
                            const struct bough_event *above)
{
    char time[BOUGH_TIME_TEXT];

    fprintf(file, ": %s took it along at %s", above->path, print_time(exited, time));
    note(why, exited);
    if (above->kind == BOUGH_EVENT_EXITED) {
        say_end(why, file, "; it", above);
        say_giving_up(why, file, giving_up_of(why, above), 0);
    } else if (above->kind == BOUGH_EVENT_GAVE_UP) {
        say_giving_up(why, file, above, 0);
    } else {
        note(why, above);
        fprintf(file, "; it was asked to end at %s", print_time(above, time));
    }
}

static bool asked_to_stop(const struct bough_why *why, const struct bough_event *exited,
                          const struct bough_event **stopping)
{
    *stopping =
        last_of(why, exited->path, BOUGH_EVENT_STOPPING, exited->life, exited->seq);
    return *stopping != NULL;
}

static void say_own_end(struct bough_why *why, FILE *file,
                        const struct bough_event *exited)
{
    const bool temporary = why->restart != NULL && strcmp(why->restart, "temporary") == 0;
    const bool transient = why->restart != NULL && strcmp(why->restart, "transient") == 0;

    say_end(why, file, ": it", exited);
    if (transient && bough_exit_good(exited->reason))
        fputs("; a transient child that ends well is not restarted", file);
    else if (temporary)
        fputs("; a temporary child is not restarted", file);
    say_giving_up(why, file, giving_up_of(why, exited), 0);
}

static void say_stop(struct bough_why *why, FILE *file, const struct bough_event *exited,
                     const struct bough_event *stopping)
{
    const struct bough_event *origin = origin_of(why, stopping);
    char time[BOUGH_TIME_TEXT];

    note(why, stopping);
    note(why, exited);
    if (origin != NULL) {
        fprintf(file, ": %s stopped it at %s because ", who(why, why->path),
                print_time(stopping, time));
        say_end(why, file, origin->path, origin);
    } else if (stopping->cause != 0) {
        say_not_kept(why, file, "; ");
    } else {
        fprintf(file, ": it was stopped %s at %s", by_whom(why, stopping),
                print_time(stopping, time));
    }
}

/* Down, and nobody is expected. */
static void say_down(struct bough_why *why, FILE *file, const char *state)
{
    const struct bough_event *exited =
        last_of(why, why->path, BOUGH_EVENT_EXITED, 0, UINT64_MAX);
    const struct bough_event *above, *stopping;

    fprintf(file, "%s %s", why->path, state);
    if (exited == NULL) {
        if (!why->removed && why->life == 0)
            fputs("; it has never been started", file);
        else
            say_not_kept(why, file, "; ");
        return;
    }
    above = end_above(why, exited);
    if (above != NULL) {
        say_taken_along(why, file, exited, above);
    } else if (asked_to_stop(why, exited, &stopping)) {
        say_stop(why, file, exited, stopping);
    } else {
        say_own_end(why, file, exited);
    }
}

static void say_stopping(struct bough_why *why, FILE *file)
{
    const struct bough_event *stopping =
        last_of(why, why->path, BOUGH_EVENT_STOPPING, why->life, UINT64_MAX);
    const struct bough_event *origin;
    char time[BOUGH_TIME_TEXT];

    fprintf(file, "%s is ending", why->path);
    if (stopping == NULL) {
        say_not_kept(why, file, "; ");
        return;
    }
    note(why, stopping);
    fprintf(file, ": it was asked to at %s", print_time(stopping, time));
    origin = origin_of(why, stopping);
    if (origin != NULL) {
        fputs(" because ", file);
        say_end(why, file, origin->path, origin);
    }
}

static void say_removed(struct bough_why *why, FILE *file)
{
    const struct bough_event *removed =
        last_of(why, why->path, BOUGH_EVENT_REMOVED, 0, UINT64_MAX);
    char state[64], time[BOUGH_TIME_TEXT];

    if (removed == NULL) {
        why->incomplete = true;
        fprintf(file, "%s is not there; no event says that it was", why->path);
        return;
    }
    note(why, removed);
    bough_text_format(state, sizeof(state), "was forgotten at %s",
                      print_time(removed, time));
    say_down(why, file, state);
}

/* What a process left is said last, of the latest end of those that have been told. */
static void say_crash(struct bough_why *why, FILE *file)
{
    for (size_t i = why->count; i-- > 0;) {
        const struct bough_event *event = &why->events[i];

        if (event->kind != BOUGH_EVENT_CRASH_REPORT || event->crash == NULL ||
            !is_told(why, event->cause))
            continue;
        note(why, event);
        why->crash = event->crash;
        fprintf(file, "\n%s died of ", event->path);
        bough_crash_print_what(event->crash->view, file);
        bough_crash_print_all(event->crash->view, "  ", file);
        return;
    }
}

/* Only where nobody ends it. */
static void say_stuck(struct bough_why *why, FILE *file)
{
    const struct bough_event *stuck =
        last_of(why, why->path, BOUGH_EVENT_STUCK, why->life, UINT64_MAX);
    const struct bough_event *goes_on =
        last_of(why, why->path, BOUGH_EVENT_UNSTUCK, why->life, UINT64_MAX);
    char time[BOUGH_TIME_TEXT], span[BOUGH_SPAN_TEXT];

    if (why->life == 0 || stuck == NULL || (goes_on != NULL && goes_on->seq > stuck->seq))
        return;
    note(why, stuck);
    fprintf(file, "\n%s is stuck: at %s a handler had run for %s", stuck->path,
            print_time(stuck, time), bough_span_print(stuck->stuck_ms, span));
    if (stuck->crash != NULL) bough_crash_print_backtrace(stuck->crash->view, "  ", file);
}

/* What its next lives have not run. */
static void say_quarantine(const struct bough_why *why, FILE *file)
{
    if (why->removed || why->quarantined == 0) return;
    fprintf(file, "\n%" PRIu32 " message%s in quarantine: see `bough quarantine %s`",
            why->quarantined, why->quarantined == 1 ? " is" : "s are", why->path);
}

void bough_why(struct bough_why *why, FILE *file)
{
    why->incomplete = false;
    why->crash = NULL;
    why->told_count = 0;
    if (why->removed) {
        say_removed(why, file);
    } else {
        switch (why->state) {
        case BOUGH_PLACE_STARTING:
            say_alive(why, file, ", not ready yet");
            say_stuck(why, file);
            break;
        case BOUGH_PLACE_RUNNING:
            say_alive(why, file, "");
            say_stuck(why, file);
            break;
        case BOUGH_PLACE_STOPPING: say_stopping(why, file); break;
        case BOUGH_PLACE_RESTARTING: say_restarting(why, file); break;
        case BOUGH_PLACE_FAILED: say_down(why, file, "has failed"); break;
        case BOUGH_PLACE_RESERVED:
        case BOUGH_PLACE_STOPPED:
        case BOUGH_PLACE_STATE_COUNT: say_down(why, file, "is stopped"); break;
        }
    }
    say_crash(why, file);
    say_quarantine(why, file);
    fputc('\n', file);
}
