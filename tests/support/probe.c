/* probe.c - an actor that does what a test tells it, and a call and a watch that keep
 * count.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tests/support/probe.h>

#include <bough/core/text.h>

/* Message */

static const struct bough_field fields[] = {
    bough_field(struct bough_probe_message, number, "number", BOUGH_INT64,
                .optional = true),
};

static const struct bough_message_type messages[] = {
    [BOUGH_PROBE_NOTE] = { .name = "note", .fields = fields, .field_count = 1 },
    [BOUGH_PROBE_ECHO] = { .name = "echo", .fields = fields, .field_count = 1 },
    [BOUGH_PROBE_REFUSE] = { .name = "refuse" },
    [BOUGH_PROBE_LATER] = { .name = "later" },
    [BOUGH_PROBE_FAIL] = { .name = "fail" },
    [BOUGH_PROBE_LEAVE] = { .name = "leave" },
    [BOUGH_PROBE_READY] = { .name = "ready" },
    [BOUGH_PROBE_HOOK] = { .name = "hook", .fields = fields, .field_count = 1 },
};

_Static_assert(bough_count_of(messages) == BOUGH_PROBE_KIND_COUNT,
               "each kind has its row");

/* Actor */

struct state {
    struct bough_probe *probe;
};

static struct bough_probe *probe_of(struct bough_actor *actor)
{
    struct state *self = bough_state(actor);

    return self->probe;
}

static enum bough_status probe_init(struct bough_actor *actor, const void *data)
{
    const struct bough_probe_options *options = data;
    struct state *self = bough_state(actor);
    struct bough_probe *probe = options->probe;

    assert_null(self->probe); /* the state is zeroed */
    self->probe = probe;
    probe->inits++;
    probe->question = NULL;
    if (probe->starts_later) bough_starting(actor);
    if (probe->on_init) probe->on_init(actor, probe);
    if (probe->init_status == BOUGH_OK) probe->actor = actor;
    return probe->init_status;
}

static void probe_stop(struct bough_actor *actor)
{
    struct bough_probe *probe = probe_of(actor);

    probe->stops++;
    if (probe->on_stop) probe->on_stop(actor, probe);
    if (!probe->ends_later) bough_exit(actor, BOUGH_EXIT_SHUTDOWN);
}

static void probe_finish(struct bough_actor *actor)
{
    struct bough_probe *probe = probe_of(actor);

    if (probe->on_finish) probe->on_finish(actor, probe);
    probe->finishes++;
    probe->actor = NULL;
}

/* Runner */

static void note(struct bough_probe *probe, int64_t number)
{
    probe->runs++;
    if (probe->number_count == BOUGH_PROBE_NUMBERS) return;
    probe->numbers[probe->number_count++] = number;
}

static void probe_run(struct bough_actor *actor, const void *data, size_t size)
{
    const struct bough_probe_message *message = data;
    struct bough_probe *probe = probe_of(actor);

    assert_int_equal(size, sizeof(*message));
    note(probe, message->number);
    switch (message->kind) {
    case BOUGH_PROBE_NOTE: break;
    case BOUGH_PROBE_ECHO:
        bough_reply(actor, &message->number, sizeof(message->number));
        break;
    case BOUGH_PROBE_REFUSE:
        bough_refuse(actor, BOUGH_EREFUSED, "not %d", (int)message->number);
        break;
    case BOUGH_PROBE_LATER: probe->question = bough_later(actor); break;
    case BOUGH_PROBE_FAIL:
        bough_fail(actor, BOUGH_EFAILED, "told to fail, %d", (int)message->number);
        break;
    case BOUGH_PROBE_LEAVE: bough_exit(actor, BOUGH_EXIT_NORMAL); break;
    case BOUGH_PROBE_READY: bough_ready(actor); break;
    case BOUGH_PROBE_HOOK: probe->hook(actor, probe, message->number); break;
    case BOUGH_PROBE_KIND_COUNT: fail_msg("no such message"); break;
    }
}

