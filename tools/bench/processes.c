/* processes.c - what it costs to speak to an actor in a process of its own, and to have
 * it killed.
 *
 * A supervisor and children, each with a process. procmsg: a call across and back, each
 * when the one before is answered, and the same without looking long before the two
 * sleep; and messages one way, as fast as the mailbox takes them. procspawn: a process is
 * killed, until its next life runs the question that waits for it, by the clock that all
 * processes have in common. `-steady` is what the peers' procrestart measures under that
 * name: ten that have been up for 1.6 s are killed one after the other; `-large`: the
 * same in a program that has filled half a gigabyte. `-idle`: one that slept, in a
 * program and on a machine that did.
 *
 * SPDX-License-Identifier: MIT */
#include <ev.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include <bough/supervisor/process/nursery.h>
#include <bough/supervisor/supervisor.h>
#include <bough/tools/bench/bench.h>

enum { CAPACITY = 8192, CHILDREN_MAX = 10, LARGE = 512 << 20 };

/* The child: counts what it is told, and says how many that were, or when it was asked.
 */

struct message {
    enum { ADD, COUNT, WHEN } kind;
    int64_t amount;
};

static enum bough_status child_init(struct bough_actor *actor, const void *options)
{
    (void)actor, (void)options;
    return BOUGH_OK;
}

static void child_run(struct bough_actor *actor, const void *data, size_t size)
{
    const struct message *message = data;
    int64_t *count = bough_state(actor), answer = *count;

    (void)size;
    if (message->kind == ADD) {
        *count += message->amount;
        return;
    }
    if (message->kind == WHEN) answer = (int64_t)bench_now_ns();
    bough_reply(actor, &answer, sizeof(answer));
}

static const struct bough_actor_type child_type = {
    .name = "child",
    .help = "Counts, and looks at the clock.",
    .state_size = sizeof(int64_t),
    .init = child_init,
    .run = child_run,
};

struct family {
    struct ev_loop *ev;
    struct bough_nursery *nursery;
    struct bough_runtime *runtime;
    struct bough_loop *loop;
    struct bough_supervisor root;
    struct bough_watch watch;
    struct bough_address children[CHILDREN_MAX];
    struct bough_call call;
    void *memory;
    int64_t answer;
    bool ready, over, answered;
    enum bough_status status;
};

static void on_ready(struct bough_watch *watch)
{
    bough_container(watch, struct family, watch)->ready = true;
}

static void on_exited(struct bough_watch *watch, const struct bough_exit_reason *reason)
{
    struct family *family = bough_container(watch, struct family, watch);

    if (!family->ready) bench_die("the tree", reason->text);
    family->over = true;
}

static void on_answer(struct bough_call *call, enum bough_status status)
{
    struct family *family = bough_container(call, struct family, call);

    family->answered = true;
    family->status = status;
}

/* Runs until it is so; what is ready goes before what has to be waited for. */
static void await(struct family *family, const bool *what)
{
    while (!*what) {
        if (bough_loop_run_ready(family->loop, SIZE_MAX) == 0)
            ev_run(family->ev, EVRUN_ONCE);
    }
}

struct family_options {
    size_t children, memory; /* bytes that the program fills */
    bool spare, no_spin;
};

static const char *const names[CHILDREN_MAX] = { "0", "1", "2", "3", "4",
                                                 "5", "6", "7", "8", "9" };

static void start_children(struct family *family, size_t count, bool spare)
{
    struct bough_child_spec children[CHILDREN_MAX];
    const struct bough_supervisor_options options = { .any_intensity = true,
                                                      .intensity = BOUGH_INTENSITY_MAX,
                                                      .children = children,
                                                      .child_count = count };
    struct bough_error error = { .text = "" };

    for (size_t i = 0; i < count; i++) {
        children[i] = (struct bough_child_spec){ .name = names[i],
                                                 .type = &child_type,
                                                 .isolation = BOUGH_PROCESS,
                                                 .spare = spare,
                                                 .mailbox_capacity = CAPACITY };
    }
    if (bough_supervisor_start(family->loop, &options, &family->watch, &family->root,
                               &error) != BOUGH_OK)
        bench_die("the tree", error.text);
    for (size_t i = 0; i < count; i++) {
        const char path[] = { '/', names[i][0], '\0' };

        bench_need(bough_lookup(family->loop, path, &family->children[i]), "a child");
    }
}

