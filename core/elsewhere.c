/* elsewhere.c - messages that are held until they have been run elsewhere, and lives
 * whose end waits for what is elsewhere.
 *
 * A held message keeps its cell, and takes its room out of the mailbox's capacity: so
 * whoever sends, from whatever loop, finds the mailbox as full as it is, and no send has
 * more to look at than before.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/core/elsewhere.h>

#include <stdlib.h>
#include <string.h>

#include <bough/core/assert.h>
#include <bough/core/held_internal.h>
#include <bough/core/kept_reason_internal.h>
#include <bough/core/mail_internal.h>
#include <bough/core/quarantine_internal.h>

static struct bough_actor *actor_of(const struct bough_held *held)
{
    return (void *)(bough_held_tag(held) & ~(uintptr_t)BOUGH_HELD_BITS); /* NOLINT */
}

/* Holding */

struct bough_held *bough_hold_next(struct bough_actor *actor)
{
    const bool high = (actor->gate.detour & BOUGH_DETOUR_HIGH) != 0;

    bough_assert(actor->type->holds);
    bough_assert(actor->loop->message == NULL || actor->loop->running != actor);
    if (actor->length == 0 || bough_slot_annex(actor) == NULL) return NULL;
    struct bough_held *held = bough_hold_cell(actor, bough_mail_take(actor), high);
    bough_hold_count(actor, 1);
    bough_poke(&actor->seen_length, actor->length);
    return held;
}

static bool is_high(const struct bough_held *held)
{
    return (bough_held_tag(held) & BOUGH_HELD_HIGH) != 0;
}

static bool is_asked(const struct bough_held *held)
{
    return bough_cell_is_asked(&held->cell);
}

struct bough_held_message bough_held_message(struct bough_held *held)
{
    return bough_held_view(held);
}

void bough_held_answer(struct bough_held *held, enum bough_status status,
                       const void *reply, size_t size)
{
    if (!is_asked(held)) return;
    bough_answer(bough_cell_asker(&held->cell), status, reply, size);
    bough_cell_set_told(&held->cell);
}

static void give_room(struct bough_actor *actor, uint32_t count)
{
    const uint32_t most = UINT32_MAX - actor->capacity;

    actor->annex->held -= count;
    bough_poke(&actor->capacity, actor->capacity + (count < most ? count : most));
}

/* True: it counts as run only now. */
static bool note_run(struct bough_held *held)
{
    const bool first = (bough_held_tag(held) & BOUGH_HELD_RAN) == 0;

    bough_held_set_tag(held, bough_held_tag(held) | BOUGH_HELD_RAN);
    return first;
}

static void count_as_run(struct bough_actor *actor, uint32_t count)
{
    actor->handled += count;
    give_room(actor, count);
    if ((actor->gate.detour & BOUGH_DETOUR_AWAITED) != 0) bough_full_relax(actor);
}

static void release(struct bough_actor *actor, struct bough_held *held)
{
    bough_quarantine_forget(actor, &held->cell);
    bough_cell_free(actor->loop, &held->cell);
}

/* A cell is fetched before its turn comes, for they are many, and lie anywhere. */
size_t bough_held_over(struct bough_held *const *held, size_t count)
{
    enum { AHEAD = 8 };
    struct bough_actor *actor = actor_of(held[0]);
    uint32_t ran = 0;
    size_t i = 0;

    for (; i < count; i++) {
        if (i + AHEAD < count) __builtin_prefetch(held[i + AHEAD]);
        ran += note_run(held[i]);
        if (is_asked(held[i])) break;
        release(actor, held[i]);
    }
    if (ran > 0) count_as_run(actor, ran);
    return i;
}

void bough_held_free(struct bough_held *held)
{
    struct bough_actor *actor = actor_of(held);

    if (bough_held_over(&held, 1) == 1) return;
    if (actor->gate.doomed)
        bough_answer_end(bough_cell_asker(&held->cell), bough_slot_reason(actor));
    else
        bough_answer(bough_cell_asker(&held->cell), BOUGH_ENOREPLY, NULL, 0);
    release(actor, held);
}

void bough_held_return(struct bough_held *held)
{
    struct bough_actor *actor = actor_of(held);
    const bool high = is_high(held);

    bough_assert((bough_held_tag(held) & BOUGH_HELD_RAN) == 0);
    give_room(actor, 1);
    held->cell.next = NULL;
    bough_mail_put_first(actor, &held->cell, high);
}

