/* request.h - what a supervisor is asked to do, for tests.
 *
 *     struct request request;
 *     tree_start_child(&tree, &spec, &request);
 *     request_expect(&request, BOUGH_OK);
 *     assert_status(tree_ask(&tree, bough_supervisor_terminate_child, "x"), BOUGH_OK);
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_TESTS_SUPERVISOR_REQUEST_H
#define BOUGH_TESTS_SUPERVISOR_REQUEST_H

#include <string.h>

#include <bough/core/text.h>
#include <bough/supervisor/spec_pack.h>
#include <bough/tests/supervisor/tree.h>

struct request {
    struct bough_call call;
    unsigned answers;
    enum bough_status status;
    char path[128]; /* of a child that was started */
    int64_t life;
    int64_t replicas;
    char text[256]; /* the sentence of another status than ok */
};

static inline void request_done(struct bough_call *call, enum bough_status status)
{
    struct request *self = bough_container(call, struct request, call);
    const struct bough_child_reply *child = call->reply;
    const struct bough_replicas_reply *replicas = call->reply;

    self->answers++;
    self->status = status;
    if (status != BOUGH_OK) {
        bough_text_format(self->text, sizeof(self->text), "%s",
                          bough_call_text(call, status));
    } else if (call->reply_size == sizeof(*replicas)) {
        self->replicas = replicas->replicas;
    } else if (call->reply_size > 0) {
        self->life = child->life;
        bough_text_format(self->path, sizeof(self->path), "%s",
                          bough_span_text(child, child->path));
    }
}

static inline void request_init(struct request *request)
{
    *request = (struct request){ .call.done = request_done, .life = -1 };
}

/* It has been answered, once. */
#define request_expect(request, expected) \
    do { \
        assert_int_equal((request)->answers, 1); \
        assert_status((request)->status, expected); \
    } while (0)

static inline void tree_start_child(struct tree *tree,
                                    const struct bough_child_spec *spec,
                                    struct request *request)
{
    request_init(request);
    bough_supervisor_start_child(tree->supervisor, spec, &request->call);
    bough_test_advance(tree->test, 0);
}

/* With the probe of that number, or the template's options (TREE_CHILDREN). */
static inline void tree_start_dynamic(struct tree *tree, const char *name, size_t probe,
                                      struct request *request)
{
    const struct bough_probe_options *options =
        probe < TREE_CHILDREN ? &tree->probe_options[probe] : NULL;

    request_init(request);
    if (options) tree->probe_options[probe].probe = &tree->probes[probe];
    bough_supervisor_start_dynamic(tree->supervisor, name, &bough_probe_type, options,
                                   &request->call);
    bough_test_advance(tree->test, 0);
}

/* The functions that ask for something to be done to a child, by its name. */
typedef void request_by_name(struct bough_supervisor supervisor, const char *name,
                             struct bough_call *call);

static inline void tree_begin_ask(struct tree *tree, request_by_name *ask,
                                  const char *name, struct request *request)
{
    request_init(request);
    ask(tree->supervisor, name, &request->call);
    bough_test_advance(tree->test, 0);
}

/* The same; it has to be answered at once. */
static inline enum bough_status tree_ask(struct tree *tree, request_by_name *ask,
                                         const char *name)
{
    struct request request;

    tree_begin_ask(tree, ask, name, &request);
    assert_int_equal(request.answers, 1);
    return request.status;
}

static inline void tree_counted(struct bough_call *call, enum bough_status status)
{
    (void)call;
    assert_status(status, BOUGH_OK);
}

/* OTP's count_children: [specs, active, supervisors, workers]. */
#define tree_expect_counts(tree, ...) \
    do { \
        const int64_t expected_counts[4] = { __VA_ARGS__ }; \
        struct bough_supervisor_count_ask count_ask = { .call.done = tree_counted, \
                                                        .counts.specs = -1 }; \
\
        bough_supervisor_count_children((tree)->supervisor, &count_ask); \
        bough_test_run((tree)->test); \
        assert_int_equal(count_ask.counts.specs, expected_counts[0]); \
        assert_int_equal(count_ask.counts.active, expected_counts[1]); \
        assert_int_equal(count_ask.counts.supervisors, expected_counts[2]); \
        assert_int_equal(count_ask.counts.workers, expected_counts[3]); \
    } while (0)

/* get_child_spec; to be released with bough_spec_free(). */

struct request_spec {
    struct bough_call call;
    struct bough_child_spec *spec;
};

static inline void request_got_spec(struct bough_call *call, enum bough_status status)
{
    struct request_spec *self = bough_container(call, struct request_spec, call);
    const struct bough_spec_reply *reply = call->reply;

    assert_status(status, BOUGH_OK);
    assert_status(bough_spec_unpack(bough_span_data(reply, reply->spec), reply->spec.len,
                                    &self->spec, NULL),
                  BOUGH_OK);
}

static inline struct bough_child_spec *tree_get_spec(struct tree *tree, const char *name)
{
    struct request_spec ask = { .call.done = request_got_spec };

    bough_supervisor_get_child_spec(tree->supervisor, name, &ask.call);
    bough_test_run(tree->test);
    assert_non_null(ask.spec);
    return ask.spec;
}

/* which_children: the names, last started first, a blank after each. */

struct request_names {
    struct bough_call call;
    char text[128];
};

static inline void request_got_names(struct bough_call *call, enum bough_status status)
{
    struct request_names *self = bough_container(call, struct request_names, call);
    const struct bough_children_reply *reply = call->reply;
    const struct bough_child_row *rows = bough_span_data(reply, reply->children);

    assert_status(status, BOUGH_OK);
    for (uint32_t i = 0; i < reply->children.len; i++)
        bough_text_format(self->text + strlen(self->text),
                          sizeof(self->text) - strlen(self->text), "%s ",
                          bough_span_text(reply, rows[i].name));
}

static inline void tree_expect_names(struct tree *tree, const char *expected)
{
    struct request_names names = { .call.done = request_got_names };

    bough_supervisor_which_children(tree->supervisor, &names.call);
    bough_test_run(tree->test);
    assert_string_equal(names.text, expected);
}

static inline bool tree_knows(struct tree *tree, const char *path)
{
    struct bough_address place;

    return bough_lookup(tree->test->loop, path, &place) == BOUGH_OK;
}

/* Gives a message to whoever lives at that path, and lets the loop run. */
static inline void tree_tell_path(struct tree *tree, const char *path,
                                  enum bough_probe_kind kind)
{
    assert_status(bough_probe_send(tree_find(tree, path), kind, 0), BOUGH_OK);
    bough_test_advance(tree->test, 0);
}

static inline void tree_kill_path(struct tree *tree, const char *path)
{
    bough_kill(tree_find(tree, path));
    bough_test_advance(tree->test, 0);
}

/* A spec for the probe of that number, which is not one of the tree's children yet. */
static inline struct bough_child_spec tree_probe_spec(struct tree *tree, const char *name,
                                                      size_t probe)
{
    tree->probe_options[probe].probe = &tree->probes[probe];
    return (struct bough_child_spec){
        .name = name,
        .type = &bough_probe_type,
        .options = &tree->probe_options[probe],
    };
}

/* What a probe does at its start: on_init. */

static inline void fail_every_start(struct bough_actor *actor, struct bough_probe *probe)
{
    (void)actor;
    probe->init_status = BOUGH_EFAILED;
}

static inline void fail_every_restart(struct bough_actor *actor,
                                      struct bough_probe *probe)
{
    (void)actor;
    if (probe->inits > 1) probe->init_status = BOUGH_EFAILED;
}

#endif
