/* letter.c - what each kind of letter does where it arrives, and when it cannot arrive.
 *
 * A row a kind: written by bough_post_...(), done by deliver_...(), and, when its loop
 * takes nothing any more, told to who waits for it by bounce_...(). A letter is the far
 * side of a public function and does nothing that the near side would not do.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/core/letter_internal.h>

#include <string.h>

#include <bough/core/assert.h>
#include <bough/core/quarantine_internal.h>
#include <bough/core/runtime_internal.h>

static const struct bough_asker nobody = { .loop = NULL };

/* Ends */

void bough_post_stop(struct bough_address address, uint64_t cause)
{
    struct bough_loop *to = address.slot->loop;
    struct bough_letter *letter = bough_letter_must(to, BOUGH_LETTER_STOP, address, 0);

    letter->number = cause;
    bough_post(letter);
}

static void deliver_stop(struct bough_loop *loop, struct bough_letter *letter)
{
    loop->cause = letter->number;
    bough_stop(letter->to);
    loop->cause = 0;
}

void bough_post_end(struct bough_address address, const struct bough_exit_reason *reason,
                    uint64_t cause)
{
    struct bough_loop *to = address.slot->loop;
    struct bough_letter *letter =
        bough_letter_must(to, BOUGH_LETTER_END, address, sizeof(*reason));

    letter->number = cause;
    memcpy(letter->bytes, reason, sizeof(*reason));
    bough_post(letter);
}

static const struct bough_exit_reason *reason_in(const struct bough_letter *letter)
{
    return (const struct bough_exit_reason *)(const void *)letter->bytes;
}

static void deliver_end(struct bough_loop *loop, struct bough_letter *letter)
{
    loop->cause = letter->number;
    bough_end(letter->to, reason_in(letter));
    loop->cause = 0;
}

/* Watches */

static void post_exited(const struct bough_asker *watch, struct bough_address life,
                        const struct bough_exit_reason *reason, uint64_t seq)
{
    struct bough_letter *letter =
        bough_letter_must(watch->loop, BOUGH_LETTER_EXITED, life, sizeof(*reason));

    letter->from = *watch;
    letter->number = seq;
    memcpy(letter->bytes, reason, sizeof(*reason));
    bough_post(letter);
}

static void post_ready(const struct bough_asker *watch, struct bough_address life,
                       uint64_t seq)
{
    struct bough_letter *letter =
        bough_letter_must(watch->loop, BOUGH_LETTER_READY, life, 0);

    letter->from = *watch;
    letter->number = seq;
    bough_post(letter);
}

/* What stands beside a life for a watch of another loop: a watch that writes. */
struct stand_in {
    struct bough_watch watch;
    struct bough_asker who;
};

static void stand_in_free(struct stand_in *stand_in)
{
    bough_pool_give(&stand_in->watch.address.slot->loop->pool, stand_in,
                    sizeof(*stand_in));
}

static void stand_in_ready(struct bough_watch *watch)
{
    const struct stand_in *self = bough_container(watch, struct stand_in, watch);

    post_ready(&self->who, watch->address, watch->seq);
}

static void stand_in_exited(struct bough_watch *watch,
                            const struct bough_exit_reason *reason)
{
    struct stand_in *self = bough_container(watch, struct stand_in, watch);

    post_exited(&self->who, watch->address, reason, watch->seq);
    stand_in_free(self);
}

static struct stand_in *stand_in_new(struct bough_actor *slot,
                                     const struct bough_asker *who)
{
    struct stand_in *self = bough_pool_take(&slot->loop->pool, sizeof(*self));

    if (self == NULL) return NULL;
    *self = (struct stand_in){ .watch = { .ready = stand_in_ready,
                                          .exited = stand_in_exited,
                                          .address = bough_self(slot) },
                               .who = *who };
    return self;
}

static void tell_lost(const struct bough_letter *letter, enum bough_status status,
                      const char *text)
{
    const struct bough_exit_reason reason =
        bough_exit_make(BOUGH_EXIT_LOST, status, 0, "%s", text);

    post_exited(&letter->from, letter->to, &reason, 0);
}

bool bough_post_watch(struct bough_address address, const struct bough_asker *watch)
{
    struct bough_loop *to = address.slot->loop;
    struct bough_letter *letter = bough_letter_new(to, BOUGH_LETTER_WATCH, address, 0);

    if (letter == NULL) return false;
    letter->from = *watch;
    bough_post(letter);
    return true;
}

