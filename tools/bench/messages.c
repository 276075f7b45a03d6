/* messages.c - pingpong, ring and fanin: what a message costs when it is sent, not asked.
 *
 * A ping-pong is a ring of two. Each player passes a number on, one less each time; the
 * one that gets 0 ends, and with it the run.
 *
 * SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <bough/tools/bench/bench.h>

/* What cannot be delivered would be lost in silence, and the run never end. */
static inline void tell(struct bough_address address, const void *message, size_t size)
{
    bench_need(bough_send(address, message, size), "a message");
}

/* Player: Message */

struct player {
    struct bough_address address;
};

enum player_kind { MEET, PASS };

struct player_pass {
    enum player_kind kind;
    uint64_t left;
};

struct player_meeting {
    enum player_kind kind;
    struct player next;
};

static const struct bough_message_type player_messages[] = {
    [MEET] = { .name = "meet" },
    [PASS] = { .name = "pass" },
};

/* Player: Handle */

static void player_meet(struct player player, struct player next)
{
    const struct player_meeting message = { .kind = MEET, .next = next };

    tell(player.address, &message, sizeof(message));
}

static void player_pass(struct player player, uint64_t left)
{
    const struct player_pass message = { .kind = PASS, .left = left };

    tell(player.address, &message, sizeof(message));
}

/* Player: Actor, Runner */

struct player_state {
    struct player next;
};

static void player_run(struct bough_actor *actor, const void *data, size_t size)
{
    struct player_state *self = bough_state(actor);
    const struct player_pass *pass = data;

    (void)size;
    switch (pass->kind) {
    case MEET: self->next = ((const struct player_meeting *)data)->next; break;
    case PASS:
        if (pass->left > 0) {
            player_pass(self->next, pass->left - 1);
        } else {
            bough_exit(actor, BOUGH_EXIT_NORMAL);
        }
        break;
    }
}

static const struct bough_actor_type player_type = {
    .name = "player",
    .state_size = sizeof(struct player_state),
    .message_size = sizeof(struct player_pass),
    .messages = player_messages,
    .message_count = bough_count_of(player_messages),
    .run = player_run,
};

/* Makes a ring in which `passes` are made until its last player ends; returns the time.
 */
static uint64_t play(size_t count, uint64_t passes)
{
    struct bench_world world;
    struct player *players = calloc(count, sizeof(*players));
    const size_t last = passes % count;

    if (players == NULL) bench_die("players", "no memory");
    bench_world_open(&world);
    for (size_t i = 0; i < count; i++) {
        struct bough_watch *watch = i == last ? &world.watch : NULL;
        bench_need(
            bough_spawn(world.loop, &player_type, NULL, watch, &players[i].address, NULL),
            "a player");
    }
    for (size_t i = 0; i < count; i++)
        player_meet(players[i], players[(i + 1) % count]);
    bough_loop_run_ready(world.loop, SIZE_MAX);

    player_pass(players[0], passes);
    bench_world_run(&world);
    free(players);
    bench_world_close(&world);
    return world.ended_ns - world.started_ns;
}

void bench_pingpong(uint64_t n)
{
    bench_print(&(struct bench_result){
        .bench = "pingpong", .variant = "same", .n = n, .ns = play(2, 2 * n) });
}

enum across { SPINS, SLEEPS, SLEEPS_PINNED };

static uint64_t play_across(uint64_t rounds, enum across how)
{
    struct bench_world world;
    struct player here, there;

    bench_world_open_with(&world, how != SPINS);
    here.address = bench_spawn_on(&world, BOUGH_INLINE, &player_type, &world.watch, 0);
    if (how == SLEEPS_PINNED) bench_pin(1); /* for the thread that is made now */
    there.address = bench_spawn_on(&world, BOUGH_THREAD, &player_type, NULL, 0);
    if (how == SLEEPS_PINNED) bench_pin(0);
    player_meet(here, there);
    player_meet(there, here);
    player_pass(here, 2 * rounds);
    bench_world_run(&world);
    bench_world_close(&world);
    if (how == SLEEPS_PINNED) bench_unpin();
    return world.ended_ns - world.started_ns;
}

/* Two that sleep are woken on the processor that the kernel thinks best, and one on
 * which both are takes a tenth of the time of two of a virtual machine's: so one that
 * says where they are as well. "Asleep" says that they may not look for something to do
 * for longer than a tenth of a sleep; once both are awake that is enough to stay so for a
 * while, as the limit's are, in which whoever has written looks into its queue again. */
void bench_pingpong_threads(uint64_t n)
{
    static const char *const variants[] = {
        [SPINS] = "threads",
        [SLEEPS] = "threads-asleep",
        [SLEEPS_PINNED] = "threads-asleep-pinned",
    };

    /* As many as the limit makes: a round gets longer the longer they go on. */
    static const uint64_t parts[] = { [SPINS] = 1, [SLEEPS] = 8, [SLEEPS_PINNED] = 80 };

    for (enum across how = SPINS; how <= SLEEPS_PINNED; how++) {
        const uint64_t rounds = n / parts[how] + 1;

        bench_print(&(struct bench_result){ .bench = "pingpong",
                                            .variant = variants[how],
                                            .n = rounds,
                                            .ns = play_across(rounds, how) });
    }
}

