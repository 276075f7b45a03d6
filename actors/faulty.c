/* faulty.c - an actor that breaks in whatever way it is told.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/actors/faulty.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <bough/core/timer.h>

/* Message */

enum kind { CRASH, HANG, LEAK, ECHO_TEXT, COUNT };

struct message {
    enum kind kind;
    int how; /* enum bough_faulty_how */
    int64_t code;
    int64_t ms, size;
    struct bough_span text;
};

static const char *const hows[] = {
    [BOUGH_FAULTY_SEGV] = "segv",    [BOUGH_FAULTY_ABORT] = "abort",
    [BOUGH_FAULTY_FPE] = "fpe",      [BOUGH_FAULTY_STACK] = "stack",
    [BOUGH_FAULTY_EXIT] = "exit",    [BOUGH_FAULTY_ERROR] = "error",
    [BOUGH_FAULTY_HOW_COUNT] = NULL,
};

enum { CODE_MAX = 255 };
#define SIZE_LARGEST (INT64_C(1) << 46)
#define DELAY_LONGEST (INT64_C(24) * 3600 * 1000)

static const struct bough_field crash[] = {
    bough_field(struct message, how, "how", BOUGH_CHOICE, .optional = true,
                .choices = hows, .help = "in which way"),
    bough_field(struct message, code, "code", BOUGH_INT64, .optional = true,
                .fallback = 1, .min = 0, .max = CODE_MAX,
                .help = "the exit code of \"exit\""),
};

static const struct bough_field hang[] = {
    bough_field(struct message, ms, "for", BOUGH_DURATION, .optional = true,
                .fallback = BOUGH_FOREVER, .min = 0, .max = BOUGH_FOREVER,
                .help = "for how long"),
};

static const struct bough_field leak[] = {
    bough_field(struct message, size, "size", BOUGH_SIZE, .min = 1, .max = SIZE_LARGEST,
                .help = "how much memory it takes"),
};

static const struct bough_field echo[] = {
    bough_field(struct message, text, "text", BOUGH_TEXT, .help = "what it says"),
    bough_field(struct message, ms, "delay", BOUGH_DURATION, .optional = true, .min = 0,
                .max = DELAY_LONGEST, .help = "after how long it answers"),
};

static const struct bough_field leaked[] = {
    bough_field(struct bough_faulty_leaked, leaked, "leaked", BOUGH_INT64,
                .help = "bytes in all, of this life"),
};

static const struct bough_field echoed[] = {
    bough_field(struct bough_faulty_echo, text, "text", BOUGH_TEXT,
                .help = "what it was told"),
};

static const struct bough_field counted[] = {
    bough_field(struct bough_faulty_counted, count, "count", BOUGH_INT64,
                .help = "messages that this life has run"),
};

static const struct bough_message_type messages[] = {
    [CRASH] = { "crash", crash, bough_count_of(crash), "Breaks.", NULL, 0, 0 },
    [HANG] = { "hang", hang, bough_count_of(hang), "Runs on and on.", NULL, 0, 0 },
    [LEAK] = { "leak", leak, bough_count_of(leak), "Takes memory and keeps it.", leaked,
               1, sizeof(struct bough_faulty_leaked) },
    [ECHO_TEXT] = { "echo", echo, bough_count_of(echo), "Says what it was told.", echoed,
                    1, sizeof(struct bough_faulty_echo) },
    [COUNT] = { "count", NULL, 0, "Tells how many messages this life has run.", counted,
                1, sizeof(struct bough_faulty_counted) },
};

/* Actor */

/* What it has leaked; the bytes follow. */
struct lump {
    struct lump *next;
    char bytes[];
};

struct faulty {
    int64_t count, leaked;
    struct lump *lumps;
    struct delayed *delayed;
};

/* An echo that is still to be given. */
struct delayed {
    struct bough_timer timer;
    struct bough_question *question;
    struct delayed *next;
    size_t size;
    _Alignas(max_align_t) char reply[];
};

static enum bough_status faulty_init(struct bough_actor *actor, const void *options)
{
    (void)actor, (void)options;
    return BOUGH_OK;
}

static void faulty_finish(struct bough_actor *actor)
{
    struct faulty *self = bough_state(actor);

    while (self->lumps != NULL) {
        struct lump *lump = self->lumps;

        self->lumps = lump->next;
        free(lump);
    }
    while (self->delayed != NULL) {
        struct delayed *delayed = self->delayed;

        self->delayed = delayed->next;
        free(delayed);
    }
}

/* Crashing. A sanitizer would see most of it coming, and say so in its own way. */

#define BREAKS __attribute__((noinline, no_sanitize("address", "undefined")))

static volatile int zero; /* the compiler does not know that it is */

static BREAKS void write_nowhere(void)
{
    *(volatile int *)(uintptr_t)(unsigned)zero = 1;
}

static BREAKS int divide(void)
{
    return CODE_MAX / zero;
}

/* Each call needs what the next one leaves, so it cannot become a loop. */
static BREAKS int call_on(volatile int *below)
{
    volatile int room[1024];

    room[0] = *below + 1;
    return room[0] == zero ? 0 : call_on(room) + room[0];
}

