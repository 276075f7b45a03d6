/* test_process_fuzz.c - a child that writes anything over all that it can write.
 *
 * The child is stopped, and the test writes in its place: random bytes over its positions
 * and its ring, and frames that are nearly right. The parent reads it a million times
 * (BOUGH_FUZZ_TRIALS for more): it must say of each whether it is nonsense, and all else
 * must go on as before. Run by the sanitizers, too.
 *
 * SPDX-License-Identifier: MIT */
#include <ev.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <bough/core/runtime.h>
#include <bough/supervisor/process/crash_internal.h>
#include <bough/supervisor/process/nursery.h>
#include <bough/supervisor/process/process_internal.h>
#include <bough/supervisor/supervisor.h>
#include <bough/tests/support/unit.h>

enum { TRIALS = 1000000 };

/* Something to speak to */

struct word {
    uint32_t kind;
    struct bough_span text;
    int choice;
};
static const char *const choices[] = { "a", "b", NULL };
static const struct bough_field word_fields[] = {
    bough_field(struct word, text, "text", BOUGH_TEXT, .help = "It."),
    bough_field(struct word, choice, "choice", BOUGH_CHOICE, .choices = choices,
                .help = "One."),
};
static const struct bough_message_type messages[] = {
    { "say", word_fields, 2, "Says it.", word_fields, 2, sizeof(struct word) },
    { "tell", word_fields, 2, "Tells it.", NULL, 0, 0 },
};

static uint64_t checksum;

/* Reads all of it, so that what is out of bounds is found. */
static void read_word(const struct word *word)
{
    const char *text = bough_span_text(word, word->text);

    for (uint32_t i = 0; i < word->text.len; i++)
        checksum = checksum * 31 + (unsigned char)text[i];
    checksum += strlen(text) + (size_t)choices[word->choice][0];
}

static enum bough_status speaker_init(struct bough_actor *actor, const void *options)
{
    (void)actor, (void)options;
    return BOUGH_OK;
}

static void speaker_run(struct bough_actor *actor, const void *message, size_t size)
{
    read_word(message);
    if (bough_is_asked(actor)) bough_reply(actor, message, size);
}

static const struct bough_actor_type speaker_type = {
    .name = "speaker",
    .help = "Says what it is told.",
    .message_size = sizeof(struct word),
    .messages = messages,
    .message_count = bough_count_of(messages),
    .init = speaker_init,
    .run = speaker_run,
};

/* Chance */

static uint64_t seed;

static uint32_t chance(uint32_t below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)(seed >> 32) % below;
}

static void scribble(void *at, size_t size)
{
    char *bytes = at;

    for (size_t i = 0; i < size; i++)
        bytes[i] = (char)chance(256);
}

/* The tree */

struct tree {
    struct ev_loop *ev;
    struct bough_loop *loop;
    struct bough_watch watch;
    bool ready, exited;
    struct bough_address fuzzed, beside;
    size_t answers;
    char word[128];
};

static void no_log(void *data, const struct bough_log_record *record)
{
    (void)data;
    checksum += strlen(record->text) + strlen(record->path);
}

static void on_ready(struct bough_watch *watch)
{
    bough_container(watch, struct tree, watch)->ready = true;
}

static void on_exited(struct bough_watch *watch, const struct bough_exit_reason *reason)
{
    (void)reason;
    bough_container(watch, struct tree, watch)->exited = true;
}

/* What is ready is run first: else it would be run just before a poll that nothing ends.
 */
static void one_round(struct tree *tree)
{
    if (bough_loop_run_ready(tree->loop, SIZE_MAX) == 0) ev_run(tree->ev, EVRUN_ONCE);
}

struct question {
    struct bough_call call;
    struct tree *tree;
    bool done;
    enum bough_status status;
};

static void done(struct bough_call *call, enum bough_status status)
{
    struct question *question = bough_container(call, struct question, call);

    question->done = true;
    question->status = status;
    question->tree->answers++;
    if (status == BOUGH_OK)
        read_word(call->reply);
    else
        checksum += strlen(bough_call_text(call, status));
}

static void ask(struct tree *tree, struct question *question, struct bough_address to)
{
    const struct word word = { .kind = 0 };
    struct bough_block block;

    *question =
        (struct question){ .call = { .done = done, .loop = tree->loop }, .tree = tree };
    bough_block_init(&block, NULL, 0, &word, sizeof(word));
    bough_block_text(&block, offsetof(struct word, text), "a question");
    bough_call_block(&question->call, to, &block);
}

/* What a child could write */

