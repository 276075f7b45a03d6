/* reload.c - the tree that runs becomes what a file says.
 *
 * A file that is wrong, or of another tree, changes nothing: all that is wrong with it is
 * told, with its place, to the client that asks or to the log. While an apply is under
 * way its plan is kept as JSON, for who waits and for the log.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tools/bough/reload.h>

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include <bough/config/config.h>
#include <bough/core/event.h>
#include <bough/core/place.h>
#include <bough/core/runtime.h>
#include <bough/supervisor/apply.h>
#include <bough/tools/bough/body.h>
#include <bough/tools/bough/env_files.h>
#include <bough/tools/bough/output.h>
#include <bough/tools/bough/own_keys.h>
#include <bough/tools/bough/plan_view.h>

enum { LOGGED = 20, SUMMARY = 160 }; /* lines of the log about one apply; bytes */

struct bough_reload {
    struct bough_reload_options options;
    char *name, *file, *log;
    struct bough_env_files *env_files;

    /* An apply */
    struct bough_apply apply;
    struct bough_request *request; /* waits for it; NULL: nobody does */
    json_t *plan;                  /* as it was at its beginning */
    char *applied;                 /* the file */
    char *next_log;                /* the "log" of its root */
    struct bough_env_files *next_env_files;
};

static struct bough_runtime *runtime_of(const struct bough_reload *reload)
{
    return bough_loop_runtime(reload->options.loop);
}

/* Making and unmaking */

static bool copy_text(char **copy, const char *text)
{
    *copy = text != NULL ? strdup(text) : NULL;
    return *copy != NULL || text == NULL;
}

struct bough_reload *bough_reload_new(const struct bough_reload_options *options)
{
    struct bough_reload *reload = calloc(1, sizeof(*reload));

    if (reload == NULL) return NULL;
    reload->options = *options;
    if (copy_text(&reload->name, options->name) &&
        copy_text(&reload->file, options->file) &&
        copy_text(&reload->log, options->log)) {
        reload->env_files = bough_env_files_new(options->tree);
        reload->options.tree = NULL;
    }
    if (reload->env_files != NULL) return reload;
    bough_reload_free(reload);
    return NULL;
}

static void forget(struct bough_reload *reload)
{
    json_decref(reload->plan);
    free(reload->applied);
    free(reload->next_log);
    bough_env_files_free(reload->next_env_files);
    reload->next_env_files = NULL;
    reload->plan = NULL;
    reload->applied = reload->next_log = NULL;
}

void bough_reload_free(struct bough_reload *reload)
{
    if (reload == NULL) return;
    bough_apply_finish(&reload->apply);
    if (reload->request != NULL) bough_reload_leave(reload->request);
    forget(reload);
    free(reload->name);
    free(reload->file);
    free(reload->log);
    bough_env_files_free(reload->env_files);
    free(reload);
}

void bough_reload_note(struct bough_reload *reload, const struct bough_event *event)
{
    if (reload == NULL) return;
    bough_env_files_note(reload->env_files, event);
    bough_env_files_note(reload->next_env_files, event);
}

void bough_reload_leave(struct bough_request *request)
{
    if (request->reload == NULL) return;
    request->reload->request = NULL;
    request->reload = NULL;
}

/* Files that are wrong */

/* Whether the tree of the config may follow the one that runs. NULL: it may. */
static char *why_not(const struct bough_reload *reload, const char *file,
                     const struct bough_config *config)
{
    const struct bough_config_tree *tree = bough_config_tree(config);
    const size_t count = bough_config_error_count(config);
    char *text = NULL;

    if (tree == NULL) {
        if (asprintf(&text, "%s has %zu error%s; nothing was changed", file, count,
                     count == 1 ? "" : "s") < 0)
            return strdup("out of memory");
    } else if (strcmp(tree->name, reload->name) != 0) {
        if (asprintf(&text,
                     "%s is about the tree \"%s\", and this one is \"%s\", which it must "
                     "stay: the \"name\" of the root",
                     file, tree->name, reload->name) < 0)
            return strdup("out of memory");
    }
    return text;
}

