/* group.c - the type "group": the replicas of one child.
 *
 * A child with replicas is an actor of this type in the child's place, and its members
 * are its children, "0", "1" ...: it supervises them one for one, and hands the messages
 * sent to its own path on to them, question and all. To its own supervisor it is one
 * child; when its members have passed their limit, or the last of them is over for good,
 * it ends.
 *
 * A message goes to a member that runs and has room. When none runs, it waits with one
 * that will: a member's mailbox outlives the member. With a hash, what belongs to a
 * member is not given to another one while that member restarts.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/supervisor/supervision_internal.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <bough/core/assert.h>
#include <bough/supervisor/supervisor.h>

struct group {
    struct bough_supervision supervision;
    struct bough_child_spec member; /* what each is made from */
    size_t next;                    /* whose turn it is to be given a message */
    uint32_t top;                   /* no member has this number or a greater one */

    /* A change of their number: first those from `target` on go, the last one first;
     * then what is missing from `up` on is started. */
    bool resizing;
    uint32_t target, up;
    struct bough_question *question;
};

static const struct bough_child_spec *spec_of(const struct group *self)
{
    return &self->supervision.options->children[0];
}

/* Members */

static const char *member_name(uint32_t number, char buffer[BOUGH_NAME_MAX + 1])
{
    snprintf(buffer, BOUGH_NAME_MAX + 1, "%" PRIu32, number);
    return buffer;
}

static struct bough_supervised *find_member(struct bough_actor *actor, uint32_t number)
{
    char name[BOUGH_NAME_MAX + 1];

    return bough_supervision_find(actor, member_name(number, name));
}

static size_t count_members(const struct group *self)
{
    const struct bough_decider *decider = self->supervision.decider;
    size_t count = 0;

    for (size_t i = bough_decider_next(decider, BOUGH_NO_CHILD); i != BOUGH_NO_CHILD;
         i = bough_decider_next(decider, i))
        count++;
    return count;
}

static enum bough_status add_member(struct bough_actor *actor, uint32_t number,
                                    bool lasting, struct bough_supervised **child)
{
    struct group *self = bough_state(actor);
    char name[BOUGH_NAME_MAX + 1];
    const struct bough_recruit recruit = {
        .name = member_name(number, name),
        .spec = &self->member,
        .lasting = lasting,
    };

    if (self->top <= number) self->top = number + 1;
    return bough_supervision_add(actor, &recruit, child);
}

/* The limits are the group's. When members can be over for good, the last one that is
 * takes the group along. */
static struct bough_child_spec member_of(const struct bough_child_spec *spec)
{
    struct bough_child_spec member = *spec;

    member.replicas = 0;
    member.any_intensity = false;
    member.intensity = 0;
    member.significant = spec->restart != BOUGH_PERMANENT;
    return member;
}

static enum bough_status furnish(struct bough_actor *actor)
{
    struct group *self = bough_state(actor);
    struct bough_supervised *child;

    for (uint32_t i = 0; i < spec_of(self)->replicas; i++) {
        const enum bough_status status = add_member(actor, i, true, &child);

        if (status != BOUGH_OK) {
            bough_fail(actor, status, "no place for its member %" PRIu32 ": %s", i,
                       bough_status_text(status));
            return status;
        }
    }
    return BOUGH_OK;
}

/* Resizing */

static void resize(struct bough_actor *actor, const void *message,
                   struct bough_question *question)
{
    const struct bough_resize *wanted = message;
    struct group *self = bough_state(actor);

    bough_assert(!self->resizing);
    self->resizing = true;
    self->target = wanted->replicas;
    self->up = 0;
    self->question = question;
}

static void end_resize(struct group *self)
{
    self->resizing = false;
    self->question = NULL;
}

