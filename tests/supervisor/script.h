/* script.h - feeds a decider and writes down what it wants, for tests that read as a
 * dialogue.
 *
 *     expect(&script, begin(), "start 0");
 *     expect(&script, ready(0), "start 1");
 *
 * Children are numbers, actions are words, and each is checked whole.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_TESTS_SUPERVISOR_SCRIPT_H
#define BOUGH_TESTS_SUPERVISOR_SCRIPT_H

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <bough/supervisor/decide.h>

enum { SCRIPT_CHILDREN = 8 };

static const struct bough_actor_type script_worker = { .name = "script" };

/* Embed, set the flags and the children that matter, then script_start(). */
struct script {
    struct bough_supervisor_options options;
    struct bough_child_spec children[SCRIPT_CHILDREN];
    struct bough_decider *decider;
    int64_t now_ms;
};

/* `count` permanent children, intensity 3 within 5 s; the test changes what it needs. */
static inline void script_init(struct script *script, enum bough_strategy strategy,
                               size_t count)
{
    *script = (struct script){
        .options = { .strategy = strategy,
                     .any_intensity = true,
                     .intensity = 3,
                     .period_ms = 5000,
                     .child_count = count },
    };
    assert_in_range(count, 0, SCRIPT_CHILDREN);
    for (size_t i = 0; i < count; i++)
        script->children[i] = (struct bough_child_spec){ .type = &script_worker };
}

static inline void script_finish(struct script *script)
{
    bough_decider_free(script->decider);
}

static const struct bough_exit_reason script_normal = { .kind = BOUGH_EXIT_NORMAL };
static const struct bough_exit_reason script_shutdown = { .kind = BOUGH_EXIT_SHUTDOWN };
static const struct bough_exit_reason script_killed = { .kind = BOUGH_EXIT_KILLED };
static const struct bough_exit_reason script_fault = { .kind = BOUGH_EXIT_ERROR,
                                                       .status = BOUGH_EFAILED };

/* Ends that need a reason have the bad one. */
static inline struct bough_decide_event happening(enum bough_decide_event_kind kind,
                                                  size_t child)
{
    bool end = kind == BOUGH_ON_EXITED || kind == BOUGH_ON_START_FAILED;

    return (struct bough_decide_event){ .kind = kind,
                                        .child = child,
                                        .reason = end ? &script_fault : NULL };
}

static inline struct bough_decide_event begin(void)
{
    return happening(BOUGH_ON_BEGIN, 0);
}

static inline struct bough_decide_event asked_to_stop(void)
{
    return happening(BOUGH_ON_STOP, 0);
}

static inline struct bough_decide_event ready(size_t child)
{
    return happening(BOUGH_ON_READY, child);
}

static inline struct bough_decide_event ignored(size_t child)
{
    return happening(BOUGH_ON_IGNORED, child);
}

static inline struct bough_decide_event start_failed(size_t child)
{
    return happening(BOUGH_ON_START_FAILED, child);
}

static inline struct bough_decide_event exited(size_t child,
                                               const struct bough_exit_reason *reason)
{
    return (struct bough_decide_event){ .kind = BOUGH_ON_EXITED,
                                        .child = child,
                                        .reason = reason };
}

static inline struct bough_decide_event crashed(size_t child)
{
    return exited(child, &script_fault);
}

static inline struct bough_decide_event ended(size_t child)
{
    return exited(child, &script_normal);
}

static inline struct bough_decide_event retry(size_t child)
{
    return happening(BOUGH_ON_RETRY, child);
}

static inline struct bough_decide_event stop_timeout(size_t child)
{
    return happening(BOUGH_ON_STOP_TIMEOUT, child);
}

static inline struct bough_decide_event start_timeout(size_t child)
{
    return happening(BOUGH_ON_START_TIMEOUT, child);
}

static inline struct bough_decide_event all_timeout(void)
{
    return happening(BOUGH_ON_ALL_TIMEOUT, 0);
}

static inline struct bough_decide_event start_child(size_t child)
{
    return happening(BOUGH_ON_START_CHILD, child);
}

static inline struct bough_decide_event terminate_child(size_t child)
{
    return happening(BOUGH_ON_TERMINATE_CHILD, child);
}