static json_t *error_json(const char *file, const struct bough_config_error *error)
{
    return json_pack("{s:o, s:i, s:i, s:o, s:o}", "file", bough_output_string(file),
                     "line", error->line, "column", error->column, "pointer",
                     bough_output_string(error->pointer), "text",
                     bough_output_string(error->text));
}

/* {"status", "text", "errors"} */
static void refuse_config(struct bough_request *request, const char *file,
                          const struct bough_config *config, const char *why)
{
    json_t *errors = json_array(), *error;

    for (size_t i = 0; i < bough_config_error_kept(config); i++)
        json_array_append_new(errors, error_json(file, bough_config_error_at(config, i)));
    error = json_pack("{s:o, s:o}", "text", bough_output_string(why), "errors", errors);
    bough_request_fail(request, BOUGH_EINVALID, error);
}

static void log_config(const struct bough_reload *reload, const char *file,
                       const struct bough_config *config, const char *why)
{
    const size_t kept = bough_config_error_kept(config);

    bough_log(runtime_of(reload), BOUGH_ERROR, "/", "%s", why);
    for (size_t i = 0; i < kept && i < LOGGED; i++) {
        const struct bough_config_error *error = bough_config_error_at(config, i);

        if (error->line == 0)
            bough_log(runtime_of(reload), BOUGH_ERROR, "/", "%s: %s", file, error->text);
        else
            bough_log(runtime_of(reload), BOUGH_ERROR, "/", "%s:%d:%d: %s", file,
                      error->line, error->column, error->text);
    }
    if (kept > LOGGED)
        bough_log(runtime_of(reload), BOUGH_ERROR, "/",
                  "and more; `bough check %s` shows all", file);
}

/* What has come of it */

static void report(struct bough_reload *reload, enum bough_event_kind kind,
                   enum bough_status status, const char *text)
{
    const struct bough_exit_reason reason =
        bough_exit_make(BOUGH_EXIT_ERROR, status, 0, "%s", text);
    struct bough_address place;
    struct bough_place_info info = { .life = 0 };
    struct bough_event event = { .kind = kind, .path = "/", .type = "supervisor" };

    if (bough_lookup(reload->options.loop, "/", &place) == BOUGH_OK &&
        bough_place_info(place, &info) == BOUGH_OK)
        event.life = info.life;
    if (kind != BOUGH_EVENT_APPLY_FAILED)
        event.message = text;
    else
        event.reason = &reason;
    bough_event_report(runtime_of(reload), &event);
}

static void take_log(struct bough_reload *reload)
{
    const char *before = reload->log != NULL ? reload->log : "";
    const char *after = reload->next_log != NULL ? reload->next_log : "";

    if (strcmp(before, after) == 0) return;
    free(reload->log);
    reload->log = reload->next_log;
    reload->next_log = NULL;
    reload->options.set_log(reload->options.data, reload->log);
}

static void applied(struct bough_reload *reload)
{
    char summary[SUMMARY];

    take_log(reload);
    bough_env_files_free(reload->env_files);
    reload->env_files = reload->next_env_files;
    reload->next_env_files = NULL;
    bough_plan_summary(reload->plan, summary, sizeof(summary));
    bough_log(runtime_of(reload), BOUGH_INFO, "/", "%s is applied: %s", reload->applied,
              summary);
    report(reload, BOUGH_EVENT_APPLIED, BOUGH_OK, summary);
    if (reload->request == NULL) return;
    json_object_set_new(reload->plan, "applied", json_true());
    bough_request_json(reload->request, MHD_HTTP_OK, json_incref(reload->plan));
}