static void break_down(struct bough_actor *actor, const struct message *message)
{
    volatile int bottom = zero;

    switch ((enum bough_faulty_how)message->how) {
    case BOUGH_FAULTY_SEGV: write_nowhere(); break;
    case BOUGH_FAULTY_ABORT: abort();
    case BOUGH_FAULTY_FPE: bottom = divide(); break;
    case BOUGH_FAULTY_STACK: bottom = call_on(&bottom); break;
    case BOUGH_FAULTY_EXIT: _exit((int)message->code);
    case BOUGH_FAULTY_ERROR:
    case BOUGH_FAULTY_HOW_COUNT: bough_fail(actor, BOUGH_EFAILED, "told to fail"); break;
    }
}

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Real time, for a virtual one stands still meanwhile. */
static void run_on(struct bough_actor *actor, int64_t ms)
{
    const int64_t begin = now_ms();

    while (ms == BOUGH_FOREVER || now_ms() - begin < ms)
        continue;
    bough_reply(actor, NULL, 0);
}

static void take_memory(struct bough_actor *actor, int64_t size)
{
    struct faulty *self = bough_state(actor);
    struct lump *lump = malloc(sizeof(*lump) + (size_t)size);

    if (lump == NULL) {
        bough_refuse(actor, BOUGH_ENOMEM, "no %lld bytes more", (long long)size);
        return;
    }
    memset(lump->bytes, 1, (size_t)size);
    lump->next = self->lumps;
    self->lumps = lump;
    self->leaked += size;
    bough_reply(actor, &self->leaked, sizeof(self->leaked));
}

/* Echoes */

static void give_back(struct bough_actor *actor, struct bough_timer *timer)
{
    struct faulty *self = bough_state(actor);
    struct delayed *delayed = bough_container(timer, struct delayed, timer);
    struct delayed **link = &self->delayed;

    bough_question_reply(delayed->question, delayed->reply, delayed->size);
    while (*link != delayed)
        link = &(*link)->next;
    *link = delayed->next;
    free(delayed);
}

static void delay(struct bough_actor *actor, const struct bough_block *block, int64_t ms)
{
    struct faulty *self = bough_state(actor);
    struct delayed *delayed = calloc(1, sizeof(*delayed) + block->size);

    if (delayed == NULL) {
        bough_refuse(actor, BOUGH_ENOMEM, "no memory to keep the text");
        return;
    }
    delayed->question = bough_later(actor);
    delayed->size = block->size;
    memcpy(delayed->reply, block->data, block->size);
    delayed->next = self->delayed;
    self->delayed = delayed;
    bough_timer_start(actor, &delayed->timer, ms, 0, give_back);
}

static void say_back(struct bough_actor *actor, const struct message *message)
{
    const struct bough_faulty_echo fixed = { .text = { .offset = 0 } };
    struct bough_block block;

    bough_block_init(&block, NULL, 0, &fixed, sizeof(fixed));
    bough_block_bytes(&block, offsetof(struct bough_faulty_echo, text),
                      bough_span_text(message, message->text), message->text.len);
    if (block.status == BOUGH_OK && message->ms > 0) {
        delay(actor, &block, message->ms);
        bough_block_finish(&block);
    } else {
        bough_reply_block(actor, &block);
    }
}

/* Runner */

static void faulty_run(struct bough_actor *actor, const void *data, size_t size)
{
    struct faulty *self = bough_state(actor);
    const struct message *message = data;

    (void)size;
    self->count++;
    switch (message->kind) {
    case CRASH: break_down(actor, message); break;
    case HANG: run_on(actor, message->ms); break;
    case LEAK: take_memory(actor, message->size); break;
    case ECHO_TEXT: say_back(actor, message); break;
    case COUNT: bough_reply(actor, &self->count, sizeof(self->count)); break;
    }
}

const struct bough_actor_type bough_faulty_type = {
    .name = "faulty",
    .help = "Breaks in whatever way it is told: for trying a tree.",
    .state_size = sizeof(struct faulty),
    .message_size = sizeof(struct message),
    .messages = messages,
    .message_count = bough_count_of(messages),
    .init = faulty_init,
    .run = faulty_run,
    .finish = faulty_finish,
};

/* Handle */

static void ask(struct bough_faulty faulty, const struct message *message,
                struct bough_call *call)
{
    bough_call_start(call, faulty.address, message, sizeof(*message), NULL, 0);
}

void bough_faulty_crash(struct bough_faulty faulty, enum bough_faulty_how how,
                        int64_t code, struct bough_call *call)
{
    ask(faulty, &(struct message){ .kind = CRASH, .how = (int)how, .code = code }, call);
}

void bough_faulty_hang(struct bough_faulty faulty, int64_t ms, struct bough_call *call)
{
    ask(faulty, &(struct message){ .kind = HANG, .ms = ms }, call);
}

void bough_faulty_leak(struct bough_faulty faulty, int64_t size, struct bough_call *call)
{
    ask(faulty, &(struct message){ .kind = LEAK, .size = size }, call);
}

void bough_faulty_echo(struct bough_faulty faulty, const char *text, int64_t delay_ms,
                       struct bough_call *call)
{
    const struct message message = { .kind = ECHO_TEXT, .ms = delay_ms };
    struct bough_block block;

    bough_block_init(&block, NULL, 0, &message, sizeof(message));
    bough_block_text(&block, offsetof(struct message, text), text);
    bough_call_block(call, faulty.address, &block);
}

void bough_faulty_count(struct bough_faulty faulty, struct bough_call *call)
{
    ask(faulty, &(struct message){ .kind = COUNT }, call);
}
