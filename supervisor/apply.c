/* apply.c - does what a plan says, one request at a time, or takes it back.
 *
 * A job is a step of the plan, or of the way back: what was started is stopped, the
 * supervisors get what they had, what was stopped is started. Requests may be asked again
 * (a supervisor that broke meanwhile has lost them), so each is fine when it has been
 * done before. A supervisor that is down is passed over: the one above it has what it is
 * to be when it is started again.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/supervisor/apply.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bough/core/assert.h>
#include <bough/core/place.h>
#include <bough/core/runtime.h>
#include <bough/core/text.h>
#include <bough/supervisor/supervision_internal.h>

enum { TRIES = 8 }; /* of one request, while supervisors break */
static const size_t NOBODY = SIZE_MAX;

struct bough_apply_job {
    enum bough_plan_do what;
    size_t child;
    bool present; /* DELETE: of one that is kept, and was not there */
    bool first;   /* STOP: of one that is starting, besides that in its order */
};

/* Looking */

static bool look(struct bough_loop *loop, const char *path, struct bough_address *place,
                 struct bough_place_info *info)
{
    return bough_lookup(loop, path, place) == BOUGH_OK &&
           bough_place_info(*place, info) == BOUGH_OK && info->type != NULL;
}

static bool is_known(void *data, const char *path)
{
    struct bough_place_info info;
    struct bough_address place;

    return look(data, path, &place, &info);
}

/* One that waits to be restarted is down: it will be what it is to be then. */
static bool is_up(enum bough_place_state state)
{
    return state == BOUGH_PLACE_STARTING || state == BOUGH_PLACE_RUNNING ||
           state == BOUGH_PLACE_STOPPING;
}

static bool tree_ends(const struct bough_apply *apply)
{
    struct bough_place_info info;
    struct bough_address place;

    return !look(apply->loop, "/", &place, &info) || info.state != BOUGH_PLACE_RUNNING;
}

static const struct bough_plan_child *child_of(const struct bough_apply *apply,
                                               const struct bough_apply_job *job)
{
    return &apply->plan->children[job->child];
}

static const struct bough_apply_job *present_job(const struct bough_apply *apply)
{
    return &apply->jobs[apply->next];
}

/* The supervisor that is to do it; false: there is none, now. */
static bool find_supervisor(const struct bough_apply *apply,
                            const struct bough_apply_job *job,
                            struct bough_supervisor *supervisor)
{
    const char *path = child_of(apply, job)->path;
    char above[BOUGH_PATH_MAX];
    struct bough_place_info info;

    bough_text_format(above, sizeof(above), "%s", path);
    if (job->what != BOUGH_PLAN_CHANGE) {
        char *slash = strrchr(above, '/');

        slash[slash == above] = '\0';
    }
    return look(apply->loop, above, &supervisor->address, &info) && is_up(info.state) &&
           info.type == &bough_supervisor_type;
}

static const char *name_of(const struct bough_plan_child *child)
{
    return strrchr(child->path, '/') + 1;
}

/* The end */

static void release(struct bough_apply *apply)
{
    bough_plan_free((struct bough_plan *)(uintptr_t)apply->plan);
    bough_supervisor_options_free(apply->before);
    bough_supervisor_options_free(apply->after);
    free(apply->jobs);
    apply->plan = NULL;
    apply->before = apply->after = NULL;
    apply->jobs = NULL;
}

/* done() may look at the plan, and start the next apply once it is put away. */
static void finish(struct bough_apply *apply, enum bough_status status)
{
    struct bough_apply ended = *apply;

    apply->before = apply->after = NULL;
    apply->jobs = NULL;
    apply->busy = false;
    apply->done(apply, status);
    if (!apply->busy) apply->plan = NULL;
    release(&ended);
}

void bough_apply_finish(struct bough_apply *apply)
{
    if (!apply->busy) return;
    bough_call_cancel(&apply->call);
    apply->busy = false;
    release(apply);
}

/* The way back */

__attribute__((format(printf, 2, 3))) static void add_text(struct bough_apply *apply,
                                                           const char *format, ...)
{
    const size_t used = strlen(apply->text);
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(apply->text + used, sizeof(apply->text) - used, format, arguments);
    va_end(arguments);
}

