/* handed.c - the messages that a proxy has handed on.
 *
 * They are the mailbox's until they have been run: the ring has copies, so a child that
 * breaks takes none along. Of each lane they are run in the order in which they were
 * sent, so two counters, of those begun and of those done, say what has become of each.
 * The counters go on when the number has another tenant, so that no number means two
 * messages.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/supervisor/process/process_internal.h>

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include <bough/core/assert.h>
#include <bough/core/text.h>
#include <bough/supervisor/process/ring_internal.h>

enum {
    FIRST_SIZE = 16,
    SHOWN_AT_ONCE = 32 /* of a stream: the other side runs them meanwhile */
};

static struct bough_held **at(const struct bough_lane *lane, uint32_t number)
{
    return &lane->held[number & (lane->size - 1)];
}

static int lane_of(const struct bough_held_message *message)
{
    return message->high ? BOUGH_LANE_HIGH : BOUGH_LANE_NORMAL;
}

/* Adding */

void bough_handed_open(struct bough_proxy *proxy)
{
    const struct bough_berth *berth = &proxy->host->berths[proxy->number];

    for (int i = 0; i < BOUGH_LANE_COUNT; i++) {
        struct bough_lane *lane = &proxy->handed.lanes[i];

        lane->first = lane->next = lane->end = berth->begun[i];
    }
}

bool bough_handed_waits(const struct bough_proxy *proxy)
{
    const struct bough_lane *lanes = proxy->handed.lanes;

    return bough_lane_count(&lanes[BOUGH_LANE_NORMAL]) > 0 ||
           bough_lane_count(&lanes[BOUGH_LANE_HIGH]) > 0;
}

static bool grow(struct bough_lane *lane)
{
    struct bough_lane grown = *lane;

    grown.size = lane->size > 0 ? 2 * lane->size : FIRST_SIZE;
    grown.held = malloc(grown.size * sizeof(*grown.held));
    if (grown.held == NULL) return false;
    for (uint32_t i = lane->first; i != lane->end; i++)
        *at(&grown, i) = *at(lane, i);
    free(lane->held);
    *lane = grown;
    return true;
}

bool bough_handed_grow(struct bough_proxy *proxy)
{
    for (int i = 0; i < BOUGH_LANE_COUNT; i++) {
        struct bough_lane *lane = &proxy->handed.lanes[i];

        if (bough_lane_count(lane) == lane->size && !grow(lane)) return false;
    }
    return true;
}

/* Sending */

/* The next one of its lane. */
static inline enum bough_status hand_over(struct bough_proxy *proxy,
                                          const struct bough_held_message *message)
{
    struct bough_border *border = &proxy->host->border;
    const int lane = lane_of(message);
    struct bough_lane *here = &proxy->handed.lanes[lane];
    const uint64_t id = bough_handed_id(proxy->number, lane, here->next);
    const unsigned flags =
        (message->asked ? BOUGH_FRAME_ASKED : 0) | (message->high ? BOUGH_FRAME_HIGH : 0);
    const enum bough_status status =
        bough_ring_message(border, id, flags, message->bytes, message->size);

    if (status == BOUGH_OK && ++here->next % SHOWN_AT_ONCE == 0)
        bough_border_show(border);
    return status;
}

/* The next one cannot be sent, and nobody knows when it could: it ends here, so that
 * those behind it do not wait for it. The other side never hears of it, and its number is
 * that of the next. */
static void give_up(const struct bough_proxy *proxy, struct bough_lane *lane)
{
    struct bough_held *held = *at(lane, lane->next);
    const size_t size = bough_held_message(held).size;
    char text[96];

    for (uint32_t i = lane->next + 1; i != lane->end; i++)
        *at(lane, i - 1) = *at(lane, i);
    lane->end--;
    bough_text_format(text, sizeof(text),
                      "there is no descriptor, or no memory, for its %zu bytes", size);
    bough_log(bough_actor_runtime(proxy->actor), BOUGH_ERROR,
              bough_actor_path(proxy->actor), "a message is lost: %s", text);
    bough_held_answer(held, BOUGH_ENOMEM, text, strlen(text) + 1);
    bough_held_free(held);
}

static bool has_unsent(const struct bough_lane *lane)
{
    return lane->next != lane->end;
}

/* Those of high priority first. */
static void write_unsent(struct bough_proxy *proxy)
{
    for (int lane = BOUGH_LANE_COUNT; lane-- > 0;) {
        struct bough_lane *here = &proxy->handed.lanes[lane];

        while (has_unsent(here)) {
            const struct bough_held_message message =
                bough_held_message(*at(here, here->next));
            const enum bough_status status = hand_over(proxy, &message);

            if (status == BOUGH_ENOMEM)
                give_up(proxy, here);
            else if (status != BOUGH_OK)
                break;
        }
    }
}

