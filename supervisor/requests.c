/* requests.c - what a supervisor is asked to do, and what has to wait for its turn.
 *
 * A request is done while nothing else is under way: OTP's supervisor is sequential. One
 * that comes meanwhile is kept, with its question, and is done when its turn comes; when
 * the supervisor ends before, its asker is told `gone`, as by any actor that ends.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/supervisor/supervision_internal.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bough/core/assert.h>
#include <bough/supervisor/spec_pack.h>
#include <bough/supervisor/supervisor.h>

/* Waiting */

static bool can_begin(const struct bough_supervision *self)
{
    return bough_decider_idle(self->decider) && !self->asked;
}

static void postpone(struct bough_supervision *self, const void *message, size_t size,
                     struct bough_question *question)
{
    struct bough_request *request;

    if (self->request_count == BOUGH_REQUESTS_MAX) {
        bough_question_refuse(question, BOUGH_EFULL, "%d requests wait already",
                              BOUGH_REQUESTS_MAX);
        return;
    }
    request = malloc(sizeof(*request) + size);
    if (!request) {
        bough_question_refuse(question, BOUGH_ENOMEM, "%s",
                              bough_status_text(BOUGH_ENOMEM));
        return;
    }
    request->next = NULL;
    request->question = question;
    request->size = size;
    memcpy(request->message, message, size);
    *self->requests_tail = request;
    self->requests_tail = &request->next;
    self->request_count++;
}

static struct bough_request *take(struct bough_supervision *self)
{
    struct bough_request *request = self->requests;

    if (!request) return NULL;
    self->requests = request->next;
    if (!self->requests) self->requests_tail = &self->requests;
    self->request_count--;
    return request;
}

/* Steps of the request under way first, then the oldest of those that wait. */
static bool serve_one(struct bough_actor *actor)
{
    struct bough_supervision *self = bough_state(actor);
    struct bough_request *request;

    if (!can_begin(self)) return false;
    if (self->role->go_on && self->role->go_on(actor)) return true;
    request = take(self);
    if (!request) return false;
    self->role->handle(actor, request->message, request->question);
    free(request);
    return true;
}

void bough_supervision_serve(struct bough_actor *actor)
{
    while (serve_one(actor))
        continue;
}

void bough_supervision_request(struct bough_actor *actor, const void *message,
                               size_t size)
{
    struct bough_supervision *self = bough_state(actor);
    const bool asked = bough_is_asked(actor);
    struct bough_question *question = bough_later(actor);

    /* Who has been told that there is no memory for it may believe that nothing was done.
     */
    if (asked && question == NULL) return;
    bough_supervision_bury(self);
    postpone(self, message, size, question);
    bough_supervision_serve(actor);
}

/* What children are asked for */

void bough_supervision_ask(struct bough_actor *actor, struct bough_supervised *child,
                           enum bough_decide_event_kind kind,
                           struct bough_question *question)
{
    struct bough_supervision *self = bough_state(actor);

    bough_assert(can_begin(self));
    self->asked = child;
    self->asked_to_start = kind == BOUGH_ON_START_CHILD || kind == BOUGH_ON_RESTART_CHILD;
    self->question = question;
    bough_supervision_step(
        actor, (struct bough_decide_event){ .kind = kind, .child = child->number });
}

void bough_supervision_refuse(struct bough_question *question,
                              const struct bough_supervised *child,
                              enum bough_status status)
{
    const char *path = bough_supervised_path(child);
    char why[BOUGH_REASON_TEXT];

    if (status == BOUGH_EFAILED)
        bough_question_refuse(
            question, status, "%s did not start: %s", path,
            bough_exit_print(bough_supervised_reason(child), why, sizeof(why)));
    else if (status == BOUGH_ERUNNING)
        bough_question_refuse(question, status, "%s runs", path);
    else if (status == BOUGH_ERESTARTING)
        bough_question_refuse(question, status, "%s is being restarted", path);
    else if (status == BOUGH_ECANCELLED)
        bough_question_refuse(question, status, "the supervisor ends");
    else
        bough_question_refuse(question, status, "%s", bough_status_text(status));
}

static void answer_started(struct bough_question *question,
                           const struct bough_supervised *child, bool up)
{
    const struct bough_child_reply reply = { .life = up ? child->watch.address.life : 0 };
    struct bough_block block;
    char buffer[256];

    bough_block_init(&block, buffer, sizeof(buffer), &reply, sizeof(reply));
    bough_block_text(&block, offsetof(struct bough_child_reply, path),
                     bough_supervised_path(child));
    bough_question_reply_block(question, &block);
}