static void add_job(struct bough_apply *apply, enum bough_plan_do what, size_t child)
{
    apply->jobs[apply->job_count++] =
        (struct bough_apply_job){ .what = what, .child = child };
}

/* Whether that job is a stop, in its order, of one that the tree had and that has been
 * asked to stop so far. */
static bool was_stopped(const struct bough_apply *apply, size_t i)
{
    const struct bough_apply_job *job = &apply->jobs[i];

    if (job->what != BOUGH_PLAN_STOP || job->first ||
        child_of(apply, job)->before == NULL)
        return false;
    if (i <= apply->next) return true;
    for (size_t k = 0; k <= apply->next && apply->jobs[k].first; k++) {
        if (apply->jobs[k].child == job->child) return true;
    }
    return false;
}

/* The stops of what was started, the latest first; then all else that there is to do. The
 * jobs so far are read while theirs are added, as there is room for all. */
static void plan_way_back(struct bough_apply *apply)
{
    const struct bough_plan *plan = apply->plan;
    const size_t forward = apply->job_count;

    for (size_t i = apply->next + 1; i-- > 0;) {
        if (apply->jobs[i].what == BOUGH_PLAN_START)
            add_job(apply, BOUGH_PLAN_STOP, apply->jobs[i].child);
    }
    for (size_t i = 0; i < forward; i++) {
        const struct bough_apply_job job = apply->jobs[i];

        if (job.what == BOUGH_PLAN_CHANGE || job.present)
            apply->jobs[apply->job_count++] = job;
    }
    for (size_t i = 0; i < plan->child_count; i++) {
        if (plan->children[i].act == BOUGH_PLAN_ADDED)
            add_job(apply, BOUGH_PLAN_DELETE, i);
    }
    for (size_t i = 0; i <= apply->next && i < forward; i++) {
        if (apply->jobs[i].what == BOUGH_PLAN_RESIZE)
            add_job(apply, BOUGH_PLAN_RESIZE, apply->jobs[i].child);
    }
    for (size_t i = forward; i-- > 0;) {
        if (was_stopped(apply, i)) add_job(apply, BOUGH_PLAN_START, apply->jobs[i].child);
    }
    apply->next = forward;
}

static void begin_job(struct bough_apply *apply);

static void begin_new_job(struct bough_apply *apply)
{
    apply->tries = 0;
    apply->stops_first = apply->stopped = false;
    begin_job(apply);
}

static void go_on(struct bough_apply *apply)
{
    apply->next++;
    begin_new_job(apply);
}

/* What has to be said is in `text`. On the way back the rest is done all the same. */
static void fail(struct bough_apply *apply, enum bough_status status)
{
    if (apply->back) {
        apply->back_fails = true;
        go_on(apply);
        return;
    }
    apply->status = status;
    apply->back = true;
    apply->until_ms = 0;
    plan_way_back(apply);
    begin_new_job(apply);
}

/* Requests */

static int64_t now_ms(const struct bough_apply *apply)
{
    return bough_loop_now_ms(apply->loop);
}

static int64_t timeout_of(const struct bough_apply *apply)
{
    return apply->timeout_ms != 0 ? apply->timeout_ms : BOUGH_APPLY_TIMEOUT;
}

/* How long a start may still take; the time runs from the first one on. */
static int64_t time_left_ms(struct bough_apply *apply)
{
    const int64_t timeout_ms = timeout_of(apply);

    if (timeout_ms == BOUGH_FOREVER) return 0;
    if (apply->until_ms == 0) apply->until_ms = now_ms(apply) + timeout_ms;
    return apply->until_ms > now_ms(apply) ? apply->until_ms - now_ms(apply) : 1;
}

/* Messages for another type, or for members of a group, are none of its next life's. */
static bool keeps_mail(const struct bough_plan_child *child)
{
    return child->act == BOUGH_PLAN_RESTARTED &&
           child->before->type == child->after->type &&
           child->after->type != &bough_supervisor_type && child->before->replicas == 0 &&
           child->after->replicas == 0;
}

static bool is_starting(const struct bough_apply *apply,
                        const struct bough_plan_child *child, struct bough_address *place)
{
    struct bough_place_info info;

    return look(apply->loop, child->path, place, &info) &&
           info.state == BOUGH_PLACE_STARTING;
}

/* How long a stop may take. One that was still starting is killed then, as its supervisor
 * has set no limit; for any other the supervisor has, and may be busy before. */