const struct bough_actor_type bough_probe_type = {
    .name = "probe",
    .help = "Does what a test tells it.",
    .state_size = sizeof(struct state),
    .message_size = sizeof(struct bough_probe_message),
    .options_size = sizeof(struct bough_probe_options),
    .messages = messages,
    .message_count = bough_count_of(messages),
    .init = probe_init,
    .run = probe_run,
    .stop = probe_stop,
    .finish = probe_finish,
};

/* Handle */

static void probe_ready(struct bough_watch *watch)
{
    struct bough_probe_watch *self =
        bough_container(watch, struct bough_probe_watch, watch);

    assert_int_equal(self->exits, 0);
    self->readies++;
}

static void probe_exited(struct bough_watch *watch,
                         const struct bough_exit_reason *reason)
{
    struct bough_probe_watch *self =
        bough_container(watch, struct bough_probe_watch, watch);

    self->exits++;
    self->reason = *reason;
    self->finishes_seen = self->probe ? self->probe->finishes : 0;
}

static void probe_answered(struct bough_call *call, enum bough_status status)
{
    struct bough_probe_call *self = bough_container(call, struct bough_probe_call, call);

    self->answers++;
    self->status = status;
    if (status == BOUGH_OK) return;
    bough_text_format(self->text, sizeof(self->text), "%s",
                      bough_call_text(call, status));
}

void bough_probe_watch_init(struct bough_probe_watch *watch,
                            const struct bough_probe *probe)
{
    *watch = (struct bough_probe_watch){
        .watch = { .ready = probe_ready, .exited = probe_exited },
        .probe = probe,
    };
}

void bough_probe_call_init(struct bough_probe_call *call)
{
    *call = (struct bough_probe_call){ .call.done = probe_answered };
}

struct bough_address bough_probe_spawn(struct bough_test *test, struct bough_probe *probe,
                                       struct bough_probe_watch *watch)
{
    const struct bough_probe_options options = { .probe = probe };
    struct bough_address address;

    if (watch) bough_probe_watch_init(watch, probe);
    assert_status(bough_spawn(test->loop, &bough_probe_type, &options,
                              watch ? &watch->watch : NULL, &address, NULL),
                  BOUGH_OK);
    return address;
}

struct bough_address bough_probe_place(struct bough_test *test, struct bough_probe *probe,
                                       struct bough_address parent, const char *name)
{
    const struct bough_probe_options options = { .probe = probe };
    const struct bough_place_spec spec = {
        .type = &bough_probe_type,
        .options = &options,
        .parent = parent,
        .name = name,
    };
    struct bough_address place;

    assert_status(bough_place_new(test->loop, &spec, &place), BOUGH_OK);
    return place;
}

void bough_probe_start(struct bough_address place, struct bough_probe_watch *watch)
{
    const struct bough_start start = { .watch = watch ? &watch->watch : NULL };

    assert_status(bough_place_start(place, &start, NULL), BOUGH_OK);
}

enum bough_status bough_probe_send(struct bough_address address,
                                   enum bough_probe_kind kind, int64_t number)
{
    const struct bough_probe_message message = { .kind = kind, .number = number };

    return bough_send(address, &message, sizeof(message));
}

void bough_probe_ask(struct bough_probe_call *call, struct bough_address address,
                     enum bough_probe_kind kind, int64_t number)
{
    const struct bough_probe_message message = { .kind = kind, .number = number };
    const bool answers_number = kind == BOUGH_PROBE_ECHO || kind == BOUGH_PROBE_LATER;

    bough_call_start(&call->call, address, &message, sizeof(message),
                     answers_number ? &call->number : NULL,
                     answers_number ? sizeof(call->number) : 0);
}

struct bough_probe_call bough_probe_ask_once(struct bough_test *test,
                                             struct bough_address address,
                                             enum bough_probe_kind kind, int64_t number)
{
    struct bough_probe_call call;

    bough_probe_call_init(&call);
    bough_probe_ask(&call, address, kind, number);
    assert_int_equal(call.answers, 0);
    bough_test_run(test);
    assert_int_equal(call.answers, 1);
    return call;
}

void bough_probe_end(struct bough_test *test, struct bough_address address)
{
    bough_kill(address);
    bough_test_run(test);
}