static void answered(struct bough_actor *actor, const struct bough_decide_action *action)
{
    const struct bough_supervision *self = bough_state(actor);

    if (action->status != BOUGH_OK && action->status != BOUGH_IGNORE)
        bough_supervision_refuse(self->question, self->asked, action->status);
    else if (self->asked_to_start)
        answer_started(self->question, self->asked, action->status == BOUGH_OK);
    else
        bough_question_reply(self->question, NULL, 0);
}

/* start_child */

static bool is_dynamic(const struct bough_supervision *self)
{
    return self->options->strategy == BOUGH_DYNAMIC;
}

/* False when there is a child of that name, and the asker has been told. */
static bool is_new(struct bough_actor *actor, const char *name,
                   struct bough_question *question)
{
    const struct bough_supervised *child = bough_supervision_find(actor, name);

    if (!child) return true;
    switch (bough_supervised_state(bough_state(actor), child)) {
    case BOUGH_CHILD_STARTING:
    case BOUGH_CHILD_RUNNING:
    case BOUGH_CHILD_STOPPING:
        bough_question_refuse(question, BOUGH_ESTARTED, "%s runs already",
                              bough_supervised_path(child));
        break;
    case BOUGH_CHILD_DOWN:
    case BOUGH_CHILD_WAITING:
    case BOUGH_CHILD_RETRYING:
    case BOUGH_CHILD_FORGOTTEN:
    case BOUGH_CHILD_STATE_COUNT:
        bough_question_refuse(question, BOUGH_EPRESENT, "%s is known, and is not running",
                              bough_supervised_path(child));
        break;
    }
    return false;
}

/* False when it could not be made known. */
static bool start(struct bough_actor *actor, const struct bough_recruit *recruit,
                  struct bough_question *question)
{
    struct bough_supervised *child;
    const enum bough_status status = bough_supervision_add(actor, recruit, &child);

    if (status == BOUGH_EPRESENT) {
        bough_question_refuse(question, BOUGH_ESTARTED,
                              "somebody else has been started there as \"%s\"",
                              recruit->name);
        return false;
    }
    if (status != BOUGH_OK) {
        bough_question_refuse(question, status, "no place for \"%s\": %s", recruit->name,
                              bough_status_text(status));
        return false;
    }
    bough_supervision_ask(actor, child, BOUGH_ON_START_CHILD, question);
    return true;
}

static void start_from_spec(struct bough_actor *actor,
                            const struct bough_supervisor_message *message,
                            struct bough_question *question)
{
    const struct bough_supervision *self = bough_state(actor);
    struct bough_error error = { .status = BOUGH_OK };
    struct bough_child_spec *spec;
    enum bough_status status = bough_spec_unpack(bough_span_data(message, message->spec),
                                                 message->spec.len, &spec, &error);

    if (status != BOUGH_OK) {
        bough_question_refuse(question, status, "%s", error.text);
        return;
    }
    status = bough_supervisor_check_child(self->options, spec, &error);
    if (status != BOUGH_OK) {
        bough_question_refuse(question, status, "%s: %s", error.where, error.text);
        bough_spec_free(spec);
        return;
    }
    const struct bough_recruit recruit = {
        .name = spec->name,
        .spec = spec,
        .owns_spec = true,
    };
    if (!is_new(actor, spec->name, question) || !start(actor, &recruit, question))
        bough_spec_free(spec);
}

/* The name given, or the first number that is free; NULL when the asker has been told. */
static const char *choose_name(struct bough_actor *actor,
                               const struct bough_supervisor_message *message,
                               char made[BOUGH_NAME_MAX + 1],
                               struct bough_question *question)
{
    struct bough_supervision *self = bough_state(actor);
    const char *name = bough_span_text(message, message->name);

    if (message->name.offset != 0) {
        if (bough_name_valid(name)) return is_new(actor, name, question) ? name : NULL;
        bough_question_refuse(question, BOUGH_EINVALID,
                              "\"%.80s\" is no name: 1 to %d of A-Z a-z 0-9 _ . - are, "
                              "but . and .. are not",
                              name, BOUGH_NAME_MAX);
        return NULL;
    }
    do {
        snprintf(made, BOUGH_NAME_MAX + 1, "%" PRIu64, ++self->names);
    } while (bough_supervision_find(actor, made));
    return made;
}