static void deliver_watch(struct bough_loop *loop, struct bough_letter *letter)
{
    struct bough_actor *slot = bough_slot(letter->to);

    (void)loop;
    if (slot == NULL || !bough_slot_lives(slot)) {
        tell_lost(letter, BOUGH_OK, "it was over before it was watched");
        return;
    }
    struct stand_in *stand_in = stand_in_new(slot, &letter->from);
    if (stand_in == NULL) {
        tell_lost(letter, BOUGH_ENOMEM, "there was no memory to watch it");
        return;
    }
    bough_watch(&stand_in->watch, bough_self(slot));
}

static void bounce_watch(struct bough_letter *letter)
{
    tell_lost(letter, BOUGH_OK, "it was over before it was watched");
}

void bough_post_unwatch(struct bough_address address, const struct bough_asker *watch)
{
    struct bough_loop *to = address.slot->loop;
    struct bough_letter *letter = bough_letter_must(to, BOUGH_LETTER_UNWATCH, address, 0);

    letter->from = *watch;
    bough_post(letter);
}

/* One whose end is already being told is left alone: nobody has its ticket any more. */
static void deliver_unwatch(struct bough_loop *loop, struct bough_letter *letter)
{
    const struct bough_actor *slot = bough_slot(letter->to);

    (void)loop;
    if (slot == NULL || slot->annex == NULL) return;
    for (struct bough_watch *watch = slot->annex->watches; watch != NULL;
         watch = watch->next) {
        struct stand_in *self = bough_container(watch, struct stand_in, watch);

        if (watch->exited != stand_in_exited ||
            memcmp(&self->who, &letter->from, sizeof(self->who)) != 0)
            continue;
        bough_watch_cancel(watch);
        stand_in_free(self);
        return;
    }
}

static void deliver_ready(struct bough_loop *loop, struct bough_letter *letter)
{
    bough_watch_told_ready(loop, &letter->from, letter->to, letter->number);
}

static void deliver_exited(struct bough_loop *loop, struct bough_letter *letter)
{
    bough_watch_told_exited(loop, &letter->from, letter->to, reason_in(letter),
                            letter->number);
}

/* Places */

bool bough_post_furnish(struct bough_address place,
                        const struct bough_furnishing *furnishing)
{
    struct bough_loop *to = place.slot->loop;
    struct bough_letter *letter =
        bough_letter_new(to, BOUGH_LETTER_FURNISH, place, sizeof(*furnishing));

    if (letter == NULL) return false;
    memcpy(letter->bytes, furnishing, sizeof(*furnishing));
    bough_post(letter);
    return true;
}

static void bounce_furnish(struct bough_letter *letter)
{
    const struct bough_furnishing *furnishing =
        (const struct bough_furnishing *)(const void *)letter->bytes;

    bough_options_release(furnishing->type, furnishing->options);
    bough_quarantine_free(furnishing->quarantine);
}

static void deliver_furnish(struct bough_loop *loop, struct bough_letter *letter)
{
    const struct bough_furnishing *furnishing =
        (const struct bough_furnishing *)(const void *)letter->bytes;
    struct bough_actor *slot = bough_slot(letter->to);

    (void)loop;
    if (slot == NULL) { /* freed meanwhile */
        bounce_furnish(letter);
        return;
    }
    bough_assert(!bough_slot_lives(slot));
    bough_slot_furnish(slot, furnishing);
}

bool bough_post_start(struct bough_address place, const struct bough_start *start,
                      const struct bough_asker *watch)
{
    struct bough_loop *to = place.slot->loop;
    const struct bough_start_letter what = {
        .cause = start->cause,
        .restart = start->restart,
        .watched = watch != NULL,
    };
    struct bough_letter *letter =
        bough_letter_new(to, BOUGH_LETTER_START, place, sizeof(what));

    if (letter == NULL) return false;
    letter->from = watch != NULL ? *watch : nobody;
    memcpy(letter->bytes, &what, sizeof(what));
    bough_post(letter);
    return true;
}

static void start_failed(const struct bough_letter *letter,
                         const struct bough_exit_reason *failure, uint64_t seq)
{
    if (letter->from.loop == NULL) return;
    post_exited(&letter->from, letter->to, failure, seq);
}