static int64_t patience_ms(const struct bough_apply *apply,
                           const struct bough_plan_child *child)
{
    const struct bough_child_spec *spec =
        child->before != NULL && !apply->back ? child->before : child->after;
    const int64_t stop_ms = bough_child_shutdown_ms(spec != NULL ? spec : child->before);
    const bool late = present_job(apply)->child == apply->late;

    if (stop_ms == BOUGH_FOREVER || timeout_of(apply) == BOUGH_FOREVER) return 0;
    return (stop_ms > 0 ? stop_ms : 1) + (late ? 0 : timeout_of(apply));
}

/* Its supervisor does nothing else until what is starting is ready or has ended. */
static void ask_to_stop(struct bough_apply *apply, struct bough_supervisor supervisor)
{
    const struct bough_plan_child *child = child_of(apply, present_job(apply));
    struct bough_address place;

    if (is_starting(apply, child, &place)) {
        apply->late = present_job(apply)->child;
        bough_stop(place);
    }
    apply->call.timeout_ms = patience_ms(apply, child);
    if (keeps_mail(child))
        bough_supervisor_pause_child(supervisor, name_of(child), &apply->call);
    else
        bough_supervisor_terminate_child(supervisor, name_of(child), &apply->call);
}

static const struct bough_child_spec *goal_of(const struct bough_apply *apply,
                                              const struct bough_plan_child *child)
{
    return apply->back ? child->before : child->after;
}

static void ask(struct bough_apply *apply, struct bough_supervisor supervisor)
{
    const struct bough_apply_job *job = present_job(apply);
    const struct bough_plan_child *child = child_of(apply, job);
    struct bough_call *call = &apply->call;

    call->timeout_ms = timeout_of(apply) != BOUGH_FOREVER ? timeout_of(apply) : 0;
    if (apply->stops_first || job->what == BOUGH_PLAN_STOP) {
        ask_to_stop(apply, supervisor);
    } else if (job->what == BOUGH_PLAN_CHANGE) {
        bough_supervisor_change(supervisor, goal_of(apply, child)->options, call);
    } else if (job->what == BOUGH_PLAN_DELETE) {
        bough_supervisor_delete_child(supervisor, name_of(child), call);
    } else if (job->what == BOUGH_PLAN_RESIZE) {
        bough_supervisor_set_replicas(supervisor, name_of(child),
                                      goal_of(apply, child)->replicas, call);
    } else {
        call->timeout_ms = time_left_ms(apply);
        bough_supervisor_restart_child(supervisor, name_of(child), call);
    }
}

static void begin_job(struct bough_apply *apply)
{
    struct bough_supervisor supervisor;

    for (; apply->next < apply->job_count; apply->next++) {
        const struct bough_apply_job *job = present_job(apply);

        if (!find_supervisor(apply, job, &supervisor)) continue;
        if (apply->step != NULL && apply->tries == 0)
            apply->step(apply, job->what, child_of(apply, job)->path);
        ask(apply, supervisor);
        return;
    }
    apply->went_back = apply->back && !apply->back_fails;
    finish(apply, apply->back ? apply->status : BOUGH_OK);
}

/* Answers */

/* A stop is asked for again: it has begun to start meanwhile, and is asked to end, too;
 * or it does not end, and is killed. False: its supervisor is busy with something else.
 */
static bool press(struct bough_apply *apply)
{
    const struct bough_plan_child *child = child_of(apply, present_job(apply));
    const bool late = present_job(apply)->child == apply->late;
    struct bough_address place;

    apply->late = NOBODY;
    if (!is_starting(apply, child, &place) && !late) return false;
    if (late && bough_lookup(apply->loop, child->path, &place) == BOUGH_OK)
        bough_kill(place);
    return true;
}

static void say_busy(struct bough_apply *apply)
{
    const struct bough_plan_child *child = child_of(apply, present_job(apply));
    char limit[BOUGH_DURATION_TEXT];

    add_text(
        apply,
        "%s%s: its supervisor did not come to it within %s, as another child there is "
        "not ready, or does not end",
        apply->back ? "; going back: " : "", child->path,
        bough_print_ms(timeout_of(apply), limit));
}