/* A path, and a message that is nearly one. */
static size_t put_letter(char *at)
{
    static const char *const paths[] = { "/",       "/beside", "/fuzzed",
                                         "/nobody", "beside",  "" };
    const char *path = paths[chance(bough_count_of(paths))];
    const size_t begin = (strlen(path) + 1 + 15) & ~(size_t)15;
    const struct word word = { .kind = chance(3),
                               .text = { chance(3) ? sizeof(word) : chance(64),
                                         chance(24) },
                               .choice = (int)chance(3) };

    memset(at, 0, begin + 64);
    memcpy(at, path, strlen(path));
    memcpy(at + begin, &word, sizeof(word));
    if (chance(2)) scribble(at + begin + sizeof(word), 8);
    return begin + chance(64);
}

static size_t put_path(char *at)
{
    static const char *const paths[] = { "/beside", "/fuzzed", "/nobody", "beside", "" };
    const char *path = paths[chance(bough_count_of(paths))];

    memcpy(at, path, strlen(path) + 1);
    if (chance(8) == 0) at[chance(4)] = (char)chance(256);
    return strlen(path) + (chance(8) != 0 ? 1 : chance(3));
}

static size_t put_reply(char *at)
{
    const struct word word = { .kind = 0, .text = { sizeof(word), chance(12) } };

    memset(at, 0, 64);
    memcpy(at, &word, sizeof(word));
    if (chance(3) == 0) scribble(at, 64);
    return chance(64);
}

static size_t put_reason(char *at)
{
    struct bough_exit_reason reason = {
        .kind = (enum bough_exit_kind)chance(BOUGH_EXIT_KIND_COUNT + 1),
        .status = (enum bough_status)chance(BOUGH_STATUS_COUNT + 1),
    };

    if (chance(2)) scribble(reason.text, sizeof(reason.text));
    memcpy(at, &reason, sizeof(reason));
    return chance(8) != 0 ? sizeof(reason) : chance(300);
}

static size_t put_line(char *at)
{
    const size_t path = chance(20), text = chance(40);

    scribble(at, path + text + 2);
    if (chance(2)) at[0] = '/';
    at[path] = '\0';
    if (chance(8) != 0) at[path + 1 + text] = '\0';
    return path + text + 2;
}

static size_t put_noise(char *at)
{
    const size_t len = chance(200);

    scribble(at, len);
    return len;
}

static size_t put_bytes(enum bough_frame_kind kind, char *at)
{
    switch (kind) {
    case BOUGH_FRAME_TELL:
    case BOUGH_FRAME_ASK: return put_letter(at);
    case BOUGH_FRAME_REPLY: return put_reply(at);
    case BOUGH_FRAME_UNFIT:
    case BOUGH_FRAME_EXITED: return put_reason(at);
    case BOUGH_FRAME_LOG: return put_line(at);
    case BOUGH_FRAME_WATCH: return put_path(at);
    case BOUGH_FRAME_READY: return chance(2);
    case BOUGH_FRAME_PAD:
    case BOUGH_FRAME_START:
    case BOUGH_FRAME_STOP:
    case BOUGH_FRAME_END:
    case BOUGH_FRAME_MESSAGE:
    case BOUGH_FRAME_ANSWER:
    case BOUGH_FRAME_LIMITS:
    case BOUGH_FRAME_LEFT:
    case BOUGH_FRAME_GONE:
    case BOUGH_FRAME_KIND_COUNT: break;
    }
    return put_noise(at);
}

/* Mostly one of a child's kinds, and about a message that it was sent. */
static void put_frame(struct bough_border_page *page, const struct bough_proxy *self)
{
    const uint64_t read = self->host->border.read;
    const uint32_t first = self->handed.lanes[BOUGH_LANE_NORMAL].first;
    char *at = page->ring + read % BOUGH_RING_SIZE;
    const uint32_t kind =
        chance(10) != 0
            ? BOUGH_FRAME_READY + chance(BOUGH_FRAME_KIND_COUNT - BOUGH_FRAME_READY)
            : chance(BOUGH_FRAME_KIND_COUNT + 1);
    const uint64_t message =
        chance(8) != 0 ? first + chance(4) - 1 : (uint64_t)chance(4) << 32;
    const uint64_t number = chance(8) != 0 ? 0 : chance(4);
    struct bough_frame frame = {
        .kind = (uint8_t)kind,
        .flags = (uint8_t)chance(4),
        .id = kind == BOUGH_FRAME_READY || kind == BOUGH_FRAME_EXITED ? number : message,
        .status = (uint16_t)(chance(3) ? BOUGH_OK : chance(BOUGH_STATUS_COUNT + 1)),
    };

    frame.len = (uint32_t)put_bytes((enum bough_frame_kind)kind, at + sizeof(frame));
    if (self->handed.open != NULL && chance(4) == 0) frame.id = self->handed.open->id;
    if (chance(32) == 0) frame.flags |= BOUGH_FRAME_LARGE;
    if (chance(32) == 0) scribble(&frame, sizeof(frame));
    memcpy(at, &frame, sizeof(frame));
    frame.len %= 1u << 20;
    atomic_store(&page->written, read + bough_frame_span(&frame));
}