/* False when there is none from `target` on. */
static bool take_last(struct bough_actor *actor)
{
    struct group *self = bough_state(actor);
    struct bough_supervised *child;

    while (self->top > self->target) {
        child = find_member(actor, self->top - 1);
        if (!child) {
            self->top--;
            continue;
        }
        bough_supervision_ask(actor, child,
                              bough_supervised_state(bough_state(actor), child) ==
                                      BOUGH_CHILD_DOWN
                                  ? BOUGH_ON_DELETE_CHILD
                                  : BOUGH_ON_TERMINATE_CHILD,
                              NULL);
        return true;
    }
    return false;
}

static void start_member(struct bough_actor *actor, uint32_t number)
{
    struct group *self = bough_state(actor);
    struct bough_supervised *child;
    const enum bough_status status = add_member(actor, number, false, &child);

    if (status == BOUGH_OK) {
        bough_supervision_ask(actor, child, BOUGH_ON_START_CHILD, NULL);
    } else {
        bough_question_refuse(self->question, status,
                              "no place for member %" PRIu32 ": %s", number,
                              bough_status_text(status));
        end_resize(self);
    }
}

/* False when none is missing. */
static bool add_missing(struct bough_actor *actor)
{
    struct group *self = bough_state(actor);

    while (self->up < self->target) {
        const uint32_t number = self->up++;

        if (find_member(actor, number)) continue;
        start_member(actor, number);
        return true;
    }
    return false;
}

static bool go_on(struct bough_actor *actor)
{
    struct group *self = bough_state(actor);
    struct bough_replicas_reply reply;

    if (!self->resizing) return false;
    if (take_last(actor) || add_missing(actor)) return true;
    reply.replicas = count_members(self);
    bough_question_reply(self->question, &reply, sizeof(reply));
    end_resize(self);
    return true;
}

/* One step of a change is over. */
static void answered(struct bough_actor *actor, const struct bough_decide_action *action)
{
    struct group *self = bough_state(actor);

    if (action->status == BOUGH_OK || action->status == BOUGH_IGNORE) return;
    bough_supervision_refuse(self->question, self->supervision.asked, action->status);
    end_resize(self);
}

static const struct bough_role role = {
    .handle = resize,
    .answered = answered,
    .go_on = go_on,
};

/* Routing */

static size_t slots(const struct group *self)
{
    return bough_decider_count(self->supervision.decider);
}

/* The member in that slot; NULL when it is forgotten. */
static struct bough_supervised *slot(const struct group *self, size_t i)
{
    struct bough_supervised *child = self->supervision.children[i];

    return child && !child->removed ? child : NULL;
}

/* Whether it runs and has room, and how much waits there. */
static bool is_free(const struct group *self, size_t i, size_t *length)
{
    const struct bough_supervised *child = slot(self, i);
    struct bough_place_info info;

    if (!child || bough_place_info(child->place, &info) != BOUGH_OK) return false;
    *length = info.mailbox_length;
    return info.state == BOUGH_PLACE_RUNNING &&
           info.mailbox_length < info.mailbox_capacity;
}

/* Whether it runs, or will. */
static bool is_expected(const struct group *self, size_t i)
{
    const struct bough_supervised *child = slot(self, i);
    struct bough_place_info info;

    return child && bough_place_info(child->place, &info) == BOUGH_OK &&
           info.state != BOUGH_PLACE_STOPPED && info.state != BOUGH_PLACE_FAILED;
}

/* The first from `from` on; BOUGH_NO_CHILD: none. */
static size_t first_free(const struct group *self, size_t from)
{
    size_t length;

    for (size_t k = 0; k < slots(self); k++) {
        const size_t i = (from + k) % slots(self);

        if (is_free(self, i, &length)) return i;
    }
    return BOUGH_NO_CHILD;
}

static size_t first_expected(const struct group *self, size_t from)
{
    for (size_t k = 0; k < slots(self); k++) {
        const size_t i = (from + k) % slots(self);

        if (is_expected(self, i)) return i;
    }
    return BOUGH_NO_CHILD;
}