static void say_late(struct bough_apply *apply)
{
    const struct bough_plan_child *child = child_of(apply, present_job(apply));
    char limit[BOUGH_DURATION_TEXT];

    add_text(apply, "%s%s was not ready within the %s that %s",
             apply->back ? "; going back: " : "", child->path,
             bough_print_ms(timeout_of(apply), limit),
             apply->back ? "the way back may take" : "all that is started may take");
}

static void say(struct bough_apply *apply, enum bough_status status)
{
    const struct bough_plan_child *child = child_of(apply, present_job(apply));
    const char *why = bough_call_text(&apply->call, status);

    if (apply->back) add_text(apply, "; going back: ");
    if (strncmp(why, child->path, strlen(child->path)) == 0)
        add_text(apply, "%s", why);
    else
        add_text(apply, "%s: %s", child->path, why);
}

/* The supervisor broke, or waits to be restarted: its next life is asked again. */
static bool is_lost(enum bough_status status)
{
    return status == BOUGH_EGONE || status == BOUGH_ECRASHED ||
           status == BOUGH_ECANCELLED;
}

static bool is_done(const struct bough_apply_job *job, enum bough_status status)
{
    const bool goes = job->what == BOUGH_PLAN_STOP || job->what == BOUGH_PLAN_DELETE;

    return status == BOUGH_OK || (goes && status == BOUGH_ENOTFOUND) ||
           (job->present && status != BOUGH_ENOMEM);
}

static void answered(struct bough_call *call, enum bough_status status)
{
    struct bough_apply *apply = bough_container(call, struct bough_apply, call);
    const struct bough_apply_job *job = present_job(apply);
    const bool there = status == BOUGH_ERUNNING || status == BOUGH_ERESTARTING;
    const bool stops = apply->stops_first || job->what == BOUGH_PLAN_STOP;

    if (tree_ends(apply)) {
        bough_text_format(apply->text, sizeof(apply->text), "the tree ends");
        finish(apply, BOUGH_ECANCELLED);
    } else if (apply->stops_first && (status == BOUGH_OK || status == BOUGH_ENOTFOUND)) {
        apply->stops_first = false;
        begin_job(apply);
    } else if (is_lost(status) && apply->tries++ < TRIES) {
        begin_job(apply);
    } else if (is_done(job, status)) {
        go_on(apply);
    } else if (there && !apply->stopped) {
        /* A restart of its siblings has started it, perhaps as it was before. */
        apply->stops_first = apply->stopped = true;
        begin_job(apply);
    } else if (there && job->what == BOUGH_PLAN_START) {
        go_on(apply);
    } else if (status == BOUGH_ETIMEOUT && stops && press(apply)) {
        begin_job(apply);
    } else if (status == BOUGH_ETIMEOUT) {
        if (job->what == BOUGH_PLAN_START && !stops)
            say_late(apply);
        else
            say_busy(apply);
        fail(apply, status);
    } else {
        say(apply, status);
        fail(apply, status);
    }
}

/* The beginning */

static enum bough_status find_root(struct bough_supervisor root,
                                   struct bough_place_info *info,
                                   struct bough_error *error)
{
    if (bough_place_info(root.address, info) != BOUGH_OK ||
        info->type != &bough_supervisor_type || info->options == NULL)
        return bough_error_set(error, BOUGH_EGONE, "no supervisor lives there");
    return BOUGH_OK;
}

static struct bough_plan_world world_of(struct bough_loop *loop,
                                        const struct bough_apply_contents *contents)
{
    struct bough_plan_world world = { .known = is_known, .known_data = loop };

    if (contents == NULL) return world;
    world.stale = contents->stale;
    world.stale_data = contents->data;
    return world;
}

enum bough_status bough_apply_plan(struct bough_loop *loop, struct bough_supervisor root,
                                   const struct bough_supervisor_options *options,
                                   const struct bough_apply_contents *contents,
                                   struct bough_plan **plan, struct bough_error *error)
{
    const struct bough_plan_world world = world_of(loop, contents);
    struct bough_place_info info;
    enum bough_status status = find_root(root, &info, error);

    if (status == BOUGH_OK) status = bough_supervisor_check(options, error);
    if (status == BOUGH_OK)
        status = bough_plan_new(info.options, options, &world, plan, error);
    return status;
}