static void not_applied(struct bough_reload *reload, enum bough_status status)
{
    const bool back = reload->apply.went_back;
    const char *then = back ? "; the tree is again what it was"
                       : status == BOUGH_ECANCELLED
                           ? ""
                           : "; not all of it could be taken back";
    char text[sizeof(reload->apply.text) + 64];

    snprintf(text, sizeof(text), "%s%s", reload->apply.text, then);
    bough_log(runtime_of(reload), BOUGH_ERROR, "/", "%s is not applied: %s",
              reload->applied, text);
    report(reload, BOUGH_EVENT_APPLY_FAILED, status, text);
    if (reload->request == NULL) return;
    bough_request_fail(
        reload->request, status,
        json_pack("{s:o, s:b}", "text", bough_output_string(text), "went_back", back));
}

static void apply_done(struct bough_apply *apply, enum bough_status status)
{
    struct bough_reload *reload = bough_container(apply, struct bough_reload, apply);
    struct bough_request *request = reload->request;

    /* A tree that is shut down meanwhile ends as the new file has it. */
    bough_own_keys_settle(reload->options.own,
                          status == BOUGH_OK || status == BOUGH_ECANCELLED);
    if (status == BOUGH_OK)
        applied(reload);
    else
        not_applied(reload, status);
    forget(reload);
    if (request == NULL) return;
    bough_reload_leave(request);
    bough_request_resume(request);
}

static void apply_step(struct bough_apply *apply, enum bough_plan_do what,
                       const char *path)
{
    static const char *const names[BOUGH_PLAN_DO_COUNT] = {
        [BOUGH_PLAN_STOP] = "stops",     [BOUGH_PLAN_CHANGE] = "changes",
        [BOUGH_PLAN_DELETE] = "forgets", [BOUGH_PLAN_RESIZE] = "resizes",
        [BOUGH_PLAN_START] = "starts",
    };
    const struct bough_reload *reload =
        bough_container(apply, struct bough_reload, apply);

    bough_log(runtime_of(reload), BOUGH_DEBUG, "/", "apply %s %s", names[what], path);
}

/* Its beginning */

static void log_child(const struct bough_reload *reload, const json_t *child)
{
    const json_t *key;
    char keys[256] = "";
    size_t i, used = 0;

    json_array_foreach (json_object_get(child, "keys"), i, key) {
        if (used < sizeof(keys))
            used += (size_t)snprintf(keys + used, sizeof(keys) - used, "%s%s",
                                     used > 0 ? ", " : ": ",
                                     bough_output_member(key, "key", ""));
    }
    bough_log(runtime_of(reload), BOUGH_INFO, "/", "apply: %s is %s%s",
              bough_output_member(child, "path", ""),
              bough_output_member(child, "act", ""), keys);
}

/* Before anything is done: what follows is because of it. */
static void tell_begin(struct bough_reload *reload)
{
    char summary[SUMMARY], *text = NULL;

    bough_plan_summary(reload->plan, summary, sizeof(summary));
    if (asprintf(&text, "%s: %s", reload->applied, summary) < 0) text = NULL;
    report(reload, BOUGH_EVENT_APPLYING, BOUGH_OK, text != NULL ? text : summary);
    free(text);
}

static void log_plan(const struct bough_reload *reload)
{
    const json_t *children = json_object_get(reload->plan, "children"), *child;
    size_t i;

    json_array_foreach (children, i, child) {
        if (i < LOGGED) log_child(reload, child);
    }
    if (json_array_size(children) > LOGGED)
        bough_log(runtime_of(reload), BOUGH_INFO, "/", "apply: and %zu more",
                  json_array_size(children) - LOGGED);
}

static enum bough_status find_root(const struct bough_reload *reload,
                                   struct bough_supervisor *root)
{
    return bough_lookup(reload->options.loop, "/", &root->address);
}

static json_t *plan_json(const struct bough_reload *reload, const struct bough_plan *plan,
                         const struct bough_config_tree *tree)
{
    json_t *json = bough_plan_json(plan);

    if (json == NULL) return NULL;
    if (bough_plan_json_log(json, reload->log, tree->log) == 0 &&
        bough_own_keys_plan(reload->options.own, tree, json) == 0)
        return json;
    json_decref(json);
    return NULL;
}

static struct bough_apply_contents contents_of(const struct bough_reload *reload)
{
    return (struct bough_apply_contents){ bough_env_files_stale, reload->env_files };
}

