/* event.c - the names of what can happen to a place.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/core/event.h>

static const char *const names[] = {
    [BOUGH_EVENT_STARTED] = "started",
    [BOUGH_EVENT_READY] = "ready",
    [BOUGH_EVENT_STOPPING] = "stopping",
    [BOUGH_EVENT_EXITED] = "exited",
    [BOUGH_EVENT_RESTARTING] = "restarting",
    [BOUGH_EVENT_REMOVED] = "removed",
    [BOUGH_EVENT_GAVE_UP] = "gave_up",
    [BOUGH_EVENT_CRASH_REPORT] = "crash_report",
    [BOUGH_EVENT_QUARANTINED] = "quarantined",
    [BOUGH_EVENT_STUCK] = "stuck",
    [BOUGH_EVENT_UNSTUCK] = "unstuck",
    [BOUGH_EVENT_APPLYING] = "applying",
    [BOUGH_EVENT_APPLIED] = "applied",
    [BOUGH_EVENT_APPLY_FAILED] = "apply_failed",
};

_Static_assert(bough_count_of(names) == BOUGH_EVENT_KIND_COUNT, "each kind has its name");

const char *bough_event_kind_name(enum bough_event_kind kind)
{
    return (unsigned)kind < BOUGH_EVENT_KIND_COUNT ? names[kind] : "unknown";
}
