/* latency.c - how long a readable descriptor waits while the loop has always more to do.
 *
 * Actors that tell themselves to go on, for ever, keep the ready list full. A second
 * thread writes the time to a pipe, again and again after a pause of another length; an
 * actor whose source it is takes the time when it is told. Every other busy actor has
 * some work to do, so that not all turns are the shortest there are.
 *
 * On a machine that has other things to do, most of the wait may be for a core. So each
 * wait is taken twice: by the clock, and (the variants that end with -cpu) by how long
 * the loop's own thread has been at work since, which is all that a loop can help.
 *
 * SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <bough/core/timer.h>
#include <bough/tools/bench/bench.h>

/* Busy one: works a little, and tells itself to go on. */

enum { BUSY_ONES = 1000, WORK = 100 };

struct busy_message {
    enum { GO_ON } kind;
    uint64_t work;
};

static const struct bough_message_type busy_messages[] = {
    [GO_ON] = { .name = "go_on" },
};

struct busy_state {
    volatile uint64_t done; /* so that the work is not optimized away */
};

static void busy_run(struct bough_actor *actor, const void *data, size_t size)
{
    struct busy_state *self = bough_state(actor);
    const struct busy_message *message = data;

    for (uint64_t i = 0; i < message->work; i++)
        self->done += i;
    bench_need(bough_send(bough_self(actor), data, size), "go on");
}

static const struct bough_actor_type busy_type = {
    .name = "busy",
    .state_size = sizeof(struct busy_state),
    .message_size = sizeof(struct busy_message),
    .messages = busy_messages,
    .message_count = bough_count_of(busy_messages),
    .run = busy_run,
};

static void start_busy_one(struct bough_loop *loop, uint64_t work)
{
    const struct busy_message message = { .kind = GO_ON, .work = work };
    struct bough_address address;

    bench_need(bough_spawn(loop, &busy_type, NULL, NULL, &address, NULL), "a busy one");
    bench_need(bough_send(address, &message, sizeof(message)), "go on");
}

/* A moment, by both clocks. */
struct moment {
    uint64_t ns, cpu_ns;
};

static struct moment moment_of(clockid_t cpu_clock)
{
    struct timespec cpu;

    if (clock_gettime(cpu_clock, &cpu) != 0) bench_die("a thread's clock", "unreadable");
    return (struct moment){ bench_now_ns(),
                            (uint64_t)cpu.tv_sec * 1000000000 + (uint64_t)cpu.tv_nsec };
}

/* Listener: reads all that is in the pipe, and ends with the last moment. */

enum { AT_ONCE = 64 };

struct listener_options {
    uint64_t *latencies_ns, *cpu_ns;
    uint64_t count;
    int fd;
};

struct listener_state {
    struct listener_options options;
    struct bough_source source;
    uint64_t heard;
};

/* A moment may have been written after the clock was read, and before the pipe was. */
static uint64_t passed(uint64_t since_ns, uint64_t now_ns)
{
    return since_ns < now_ns ? now_ns - since_ns : 0;
}

static void listener_readable(struct bough_actor *actor, struct bough_source *source,
                              int events)
{
    struct listener_state *self = bough_state(actor);
    const struct listener_options *options = &self->options;
    const struct moment now = moment_of(CLOCK_THREAD_CPUTIME_ID);
    struct moment sent[AT_ONCE];
    const ssize_t size = read(options->fd, sent, sizeof(sent));

    (void)source;
    (void)events;
    if (size <= 0) bench_die("the pipe", "cannot be read");
    for (size_t i = 0; i < (size_t)size / sizeof(sent[0]); i++) {
        options->latencies_ns[self->heard] = passed(sent[i].ns, now.ns);
        options->cpu_ns[self->heard++] = passed(sent[i].cpu_ns, now.cpu_ns);
    }
    if (self->heard == options->count) bough_exit(actor, BOUGH_EXIT_NORMAL);
}

