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
#include <bough/core/kept_reason_internal.h>
#include <bough/core/mail_internal.h>
#include <bough/core/quarantine_internal.h>

/* It is its cell: one that is in no mailbox has no next one, and in place of that it says
 * whose it is, and two bits that an address of a slot does not need. */
struct bough_held {
    struct bough_cell cell;
};

enum { HELD_HIGH = 1, HELD_RAN = 2, HELD_BITS = HELD_HIGH | HELD_RAN };

static uintptr_t tag_of(const struct bough_held *held)
{
    return (uintptr_t)held->cell.next;
}

static void set_tag(struct bough_held *held, uintptr_t tag)
{
    held->cell.next = (void *)tag; /* NOLINT(performance-no-int-to-ptr) */
}

static struct bough_actor *actor_of(const struct bough_held *held)
{
    return (void *)(tag_of(held) & ~(uintptr_t)HELD_BITS); /* NOLINT */
}

/* Holding */

/* A cell's own loop is the only one that changes the capacity. */
static void take_room(struct bough_actor *actor, uint32_t capacity)
{
    bough_poke(&actor->capacity, capacity);
}

struct bough_held *bough_hold_cell(struct bough_actor *actor, struct bough_cell *cell,
                                   bool high)
{
    _Static_assert(_Alignof(struct bough_actor) > HELD_BITS, "there is room for them");
    struct bough_held *held = bough_container(cell, struct bough_held, cell);

    set_tag(held, (uintptr_t)actor | (high ? HELD_HIGH : 0));
    actor->annex->held++;
    if (actor->capacity > 0) take_room(actor, actor->capacity - 1);
    return held;
}

struct bough_held *bough_hold(struct bough_actor *actor)
{
    struct bough_loop *loop = actor->loop;
    struct bough_cell *cell = loop->message;

    bough_assert(actor->type->holds && cell != NULL);
    if (bough_slot_annex(actor) == NULL) return NULL;
    loop->message = NULL;
    return bough_hold_cell(actor, cell, loop->high);
}

struct bough_held *bough_hold_next(struct bough_actor *actor)
{
    const bool high = (actor->gate.detour & BOUGH_DETOUR_HIGH) != 0;

    bough_assert(actor->type->holds);
    bough_assert(actor->loop->message == NULL || actor->loop->running != actor);
    if (actor->length == 0 || bough_slot_annex(actor) == NULL) return NULL;
    struct bough_held *held = bough_hold_cell(actor, bough_mail_take(actor), high);
    bough_poke(&actor->seen_length, actor->length);
    return held;
}

static bool is_high(const struct bough_held *held)
{
    return (tag_of(held) & HELD_HIGH) != 0;
}

static bool is_asked(const struct bough_held *held)
{
    return bough_cell_is_asked(&held->cell);
}

struct bough_held_message bough_held_message(const struct bough_held *held)
{
    return (struct bough_held_message){ .bytes = bough_cell_bytes(&held->cell),
                                        .size = held->cell.size,
                                        .high = is_high(held),
                                        .asked = is_asked(held) };
}

void bough_held_answer(struct bough_held *held, enum bough_status status,
                       const void *reply, size_t size)
{
    if (!is_asked(held)) return;
    bough_answer(bough_cell_asker(&held->cell), status, reply, size);
    bough_cell_set_told(&held->cell);
}

static void give_room(struct bough_actor *actor)
{
    actor->annex->held--;
    if (actor->capacity < UINT32_MAX) take_room(actor, actor->capacity + 1);
}

static void count_as_run(struct bough_actor *actor, struct bough_held *held)
{
    if ((tag_of(held) & HELD_RAN) != 0) return;
    set_tag(held, tag_of(held) | HELD_RAN);
    actor->handled++;
    give_room(actor);
    if ((actor->gate.detour & BOUGH_DETOUR_AWAITED) != 0) bough_full_relax(actor);
}

void bough_held_ran(struct bough_held *held)
{
    count_as_run(actor_of(held), held);
}

static void release(struct bough_actor *actor, struct bough_held *held)
{
    bough_quarantine_forget(actor, &held->cell);
    bough_cell_free(actor->loop, &held->cell);
}

bool bough_held_over(struct bough_held *held)
{
    struct bough_actor *actor = actor_of(held);

    count_as_run(actor, held);
    if (is_asked(held)) return false;
    release(actor, held);
    return true;
}

void bough_held_free(struct bough_held *held)
{
    struct bough_actor *actor = actor_of(held);

    if (bough_held_over(held)) return;
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

    bough_assert((tag_of(held) & HELD_RAN) == 0);
    give_room(actor);
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
    bough_held_ran(held);
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