static struct bough_nursery *make_nursery(void)
{
    struct bough_nursery *nursery;
    struct bough_error error = { .text = "" };

    if (bough_nursery_new(&nursery, &error) != BOUGH_OK)
        bench_die("a nursery", error.text);
    return nursery;
}

/* The nursery is the family's from then on. */
static void open_family(struct family *family, struct bough_nursery *nursery,
                        const struct family_options *options)
{
    struct bough_runtime_options runtime = { .log_level = BOUGH_LEVEL_COUNT,
                                             .no_spin = options->no_spin };

    *family = (struct family){ .watch = { .ready = on_ready, .exited = on_exited },
                               .nursery = nursery };
    runtime.nursery = nursery;
    family->ev = ev_loop_new(EVFLAG_AUTO);
    family->runtime = bough_runtime_new(&runtime);
    if (family->ev == NULL || family->runtime == NULL) bench_die("a runtime", "memory");
    family->loop = bough_loop_new(family->runtime, family->ev);
    if (family->loop == NULL) bench_die("a loop", "memory");
    family->call.done = on_answer;
    family->call.loop = family->loop;
    start_children(family, options->children, options->spare);
    await(family, &family->ready);
    if (options->memory == 0) return;
    family->memory = malloc(options->memory);
    if (family->memory == NULL) bench_die("a large program", "memory");
    memset(family->memory, 1, options->memory);
}

static void close_family(struct family *family)
{
    bough_supervisor_stop(family->root);
    await(family, &family->over);
    bough_runtime_free(family->runtime);
    ev_loop_destroy(family->ev);
    bough_nursery_free(family->nursery);
    free(family->memory);
}

static void ask(struct family *family, size_t child, uint32_t kind)
{
    const struct message question = { .kind = kind };

    family->answered = false;
    bough_call_start(&family->call, family->children[child], &question, sizeof(question),
                     &family->answer, sizeof(family->answer));
}

static int64_t answer_of(struct family *family)
{
    await(family, &family->answered);
    bench_need(family->status, "the answer");
    return family->answer;
}

static int64_t ask_count(struct family *family)
{
    ask(family, 0, COUNT);
    return answer_of(family);
}

static void print(const char *bench, const char *variant, uint64_t n, uint64_t since_ns,
                  uint64_t *latencies_ns)
{
    bench_print(&(struct bench_result){ .bench = bench,
                                        .variant = variant,
                                        .n = n,
                                        .ns = bench_now_ns() - since_ns,
                                        .latencies_ns = latencies_ns });
}

static void call_across(const char *variant, uint64_t n, bool no_spin)
{
    struct family family;

    open_family(&family, make_nursery(),
                &(struct family_options){ .children = 1, .no_spin = no_spin });
    const uint64_t start_ns = bench_now_ns();
    for (uint64_t i = 0; i < n; i++)
        ask_count(&family);
    print("procmsg", variant, n, start_ns, NULL);
    close_family(&family);
}

static void stream(struct family *family, uint64_t n)
{
    static const struct message one_more = { .kind = ADD, .amount = 1 };
    const int64_t before = ask_count(family);
    const uint64_t start_ns = bench_now_ns();

    for (uint64_t sent = 0; sent < n;) {
        while (sent < n &&
               bough_send(family->children[0], &one_more, sizeof(one_more)) == BOUGH_OK)
            sent++;
        if (bough_loop_run_ready(family->loop, SIZE_MAX) == 0)
            ev_run(family->ev, EVRUN_ONCE);
    }
    if (ask_count(family) != before + (int64_t)n) bench_die("the stream", "lost some");
    print("procmsg", "stream", n, start_ns, NULL);
}