static void write_anything(struct bough_border_page *page, const struct bough_proxy *self)
{
    const uint64_t read = self->host->border.read;

    if (BOUGH_RING_SIZE - read % BOUGH_RING_SIZE > 4096 && chance(8) != 0) {
        put_frame(page, self);
    } else {
        scribble(page->ring + chance(BOUGH_RING_SIZE - 64), 64);
        atomic_store(&page->written, read + 16 * (uint64_t)chance(64));
    }
    if (chance(50) == 0) scribble(&page->written, sizeof(page->written));
    if (chance(50) == 0) scribble(&page->read, sizeof(page->read));
    if (chance(50) == 0) scribble(&page->asleep, sizeof(page->asleep));
    if (chance(50) == 0) scribble(&page->blocked, sizeof(page->blocked));
    if (chance(50) == 0) scribble(&page->progress[0], sizeof(page->progress[0]));
    const struct bough_lane *lane = &self->handed.lanes[BOUGH_LANE_NORMAL];
    if (lane->next != lane->first && chance(4) == 0) {
        /* As if it had run one of those that it was sent. */
        const union bough_progress progress = { { .begun = lane->first + chance(3),
                                                  .done = lane->first + chance(2) } };
        atomic_store(&page->progress[0][0], progress.all);
    }
}

/* After nonsense the life would end: here it is forgotten, and the next trial begins. */
static void start_over(struct bough_border_page *page, struct bough_proxy *self)
{
    union bough_progress progress;

    self->host->border.read = self->host->border.their_written = 0;
    atomic_store(&page->written, 0);
    atomic_store(&page->read, self->host->border.written);
    for (int i = 0; i < BOUGH_LANE_COUNT; i++) {
        progress.begun = progress.done = self->handed.lanes[i].first;
        atomic_store(&page->progress[0][i], progress.all);
    }
}

static bool trial(struct bough_border_page *page, struct bough_proxy *self)
{
    const char *why = NULL;
    bool more;

    write_anything(page, self);
    bough_loop_begin(bough_actor_loop(self->actor));
    const bool sound =
        bough_inbound_read(self->host, &more, &why) && bough_handed_retire(self);
    if (chance(4) == 0) bough_border_flush(&self->host->border);
    bough_loop_end(bough_actor_loop(self->actor));
    if (!sound || chance(16) == 0) start_over(page, self);
    return sound;
}

/* What it leaves when it crashes is of its making, too. */
static void leave_anything(struct tree *tree, struct bough_proxy *self)
{
    static const int signals[] = { SIGSEGV, SIGABRT, SIGFPE, 0, -1, 4711 };
    static const char lines[] =
        "00400000-7fffffffffff r-xp 00000000 00:00 0 /proc/self/exe\n"
        "nonsense\n7f-%s r-xp";
    struct bough_crash_area *area =
        (struct bough_crash_area *)(uintptr_t)bough_border_crash_area(
            &self->host->border);
    const struct rusage usage = { .ru_maxrss = 1 };

    for (int i = 0; i < 100; i++) {
        if (chance(2)) scribble(area, sizeof(area->fault) + 4096);
        if (chance(2)) scribble(&area->stack, 4096);
        if (chance(2)) memcpy(area->maps, lines, sizeof(lines));
        atomic_store(&area->fault.written, chance(8) != 0 ? chance(5) : chance(1u << 30));
        area->fault.signal = signals[chance(bough_count_of(signals))];
        area->stack.size = chance(4) != 0 ? chance(8192) : chance(1u << 30);
        area->fault.maps_size = chance(4) != 0 ? chance(200) : chance(1u << 30);
        bough_loop_begin(tree->loop);
        bough_crash_report(self->host, chance(2) != 0, &usage);
        bough_loop_end(tree->loop);
        bough_loop_run_ready(tree->loop, SIZE_MAX);
    }
    memset(area, 0, sizeof(*area));
}

/* It asks to be told, and does not read it: what waits for it in the parent is bounded,
 * and then it is not believed any more. */