static enum bough_status begin(struct bough_reload *reload, const char *file,
                               const struct bough_config_tree *tree, int64_t timeout_ms,
                               struct bough_error *error)
{
    struct bough_supervisor root;
    enum bough_status status = find_root(reload, &root);

    if (reload->plan != NULL)
        return bough_error_set(error, BOUGH_ERUNNING,
                               "%s is being applied; wait until that is over",
                               reload->applied);
    if (status != BOUGH_OK) return bough_error_set(error, status, "the tree is down");
    if (!copy_text(&reload->applied, file) || !copy_text(&reload->next_log, tree->log))
        return bough_error_set(error, BOUGH_ENOMEM, "out of memory");
    reload->apply.done = apply_done;
    reload->apply.step = apply_step;
    reload->apply.timeout_ms = timeout_ms;
    reload->next_env_files = bough_env_files_new(&tree->options);
    if (reload->next_env_files == NULL)
        return bough_error_set(error, BOUGH_ENOMEM, "out of memory");
    reload->apply.contents = contents_of(reload);
    status = bough_own_keys_try(reload->options.own, tree, error);
    if (status != BOUGH_OK) return status;
    status = bough_apply_start(&reload->apply, reload->options.loop, root, &tree->options,
                               error);
    if (status != BOUGH_OK) return status;
    reload->plan = plan_json(reload, reload->apply.plan, tree);
    if (reload->plan != NULL) return BOUGH_OK;
    bough_apply_finish(&reload->apply);
    return bough_error_set(error, BOUGH_ENOMEM, "out of memory");
}

/* What could not begin leaves nothing behind, unless another one is under way. */
static enum bough_status try_to_begin(struct bough_reload *reload, const char *file,
                                      const struct bough_config_tree *tree,
                                      int64_t timeout_ms, struct bough_error *error)
{
    const bool free_before = reload->plan == NULL;
    const enum bough_status status = begin(reload, file, tree, timeout_ms, error);

    if (status == BOUGH_OK) {
        tell_begin(reload);
        log_plan(reload);
    } else if (free_before) {
        bough_own_keys_settle(reload->options.own, false);
        forget(reload);
    }
    return status;
}

void bough_reload_file(struct bough_reload *reload)
{
    struct bough_config *config = bough_config_load(reload->file, reload->options.types);
    struct bough_error error = { .text = "out of memory" };
    enum bough_status status = BOUGH_ENOMEM;
    char *why = config != NULL ? why_not(reload, reload->file, config) : NULL;

    if (why != NULL) {
        log_config(reload, reload->file, config, why);
        report(reload, BOUGH_EVENT_APPLY_FAILED, BOUGH_EINVALID, why);
    } else {
        if (config != NULL)
            status =
                try_to_begin(reload, reload->file, bough_config_tree(config), 0, &error);
        if (status != BOUGH_OK) {
            bough_log(runtime_of(reload), BOUGH_ERROR, "/", "%s is not applied: %s",
                      reload->file, error.text);
            report(reload, BOUGH_EVENT_APPLY_FAILED, status, error.text);
        }
    }
    free(why);
    bough_config_free(config);
    malloc_trim(0);
}

/* Requests */

struct order {
    struct bough_body body;
    char *file;
    struct bough_config *config;
};

/* The folder of a file, without links and with a slash; NULL: it is not there. */
static char *folder_of(const char *file)
{
    const char *slash = strrchr(file, '/');
    char *folder =
        slash != NULL ? strndup(file, (size_t)(slash + 1 - file)) : strdup(".");
    char *real = folder != NULL ? realpath(folder, NULL) : NULL;

    free(folder);
    return real;
}

/* Paths in a config are those of its folder, as that was named. A file beside the one
 * that was started is named as that was, or all of them would seem to have changed. NULL
 * when memory is out. */