static enum bough_status listener_init(struct bough_actor *actor, const void *data)
{
    struct listener_state *self = bough_state(actor);

    self->options = *(const struct listener_options *)data;
    bough_source_start(actor, &self->source, self->options.fd, EV_READ,
                       listener_readable);
    return BOUGH_OK;
}

static void listener_run(struct bough_actor *actor, const void *message, size_t size)
{
    (void)actor;
    (void)message;
    (void)size;
}

static const struct bough_actor_type listener_type = {
    .name = "listener",
    .state_size = sizeof(struct listener_state),
    .options_size = sizeof(struct listener_options),
    .init = listener_init,
    .run = listener_run,
};

/* Writer: another thread, that of somebody who knows nothing of the loop. */

struct writer {
    pthread_t thread;
    uint64_t count;
    clockid_t loop_clock; /* of the loop's thread */
    int fd;
};

/* 100 us to 1.1 ms: never in step with the loop's slices. */
static void pause_before(uint64_t i)
{
    const struct timespec pause = { .tv_nsec = 100000 + (long)(i * 7919 % 1000) * 1000 };

    nanosleep(&pause, NULL);
}

static void *writer_run(void *data)
{
    const struct writer *self = data;

    for (uint64_t i = 0; i < self->count; i++) {
        pause_before(i);
        const struct moment now = moment_of(self->loop_clock);

        if (write(self->fd, &now, sizeof(now)) != sizeof(now))
            bench_die("the pipe", "cannot be written");
    }
    return NULL;
}

static void writer_start(struct writer *writer, uint64_t count, int fd)
{
    *writer = (struct writer){ .count = count, .fd = fd };
    if (pthread_getcpuclockid(pthread_self(), &writer->loop_clock) != 0)
        bench_die("a thread's clock", "not there");
    if (pthread_create(&writer->thread, NULL, writer_run, writer) != 0)
        bench_die("a thread", "cannot be started");
}

/* The run */

static void print(const char *busy, const char *clock, uint64_t n,
                  const struct bench_world *world, uint64_t *latencies_ns)
{
    char variant[32];

    snprintf(variant, sizeof(variant), "%s%s", busy, clock);
    bench_print(&(struct bench_result){ .bench = "latency",
                                        .variant = variant,
                                        .n = n,
                                        .ns = world->ended_ns - world->started_ns,
                                        .latencies_ns = latencies_ns });
}

static void listen_among(const char *variant, uint64_t n, size_t busy_ones)
{
    struct bench_world world;
    struct listener_options options = { .latencies_ns = calloc(n, sizeof(uint64_t)),
                                        .cpu_ns = calloc(n, sizeof(uint64_t)),
                                        .count = n };
    struct writer writer;
    int fds[2];

    if (options.latencies_ns == NULL || options.cpu_ns == NULL)
        bench_die("latencies", "no memory");
    if (pipe(fds) != 0) bench_die("a pipe", "cannot be made");
    options.fd = fds[0];
    bench_world_open(&world);
    bench_need(
        bough_spawn(world.loop, &listener_type, &options, &world.watch, NULL, NULL),
        "the listener");
    for (size_t i = 0; i < busy_ones; i++)
        start_busy_one(world.loop, i % 2 == 0 ? 0 : WORK);
    writer_start(&writer, n, fds[1]);
    bench_world_run(&world);
    pthread_join(writer.thread, NULL);
    print(variant, "", n, &world, options.latencies_ns);
    print(variant, "-cpu", n, &world, options.cpu_ns);
    bench_world_close(&world);
    close(fds[0]);
    close(fds[1]);
    free(options.latencies_ns);
    free(options.cpu_ns);
}

void bench_latency(uint64_t n)
{
    listen_among("same-idle", n, 0);
    listen_among("same-busy1", n, 1);
    listen_among("same-busy1000", n, BUSY_ONES);
}