static void watch_and_not_read(struct tree *tree, struct bough_proxy *self)
{
    static const char path[] = "/nobody";
    struct bough_border *border = &self->host->border;
    struct bough_border_page *page =
        (struct bough_border_page *)(uintptr_t)border->theirs;
    const struct bough_frame frame = { .kind = BOUGH_FRAME_WATCH, .len = sizeof(path) };
    const char *why;
    bool more;

    start_over(page, self);
    while (!self->host->distrusted) {
        const uint64_t read = border->read;

        if (BOUGH_RING_SIZE - read % BOUGH_RING_SIZE < 64) start_over(page, self);
        char *at = page->ring + border->read % BOUGH_RING_SIZE;
        memcpy(at, &frame, sizeof(frame));
        memcpy(at + sizeof(frame), path, sizeof(path));
        atomic_store(&page->written, border->read + bough_frame_span(&frame));
        bough_loop_begin(tree->loop);
        assert_true(bough_inbound_read(self->host, &more, &why));
        bough_loop_end(tree->loop);
        assert_in_range(border->kept_count, 0, BOUGH_UNREAD_MAX);
    }
}

static uint64_t trials(void)
{
    const char *given = getenv("BOUGH_FUZZ_TRIALS");

    return given != NULL ? strtoull(given, NULL, 10) : TRIALS;
}

static void fuzz(struct tree *tree, struct bough_proxy *self)
{
    enum { QUESTIONS = 8 };
    struct bough_border_page *page =
        (struct bough_border_page *)(uintptr_t)self->host->border.theirs;
    struct question questions[QUESTIONS] = { 0 };
    uint64_t sound = 0, asked = 0;

    assert_int_equal(
        mprotect(page, sizeof(*page) + BOUGH_CRASH_ROOM, PROT_READ | PROT_WRITE), 0);
    for (uint64_t i = 0; i < trials(); i++) {
        struct question *question = &questions[i % QUESTIONS];

        if (i % 64 < QUESTIONS && (question->tree == NULL || question->done)) {
            ask(tree, question, tree->fuzzed);
            asked++;
        }
        if (i % 64 == 0) bough_loop_run_ready(tree->loop, SIZE_MAX);
        sound += trial(page, self);
        assert_false(bough_self(self->actor).life != 1);
    }
    print_message("# %" PRIu64 " trials, %" PRIu64 " of them sound; %zu of %" PRIu64
                  " questions answered\n",
                  trials(), sound, tree->answers, asked);
    assert_true(sound > trials() / 10 && sound < trials());
    assert_true(tree->answers > asked / 2);
    for (size_t i = 0; i < QUESTIONS; i++)
        bough_call_cancel(&questions[i].call);
}

static void a_child_that_writes_anything_harms_nobody(void **state)
{
    static const struct bough_child_spec children[] = {
        { .name = "fuzzed", .type = &speaker_type, .isolation = BOUGH_PROCESS },
        { .name = "beside", .type = &speaker_type },
    };
    const struct bough_supervisor_options options = { .children = children,
                                                      .child_count = 2 };
    struct tree tree = { .watch = { .ready = on_ready, .exited = on_exited } };
    struct bough_runtime_options runtime_options = { .log = no_log };
    struct bough_supervisor root;
    struct bough_error error;
    struct question question;

    (void)state;
    assert_status(bough_nursery_new(&runtime_options.nursery, &error), BOUGH_OK);
    tree.ev = ev_loop_new(0);
    struct bough_runtime *runtime = bough_runtime_new(&runtime_options);
    tree.loop = bough_loop_new(runtime, tree.ev);
    assert_status(bough_supervisor_start(tree.loop, &options, &tree.watch, &root, &error),
                  BOUGH_OK);
    while (!tree.ready)
        one_round(&tree);
    assert_status(bough_lookup(tree.loop, "/fuzzed", &tree.fuzzed), BOUGH_OK);
    assert_status(bough_lookup(tree.loop, "/beside", &tree.beside), BOUGH_OK);
    struct bough_proxy *self = bough_state(tree.fuzzed.slot);
    assert_int_equal(kill(self->host->pid, SIGSTOP), 0);
    fuzz(&tree, self);
    leave_anything(&tree, self);
    watch_and_not_read(&tree, self);

    ask(&tree, &question, tree.beside);
    bough_loop_run_ready(tree.loop, SIZE_MAX);
    assert_true(question.done);
    assert_status(question.status, BOUGH_OK);
    kill(self->host->pid, SIGKILL);
    bough_supervisor_stop(root);
    while (!tree.exited)
        one_round(&tree);
    bough_runtime_free(runtime);
    ev_loop_destroy(tree.ev);
    bough_nursery_free(runtime_options.nursery);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_child_that_writes_anything_harms_nobody),
    };
    const char *given = getenv("BOUGH_FUZZ_SEED");

    seed = given != NULL ? strtoull(given, NULL, 10)
                         : (uint64_t)time(NULL) << 20 | (uint64_t)getpid();
    print_message("# BOUGH_FUZZ_SEED=%" PRIu64 "\n", seed);
    return cmocka_run_group_tests_name("supervisor/process_fuzz", tests, NULL, NULL);
}
