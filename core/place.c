/* place.c - places: made, reserved, started, marked, shown, freed.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/core/place.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bough/core/assert.h>
#include <bough/core/name_internal.h>
#include <bough/core/runtime_internal.h>

static const char *const state_names[] = {
    [BOUGH_PLACE_RESERVED] = "stopped",      [BOUGH_PLACE_STARTING] = "starting",
    [BOUGH_PLACE_RUNNING] = "running",       [BOUGH_PLACE_STOPPING] = "stopping",
    [BOUGH_PLACE_RESTARTING] = "restarting", [BOUGH_PLACE_STOPPED] = "stopped",
    [BOUGH_PLACE_FAILED] = "failed",
};
_Static_assert(bough_count_of(state_names) == BOUGH_PLACE_STATE_COUNT,
               "a state has no name");

const char *bough_place_state_name(enum bough_place_state state)
{
    bough_assert(state < BOUGH_PLACE_STATE_COUNT);
    return state_names[state];
}

static struct bough_address place_of(const struct bough_actor *slot)
{
    return (struct bough_address){ (struct bough_actor *)(uintptr_t)slot, slot->place,
                                   0 };
}

/* Options */

/* False when memory is out. */
static bool copy_options(const struct bough_actor_type *type, const void *options,
                         void **copy)
{
    *copy = NULL;
    if (type->copy_options != NULL) {
        if (options == NULL) return true;
        *copy = type->copy_options(options);
    } else if (type->options_size > 0) {
        *copy = bough_options_copy(type->options, type->option_count, type->options_size,
                                   options);
    } else {
        return true;
    }
    return *copy != NULL;
}

static void release_options(const struct bough_actor_type *type, void *options)
{
    if (options == NULL) return;
    if (type->free_options != NULL) {
        type->free_options(options);
    } else {
        free(options);
    }
}

static void free_options(struct bough_actor *slot)
{
    if (slot->annex == NULL) return;
    release_options(slot->type, slot->annex->options);
    slot->annex->options = NULL;
}

/* Making */

static struct bough_actor *new_slot(struct bough_loop *loop)
{
    struct bough_actor *slot = bough_slot_new(loop);

    if (slot == NULL) return NULL;
    slot->gate.phase = BOUGH_PLACE_RESERVED;
    slot->capacity = BOUGH_MAILBOX_CAPACITY;
    return slot;
}

/* A named slot that takes messages and knows no type yet. */
static struct bough_actor *reserve(struct bough_loop *loop, struct bough_name *parent,
                                   const char *name)
{
    struct bough_actor *slot = new_slot(loop);

    if (slot != NULL && bough_name_new(slot, parent, name) == NULL) {
        bough_slot_free(slot);
        return NULL;
    }
    return slot;
}

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
    *parent = bough_slot_name(above);
    if (*parent == NULL || !bough_name_valid(spec->name)) return BOUGH_EINVALID;

    const char *prefix = (*parent)->parent == NULL ? "" : (*parent)->path;
    const int len = snprintf(path, BOUGH_PATH_MAX, "%s/%s", prefix, spec->name);
    return len < BOUGH_PATH_MAX ? BOUGH_OK : BOUGH_ETOOLARGE;
}

static enum bough_status find_or_reserve(struct bough_loop *loop,
                                         const struct bough_place_spec *spec,
                                         struct bough_actor **slot)
{
    char path[BOUGH_PATH_MAX];
    struct bough_name *parent;

    if (spec->name == NULL) {
        *slot = new_slot(loop);
        return *slot != NULL ? BOUGH_OK : BOUGH_ENOMEM;
    }
    const enum bough_status status = make_path(spec, &parent, path);
    if (status != BOUGH_OK) return status;

    struct bough_name *name = bough_name_find(loop->runtime, path);
    if (name == NULL) {
        *slot = reserve(loop, parent, spec->name);
        return *slot != NULL ? BOUGH_OK : BOUGH_ENOMEM;
    }
    if (bough_slot_lives(name->slot)) return BOUGH_EPRESENT;
    bough_name_to_last(name);
    *slot = name->slot;
    return BOUGH_OK;
}