/* Their supervisors do nothing else before that. */
static void stop_starting_first(struct bough_apply *apply)
{
    const struct bough_plan *plan = apply->plan;
    struct bough_address place;

    for (size_t i = 0; i < plan->step_count; i++) {
        const struct bough_plan_step *step = &plan->steps[i];

        if (step->what != BOUGH_PLAN_STOP) break;
        if (!is_starting(apply, &plan->children[step->child], &place)) continue;
        add_job(apply, BOUGH_PLAN_STOP, step->child);
        apply->jobs[apply->job_count - 1].first = true;
    }
}

/* A child that is kept and is not there now (a temporary one that has ended, or one that
 * was deleted by hand) is not brought back by its supervisor's change. */
static void add_jobs(struct bough_apply *apply)
{
    const struct bough_plan *plan = apply->plan;
    size_t i = 0;

    stop_starting_first(apply);
    for (; i < plan->step_count && plan->steps[i].what <= BOUGH_PLAN_CHANGE; i++)
        add_job(apply, plan->steps[i].what, plan->steps[i].child);
    for (size_t k = 0; k < plan->child_count && plan->step_count > 0; k++) {
        const struct bough_plan_child *child = &plan->children[k];

        if (child->act != BOUGH_PLAN_KEPT && child->act != BOUGH_PLAN_CHANGED) continue;
        if (is_known(apply->loop, child->path)) continue;
        add_job(apply, BOUGH_PLAN_DELETE, k);
        apply->jobs[apply->job_count - 1].present = true;
    }
    for (; i < plan->step_count; i++)
        add_job(apply, plan->steps[i].what, plan->steps[i].child);
}

static enum bough_status prepare(struct bough_apply *apply,
                                 const struct bough_supervisor_options *before,
                                 const struct bough_supervisor_options *after,
                                 struct bough_error *error)
{
    const struct bough_plan_world world = world_of(apply->loop, &apply->contents);
    struct bough_plan *plan = NULL;
    enum bough_status status;

    apply->before = bough_supervisor_options_copy(before);
    apply->after = bough_supervisor_options_copy(after);
    if (apply->before == NULL || apply->after == NULL)
        return bough_error_set(error, BOUGH_ENOMEM, "out of memory");
    status = bough_plan_new(apply->before, apply->after, &world, &plan, error);
    if (status != BOUGH_OK) return status;
    apply->plan = plan;
    /* Each step there, and back, stops perhaps twice; each child that is deleted, either
     * way. */
    apply->jobs = calloc(4 * plan->step_count + 2 * plan->child_count + 1,
                         sizeof(struct bough_apply_job));
    if (apply->jobs == NULL) return bough_error_set(error, BOUGH_ENOMEM, "out of memory");
    add_jobs(apply);
    return BOUGH_OK;
}

/* Nothing to do is told as anything else: later. */
static void begin(struct bough_apply *apply, struct bough_supervisor root)
{
    apply->call.done = answered;
    apply->call.loop = apply->loop;
    if (apply->job_count > 0) {
        begin_job(apply);
        return;
    }
    add_job(apply, BOUGH_PLAN_DO_COUNT, 0);
    bough_supervisor_which_children(root, &apply->call);
}

enum bough_status bough_apply_start(struct bough_apply *apply, struct bough_loop *loop,
                                    struct bough_supervisor root,
                                    const struct bough_supervisor_options *options,
                                    struct bough_error *error)
{
    struct bough_place_info info;
    enum bough_status status;

    if (apply->busy)
        return bough_error_set(error, BOUGH_ERUNNING, "another apply is under way");
    status = find_root(root, &info, error);
    if (status != BOUGH_OK) return status;
    if (info.state != BOUGH_PLACE_RUNNING)
        return bough_error_set(error, BOUGH_EREFUSED, "the tree is %s",
                               bough_place_state_name(info.state));
    status = bough_supervisor_check(options, error);
    if (status != BOUGH_OK) return status;
    *apply = (struct bough_apply){ .done = apply->done,
                                   .step = apply->step,
                                   .timeout_ms = apply->timeout_ms,
                                   .contents = apply->contents,
                                   .loop = loop,
                                   .late = NOBODY };
    status = prepare(apply, info.options, options, error);
    if (status != BOUGH_OK) {
        release(apply);
        return status;
    }
    apply->busy = true;
    begin(apply, root);
    return BOUGH_OK;
}