void bough_handed_send(struct bough_proxy *proxy)
{
    if (proxy->ending) return; /* nobody takes them any more */
    write_unsent(proxy);
    if (proxy->busy) bough_traffic_expect(proxy->host);
    bough_border_poke(&proxy->host->border);
}

void bough_handed_add(struct bough_proxy *proxy,
                      const struct bough_held_message *messages, size_t count)
{
    struct bough_lane *lanes = proxy->handed.lanes;
    bool writes = !proxy->ending && !has_unsent(&lanes[BOUGH_LANE_NORMAL]) &&
                  !has_unsent(&lanes[BOUGH_LANE_HIGH]);

    for (size_t i = 0; i < count; i++) {
        struct bough_lane *here = &lanes[lane_of(&messages[i])];

        bough_assert(bough_lane_count(here) < here->size);
        *at(here, here->end++) = messages[i].held;
        /* While it is in the cache. What cannot be written is seen to when all is sent.
         */
        if (writes) writes = hand_over(proxy, &messages[i]) == BOUGH_OK;
    }
    if (count == 0 || proxy->busy) return;
    proxy->busy = true;
    DL_APPEND(proxy->host->busy, proxy);
}

/* Ends */

static void keep_open(struct bough_proxy *proxy, uint64_t id, struct bough_held *held)
{
    struct bough_open_question *question = malloc(sizeof(*question));

    if (question != NULL) {
        *question = (struct bough_open_question){ .id = id, .held = held };
        HASH_ADD(hh, proxy->handed.open, id, sizeof(id), question);
        if (question->hh.tbl != NULL) return;
    }
    free(question);
    bough_held_answer(held, BOUGH_ENOMEM, NULL, 0);
    bough_held_free(held);
}

static void retire(struct bough_proxy *proxy, int lane, uint32_t done)
{
    struct bough_lane *here = &proxy->handed.lanes[lane];

    while (here->first != done) {
        const uint32_t left = done - here->first,
                       to_end = -here->first & (here->size - 1);
        const uint32_t count = to_end > 0 && to_end < left ? to_end : left;
        struct bough_held **held = at(here, here->first);
        const uint32_t released = (uint32_t)bough_held_over(held, count);

        here->first += released;
        if (released == count) continue;
        const uint64_t id = bough_handed_id(proxy->number, lane, here->first++);
        keep_open(proxy, id, held[released]);
    }
}

/* What a life that is over broke by stays begun and not done until the next one begins.
 */
static union bough_progress progress_of(const struct bough_proxy *proxy, int lane)
{
    const struct bough_border_page *theirs = proxy->host->border.theirs;
    const uint32_t first = proxy->handed.lanes[lane].first;
    union bough_progress progress = { .all = atomic_load_explicit(
                                          &theirs->progress[proxy->number][lane],
                                          memory_order_acquire) };

    if (progress.begun == first && progress.done == first - 1) progress.done = first;
    return progress;
}

/* Between those known to be done and those sent; and at most one more is begun. */
static bool is_plausible(const struct bough_lane *lane, union bough_progress progress)
{
    return progress.done - lane->first <= lane->next - lane->first &&
           progress.begun - progress.done <= 1 &&
           progress.begun - lane->first <= lane->next - lane->first;
}

/* Each look has the line fetched from the other processor, and costs that its next store.
 */
bool bough_handed_moves(const struct bough_proxy *proxy)
{
    enum { PART = 8 };

    for (int lane = 0; lane < BOUGH_LANE_COUNT; lane++) {
        const struct bough_lane *here = &proxy->handed.lanes[lane];
        const uint32_t sent = here->next - here->first;

        if (sent > 0 && progress_of(proxy, lane).done - here->first > sent / PART)
            return true;
    }
    return false;
}

bool bough_handed_has_run(const struct bough_proxy *proxy)
{
    for (int lane = 0; lane < BOUGH_LANE_COUNT; lane++) {
        if (progress_of(proxy, lane).done != proxy->handed.lanes[lane].first) return true;
    }
    return false;
}

bool bough_handed_retire(struct bough_proxy *proxy)
{
    for (int lane = 0; lane < BOUGH_LANE_COUNT; lane++) {
        const union bough_progress progress = progress_of(proxy, lane);

        if (!is_plausible(&proxy->handed.lanes[lane], progress)) return false;
        retire(proxy, lane, progress.done);
    }
    if (proxy->busy && !bough_handed_waits(proxy)) {
        proxy->busy = false;
        DL_DELETE(proxy->host->busy, proxy);
    }
    return true;
}