void bench_procmsg(uint64_t n)
{
    struct family family;

    call_across("proc-call", n / 50 + 1, false);
    call_across("proc-call-asleep", n / 50 + 1, true);
    open_family(&family, make_nursery(), &(struct family_options){ .children = 1 });
    stream(&family, n);
    close_family(&family);
}

static void on_rested(struct ev_loop *ev, struct ev_timer *timer, int events)
{
    (void)ev, (void)events;
    *(bool *)timer->data = true;
}

static void rest(struct family *family, double seconds)
{
    struct ev_timer timer;
    bool over = false;

    if (seconds == 0) return;
    ev_timer_init(&timer, on_rested, seconds, 0);
    timer.data = &over;
    ev_now_update(family->ev);
    ev_timer_start(family->ev, &timer);
    await(family, &over);
}

/* The question waits until there is somebody to answer it. */
static uint64_t kill_and_ask(struct family *family, size_t child)
{
    struct bough_place_info info;

    bench_need(bough_place_info(family->children[child], &info), "the child");
    const uint64_t killed_ns = bench_now_ns();
    kill((pid_t)info.pid, SIGKILL);
    ask(family, child, WHEN);
    return (uint64_t)answer_of(family) - killed_ns;
}

/* Who is killed, and when. */
struct killing {
    const char *variant;
    struct family_options options;
    double rest_seconds; /* before each round */
    uint64_t fewer;      /* rounds than was asked for, by this factor */
};

/* All of them in turn, each after the one before is back, and that again. */
static void kill_often(const struct killing *killing, struct bough_nursery *nursery,
                       uint64_t asked)
{
    const size_t children = killing->options.children;
    const uint64_t n =
        (killing->fewer > 1 ? asked / killing->fewer + 1 : asked) * children;
    uint64_t *latencies_ns = calloc(n, sizeof(*latencies_ns));
    struct family family;

    if (latencies_ns == NULL) bench_die("the latencies", "memory");
    open_family(&family, nursery, &killing->options);
    const uint64_t start_ns = bench_now_ns();
    for (uint64_t i = 0; i < n; i++) {
        if (i % children == 0) rest(&family, killing->rest_seconds);
        latencies_ns[i] = kill_and_ask(&family, i % children);
    }
    print("procspawn", killing->variant, n, start_ns, latencies_ns);
    close_family(&family);
    free(latencies_ns);
}

#define IDLE .rest_seconds = 0.03, .fewer = 20
#define STEADY .rest_seconds = 1.6, .fewer = 700

static const struct killing killings[] = {
    { "kill-restart", { .children = 1 }, .fewer = 1 },
    { "kill-idle", { .children = 1 }, IDLE },
    { "spare-idle", { .children = 1, .spare = true }, IDLE },
    { "kill-steady", { .children = CHILDREN_MAX }, STEADY },
    { "spare-steady", { .children = CHILDREN_MAX, .spare = true }, STEADY },
    { "kill-large", { .children = CHILDREN_MAX, .memory = LARGE }, STEADY },
    { "spare-large",
      { .children = CHILDREN_MAX, .spare = true, .memory = LARGE },
      STEADY },
};

/* A program makes its nursery when it begins, and not after it has used memory for other
 * things: so all are made first. */
void bench_procspawn(uint64_t n)
{
    struct bough_nursery *nurseries[bough_count_of(killings)];

    for (size_t i = 0; i < bough_count_of(killings); i++)
        nurseries[i] = make_nursery();
    for (size_t i = 0; i < bough_count_of(killings); i++)
        kill_often(&killings[i], nurseries[i], n);
}
