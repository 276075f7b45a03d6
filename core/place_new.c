/* place_new.c - places are made: a slot, its name, what is to live there.
 *
 * A place is made by the loop of the place above it, and lies on that loop, or on one of
 * a thread of its own. Then it is that loop that furnishes it, by a letter which comes
 * before any other about it; here are the errors, and the name, which is there at once.
 *
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bough/core/assert.h>
#include <bough/core/letter_internal.h>
#include <bough/core/name_internal.h>
#include <bough/core/quarantine_internal.h>
#include <bough/core/runtime_internal.h>

const char *const bough_isolation_names[] = {
    [BOUGH_INLINE] = "inline",
    [BOUGH_THREAD] = "thread",
    [BOUGH_PROCESS] = "process",
    [BOUGH_ISOLATION_COUNT] = NULL,
};

/* Options */

/* False when memory is out. */
static bool copy_options(const struct bough_place_spec *spec, void **copy)
{
    const struct bough_actor_type *type = spec->type;

    *copy = NULL;
    if (type->copy_options != NULL) {
        if (spec->options == NULL) return true;
        *copy = type->copy_options(spec->options);
    } else if (type->options_size == 0) {
        return true;
    } else if (spec->shares_options) {
        *copy = bough_options_share(spec->options);
    } else {
        *copy = bough_options_copy(type->options, type->option_count, type->options_size,
                                   spec->options);
    }
    return *copy != NULL;
}

void bough_options_release(const struct bough_actor_type *type, void *options)
{
    if (options == NULL) return;
    if (type->free_options != NULL) {
        type->free_options(options);
    } else {
        bough_options_drop(options);
    }
}

/* Under the lock: somebody may be looking at them, for people. */
void bough_slot_free_options(struct bough_actor *slot)
{
    if (slot->annex == NULL || slot->annex->options == NULL) return;
    bough_runtime_lock(slot->loop->runtime);
    bough_options_release(slot->type, slot->annex->options);
    slot->annex->options = NULL;
    bough_runtime_unlock(slot->loop->runtime);
}

/* Furnishing */

void bough_slot_furnish(struct bough_actor *slot,
                        const struct bough_furnishing *furnishing)
{
    const bool shown = bough_slot_name(slot) != NULL;

    if (shown) bough_runtime_lock(slot->loop->runtime);
    bough_slot_free_options(slot);
    if (furnishing->options != NULL) slot->annex->options = furnishing->options;
    bough_slot_set_quarantine(slot, furnishing->quarantine);
    bough_assert(furnishing->type->messages == NULL ||
                 furnishing->type->message_size >= sizeof(uint32_t));
    slot->type = furnishing->type;
    bough_poke(&slot->capacity, furnishing->capacity);
    atomic_store_explicit(&slot->when_full, (unsigned char)furnishing->when_full,
                          memory_order_relaxed);
    slot->discard = furnishing->discard;
    slot->gate.phase = BOUGH_PLACE_RESERVED;
    slot->gate.detour &= (unsigned char)~BOUGH_DETOUR_TRADES;
    if (furnishing->when_full == BOUGH_DROP_OLDEST)
        slot->gate.detour |= BOUGH_DETOUR_TRADES;
    if (shown) bough_runtime_unlock(slot->loop->runtime);
}

static enum bough_status furnish(struct bough_actor *slot,
                                 const struct bough_furnishing *furnishing)
{
    if (!bough_loop_is_near(slot->loop)) {
        const struct bough_address place = bough_slot_place(slot);
        return bough_post_furnish(place, furnishing) ? BOUGH_OK : BOUGH_ENOMEM;
    }
    if ((furnishing->options != NULL || furnishing->quarantine != NULL) &&
        bough_slot_annex(slot) == NULL)
        return BOUGH_ENOMEM;
    bough_slot_furnish(slot, furnishing);
    return BOUGH_OK;
}

/* Slots */

/* Nobody but this thread has it, also when it is one of another loop, until its address
 * is given out. */
static enum bough_status new_slot(struct bough_loop *loop, bool apart,
                                  struct bough_actor **slot)
{
    if (apart) return bough_apart_take(loop->runtime, slot);
    *slot = bough_slot_new(loop);
    return *slot != NULL ? BOUGH_OK : BOUGH_ENOMEM;
}

