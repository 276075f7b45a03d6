/* timeline.c - what happens in a simulation, a line each.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tools/bough/timeline.h>

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include <bough/core/text.h>
#include <bough/tools/bough/span.h>

enum { TIME_WIDTH = 14, TEXT = 512 };

__attribute__((format(printf, 4, 5))) static void
say(struct bough_timeline *timeline, int64_t at_ms, bool follows, const char *format, ...)
{
    const bool moved = timeline->lines == 0 || at_ms != timeline->shown_ms || !follows;
    char time[BOUGH_SPAN_TEXT];
    va_list arguments;

    if (timeline->lines++ >= timeline->limit) return;
    fprintf(timeline->file, "%*s  %s", TIME_WIDTH,
            moved ? bough_moment_print(at_ms, time) : "", follows ? "  " : "");
    va_start(arguments, format);
    vfprintf(timeline->file, format, arguments);
    va_end(arguments);
    fputc('\n', timeline->file);
    timeline->shown_ms = at_ms;
}

/* Ends */

static void say_end(struct bough_timeline *timeline, const struct bough_event *event,
                    int64_t at_ms, bool at_once)
{
    const struct bough_exit_reason *reason = event->reason;
    char text[TEXT];

    if (bough_simulated_crash(reason)) return; /* said by bough_timeline_crash() */
    if (bough_simulated_start_failure(reason)) {
        say(timeline, at_ms, true, "%s does not start", event->path);
    } else if (reason->kind == BOUGH_EXIT_SHUTDOWN) {
        say(timeline, at_ms, true, "%s %s", event->path,
            at_once ? "stops" : "has stopped");
    } else if (reason->kind == BOUGH_EXIT_KILLED) {
        say(timeline, at_ms, true, "%s is killed", event->path);
    } else {
        say(timeline, at_ms, true, "%s ends: %s", event->path,
            bough_exit_print(reason, text, sizeof(text)));
    }
}

/* Restarts */

static void say_restart(struct bough_timeline *timeline, const struct bough_event *event,
                        int64_t at_ms)
{
    char span[BOUGH_SPAN_TEXT], tries[32] = "";

    if (event->attempt > 1)
        bough_text_format(tries, sizeof(tries), ", try %" PRIu32, event->attempt);
    if (event->delay_ms > 0)
        say(timeline, at_ms, true, "%s is to be restarted in %s%s", event->path,
            bough_span_print(event->delay_ms, span), tries);
    else if (event->period_ms > 0)
        say(timeline, at_ms, true,
            "%s is restarted%s: restart %" PRIu32 " of %" PRIu32 " in %s", event->path,
            tries, event->restarts, event->allowed,
            bough_span_print(event->period_ms, span));
    else
        say(timeline, at_ms, true, "%s is restarted%s; that does not count", event->path,
            tries);
}

static void say_give_up(struct bough_timeline *timeline, const struct bough_event *event,
                        int64_t at_ms)
{
    static const char begins[] = "gave up: ";
    const char *text = event->reason->text;

    if (strncmp(text, begins, sizeof(begins) - 1) == 0) text += sizeof(begins) - 1;
    say(timeline, at_ms, true, "%s gives up: %s", event->path, text);
}

/* Events */