void bough_held_broke(struct bough_held *held, bool blamed)
{
    struct bough_actor *actor = actor_of(held);
    const bool high = is_high(held);

    if (!bough_quarantine_accuse(actor, &held->cell, high, blamed)) {
        bough_held_free(held);
        return;
    }
    if (note_run(held)) count_as_run(actor, 1);
    held->cell.next = NULL;
}

/* Lingering */

static void linger_release(struct bough_owned *owned)
{
    struct bough_linger *linger = bough_container(owned, struct bough_linger, owned);
    struct bough_actor *actor = linger->actor;
    const struct bough_exit_reason reason = *bough_slot_reason(actor);

    linger->ends(linger, &reason, actor->loop->closing);
}

void bough_linger(struct bough_actor *actor, struct bough_linger *linger)
{
    struct bough_name *name = bough_slot_name(actor);

    bough_assert(name != NULL);
    linger->actor = actor;
    linger->owned.link = NULL;
    bough_owned_add(actor, &linger->owned, linger_release);
    name->child_lives++;
}

void bough_linger_over(struct bough_linger *linger)
{
    bough_owned_remove(&linger->owned);
    bough_life_over(linger->actor);
}

/* Told by the tasks of the watches, never from here. */
void bough_next_life(struct bough_actor *actor, const struct bough_exit_reason *reason)
{
    const struct bough_exit_reason *kept = bough_reason_keep(actor->loop, reason);

    bough_watches_pend(actor, kept);
    bough_reason_drop(actor->loop, kept);
    bough_poke_next(&actor->life);
}

/* Loops */

void bough_loop_begin(struct bough_loop *loop)
{
    bough_loop_enter(loop);
}

void bough_loop_end(struct bough_loop *loop)
{
    bough_loop_leave(loop);
}

enum bough_isolation bough_actor_isolation(struct bough_actor *actor)
{
    const struct bough_name *name = bough_slot_name(actor);

    return name != NULL ? name->isolation : BOUGH_INLINE;
}

struct bough_actor *bough_parent(struct bough_actor *actor)
{
    const struct bough_name *name = bough_slot_name(actor);
    struct bough_actor *parent =
        name != NULL && name->parent != NULL ? name->parent->slot : NULL;

    return parent != NULL && parent->loop == actor->loop && bough_slot_lives(parent)
               ? parent
               : NULL;
}

/* Showing */

void bough_show_pid(struct bough_actor *actor, int64_t pid)
{
    struct bough_name *name = bough_slot_name(actor);

    if (name != NULL)
        atomic_store_explicit(&name->pid, (int32_t)pid, memory_order_relaxed);
}

/* Written by its own loop alone. */
void bough_show_spent(struct bough_actor *actor, int64_t cpu_ms)
{
    struct bough_name *name = bough_slot_name(actor);

    bough_show_pid(actor, 0);
    if (name == NULL) return;
    const int64_t before = atomic_load_explicit(&name->spent_ms, memory_order_relaxed);
    atomic_store_explicit(&name->spent_ms, before + cpu_ms, memory_order_relaxed);
}

bool bough_is_high(struct bough_actor *actor)
{
    return actor->loop->high;
}

/* What runs */

void bough_loop_beat_at(struct bough_loop *loop, _Atomic uint64_t *beat)
{
    loop->beat = beat;
    bough_loop_rests(loop);
}

static void beat_for(const struct bough_loop *loop, uint64_t who, uint32_t more)
{
    const uint32_t count =
        (uint32_t)atomic_load_explicit(loop->beat, memory_order_relaxed) + more;

    atomic_store_explicit(loop->beat, who << 32 | count, memory_order_relaxed);
}

void bough_loop_rests(const struct bough_loop *loop)
{
    beat_for(loop, BOUGH_BEAT_RESTS, 0);
}

void bough_loop_wakes(const struct bough_loop *loop)
{
    beat_for(loop, 0, 1);
}

const char *bough_loop_runs(const struct bough_loop *loop)
{
    const struct bough_actor *slot = loop->running;

    return slot != NULL && bough_slot_name(slot) != NULL ? bough_slot_path(slot) : NULL;
}
