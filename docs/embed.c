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

static struct bough_supervisor tree;

static void counted(struct bough_call *call, enum bough_status status)
{
    struct bough_counter_ask *ask = bough_container(call, struct bough_counter_ask, call);

    printf("%s: the count is %ld\n", bough_status_name(status), (long)ask->count);
    bough_supervisor_stop(tree);
}

static void exited(struct bough_watch *watch, const struct bough_exit_reason *reason)
{
    (void)watch;
    printf("the tree has ended: %s\n", bough_exit_kind_name(reason->kind));
}

int main(void)
{
    const struct bough_child_spec children[] = {
        { .name = "visits",
          .type = &bough_counter_type,
          .options = &(struct bough_counter_options){ .initial = 41 } },
    };
    const struct bough_supervisor_options options = {
        .strategy = BOUGH_ONE_FOR_ONE,
        .children = children,
        .child_count = 1,
    };
    struct ev_loop *ev = ev_default_loop(EVFLAG_AUTO);
    struct bough_runtime *runtime = bough_runtime_new(NULL);
    struct bough_loop *loop = runtime ? bough_loop_new(runtime, ev) : NULL;
    struct bough_watch watch = { .exited = exited };
    struct bough_counter_ask ask = { .call.done = counted };
    struct bough_counter visits;
    struct bough_error error = { .text = "out of memory" };

    if (!loop) return 1;
    if (bough_supervisor_start(loop, &options, &watch, &tree, &error) != BOUGH_OK ||
        bough_reference(loop, "/visits", &visits.address) != BOUGH_OK) {
        fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    bough_counter_increment(visits, 1, &ask); /* waits for whoever will live there */
    ev_run(ev, 0);                            /* returns when the tree has ended */
    bough_runtime_free(runtime);
    return 0;
}