void bench_ring(uint64_t n)
{
    static const size_t counts[] = { 1000, 100000 };

    for (size_t i = 0; i < bough_count_of(counts); i++) {
        char variant[32];

        snprintf(variant, sizeof(variant), "same-%zu", counts[i]);
        bench_print(&(struct bench_result){
            .bench = "ring", .variant = variant, .n = n, .ns = play(counts[i], n) });
    }
}

/* Sink: counts until it has what it expects. */

struct sink {
    struct bough_address address;
};

struct sink_message {
    enum { EXPECT, ADD } kind;
    uint64_t amount;
};

static const struct bough_message_type sink_messages[] = {
    [EXPECT] = { .name = "expect" },
    [ADD] = { .name = "add" },
};

struct sink_state {
    uint64_t expected, count;
};

static void sink_run(struct bough_actor *actor, const void *data, size_t size)
{
    struct sink_state *self = bough_state(actor);
    const struct sink_message *message = data;

    (void)size;
    switch (message->kind) {
    case EXPECT: self->expected = message->amount; break;
    case ADD:
        self->count += message->amount;
        if (self->count == self->expected) bough_exit(actor, BOUGH_EXIT_NORMAL);
        break;
    }
}

static const struct bough_actor_type sink_type = {
    .name = "sink",
    .state_size = sizeof(struct sink_state),
    .message_size = sizeof(struct sink_message),
    .messages = sink_messages,
    .message_count = bough_count_of(sink_messages),
    .run = sink_run,
};

static void sink_expect(struct sink sink, uint64_t amount)
{
    const struct sink_message message = { .kind = EXPECT, .amount = amount };

    tell(sink.address, &message, sizeof(message));
}

/* False: it is full now. */
static inline bool sink_add(struct sink sink, uint64_t amount)
{
    const struct sink_message message = { .kind = ADD, .amount = amount };
    const enum bough_status status = bough_send(sink.address, &message, sizeof(message));

    if (status != BOUGH_EFULL) bench_need(status, "add");
    return status == BOUGH_OK;
}

/* Sender: adds one, or tries again when the sink is full, and tells itself to go on. To a
 * sink on another thread one of another type sends bursts: who does so has no reason to
 * stop at each. */

struct sender {
    struct bough_address address;
};

struct sender_options {
    struct sink sink;
    uint64_t left;
};

struct sender_message {
    enum { GO_ON } kind;
};

static const struct bough_message_type sender_messages[] = {
    [GO_ON] = { .name = "go_on" },
};

static void sender_go_on(struct sender sender)
{
    const struct sender_message message = { .kind = GO_ON };

    tell(sender.address, &message, sizeof(message));
}

static enum bough_status sender_init(struct bough_actor *actor, const void *options)
{
    *(struct sender_options *)bough_state(actor) =
        *(const struct sender_options *)options;
    return BOUGH_OK;
}

static void sender_run(struct bough_actor *actor, const void *data, size_t size)
{
    struct sender_options *self = bough_state(actor);

    (void)data;
    (void)size;
    if (sink_add(self->sink, 1)) self->left--;
    if (self->left > 0) sender_go_on((struct sender){ bough_self(actor) });
}

enum { SENDERS = 100, BURST = 16 };

static void burst_run(struct bough_actor *actor, const void *data, size_t size)
{
    struct sender_options *self = bough_state(actor);

    (void)data;
    (void)size;
    for (int i = 0; i < BURST && self->left > 0; i++) {
        if (!sink_add(self->sink, 1)) break;
        self->left--;
    }
    if (self->left > 0) sender_go_on((struct sender){ bough_self(actor) });
}

#define SENDER(...) \
    { \
        .state_size = sizeof(struct sender_options), \
        .options_size = sizeof(struct sender_options), \
        .message_size = sizeof(struct sender_message), .messages = sender_messages, \
        .message_count = bough_count_of(sender_messages), .init = sender_init, \
        __VA_ARGS__ \
    }

static const struct bough_actor_type sender_type =
    SENDER(.name = "sender", .run = sender_run);
static const struct bough_actor_type burst_type =
    SENDER(.name = "burst", .run = burst_run);

static void fan_in(const char *variant, enum bough_isolation isolation, uint64_t n)
{
    const uint64_t each = n / SENDERS > 0 ? n / SENDERS : 1;
    struct bench_world world;
    const struct bough_actor_type *type =
        isolation == BOUGH_INLINE ? &sender_type : &burst_type;
    struct sender_options options = { .left = each };

    bench_world_open(&world);
    options.sink.address = bench_spawn_on(&world, isolation, &sink_type, &world.watch, 0);
    sink_expect(options.sink, each * SENDERS);
    for (size_t i = 0; i < SENDERS; i++) {
        struct sender sender;

        bench_need(bough_spawn(world.loop, type, &options, NULL, &sender.address, NULL),
                   "a sender");
        sender_go_on(sender);
    }
    bench_world_run(&world);
    bench_world_close(&world);
    bench_print(&(struct bench_result){ .bench = "fanin",
                                        .variant = variant,
                                        .n = each * SENDERS,
                                        .ns = world.ended_ns - world.started_ns });
}

void bench_fanin(uint64_t n)
{
    fan_in("same", BOUGH_INLINE, n);
}

void bench_fanin_threads(uint64_t n)
{
    fan_in("threads", BOUGH_THREAD, n);
}
