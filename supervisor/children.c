/* children.c - who a supervisor's children are, and their places.
 *
 * The records are found by the decider's number, and by name in their places. One that
 * was forgotten is kept until the next thing happens, since the callback of its watch may
 * be running; that of a significant child until its number is given again, since its end
 * may still have to be told as the cause of an automatic shutdown.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/supervisor/supervision_internal.h>

#include <stdlib.h>
#include <string.h>

#include <bough/core/assert.h>
#include <bough/core/runtime.h>
#include <bough/supervisor/process/process_internal.h>
#include <bough/supervisor/spec_pack.h>
#include <bough/supervisor/supervisor.h>
#include <bough/supervisor/watchdog_internal.h>

enum { FIRST_CAPACITY = 8 };

/* Looking */

struct bough_supervised *bough_supervision_find(struct bough_actor *actor,
                                                const char *name)
{
    return bough_place_record(actor, name);
}

const char *bough_supervised_path(const struct bough_supervised *child)
{
    struct bough_place_info info;

    if (bough_place_info(child->place, &info) == BOUGH_OK) return info.path;
    return child->extras && child->extras->path ? child->extras->path : "a child";
}

const char *bough_supervised_name(const struct bough_supervised *child)
{
    const char *path = bough_supervised_path(child), *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

/* What is left of a fault for which there was no memory. */
static const struct bough_exit_reason no_memory = { .kind = BOUGH_EXIT_ERROR,
                                                    .status = BOUGH_ENOMEM };

const struct bough_exit_reason *
bough_supervised_reason(const struct bough_supervised *child)
{
    if (child->failed) return child->extras->fault;
    return child->watch.reason ? child->watch.reason : &no_memory;
}

/* Specs */

static bool is_group(const struct bough_child_spec *spec)
{
    return spec->replicas > 0;
}

/* What the decider is to know of a group: its members have limits of their own, and what
 * else is about one life is about theirs. */
static struct bough_child_spec spec_of_group(const struct bough_child_spec *spec)
{
    return (struct bough_child_spec){
        .name = spec->name,
        .type = &bough_group_type,
        .restart = spec->restart,
        .shutdown_ms = BOUGH_SHUTDOWN_INFINITY,
        .significant = spec->significant,
    };
}

/* Members are restarted under the child's own limit, else under its supervisor's. */
static struct bough_supervisor_options
options_of_group(const struct bough_supervisor_options *flags,
                 const struct bough_child_spec *spec)
{
    bool own = bough_child_limited(spec);

    return (struct bough_supervisor_options){
        .strategy = BOUGH_ONE_FOR_ONE,
        .any_intensity = true,
        .intensity = own ? spec->intensity : bough_supervisor_intensity(flags),
        .period_ms =
            own ? bough_child_period_ms(spec) : bough_supervisor_period_ms(flags),
        .children = spec,
        .child_count = 1,
    };
}

/* Places */

/* Below a supervisor in a process, a thread is a process, too. */
static enum bough_isolation isolation_of(const struct bough_supervision *self,
                                         const struct bough_child_spec *spec)
{
    return self->elsewhere && spec->isolation == BOUGH_THREAD ? BOUGH_PROCESS
                                                              : spec->isolation;
}

/* A supervisor is here itself, wherever its children are, and so is a group; and so is
 * what is not for a process. */
bool bough_supervised_is_elsewhere(const struct bough_supervision *self,
                                   const struct bough_child_spec *spec)
{
    const enum bough_isolation isolation = isolation_of(self, spec);

    if (spec->type == &bough_supervisor_type || is_group(spec)) return false;
    if (spec->type->no_process && isolation != BOUGH_PROCESS) return false;
    return isolation == BOUGH_PROCESS || self->elsewhere;
}

static enum bough_status new_place(struct bough_actor *actor,
                                   const struct bough_recruit *recruit,
                                   struct bough_address *place)
{
    const struct bough_supervision *self = bough_state(actor);
    struct bough_child_spec spec = *recruit->spec;
    struct bough_supervisor_options group;
    struct bough_place_spec place_spec = {
        .type = spec.type,
        .parent = bough_address_place(bough_self(actor)),
        .name = recruit->name,
        .capacity = spec.mailbox_capacity,
        .on_restart = spec.on_restart,
        .when_full = spec.when_full,
        .redeliver = spec.redeliver,
        .restart = bough_restart_names[spec.restart],
        .isolation = spec.isolation,
        .keeps_order = recruit->keeps_order,
    };

    if (recruit->replaces) spec.options = recruit->options;
    place_spec.isolation = spec.isolation = isolation_of(self, &spec);
    place_spec.options = spec.options;
    if (bough_supervised_is_elsewhere(self, &spec)) {
        spec.name = recruit->name;
        place_spec.type = &bough_proxy_type;
        place_spec.options = &spec;
        place_spec.speaks = spec.type;
        if (spec.redeliver == 0) place_spec.redeliver = BOUGH_REDELIVER_PROCESS;
    }
    if (is_group(&spec)) {
        group = options_of_group(self->options, &spec);
        place_spec.isolation = BOUGH_INLINE; /* each member is where the spec says */
        place_spec.type = &bough_group_type;
        place_spec.options = &group;
        place_spec.redeliver = 0;
        place_spec.speaks = spec.type;
    }
    /* A supervisor's specs are copies already. */
    place_spec.shares_options = place_spec.options == recruit->spec->options &&
                                place_spec.options && !spec.type->copy_options;
    return bough_place_new(bough_actor_loop(actor), &place_spec, place);
}

/* Records */

static bool make_room(struct bough_supervision *self)
{
    const size_t needed = bough_decider_count(self->decider) + 1;
    size_t capacity = self->capacity > 0 ? 2 * self->capacity : FIRST_CAPACITY;
    struct bough_supervised **children;

    if (needed <= self->capacity) return true;
    children = realloc(self->children, capacity * sizeof(*children));
    if (!children) return false;
    memset(children + self->capacity, 0,
           (capacity - self->capacity) * sizeof(struct bough_supervised *));
    self->children = children;
    self->capacity = capacity;
    return true;
}

struct bough_supervised_extras *bough_supervised_extras(struct bough_supervised *child)
{
    if (child->extras) return child->extras;
    child->extras = calloc(1, sizeof(*child->extras));
    if (child->extras) child->extras->child = child;
    return child->extras;
}

/* Memory for a timer must not be what a restart is missing. A retry without a wait needs
 * none. */
bool bough_supervised_prepare(struct bough_supervised *child,
                              const struct bough_child_spec *spec)
{
    const bool waits = spec->start_timeout_ms > 0 || spec->backoff.min_ms > 0;

    return !waits || is_group(spec) || bough_supervised_extras(child);
}

void bough_supervised_set_spec(struct bough_supervised *child,
                               const struct bough_child_spec *spec, bool owned)
{
    if (child->owns_spec)
        bough_spec_free((struct bough_child_spec *)(uintptr_t)child->spec);
    child->spec = spec;
    child->owns_spec = owned;
}

static void free_extras(struct bough_supervised_extras *extras)
{
    if (!extras) return;
    bough_ward_free(extras->ward);
    free(extras->fault);
    free(extras->path);
    free(extras);
}

static void free_child(struct bough_supervised *child)
{
    bough_watch_cancel(&child->watch);
    bough_supervised_stop_timer(child);
    free_extras(child->extras);
    bough_supervised_set_spec(child, NULL, false);
    free(child);
}

static void lay_down(struct bough_supervision *self, struct bough_supervised *child)
{
    child->next = self->dead;
    self->dead = child;
}

static struct bough_supervised *new_child(const struct bough_recruit *recruit)
{
    struct bough_supervised *child = calloc(1, sizeof(*child));

    if (!child) return NULL;
    if (!bough_supervised_prepare(child, recruit->spec)) {
        free(child);
        return NULL;
    }
    child->spec = recruit->spec;
    child->lasting = recruit->lasting;
    return child;
}

struct bough_child_spec bough_supervised_spec(const struct bough_child_spec *spec)
{
    return is_group(spec) ? spec_of_group(spec) : *spec;
}

int64_t bough_supervised_shutdown_ms(const struct bough_supervised *child)
{
    const struct bough_child_spec spec = bough_supervised_spec(child->spec);

    return bough_child_shutdown_ms(&spec);
}

int64_t bough_supervised_start_limit_ms(const struct bough_supervised *child)
{
    return bough_supervised_spec(child->spec).start_timeout_ms;
}

static enum bough_status enroll(struct bough_supervision *self,
                                struct bough_supervised *child)
{
    const struct bough_child_spec spec = bough_supervised_spec(child->spec);
    size_t number;
    const enum bough_status status = bough_decider_add(self->decider, &spec, &number);

    if (status != BOUGH_OK) return status;
    bough_assert(number <= UINT32_MAX); /* the array of so many would have 32 GiB */
    child->number = (uint32_t)number;
    if (self->children[number]) lay_down(self, self->children[number]);
    self->children[number] = child;
    bough_place_set_record(child->place, child);
    return BOUGH_OK;
}

enum bough_status bough_supervision_add(struct bough_actor *actor,
                                        const struct bough_recruit *recruit,
                                        struct bough_supervised **child)
{
    struct bough_supervision *self = bough_state(actor);
    struct bough_supervised *made;
    struct bough_address place;
    enum bough_status status;

    if (!make_room(self)) return BOUGH_ENOMEM;
    made = new_child(recruit);
    if (!made) return BOUGH_ENOMEM;
    bough_supervision_watch(actor, made);
    status = new_place(actor, recruit, &place);
    if (status == BOUGH_OK) {
        made->place = place;
        status = enroll(self, made);
        if (status != BOUGH_OK) bough_place_free(place, 0);
    }
    if (status != BOUGH_OK) {
        free_child(made);
        return status;
    }
    made->owns_spec = recruit->owns_spec;
    bough_supervision_watch_over(actor, made);
    *child = made;
    return BOUGH_OK;
}

/* One in a process is looked after with all that are there. */
void bough_supervision_watch_over(struct bough_actor *actor,
                                  struct bough_supervised *child)
{
    const struct bough_child_spec *spec = child->spec;
    const bool wanted = spec->stuck_after_ms > 0 && spec->isolation != BOUGH_PROCESS &&
                        !is_group(spec) &&
                        !bough_supervised_is_elsewhere(bough_state(actor), spec);

    if (child->extras) {
        bough_ward_free(child->extras->ward);
        child->extras->ward = NULL;
    }
    if (!wanted) return;
    if (bough_supervised_extras(child))
        child->extras->ward = bough_ward_new(bough_actor_loop(actor), child->place, spec);
    if (!child->extras || !child->extras->ward)
        bough_report(actor, BOUGH_WARNING,
                     "nobody looks whether %s is stuck: no memory, or no thread for it",
                     bough_supervised_path(child));
}

enum bough_status bough_supervision_refurnish(struct bough_actor *actor,
                                              struct bough_supervised *child)
{
    const struct bough_recruit recruit = { .name = bough_supervised_name(child),
                                           .spec = child->spec,
                                           .keeps_order = true };
    const enum bough_status status = new_place(actor, &recruit, &child->place);

    if (status != BOUGH_OK) return status;
    child->changed = false;
    bough_supervision_watch_over(actor, child);
    return BOUGH_OK;
}

/* Its siblings in there may know of it. */
static void tell_host(const struct bough_supervision *self,
                      const struct bough_supervised *child, unsigned state)
{
    if (self->host != NULL)
        bough_host_left(self->host, bough_supervised_path(child), state);
}

void bough_supervision_settle(struct bough_actor *actor, struct bough_supervised *child)
{
    if (child->awaited) {
        bough_place_mark(child->place, BOUGH_PLACE_RESERVED);
        return;
    }
    bough_place_mark(child->place, BOUGH_PLACE_STOPPED);
    tell_host(bough_state(actor), child, BOUGH_PLACE_STOPPED);
}

/* Its end may be why the supervisor ends, which is told by the path. */
static void keep_path(struct bough_supervised *child)
{
    if (bough_supervised_extras(child))
        child->extras->path = strdup(bough_supervised_path(child));
}

void bough_supervision_remove(struct bough_actor *actor, struct bough_supervised *child)
{
    struct bough_supervision *self = bough_state(actor);

    bough_assert(!child->removed);
    child->removed = true;
    bough_supervised_stop_timer(child);
    if (child->extras) {
        bough_ward_free(child->extras->ward);
        child->extras->ward = NULL;
    }
    if (child->spec->significant) keep_path(child);
    tell_host(self, child, BOUGH_LEFT_FREE);
    bough_place_free(child->place, child->cause);
    if (child->spec->significant) return;
    self->children[child->number] = NULL;
    lay_down(self, child);
}

void bough_supervision_bury(struct bough_supervision *self)
{
    while (self->dead) {
        struct bough_supervised *child = self->dead;

        self->dead = child->next;
        free_child(child);
    }
}

/* The supervision's own life */

/* For the jitter of backoffs: another for each supervisor, and for each run on the
 * machine's clock. */
static uint64_t seed_of(struct bough_actor *actor)
{
    const char *path = bough_actor_path(actor);

    return bough_fnv1a(path, strlen(path)) ^
           (uint64_t)bough_runtime_realtime_ns(bough_actor_runtime(actor));
}

/* Who has a process of its own, has it for all below. */

/* The supervision of which it is a child, or NULL. */
static struct bough_supervision *supervision_above(struct bough_actor *actor)
{
    struct bough_actor *parent = bough_parent(actor);
    struct bough_place_info info;

    if (parent == NULL || bough_place_info(bough_self(parent), &info) != BOUGH_OK)
        return NULL;
    return info.type == &bough_supervisor_type || info.type == &bough_group_type
               ? bough_state(parent)
               : NULL;
}

struct bough_host *bough_supervision_host(struct bough_actor *actor)
{
    const struct bough_supervision *above = supervision_above(actor);

    return above != NULL ? above->host : NULL;
}

struct bough_remains **bough_supervision_remains(struct bough_actor *actor)
{
    struct bough_supervision *above = supervision_above(actor);

    return above != NULL ? &above->remains : NULL;
}

static void choose_host(struct bough_actor *actor, struct bough_supervision *self)
{
    self->housed = bough_actor_isolation(actor) == BOUGH_PROCESS;
    self->host = self->housed ? NULL : bough_supervision_host(actor);
    self->elsewhere = self->housed || self->host != NULL;
}

/* One that is no child of a supervisor has a spec of zeroes. */
static const struct bough_child_spec *own_spec(struct bough_actor *actor)
{
    static const struct bough_child_spec none = { .name = NULL };
    const char *name = strrchr(bough_actor_path(actor), '/') + 1;
    const struct bough_supervised *child =
        supervision_above(actor) != NULL
            ? bough_supervision_find(bough_parent(actor), name)
            : NULL;

    return child != NULL ? child->spec : &none;
}

enum bough_status bough_supervision_house(struct bough_actor *actor)
{
    struct bough_supervision *self = bough_state(actor);

    return self->housed ? bough_host_new(actor, own_spec(actor), &self->host) : BOUGH_OK;
}

enum bough_status bough_supervision_init(struct bough_actor *actor,
                                         const struct bough_role *role,
                                         const struct bough_supervisor_options *options)
{
    struct bough_supervision *self = bough_state(actor);
    struct bough_supervisor_options flags = *options;

    self->role = role;
    choose_host(actor, self);
    self->options = options;
    self->log_level = bough_log_level(bough_actor_runtime(actor));
    self->requests_tail = &self->requests;
    self->retries_tail = &self->retries;
    if (flags.strategy != BOUGH_DYNAMIC) flags.child_count = 0;
    self->decider = bough_decider_new(&flags, seed_of(actor));
    return self->decider ? BOUGH_OK : BOUGH_ENOMEM;
}

static void free_requests(struct bough_supervision *self)
{
    while (self->requests) {
        struct bough_request *request = self->requests;

        self->requests = request->next;
        free(request);
    }
}

void bough_supervision_release(struct bough_actor *actor)
{
    struct bough_supervision *self = bough_state(actor);

    bough_supervision_bury(self);
    for (size_t i = 0; i < self->capacity; i++) {
        struct bough_supervised *child = self->children[i];

        if (!child) continue;
        bough_place_set_record(child->place, NULL);
        free_child(child);
    }
    free(self->children);
    free_requests(self);
    bough_decider_free(self->decider);
    if (self->housed) bough_host_free(self->host);
    bough_remains_free(self->remains);
}

void bough_supervision_sweep(struct bough_actor *actor)
{
    const struct bough_supervision *self = bough_state(actor);
    const size_t first = bough_decider_next(self->decider, BOUGH_NO_CHILD);

    bough_place_sweep(actor, first != BOUGH_NO_CHILD
                                 ? bough_supervision_child(self, first)->place
                                 : BOUGH_NOBODY);
}

void bough_supervision_leave(struct bough_actor *actor)
{
    struct bough_supervision *self = bough_state(actor);

    for (size_t i = 0; i < self->capacity; i++) {
        struct bough_supervised *child = self->children[i];

        if (!child || child->removed) continue;
        if (!child->lasting)
            bough_place_free(child->place, child->cause);
        else
            bough_place_mark(child->place, BOUGH_PLACE_RESERVED);
    }
}
