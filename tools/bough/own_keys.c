/* own_keys.c - the keys of the root that bough itself acts on.
 *
 * The old port is closed before the new one is opened: they may be the same one of
 * another address.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tools/bough/own_keys.h>

#include <stdlib.h>
#include <string.h>

#include <bough/core/runtime.h>
#include <bough/tools/bough/plan_view.h>

void bough_own_keys_init(struct bough_own_keys *keys, struct ev_loop *ev,
                         const struct bough_figures_source *source, const char *given)
{
    *keys = (struct bough_own_keys){ .source = *source, .given = given };
    bough_exit_with_init(&keys->exit_with, ev, source->loop);
}

static struct bough_runtime *runtime_of(const struct bough_own_keys *keys)
{
    return bough_loop_runtime(keys->source.loop);
}

static bool copy_text(char **copy, const char *text)
{
    *copy = text != NULL ? strdup(text) : NULL;
    return *copy != NULL || text == NULL;
}

static bool differ(const char *one, const char *other)
{
    if (one == NULL || other == NULL) return one != other;
    return strcmp(one, other) != 0;
}

enum bough_status bough_own_keys_open(struct bough_own_keys *keys,
                                      const struct bough_config_tree *tree,
                                      struct bough_error *error)
{
    const char *endpoint = keys->given != NULL ? keys->given : tree->metrics;

    if (!copy_text(&keys->metrics, tree->metrics) ||
        !bough_exit_with_set(&keys->exit_with, tree->exit_with))
        return bough_error_set(error, BOUGH_ENOMEM, "out of memory");
    if (endpoint == NULL) return BOUGH_OK;
    return bough_port_new(&keys->source, endpoint, &keys->port, error);
}

const struct bough_endpoint *bough_own_keys_endpoint(const struct bough_own_keys *keys)
{
    return keys->port != NULL ? bough_port_endpoint(keys->port) : NULL;
}

int bough_own_keys_plan(const struct bough_own_keys *keys,
                        const struct bough_config_tree *tree, json_t *plan)
{
    const char *exit_with = keys->trying ? keys->old_exit_with : keys->exit_with.path;
    const char *metrics = keys->trying ? keys->old_metrics : keys->metrics;
    int failed = bough_plan_json_root(plan, "exit_with", exit_with, tree->exit_with);

    if (keys->given == NULL)
        failed |= bough_plan_json_root(plan, "metrics", metrics, tree->metrics);
    return failed;
}

static void say_port(const struct bough_own_keys *keys)
{
    char text[BOUGH_ENDPOINT_TEXT];

    if (keys->port == NULL)
        bough_log(runtime_of(keys), BOUGH_INFO, "/", "metrics are served no more");
    else
        bough_log(runtime_of(keys), BOUGH_INFO, "/", "metrics at http://%s/metrics",
                  bough_endpoint_print(bough_port_endpoint(keys->port), text));
}

/* Where it was, also when any port would have done then. */
static void move_back(struct bough_own_keys *keys)
{
    struct bough_error error;

    bough_own_keys_close_port(keys);
    if (keys->old_endpoint[0] == '\0') return;
    if (bough_port_new(&keys->source, keys->old_endpoint, &keys->port, &error) !=
        BOUGH_OK)
        bough_log(runtime_of(keys), BOUGH_ERROR, "/", "going back: %s", error.text);
}

static enum bough_status move(struct bough_own_keys *keys, const char *metrics,
                              struct bough_error *error)
{
    enum bough_status status = BOUGH_OK;

    keys->old_endpoint[0] = '\0';
    if (keys->port != NULL)
        bough_endpoint_print(bough_port_endpoint(keys->port), keys->old_endpoint);
    bough_own_keys_close_port(keys);
    if (metrics != NULL)
        status = bough_port_new(&keys->source, metrics, &keys->port, error);
    if (status == BOUGH_OK)
        say_port(keys);
    else
        move_back(keys);
    return status;
}

static void forget_old(struct bough_own_keys *keys)
{
    free(keys->old_exit_with);
    free(keys->old_metrics);
    keys->old_exit_with = keys->old_metrics = NULL;
    keys->trying = keys->moved = false;
}

enum bough_status bough_own_keys_try(struct bough_own_keys *keys,
                                     const struct bough_config_tree *tree,
                                     struct bough_error *error)
{
    const bool moves = keys->given == NULL && differ(keys->metrics, tree->metrics);
    char *metrics, *exit_with;
    enum bough_status status = BOUGH_OK;

    if (!copy_text(&metrics, tree->metrics))
        return bough_error_set(error, BOUGH_ENOMEM, "out of memory");
    if (!copy_text(&exit_with, tree->exit_with))
        status = bough_error_set(error, BOUGH_ENOMEM, "out of memory");
    else if (moves)
        status = move(keys, metrics, error);
    if (status != BOUGH_OK) {
        free(metrics);
        free(exit_with);
        return status;
    }
    keys->trying = true;
    keys->moved = moves;
    keys->old_metrics = keys->metrics;
    keys->metrics = metrics;
    keys->old_exit_with = exit_with;
    keys->old_code = -1;
    bough_exit_with_swap(&keys->exit_with, &keys->old_exit_with, &keys->old_code);
    return BOUGH_OK;
}

void bough_own_keys_settle(struct bough_own_keys *keys, bool applied)
{
    if (!keys->trying) return;
    if (!applied) {
        char *metrics = keys->metrics;

        keys->metrics = keys->old_metrics;
        keys->old_metrics = metrics;
        bough_exit_with_swap(&keys->exit_with, &keys->old_exit_with, &keys->old_code);
        if (keys->moved) {
            move_back(keys);
            say_port(keys);
        }
    }
    forget_old(keys);
}

void bough_own_keys_close_port(struct bough_own_keys *keys)
{
    bough_port_free(keys->port);
    keys->port = NULL;
}

void bough_own_keys_finish(struct bough_own_keys *keys)
{
    bough_own_keys_close_port(keys);
    bough_exit_with_finish(&keys->exit_with);
    forget_old(keys);
    free(keys->metrics);
    keys->metrics = NULL;
}
