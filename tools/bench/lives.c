/* lives.c - spawn and restart: what an actor costs, and its next life under a supervisor.
 *
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>

#include <bough/supervisor/supervisor.h>
#include <bough/tools/bench/bench.h>

/* Spawn: actors that wait, with 32 bytes of state. */

struct idle_state {
    uint64_t numbers[4];
};

static void idle_run(struct bough_actor *actor, const void *message, size_t size)
{
    (void)actor;
    (void)message;
    (void)size;
}

static const struct bough_actor_type idle_type = {
    .name = "idle",
    .state_size = sizeof(struct idle_state),
    .run = idle_run,
};

void bench_spawn(uint64_t n)
{
    struct bench_world world;

    bench_world_open(&world);
    const long before = bench_resident();
    const uint64_t started_ns = bench_now_ns();

    for (uint64_t i = 0; i < n; i++) {
        bench_need(bough_spawn(world.loop, &idle_type, NULL, NULL, NULL, NULL),
                   "an actor");
    }
    const uint64_t ns = bench_now_ns() - started_ns;
    const double bytes = (double)(bench_resident() - before) / (double)n;

    bench_print(&(struct bench_result){ .bench = "spawn",
                                        .variant = "same",
                                        .n = n,
                                        .ns = ns,
                                        .bytes_per_actor = bytes });
    bench_world_close(&world);
}

/* Restart: one who measures tells a child to crash, and is told by each that it is up
 * again, as the peers' children tell who they are. */

struct child {
    struct bough_address address;
};

struct measure {
    struct bough_address address;
};

struct measure_message {
    enum { UP } kind;
    struct child child;
};

static const struct bough_message_type measure_messages[] = {
    [UP] = { .name = "up" },
};

static void measure_up(struct measure measure, struct child child)
{
    const struct measure_message message = { .kind = UP, .child = child };

    bench_need(bough_send(measure.address, &message, sizeof(message)), "up");
}

/* The child */

struct child_options {
    struct measure measure;
};

struct child_message {
    enum { CRASH } kind;
    enum bough_status status;
};

static const struct bough_message_type child_messages[] = {
    [CRASH] = { .name = "crash" },
};

static enum bough_status child_init(struct bough_actor *actor, const void *data)
{
    const struct child_options *options = data;
    const struct child self = { bough_self(actor) };

    measure_up(options->measure, self);
    return BOUGH_OK;
}

static void child_run(struct bough_actor *actor, const void *data, size_t size)
{
    const struct child_message *message = data;

    (void)size;
    bough_fail(actor, message->status, "told to");
}

static const struct bough_actor_type child_type = {
    .name = "child",
    .state_size = sizeof(struct idle_state),
    .options_size = sizeof(struct child_options),
    .message_size = sizeof(struct child_message),
    .messages = child_messages,
    .message_count = bough_count_of(child_messages),
    .init = child_init,
    .run = child_run,
};

static void child_crash(struct child child)
{
    const struct child_message message = { .kind = CRASH, .status = BOUGH_EFAILED };

    bench_need(bough_send(child.address, &message, sizeof(message)), "crash");
}

/* The one who measures: `latencies_ns[i]` is from the i-th crash to the last child up. */

struct measure_options {
    uint64_t *latencies_ns;
    uint64_t rounds;
    uint32_t children;
};

struct measure_state {
    struct measure_options options;
    uint64_t round, crashed_ns;
    uint32_t up;
    bool begun;
};

static void measure_all_up(struct bough_actor *actor, struct measure_state *self,
                           struct child last)
{
    if (self->begun)
        self->options.latencies_ns[self->round++] = bench_now_ns() - self->crashed_ns;
    self->begun = true;
    if (self->round == self->options.rounds) {
        bough_exit(actor, BOUGH_EXIT_NORMAL);
        return;
    }
    self->crashed_ns = bench_now_ns();
    child_crash(last);
}

static enum bough_status measure_init(struct bough_actor *actor, const void *data)
{
    struct measure_state *self = bough_state(actor);

    self->options = *(const struct measure_options *)data;
    return BOUGH_OK;
}

static void measure_run(struct bough_actor *actor, const void *data, size_t size)
{
    const struct measure_message *message = data;
    struct measure_state *self = bough_state(actor);

    (void)size;
    if (++self->up < self->options.children) return;
    self->up = 0;
    measure_all_up(actor, self, message->child);
}

static const struct bough_actor_type measure_type = {
    .name = "measure",
    .state_size = sizeof(struct measure_state),
    .options_size = sizeof(struct measure_options),
    .message_size = sizeof(struct measure_message),
    .messages = measure_messages,
    .message_count = bough_count_of(measure_messages),
    .init = measure_init,
    .run = measure_run,
};

enum { NAME_SIZE = 16, INTENSITY = 100000, PERIOD_MS = 1 };

/* A tree of `count` children; so many restarts in a millisecond cannot be. */
static void start_tree(struct bench_world *world, enum bough_strategy strategy,
                       uint32_t count, const struct child_options *options)
{
    struct bough_child_spec *specs = calloc(count, sizeof(*specs));
    char(*names)[NAME_SIZE] = calloc(count, sizeof(*names));
    struct bough_supervisor supervisor;
    struct bough_error error = { .status = BOUGH_OK };

    if (specs == NULL || names == NULL) bench_die("child specs", "no memory");
    for (uint32_t i = 0; i < count; i++) {
        snprintf(names[i], sizeof(names[i]), "%u", i);
        specs[i] = (struct bough_child_spec){ .name = names[i],
                                              .type = &child_type,
                                              .options = options };
    }
    const struct bough_supervisor_options tree = { .strategy = strategy,
                                                   .intensity = INTENSITY,
                                                   .period_ms = PERIOD_MS,
                                                   .children = specs,
                                                   .child_count = count };
    if (bough_supervisor_start(world->loop, &tree, NULL, &supervisor, &error) !=
        BOUGH_OK) {
        bench_die("the tree", error.text);
    }
    free(names);
    free(specs);
}

static void restart(const char *variant, enum bough_strategy strategy, uint32_t count,
                    uint64_t rounds)
{
    struct bench_world world;
    struct measure measure;
    struct child_options child_options;
    const struct measure_options options = {
        .latencies_ns = calloc(rounds, sizeof(uint64_t)),
        .rounds = rounds,
        .children = count,
    };

    if (options.latencies_ns == NULL) bench_die("latencies", "no memory");
    bench_world_open(&world);
    bench_need(bough_spawn(world.loop, &measure_type, &options, &world.watch,
                           &measure.address, NULL),
               "the one who measures");
    child_options.measure = measure;
    start_tree(&world, strategy, count, &child_options);
    bench_world_run(&world);
    bench_print(&(struct bench_result){ .bench = "restart",
                                        .variant = variant,
                                        .n = rounds,
                                        .ns = world.ended_ns - world.started_ns,
                                        .latencies_ns = options.latencies_ns });
    bench_world_close(&world);
    free(options.latencies_ns);
}

enum { MANY = 1000 };

void bench_restart(uint64_t n)
{
    restart("same-one", BOUGH_ONE_FOR_ONE, 1, n);
    restart("same-all1000", BOUGH_ONE_FOR_ALL, MANY, n / MANY > 0 ? n / MANY : 1);
}