bool bough_handed_running(const struct bough_proxy *proxy,
                          struct bough_held_message *message)
{
    for (int i = 0; i < BOUGH_LANE_COUNT; i++) {
        const struct bough_lane *lane = &proxy->handed.lanes[i];
        const union bough_progress progress = progress_of(proxy, i);

        if (!is_plausible(lane, progress) || progress.begun == progress.done) continue;
        *message = bough_held_message(*at(lane, progress.done));
        return true;
    }
    return false;
}

/* Answers */

static bool is_sent(const struct bough_proxy *proxy, uint64_t id)
{
    const struct bough_lane *lane = &proxy->handed.lanes[id >> 32 & 1];

    return (uint32_t)id - lane->first < lane->next - lane->first;
}

/* Whether the bytes are what such a message is answered with: whoever asks reads them as
 * they are. A type without a table of messages is on its own. */
static bool reply_is_valid(const struct bough_proxy *proxy, struct bough_held *held,
                           const void *reply, size_t size)
{
    const struct bough_actor_type *type = proxy->spec->type;
    const struct bough_held_message message = bough_held_message(held);

    if (type->messages == NULL) return true;
    const struct bough_message_type *row =
        bough_message_row(type, message.bytes, message.size);
    if (row == NULL) return false;
    if (row->reply_size == 0) return size == 0;
    return size >= row->reply_size &&
           bough_block_valid(row->reply, row->reply_count, reply, row->reply_size, size);
}

static bool is_text(const char *text, size_t size)
{
    return size == 0 || (text[size - 1] == '\0' && bough_utf8_valid(text, size - 1));
}

static bool answer(const struct bough_proxy *proxy, struct bough_held *held,
                   const struct bough_frame *frame, const void *reply, size_t size)
{
    if (frame->status >= BOUGH_STATUS_COUNT || !bough_held_message(held).asked)
        return false;
    if (frame->status == BOUGH_OK ? !reply_is_valid(proxy, held, reply, size)
                                  : !is_text(reply, size))
        return false;
    bough_held_answer(held, (enum bough_status)frame->status, reply, size);
    return true;
}

bool bough_handed_answer(struct bough_proxy *proxy, const struct bough_frame *frame,
                         const void *reply, size_t size)
{
    struct bough_open_question *question;

    if (is_sent(proxy, frame->id)) {
        struct bough_lane *lane = &proxy->handed.lanes[frame->id >> 32 & 1];

        return answer(proxy, *at(lane, (uint32_t)frame->id), frame, reply, size);
    }
    HASH_FIND(hh, proxy->handed.open, &frame->id, sizeof(frame->id), question);
    if (question == NULL || !answer(proxy, question->held, frame, reply, size))
        return false;
    HASH_DEL(proxy->handed.open, question);
    bough_held_free(question->held);
    free(question);
    return true;
}

/* The end */

static void close_open(struct bough_handed_on *handed)
{
    struct bough_open_question *question, *next;

    HASH_ITER (hh, handed->open, question, next) {
        HASH_DEL(handed->open, question);
        bough_held_free(question->held);
        free(question);
    }
}

/* What was being run when it ended by itself. */
static bool is_to_blame(const struct bough_proxy *proxy)
{
    return proxy->told ? !bough_exit_good(&proxy->reason) : !proxy->host->ordered;
}

/* The one that was being run has crashed; those behind it are the first in the mailbox
 * again. Of a child that says nonsense about that it is not known which it has run: none
 * of those it was sent is run again. */
static void give_back(struct bough_proxy *proxy, int lane)
{
    struct bough_lane *here = &proxy->handed.lanes[lane];
    const union bough_progress progress = progress_of(proxy, lane);
    const bool plausible = is_plausible(here, progress);
    const uint32_t begun = plausible ? progress.begun : here->next;

    if (plausible) retire(proxy, lane, progress.done);
    while (here->end != begun)
        bough_held_return(*at(here, --here->end));
    for (; here->first != begun; here->first++) {
        if (plausible)
            bough_held_broke(*at(here, here->first), is_to_blame(proxy));
        else
            bough_held_free(*at(here, here->first));
    }
    proxy->host->berths[proxy->number].begun[lane] = begun;
    free(here->held);
}

void bough_handed_close(struct bough_proxy *proxy)
{
    for (int lane = 0; lane < BOUGH_LANE_COUNT; lane++)
        give_back(proxy, lane);
    close_open(&proxy->handed);
    if (proxy->busy) DL_DELETE(proxy->host->busy, proxy);
    proxy->busy = false;
}