static void furnish(struct bough_actor *slot, const struct bough_place_spec *spec,
                    void *options)
{
    free_options(slot);
    if (options != NULL) slot->annex->options = options;
    slot->type = spec->type;
    slot->capacity = spec->capacity != 0 ? spec->capacity : BOUGH_MAILBOX_CAPACITY;
    slot->discard = spec->on_restart == BOUGH_DISCARD;
    slot->when_full = (unsigned char)spec->when_full;
    slot->gate.phase = BOUGH_PLACE_RESERVED;

    struct bough_name *name = bough_slot_name(slot);
    if (name == NULL) return;
    name->restart = spec->restart;
    name->speaks = spec->speaks;
    name->isolation = spec->isolation != NULL ? spec->isolation : "inline";
}

enum bough_status bough_place_new(struct bough_loop *loop,
                                  const struct bough_place_spec *spec,
                                  struct bough_address *place)
{
    struct bough_actor *slot;
    void *options;

    bough_assert(spec->type != NULL);
    bough_assert(spec->when_full < BOUGH_WHEN_FULL_COUNT);
    if (loop->closing) return BOUGH_EGONE;
    if (!copy_options(spec->type, spec->options, &options)) return BOUGH_ENOMEM;

    enum bough_status status = find_or_reserve(loop, spec, &slot);
    if (status == BOUGH_OK && options != NULL && bough_slot_annex(slot) == NULL) {
        bough_slot_free(slot);
        status = BOUGH_ENOMEM;
    }
    if (status != BOUGH_OK) {
        release_options(spec->type, options);
        return status;
    }
    furnish(slot, spec, options);
    *place = place_of(slot);
    return BOUGH_OK;
}

enum bough_status bough_place_start(struct bough_address place,
                                    const struct bough_start *start,
                                    struct bough_exit_reason *failure)
{
    static const struct bough_start plain = { .watch = NULL };
    struct bough_actor *slot = bough_slot(place);

    if (slot == NULL) {
        if (failure != NULL) {
            *failure = bough_exit_make(BOUGH_EXIT_ERROR, BOUGH_EGONE, 0, NULL);
        }
        return BOUGH_EGONE;
    }
    return bough_life_start(slot, start != NULL ? start : &plain, failure);
}

enum bough_status bough_spawn(struct bough_loop *loop,
                              const struct bough_actor_type *type, const void *options,
                              struct bough_watch *watch, struct bough_address *address,
                              struct bough_exit_reason *failure)
{
    const struct bough_place_spec spec = { .type = type, .options = options };
    const struct bough_start start = { .watch = watch };
    struct bough_address place;
    enum bough_status status = bough_place_new(loop, &spec, &place);

    if (status != BOUGH_OK) {
        if (failure != NULL)
            *failure = bough_exit_make(BOUGH_EXIT_ERROR, status, 0, NULL);
        return status;
    }
    status = bough_place_start(place, &start, failure);
    if (status != BOUGH_OK) {
        bough_place_free(place, 0);
        return status;
    }
    place.slot->fleeting = true;
    if (address != NULL) *address = bough_self(place.slot);
    return BOUGH_OK;
}

/* Marking and freeing */

void bough_place_mark(struct bough_address place, enum bough_place_state state)
{
    struct bough_actor *slot = bough_slot(place);

    if (slot == NULL) return;
    bough_assert(!bough_slot_lives(slot));
    bough_assert(state == BOUGH_PLACE_RESERVED || state >= BOUGH_PLACE_RESTARTING);
    if (state == BOUGH_PLACE_STOPPED || state == BOUGH_PLACE_FAILED) {
        bough_slot_settle(slot, state);
    } else {
        slot->gate.phase = (unsigned char)state;
    }
}

/* What waits below a place that nobody comes back to waits for nobody either. */
void bough_slot_settle(struct bough_actor *slot, enum bough_place_state state)
{
    slot->gate.phase = (unsigned char)state;
    bough_mail_flush(slot, true, BOUGH_EGONE);
    if (bough_slot_name(slot) == NULL) return;
    for (struct bough_name *child = bough_slot_name(slot)->first; child != NULL;
         child = child->next) {
        if (!bough_slot_lives(child->slot))
            bough_slot_settle(child->slot, BOUGH_PLACE_STOPPED);
    }
}