static void deliver_start(struct bough_loop *loop, struct bough_letter *letter)
{
    const struct bough_start_letter *what =
        (const struct bough_start_letter *)(const void *)letter->bytes;
    struct bough_actor *slot = bough_slot(letter->to);
    struct stand_in *stand_in = NULL;
    struct bough_start start = { .cause = what->cause, .restart = what->restart };
    struct bough_exit_reason failure;

    (void)loop;
    bough_assert(slot != NULL);
    if (what->watched) {
        stand_in = stand_in_new(slot, &letter->from);
        if (stand_in == NULL) {
            failure = bough_exit_make(BOUGH_EXIT_ERROR, BOUGH_ENOMEM, 0, NULL);
            bough_life_uncount(slot);
            start_failed(letter, &failure, 0);
            return;
        }
        start.watch = &stand_in->watch;
    }
    const uint32_t before = slot->life;
    if (bough_life_start(slot, &start, &failure) == BOUGH_OK) return;
    if (slot->life == before) bough_life_uncount(slot);
    start_failed(letter, &failure, stand_in != NULL ? stand_in->watch.seq : 0);
    if (stand_in != NULL) stand_in_free(stand_in);
}

static void bounce_start(struct bough_letter *letter)
{
    const struct bough_exit_reason gone =
        bough_exit_make(BOUGH_EXIT_ERROR, BOUGH_EGONE, 0, "its loop has ended");

    bough_life_uncount(letter->to.slot);
    start_failed(letter, &gone, 0);
}

void bough_post_mark(struct bough_address place, enum bough_place_state state)
{
    struct bough_loop *to = place.slot->loop;
    struct bough_letter *letter = bough_letter_must(to, BOUGH_LETTER_MARK, place, 0);

    letter->number = state;
    bough_post(letter);
}

static void deliver_mark(struct bough_loop *loop, struct bough_letter *letter)
{
    (void)loop;
    bough_place_mark(letter->to, (enum bough_place_state)letter->number);
}

void bough_post_free(struct bough_address place, uint64_t cause)
{
    struct bough_loop *to = place.slot->loop;
    struct bough_letter *letter = bough_letter_must(to, BOUGH_LETTER_FREE, place, 0);

    letter->number = cause;
    bough_post(letter);
}

static void deliver_free(struct bough_loop *loop, struct bough_letter *letter)
{
    struct bough_actor *slot = bough_slot(letter->to);

    (void)loop;
    if (slot != NULL) bough_slot_vacate(slot, letter->number);
}

void bough_post_life_over(struct bough_address parent)
{
    struct bough_loop *to = parent.slot->loop;

    bough_post(bough_letter_must(to, BOUGH_LETTER_LIFE_OVER, parent, 0));
}

static void deliver_life_over(struct bough_loop *loop, struct bough_letter *letter)
{
    struct bough_actor *slot = bough_slot(letter->to);

    (void)loop;
    if (slot != NULL) bough_life_over(slot);
}

/* All kinds */

static void drop(struct bough_letter *letter)
{
    (void)letter;
}

static const struct {
    void (*deliver)(struct bough_loop *loop, struct bough_letter *letter);
    void (*bounce)(struct bough_letter *letter);
} rows[] = {
    [BOUGH_LETTER_NOTE] = { bough_deliver_note, bough_bounce_note },
    [BOUGH_LETTER_MESSAGE] = { bough_deliver_message, bough_bounce_message },
    [BOUGH_LETTER_HOLD_UP] = { bough_deliver_hold_up, bough_bounce_hold_up },
    [BOUGH_LETTER_LET_GO] = { bough_deliver_let_go, drop },
    [BOUGH_LETTER_ANSWER] = { bough_deliver_answer, drop },
    [BOUGH_LETTER_WATCH] = { deliver_watch, bounce_watch },
    [BOUGH_LETTER_UNWATCH] = { deliver_unwatch, drop },
    [BOUGH_LETTER_READY] = { deliver_ready, drop },
    [BOUGH_LETTER_EXITED] = { deliver_exited, drop },
    [BOUGH_LETTER_STOP] = { deliver_stop, drop },
    [BOUGH_LETTER_END] = { deliver_end, drop },
    [BOUGH_LETTER_FURNISH] = { deliver_furnish, bounce_furnish },
    [BOUGH_LETTER_START] = { deliver_start, bounce_start },
    [BOUGH_LETTER_MARK] = { deliver_mark, drop },
    [BOUGH_LETTER_FREE] = { deliver_free, drop },
    [BOUGH_LETTER_LIFE_OVER] = { deliver_life_over, drop },
};
_Static_assert(bough_count_of(rows) == BOUGH_LETTER_KIND_COUNT, "each kind has its row");

void bough_letter_deliver(struct bough_loop *loop, struct bough_letter *letter)
{
    rows[letter->kind].deliver(loop, letter);
}

void bough_letter_bounce(struct bough_letter *letter)
{
    rows[letter->kind].bounce(letter);
}