/* One that nobody knows yet. */
static void give_slot_back(struct bough_actor *slot)
{
    if (bough_loop_is_near(slot->loop)) {
        bough_slot_free(slot);
    } else {
        bough_post_free(bough_slot_place(slot), 0);
    }
}

/* A named slot that takes messages and knows no type yet. */
enum bough_status bough_slot_reserve(struct bough_loop *loop, bool apart,
                                     struct bough_name *parent, const char *text,
                                     struct bough_name **name)
{
    struct bough_actor *slot;
    const enum bough_status status = new_slot(loop, apart, &slot);

    if (status != BOUGH_OK) return status;
    *name = bough_name_new(slot, parent, text);
    if (*name == NULL) {
        give_slot_back(slot);
        return BOUGH_ENOMEM;
    }
    slot->annex = &(*name)->annex;
    return BOUGH_OK;
}

/* Moving: a place that was reserved by a reference, or lived on its parent's loop, is to
 * be on a thread. Whoever has its old address is led to the new one. */

static void forward_mail(struct bough_actor *slot, struct bough_address to)
{
    while (slot->length > 0) {
        struct bough_cell *cell = bough_mail_take(slot);
        struct bough_buffer *buffer = bough_cell_buffer(cell);
        const bool asked = bough_cell_is_asked(cell);
        struct bough_mail mail = {
            .bytes = bough_cell_bytes(cell),
            .size = cell->size,
            .buffer = buffer != NULL ? bough_buffer_share(buffer) : NULL,
            .asker = asked ? bough_cell_asker(cell) : NULL,
        };
        const enum bough_status status = bough_mail_push(to, &mail);

        if (status != BOUGH_OK && asked)
            bough_answer(bough_cell_asker(cell), status, NULL, 0);
        if (status == BOUGH_ENOMEM && !asked) bough_dead_letter(slot->loop, slot);
        bough_buffer_drop(mail.buffer);
        bough_quarantine_forget(slot, cell);
        bough_cell_free(slot->loop, cell);
    }
}

static enum bough_status move_apart(struct bough_name *name)
{
    struct bough_actor *from = name->slot, *to;
    struct bough_sign *sign = bough_pool_take(&from->loop->pool, sizeof(*sign));

    if (sign == NULL) return BOUGH_ENOMEM;

    const enum bough_status status = bough_apart_take(from->loop->runtime, &to);
    if (status != BOUGH_OK) {
        bough_pool_give(&from->loop->pool, sign, sizeof(*sign));
        return status;
    }
    bough_slot_free_options(from);
    *sign = (struct bough_sign){ .moved = bough_slot_place(to) };
    bough_poke(&to->life, from->life);
    to->annex = &name->annex;
    name->slot = to;
    name->sign = bough_slot_place(from);
    forward_mail(from, sign->moved);
    from->annex = &sign->annex;
    from->is_sign = true;
    return BOUGH_OK;
}

/* Names */

/* Whether spec's name is allowed under its parent; `path` gets the whole. */
static enum bough_status make_path(const struct bough_place_spec *spec,
                                   struct bough_name **parent, char path[BOUGH_PATH_MAX])
{
    const struct bough_actor *above = bough_slot(spec->parent);

    *parent = NULL;
    if (bough_address_is_nobody(spec->parent)) {
        if (strcmp(spec->name, "/") != 0) return BOUGH_EINVALID;
        memcpy(path, "/", sizeof("/"));
        return BOUGH_OK;
    }
    if (above == NULL) return BOUGH_EGONE;
    bough_assert(bough_loop_is_near(above->loop));
    *parent = bough_slot_name(above);
    if (*parent == NULL || !bough_name_valid(spec->name)) return BOUGH_EINVALID;

    return bough_name_path(*parent, spec->name, path) ? BOUGH_OK : BOUGH_ETOOLARGE;
}

static bool is_lived_in(const struct bough_actor *slot)
{
    return bough_loop_is_near(slot->loop) ? bough_slot_lives(slot)
                                          : bough_slot_lives_far(slot);
}

static const struct bough_actor_type *made_for(const struct bough_place_spec *spec)
{
    return spec->speaks != NULL && spec->type->holds ? spec->speaks : spec->type;
}