static void tell(struct bough_timeline *timeline, const struct bough_event *event,
                 int64_t at_ms)
{
    switch (event->kind) {
    case BOUGH_EVENT_STARTED:
        say(timeline, at_ms, true, "%s starts, life %" PRIu32, event->path, event->life);
        break;
    case BOUGH_EVENT_READY:
        say(timeline, at_ms, true, "%s is up, life %" PRIu32, event->path, event->life);
        break;
    case BOUGH_EVENT_STOPPING:
        say(timeline, at_ms, true, "%s is asked to stop", event->path);
        break;
    case BOUGH_EVENT_EXITED: say_end(timeline, event, at_ms, false); break;
    case BOUGH_EVENT_RESTARTING: say_restart(timeline, event, at_ms); break;
    case BOUGH_EVENT_REMOVED:
        say(timeline, at_ms, true, "%s is forgotten", event->path);
        break;
    case BOUGH_EVENT_GAVE_UP: say_give_up(timeline, event, at_ms); break;
    case BOUGH_EVENT_QUARANTINED:
        say(timeline, at_ms, true, "a message \"%s\" of %s is in quarantine",
            event->message, event->path);
        break;
    /* In a simulation nothing is in a process, and no handler takes any time. */
    case BOUGH_EVENT_CRASH_REPORT:
    case BOUGH_EVENT_STUCK:
    case BOUGH_EVENT_UNSTUCK:
    /* And nothing is applied. */
    case BOUGH_EVENT_APPLYING:
    case BOUGH_EVENT_APPLIED:
    case BOUGH_EVENT_APPLY_FAILED:
    case BOUGH_EVENT_KIND_COUNT: break;
    }
}

static void hold(struct bough_timeline *timeline, const struct bough_event *event,
                 int64_t at_ms)
{
    timeline->holds = true;
    timeline->held = *event;
    timeline->held_ms = at_ms;
    bough_text_format(timeline->path, sizeof(timeline->path), "%s", event->path);
    timeline->held.path = timeline->path;
}

static void release(struct bough_timeline *timeline)
{
    if (!timeline->holds) return;
    timeline->holds = false;
    tell(timeline, &timeline->held, timeline->held_ms);
}

/* Whether the event is the other half of the one that is held; that is then told by it.
 */
static bool completes(const struct bough_timeline *timeline,
                      const struct bough_event *event, int64_t at_ms)
{
    if (!timeline->holds || timeline->held_ms != at_ms ||
        strcmp(timeline->path, event->path) != 0)
        return false;
    return (timeline->held.kind == BOUGH_EVENT_STARTED &&
            event->kind == BOUGH_EVENT_READY) ||
           (timeline->held.kind == BOUGH_EVENT_STOPPING &&
            event->kind == BOUGH_EVENT_EXITED);
}

/* Before the tree is up only what goes wrong is worth a line. */
static bool tell_beginning(struct bough_timeline *timeline,
                           const struct bough_event *event, int64_t at_ms)
{
    if (timeline->up) return false;
    if (event->kind == BOUGH_EVENT_READY && strcmp(event->path, "/") == 0) {
        timeline->up = true;
        say(timeline, at_ms, false, "%s is up", timeline->name);
        return true;
    }
    return event->kind == BOUGH_EVENT_STARTED || event->kind == BOUGH_EVENT_READY;
}

void bough_timeline_event(void *data, const struct bough_event *event, int64_t at_ms)
{
    struct bough_timeline *timeline = data;

    if (tell_beginning(timeline, event, at_ms)) return;
    if (completes(timeline, event, at_ms)) {
        timeline->holds = false;
        if (event->kind == BOUGH_EVENT_EXITED)
            say_end(timeline, event, at_ms, true);
        else
            tell(timeline, event, at_ms);
        return;
    }
    release(timeline);
    if (event->kind == BOUGH_EVENT_STARTED || event->kind == BOUGH_EVENT_STOPPING)
        hold(timeline, event, at_ms);
    else
        tell(timeline, event, at_ms);
}

/* Said when it hits: those below a supervisor end before it. */
void bough_timeline_crash(void *data, const struct bough_simulated *actor, int64_t at_ms)
{
    struct bough_timeline *timeline = data;

    release(timeline);
    say(timeline, at_ms, false, "%s crashes", actor->path);
}

void bough_timeline_end(struct bough_timeline *timeline)
{
    release(timeline);
    if (timeline->lines > timeline->limit)
        fprintf(timeline->file, "%*s  ... %zu more\n", TIME_WIDTH, "",
                timeline->lines - timeline->limit);
}
