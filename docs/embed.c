/* embed.c - a supervised tree inside your own program, on your own libev loop.
 *
 * Built and run by the tests, and shown in the README.
 *
 * SPDX-License-Identifier: MIT */
#include <stdio.h>

#include <ev.h>

#include <bough/actors/counter.h>
#include <bough/core/runtime.h>
#include <bough/supervisor/supervisor.h>

static struct bough_loop *loop;
static struct bough_supervisor tree;

static void counted(struct bough_call *call, enum bough_status status)
{
    struct bough_counter_ask *ask = bough_container(call, struct bough_counter_ask, call);

    printf("%s: the count is %ld\n", bough_status_name(status), (long)ask->count);
    bough_supervisor_stop(tree);
}

static void tree_ready(struct bough_watch *watch)
{
    static struct bough_counter_ask ask = { .call.done = counted };
    struct bough_counter visits;

    (void)watch;
    if (bough_lookup(loop, "/visits", &visits.address) == BOUGH_OK) {
        bough_counter_increment(visits, 1, &ask);
    }
}

static void tree_exited(struct bough_watch *watch, const struct bough_exit_reason *reason)
{
    (void)watch;
    printf("the tree has ended: %s\n", bough_exit_kind_name(reason->kind));
}

int main(void)
{
    const struct bough_child_spec children[] = {
        { .name = "visits", .type = &bough_counter_type,
          .options = &(struct bough_counter_options){ .initial = 41 } },
    };
    const struct bough_supervisor_options options = { .children = children, .child_count = 1 };
    struct bough_watch watch = { .ready = tree_ready, .exited = tree_exited };
    struct bough_error error;
    struct bough_runtime *runtime = bough_runtime_new(NULL);

    if (runtime == NULL) return 1;
    loop = bough_loop_new(runtime, ev_default_loop(EVFLAG_AUTO));
    if (loop == NULL) return 1;
    if (bough_supervisor_start(loop, &options, &watch, &tree, &error) != BOUGH_OK) {
        fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    ev_run(ev_default_loop(0), 0); /* returns when the tree has ended */
    bough_runtime_free(runtime);
    return 0;
}