/* What waits for a type, and what that made below its place, is nothing for another. */
static void clear_of_another_type(struct bough_name *name,
                                  const struct bough_place_spec *spec)
{
    if (name->made_for == NULL || name->made_for == made_for(spec)) return;
    bough_place_mark(bough_slot_place(name->slot), BOUGH_PLACE_STOPPED);
    bough_name_sweep(name, NULL);
}

static enum bough_status find_or_reserve(struct bough_loop *loop,
                                         const struct bough_place_spec *spec,
                                         struct bough_name **name)
{
    const bool apart = spec->isolation == BOUGH_THREAD;
    char path[BOUGH_PATH_MAX];
    struct bough_name *parent;
    enum bough_status status = make_path(spec, &parent, path);

    if (status != BOUGH_OK) return status;
    *name = bough_name_find(loop->runtime, path);
    if (*name == NULL) return bough_slot_reserve(loop, apart, parent, spec->name, name);
    if (is_lived_in((*name)->slot)) return BOUGH_EPRESENT;
    clear_of_another_type(*name, spec);
    if (apart && bough_loop_is_near((*name)->slot->loop)) {
        /* Places below would be left behind on this loop. */
        bough_name_sweep(*name, NULL);
        status = move_apart(*name);
        if (status != BOUGH_OK) return status;
    }
    if (!spec->keeps_order) bough_name_to_last(*name);
    return BOUGH_OK;
}

/* Where it is, which may be a thread from the spec that it had before. */
static void label(struct bough_name *name, const struct bough_place_spec *spec)
{
    name->restart = spec->restart;
    name->speaks = spec->speaks;
    name->made_for = made_for(spec);
    if (!bough_loop_is_near(name->slot->loop))
        name->isolation = BOUGH_THREAD;
    else
        name->isolation = spec->isolation == BOUGH_PROCESS ? BOUGH_PROCESS : BOUGH_INLINE;
}

static enum bough_status make_unnamed(struct bough_loop *loop,
                                      const struct bough_place_spec *spec,
                                      struct bough_furnishing *furnishing,
                                      struct bough_actor **slot)
{
    enum bough_status status = new_slot(loop, spec->isolation == BOUGH_THREAD, slot);

    if (status != BOUGH_OK) return status;
    bough_apart_annex(*slot);
    status = furnish(*slot, furnishing);
    if (status != BOUGH_OK) give_slot_back(*slot);
    return status;
}

static enum bough_status make_named(struct bough_loop *loop,
                                    const struct bough_place_spec *spec,
                                    struct bough_furnishing *furnishing,
                                    struct bough_actor **slot)
{
    struct bough_name *name;

    bough_runtime_lock(loop->runtime);
    enum bough_status status = find_or_reserve(loop, spec, &name);
    if (status == BOUGH_OK) {
        label(name, spec);
        *slot = name->slot;
        status = furnish(*slot, furnishing);
    }
    bough_runtime_unlock(loop->runtime);
    return status;
}

enum bough_status bough_place_new(struct bough_loop *loop,
                                  const struct bough_place_spec *spec,
                                  struct bough_address *place)
{
    struct bough_furnishing furnishing = {
        .type = spec->type,
        .capacity = spec->capacity != 0 ? spec->capacity : BOUGH_MAILBOX_CAPACITY,
        .when_full = spec->when_full,
        .discard = spec->on_restart == BOUGH_DISCARD,
    };
    struct bough_actor *slot;

    bough_assert(spec->type != NULL);
    bough_assert(spec->when_full < BOUGH_WHEN_FULL_COUNT);
    if (loop->closing) return BOUGH_EGONE;
    if (!copy_options(spec, &furnishing.options)) return BOUGH_ENOMEM;
    if (spec->redeliver > 0) {
        furnishing.quarantine = bough_quarantine_new(spec->redeliver);
        if (furnishing.quarantine == NULL) {
            bough_options_release(spec->type, furnishing.options);
            return BOUGH_ENOMEM;
        }
    }

    const enum bough_status status = spec->name != NULL
                                         ? make_named(loop, spec, &furnishing, &slot)
                                         : make_unnamed(loop, spec, &furnishing, &slot);
    if (status != BOUGH_OK) {
        bough_options_release(spec->type, furnishing.options);
        bough_quarantine_free(furnishing.quarantine);
        return status;
    }
    *place = bough_slot_place(slot);
    return BOUGH_OK;
}