void bough_slot_vacate(struct bough_actor *slot, uint64_t cause)
{
    struct bough_name *name = bough_slot_name(slot);

    bough_assert(!bough_slot_lives(slot));
    while (name != NULL && name->last != NULL)
        bough_slot_vacate(name->last->slot, cause);
    slot->gate.phase = BOUGH_PLACE_STOPPED;
    bough_mail_flush(slot, true, BOUGH_EGONE);
    free_options(slot);
    if (name != NULL) {
        if (slot->type != NULL) bough_slot_event(slot, BOUGH_EVENT_REMOVED, cause, NULL);
        bough_name_free(name);
    }
    if (slot->loop->letters_slot == slot) slot->loop->letters_slot = NULL;
    bough_slot_free(slot);
}

void bough_place_free(struct bough_address place, uint64_t cause)
{
    struct bough_actor *slot = bough_slot(place);

    if (slot != NULL) bough_slot_vacate(slot, cause);
}

/* Finding */

enum bough_status bough_lookup(struct bough_loop *loop, const char *path,
                               struct bough_address *place)
{
    const struct bough_name *name = bough_name_find(loop->runtime, path);

    if (name == NULL) return BOUGH_ENOTFOUND;
    *place = place_of(name->slot);
    return BOUGH_OK;
}

/* From the root down, each step is found or reserved. */
enum bough_status bough_reference(struct bough_loop *loop, const char *path,
                                  struct bough_address *place)
{
    if (!bough_path_valid(path)) return BOUGH_EINVALID;

    char prefix[BOUGH_PATH_MAX] = "/";
    struct bough_name *name = bough_name_find(loop->runtime, prefix);
    const char *rest = path + 1;
    size_t len = 0;

    if (name == NULL) {
        struct bough_actor *root = reserve(loop, NULL, "/");
        if (root == NULL) return BOUGH_ENOMEM;
        name = bough_slot_name(root);
    }
    while (*rest != '\0') {
        const size_t step = strcspn(rest, "/");
        struct bough_name *parent = name;

        prefix[len++] = '/';
        memcpy(prefix + len, rest, step);
        len += step;
        prefix[len] = '\0';
        name = bough_name_find(loop->runtime, prefix);
        if (name == NULL) {
            struct bough_actor *slot = reserve(loop, parent, prefix + len - step);
            if (slot == NULL) return BOUGH_ENOMEM;
            name = bough_slot_name(slot);
        }
        rest += step;
        if (*rest == '/') rest++;
    }
    *place = place_of(name->slot);
    return BOUGH_OK;
}

/* Showing */

static void describe(const struct bough_actor *slot, struct bough_place_info *info)
{
    const struct bough_annex *annex = slot->annex;
    const struct bough_name *name = bough_slot_name(slot);

    *info = (struct bough_place_info){
        .path = bough_slot_path(slot),
        .type = slot->type,
        .speaks = slot->type,
        .options = annex != NULL ? annex->options : NULL,
        .state = slot->gate.phase,
        .life = slot->life,
        .mailbox_length = slot->length,
        .mailbox_capacity = slot->capacity,
        .dropped = annex != NULL ? annex->dropped : 0,
        .handled = slot->handled,
    };
    if (name == NULL) return;
    info->restarts = name->restarts;
    if (name->speaks != NULL) info->speaks = name->speaks;
    info->restart = name->restart;
    info->isolation = name->isolation;
    if (bough_slot_lives(slot)) {
        info->uptime_ms = bough_loop_now_ms(slot->loop) - name->started_ms;
    }
}

enum bough_status bough_place_info(struct bough_address place,
                                   struct bough_place_info *info)
{
    const struct bough_actor *slot = bough_slot(place);

    if (slot == NULL) return BOUGH_EGONE;
    describe(slot, info);
    return BOUGH_OK;
}

/* Depth first without recursion: down, else right, else up and right. A path that is only
 * reserved has nobody to show. */
enum bough_status bough_place_visit(struct bough_loop *loop, const char *path,
                                    bough_place_visitor *visitor, void *data)
{
    const struct bough_name *top = bough_name_find(loop->runtime, path);
    const struct bough_name *at = top;

    if (top == NULL) return BOUGH_ENOTFOUND;
    while (at != NULL) {
        struct bough_place_info info;

        if (at->slot->type != NULL) {
            describe(at->slot, &info);
            visitor(data, place_of(at->slot), &info);
        }
        if (at->first != NULL) {
            at = at->first;
            continue;
        }
        while (at != top && at->next == NULL)
            at = at->parent;
        at = at == top ? NULL : at->next;
    }
    return BOUGH_OK;
}