static char *name_as_before(const struct bough_reload *reload, const char *file)
{
    const char *slash = strrchr(reload->file, '/'), *base = strrchr(file, '/');
    char *ours = folder_of(reload->file), *its = folder_of(file), *name = NULL;

    base = base != NULL ? base + 1 : file;
    if (ours == NULL || its == NULL || strcmp(ours, its) != 0) {
        name = strdup(file);
    } else {
        const int len = slash != NULL ? (int)(slash + 1 - reload->file) : 0;

        if (asprintf(&name, "%.*s%s", len, reload->file, base) < 0) name = NULL;
    }
    free(ours);
    free(its);
    return name;
}

/* The config that the body is about: `file`, read here, or `text` in its place. False:
 * refused. */
static bool take_order(struct bough_request *request, struct order *order)
{
    static const char *const allowed[] = { "file", "text", "timeout", NULL };
    const struct bough_reload *reload = request->control->options.reload;
    const char *file;
    const json_t *text;

    if (!bough_body_parse(request, allowed, &order->body)) return false;
    file = json_string_value(json_object_get(order->body.json, "file"));
    text = json_object_get(order->body.json, "text");
    if (file == NULL || (text != NULL && !json_is_string(text))) {
        bough_request_refuse(request, BOUGH_EINVALID,
                             "\"file\" must be the path of a tree's file; \"text\", when "
                             "it is there, what the file would say");
        json_decref(order->body.json);
        return false;
    }
    order->config = NULL;
    order->file = name_as_before(reload, file);
    if (order->file == NULL) return true;
    order->config =
        text != NULL ? bough_config_parse(order->file, json_string_value(text),
                                          json_string_length(text), reload->options.types)
                     : bough_config_load(order->file, reload->options.types);
    return true;
}

/* False: refused. */
static bool config_is_right(struct bough_request *request, const struct order *order)
{
    const struct bough_reload *reload = request->control->options.reload;
    char *why;

    if (order->config == NULL) {
        bough_request_refuse(request, BOUGH_ENOMEM, "out of memory");
        return false;
    }
    why = why_not(reload, order->file, order->config);
    if (why == NULL) return true;
    refuse_config(request, order->file, order->config, why);
    free(why);
    return false;
}

static void answer_plan(struct bough_request *request, const struct order *order)
{
    const struct bough_reload *reload = request->control->options.reload;
    const struct bough_config_tree *tree = bough_config_tree(order->config);
    struct bough_error error = { .text = "the tree is down" };
    struct bough_supervisor root;
    struct bough_plan *plan;
    const struct bough_apply_contents contents = contents_of(reload);
    enum bough_status status = find_root(reload, &root);

    if (status == BOUGH_OK)
        status = bough_apply_plan(reload->options.loop, root, &tree->options, &contents,
                                  &plan, &error);
    if (status != BOUGH_OK) {
        bough_request_refuse(request, status, "%s", error.text);
        return;
    }
    bough_request_json(request, MHD_HTTP_OK, plan_json(reload, plan, tree));
    bough_plan_free(plan);
}

static void order_finish(struct order *order)
{
    bough_config_free(order->config);
    free(order->file);
    json_decref(order->body.json);
    malloc_trim(0);
}

void bough_reload_plan(struct bough_request *request)
{
    struct order order;

    if (!take_order(request, &order)) return;
    if (config_is_right(request, &order)) answer_plan(request, &order);
    order_finish(&order);
}

void bough_reload_apply(struct bough_request *request)
{
    struct bough_reload *reload = request->control->options.reload;
    struct bough_error error = { .text = "out of memory" };
    struct order order;

    if (!take_order(request, &order)) return;
    if (config_is_right(request, &order)) {
        const bool said = json_object_get(order.body.json, "timeout") != NULL;
        const enum bough_status status =
            try_to_begin(reload, order.file, bough_config_tree(order.config),
                         said ? order.body.timeout_ms : 0, &error);

        if (status == BOUGH_OK) {
            reload->request = request;
            request->reload = reload;
            bough_request_suspend(request);
        } else {
            bough_request_refuse(request, status, "%s", error.text);
        }
    }
    order_finish(&order);
}