static void start_from_template(struct bough_actor *actor,
                                const struct bough_supervisor_message *message,
                                struct bough_question *question)
{
    const struct bough_supervision *self = bough_state(actor);
    const struct bough_child_spec *template = &self->options->children[0];
    struct bough_recruit recruit = { .spec = template };
    struct bough_error error = { .status = BOUGH_OK };
    char made[BOUGH_NAME_MAX + 1];
    enum bough_status status;
    void *options = NULL;

    recruit.name = choose_name(actor, message, made, question);
    if (!recruit.name) return;
    if (message->options.offset != 0) {
        status = bough_options_unpack(bough_span_data(message, message->options),
                                      message->options.len, template->type,
                                      template->options, &options, &error);
        if (status != BOUGH_OK) {
            bough_question_refuse(question, status, "%s", error.text);
            return;
        }
        recruit.replaces = true;
        recruit.options = options;
    }
    (void)start(actor, &recruit, question);
    bough_packed_options_free(template->type, options);
}

static void start_child(struct bough_actor *actor,
                        const struct bough_supervisor_message *message,
                        struct bough_question *question)
{
    const struct bough_supervision *self = bough_state(actor);
    const bool has_spec = message->spec.offset != 0;
    const bool has_options = message->options.offset != 0;

    if (is_dynamic(self) && has_spec)
        bough_question_refuse(question, BOUGH_EREFUSED,
                              "a dynamic supervisor has a template: give options, and "
                              "no spec");
    else if (is_dynamic(self))
        start_from_template(actor, message, question);
    else if (has_options || message->name.offset != 0)
        bough_question_refuse(question, BOUGH_EREFUSED,
                              "options and a name are for a dynamic supervisor: give a "
                              "spec");
    else if (!has_spec)
        bough_question_refuse(question, BOUGH_EINVALID, "the spec is missing");
    else
        start_from_spec(actor, message, question);
}

/* The others */

static struct bough_supervised *find(struct bough_actor *actor,
                                     const struct bough_supervisor_message *message,
                                     struct bough_question *question)
{
    const char *name = bough_span_text(message, message->name);
    struct bough_supervised *child = bough_supervision_find(actor, name);

    if (!child)
        bough_question_refuse(question, BOUGH_ENOTFOUND, "no child \"%.80s\"", name);
    return child;
}

/* Children of a dynamic supervisor that are down are not known to it: OTP refuses. */
static void ask_static(struct bough_actor *actor,
                       const struct bough_supervisor_message *message,
                       enum bough_decide_event_kind kind, struct bough_question *question)
{
    struct bough_supervised *child;

    if (is_dynamic(bough_state(actor))) {
        bough_question_refuse(question, BOUGH_EREFUSED,
                              "the children of a dynamic supervisor are only started and "
                              "terminated");
        return;
    }
    child = find(actor, message, question);
    if (child) bough_supervision_ask(actor, child, kind, question);
}

static void handle(struct bough_actor *actor, const void *data,
                   struct bough_question *question)
{
    const struct bough_supervisor_message *message = data;
    struct bough_supervised *child;

    switch (message->kind) {
    case BOUGH_START_CHILD: start_child(actor, message, question); break;
    case BOUGH_TERMINATE_CHILD:
        child = find(actor, message, question);
        if (!child) break;
        child->awaited = message->awaited;
        bough_supervision_ask(actor, child, BOUGH_ON_TERMINATE_CHILD, question);
        break;
    case BOUGH_RESTART_CHILD:
        ask_static(actor, message, BOUGH_ON_RESTART_CHILD, question);
        break;
    case BOUGH_DELETE_CHILD:
        ask_static(actor, message, BOUGH_ON_DELETE_CHILD, question);
        break;
    case BOUGH_CHANGE:
        bough_supervision_change(actor, bough_span_data(message, message->spec),
                                 message->spec.len, question);
        break;
    case BOUGH_WHICH_CHILDREN:
    case BOUGH_COUNT_CHILDREN:
    case BOUGH_GET_CHILD_SPEC:
    case BOUGH_SET_REPLICAS:
    case BOUGH_SUPERVISOR_KIND_COUNT: bough_assert(!"answered at once"); break;
    }
}

const struct bough_role bough_supervisor_role = {
    .handle = handle,
    .answered = answered,
};