/* The one with the fewest messages; of equals the one whose turn it is. */
static size_t least_busy(const struct group *self)
{
    size_t best = BOUGH_NO_CHILD, least = SIZE_MAX, length;

    for (size_t k = 0; k < slots(self) && least > 0; k++) {
        const size_t i = (self->next + k) % slots(self);

        if (!is_free(self, i, &length) || length >= least) continue;
        best = i;
        least = length;
    }
    return best;
}

/* The bytes of the message's field, when it has that field. */
static bool find_key(const struct bough_child_spec *spec, const char *message,
                     size_t size, const char **key, size_t *len)
{
    const struct bough_message_type *row;
    const struct bough_field *field;
    struct bough_span span;

    if (!spec->route_field) return false;
    row = bough_message_row(spec->type, message, size);
    if (!row) return false;
    field = bough_field_find(row->fields, row->field_count, spec->route_field);
    if (!field || field->offset > size || field->size > size - field->offset)
        return false;
    *key = message + field->offset;
    *len = field->size;
    if (field->kind != BOUGH_TEXT && field->kind != BOUGH_BYTES) return true;
    memcpy(&span, *key, sizeof(span));
    *key = message + span.offset;
    *len = span.len;
    return span.offset <= size && span.len <= size - span.offset;
}

static size_t choose(const struct group *self, const void *message, size_t size)
{
    const struct bough_child_spec *spec = spec_of(self);
    size_t i = BOUGH_NO_CHILD, len;
    const char *key;

    if (spec->route == BOUGH_HASH && find_key(spec, message, size, &key, &len))
        return first_expected(self, bough_fnv1a(key, len) % slots(self));
    if (spec->route == BOUGH_LEAST_BUSY)
        i = least_busy(self);
    else
        i = first_free(self, self->next);
    return i != BOUGH_NO_CHILD ? i : first_expected(self, self->next);
}

static void route(struct bough_actor *actor, const void *message, size_t size)
{
    struct group *self = bough_state(actor);
    const size_t i = choose(self, message, size);
    enum bough_status status = BOUGH_EGONE;

    if (i != BOUGH_NO_CHILD) {
        self->next = i + 1;
        status = bough_forward(actor, slot(self, i)->place);
    }
    if (status != BOUGH_OK)
        bough_refuse(actor, status, "%s",
                     i == BOUGH_NO_CHILD ? "no member is left"
                                         : bough_status_text(status));
}

/* Actor */

static enum bough_status group_init(struct bough_actor *actor, const void *data)
{
    const struct bough_supervisor_options *options = data;
    struct bough_supervisor_options flags = *options;
    struct group *self = bough_state(actor);
    enum bough_status status;

    self->member = member_of(&options->children[0]);
    if (self->member.significant) flags.auto_shutdown = BOUGH_ALL_SIGNIFICANT;
    status = bough_supervision_init(actor, &role, &flags);
    self->supervision.options = options;
    if (status == BOUGH_OK) status = furnish(actor);
    if (status != BOUGH_OK) {
        bough_supervision_release(actor);
        return status;
    }
    bough_supervision_sweep(actor);
    bough_supervision_begin(actor);
    return BOUGH_OK;
}

static void group_run(struct bough_actor *actor, const void *message, size_t size)
{
    const struct bough_resize *wanted = message;

    if (size == sizeof(*wanted) && wanted->kind == BOUGH_RESIZE)
        bough_supervision_request(actor, message, size);
    else
        route(actor, message, size);
}

/* What is sent from now on waits for the next life. */
static void group_stop(struct bough_actor *actor)
{
    bough_pause(actor);
    bough_supervision_stop(actor);
}

static void group_finish(struct bough_actor *actor)
{
    bough_supervision_leave(actor);
    bough_supervision_release(actor);
}

const struct bough_actor_type bough_group_type = {
    .name = "group",
    .help = "The replicas of a child: keeps them alive, and hands messages on to them.",
    .state_size = sizeof(struct group),
    .options_size = sizeof(struct bough_supervisor_options),
    .init = group_init,
    .run = group_run,
    .stop = group_stop,
    .finish = group_finish,
    .copy_options = bough_supervisor_options_copy,
    .free_options = bough_supervisor_options_free,
};