static inline struct bough_decide_event restart_child(size_t child)
{
    return happening(BOUGH_ON_RESTART_CHILD, child);
}

static inline struct bough_decide_event delete_child(size_t child)
{
    return happening(BOUGH_ON_DELETE_CHILD, child);
}

/* One action in words. */
static inline int print_action(char *buffer, size_t size,
                               const struct bough_decide_action *action)
{
    static const char *const ends[] = { "asked", "failed", "gave up", "auto" };
    size_t child = action->child;

    switch (action->kind) {
    case BOUGH_DO_START: return snprintf(buffer, size, "start %zu", child);
    case BOUGH_DO_STOP: return snprintf(buffer, size, "stop %zu", child);
    case BOUGH_DO_KILL: return snprintf(buffer, size, "kill %zu", child);
    case BOUGH_DO_STOP_ALL: return snprintf(buffer, size, "stop all");
    case BOUGH_DO_KILL_ALL: return snprintf(buffer, size, "kill all");
    case BOUGH_DO_RETRY:
        if (action->limit_ms == 0) return snprintf(buffer, size, "retry %zu", child);
        return snprintf(buffer, size, "retry %zu in %" PRId64, child, action->limit_ms);
    case BOUGH_DO_RESTART:
        return snprintf(buffer, size, "restart %zu try %u", child, action->attempt);
    case BOUGH_DO_SETTLE: return snprintf(buffer, size, "settle %zu", child);
    case BOUGH_DO_SETTLE_DOWN: return snprintf(buffer, size, "settle down");
    case BOUGH_DO_REMOVE: return snprintf(buffer, size, "remove %zu", child);
    case BOUGH_DO_READY: return snprintf(buffer, size, "ready");
    case BOUGH_DO_GIVE_UP: return snprintf(buffer, size, "give up %zu", child);
    case BOUGH_DO_AUTO_SHUTDOWN:
        return snprintf(buffer, size, "auto shutdown %zu", child);
    case BOUGH_DO_ANSWER:
        return snprintf(buffer, size, "answer %zu %s", child,
                        bough_status_name(action->status));
    case BOUGH_DO_END: return snprintf(buffer, size, "end %s", ends[action->end]);
    case BOUGH_DECIDE_ACTION_COUNT: break;
    }
    return snprintf(buffer, size, "?");
}

static inline void print_actions(char *buffer, size_t size,
                                 const struct bough_decide_actions *actions)
{
    size_t used = 0;

    buffer[0] = '\0';
    for (size_t i = 0; i < actions->count; i++) {
        if (i > 0) used += (size_t)snprintf(buffer + used, size - used, ", ");
        used += (size_t)print_action(buffer + used, size - used, &actions->list[i]);
    }
}

/* Feeds one event and compares all it leads to. A macro, so that a fault names its line.
 */
#define expect(script, event, expected) \
    do { \
        struct bough_decide_actions expect_actions; \
        char expect_text[256]; \
\
        bough_decide((script)->decider, (event), (script)->now_ms, &expect_actions); \
        print_actions(expect_text, sizeof(expect_text), &expect_actions); \
        assert_string_equal(expect_text, (expected)); \
    } while (0)

/* Makes the decider and brings every child up. */
static inline void script_new(struct script *script)
{
    script->options.children = script->children;
    script->decider = bough_decider_new(&script->options, 1);
    assert_non_null(script->decider);
}

static inline void script_start(struct script *script)
{
    struct bough_decide_actions actions;

    script_new(script);
    bough_decide(script->decider, begin(), script->now_ms, &actions);
    for (size_t i = 0; i < script->options.child_count; i++)
        bough_decide(script->decider, ready(i), script->now_ms, &actions);
    assert_true(bough_decider_idle(script->decider));
}

/* One more child like `spec`, made known and not started. */
static inline size_t script_add(struct script *script,
                                const struct bough_child_spec *spec)
{
    size_t child = BOUGH_NO_CHILD;

    assert_int_equal(bough_decider_add(script->decider, spec, &child), BOUGH_OK);
    return child;
}

static inline enum bough_child_state state_of(const struct script *script, size_t child)
{
    return bough_decider_child(script->decider, child);
}

#endif
