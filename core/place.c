/* place.c - places: reserved, started, marked, shown, freed.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/core/place.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bough/core/assert.h>
#include <bough/core/letter_internal.h>
#include <bough/core/name_internal.h>
#include <bough/core/quarantine_internal.h>
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

struct bough_address bough_slot_place(const struct bough_actor *slot)
{
    return (struct bough_address){ .slot = (struct bough_actor *)(uintptr_t)slot,
                                   .place = slot->place };
}

static enum bough_status refuse(enum bough_status status,
                                struct bough_exit_reason *failure)
{
    if (failure != NULL) *failure = bough_exit_make(BOUGH_EXIT_ERROR, status, 0, NULL);
    return status;
}

enum bough_status bough_place_start(struct bough_address place,
                                    const struct bough_start *start,
                                    struct bough_exit_reason *failure)
{
    static const struct bough_start plain = { .watch = NULL };

    place = bough_moved(place);
    if (start == NULL) start = &plain;

    struct bough_actor *slot = bough_slot(place);
    if (slot == NULL) return refuse(BOUGH_EGONE, failure);
    if (!bough_loop_is_near(slot->loop))
        return bough_life_start_far(slot, start, failure);
    return bough_life_start(slot, start, failure);
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

    if (status != BOUGH_OK) return refuse(status, failure);
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
    place = bough_moved(place);

    struct bough_actor *slot = bough_slot(place);
    if (slot == NULL) return;
    bough_assert(state == BOUGH_PLACE_RESERVED || state >= BOUGH_PLACE_RESTARTING);
    if (!bough_loop_is_near(slot->loop)) {
        bough_post_mark(place, state);
        return;
    }
    bough_assert(!bough_slot_lives(slot));
    if (state == BOUGH_PLACE_STOPPED || state == BOUGH_PLACE_FAILED) {
        bough_slot_settle(slot, state);
    } else {
        slot->gate.phase = (unsigned char)state;
    }
}

void bough_place_show_last(struct bough_address place, const char *restart)
{
    place = bough_moved(place);

    struct bough_actor *slot = bough_slot(place);
    if (slot == NULL) return;
    bough_runtime_lock(slot->loop->runtime);
    struct bough_name *name = bough_slot_name(slot);
    if (name != NULL) {
        name->restart = restart;
        bough_name_to_last(name);
    }
    bough_runtime_unlock(slot->loop->runtime);
}

void bough_place_set_record(struct bough_address place, void *record)
{
    place = bough_moved(place);

    struct bough_actor *slot = bough_slot(place);
    if (slot == NULL) return;
    bough_runtime_lock(slot->loop->runtime);
    struct bough_name *name = bough_slot_name(slot);
    if (name != NULL) name->record = record;
    bough_runtime_unlock(slot->loop->runtime);
}

void *bough_place_record(struct bough_actor *parent, const char *text)
{
    struct bough_runtime *runtime = parent->loop->runtime;
    const struct bough_name *above = bough_slot_name(parent);
    char path[BOUGH_PATH_MAX];

    if (above == NULL || !bough_name_valid(text)) return NULL;
    if (!bough_name_path(above, text, path)) return NULL;
    bough_runtime_lock(runtime);
    const struct bough_name *name = bough_name_find(runtime, path);
    void *record = name != NULL ? name->record : NULL;
    bough_runtime_unlock(runtime);
    return record;
}

void bough_place_replace_options(struct bough_actor *actor, void *options)
{
    bough_assert(actor->annex != NULL);
    bough_runtime_lock(actor->loop->runtime);
    bough_slot_free_options(actor);
    actor->annex->options = options;
    bough_runtime_unlock(actor->loop->runtime);
}

/* What waits below a place that nobody comes back to waits for nobody either. One that
 * lives on a loop of its own is looked at there. */
static void settle_child(struct bough_actor *slot)
{
    if (bough_loop_is_near(slot->loop)) {
        if (!bough_slot_lives(slot)) bough_slot_settle(slot, BOUGH_PLACE_STOPPED);
    } else if (!bough_slot_lives_far(slot)) {
        bough_post_mark(bough_slot_place(slot), BOUGH_PLACE_STOPPED);
    }
}

void bough_slot_settle(struct bough_actor *slot, enum bough_place_state state)
{
    struct bough_name *name = bough_slot_name(slot);

    slot->gate.phase = (unsigned char)state;
    bough_mail_flush(slot, true, BOUGH_EGONE);
    if (name == NULL) return;
    bough_runtime_lock(slot->loop->runtime);
    for (struct bough_name *child = name->first; child != NULL; child = child->next)
        settle_child(child->slot);
    bough_runtime_unlock(slot->loop->runtime);
}

/* The slot is its own loop's to free; that its place is no more is said here, at once:
 * who has its address finds nobody, or whoever comes next. */
static void free_slot(struct bough_actor *slot, uint64_t cause)
{
    if (bough_loop_is_near(slot->loop)) {
        bough_slot_vacate(slot, cause);
        return;
    }
    bough_poke_next(&slot->place);
    bough_post_free(bough_slot_place(slot), cause);
}

/* Who was led on from where the place was before is led nowhere any more. */
static void take_sign_down(struct bough_name *name)
{
    struct bough_actor *sign = bough_slot(name->sign);

    name->sign = BOUGH_NOBODY;
    if (sign != NULL) free_slot(sign, 0);
}

/* The name is free for another place at once. */
static void vacate_name(struct bough_name *name, uint64_t cause)
{
    bough_name_detach(name);
    /* At the end, the loop of the sign may have been freed before. */
    if (!name->slot->loop->runtime->ending) take_sign_down(name);
    free_slot(name->slot, cause);
}

void bough_slot_vacate(struct bough_actor *slot, uint64_t cause)
{
    struct bough_runtime *runtime = slot->loop->runtime;
    struct bough_name *name = bough_slot_name(slot);

    bough_assert(!bough_slot_lives(slot));
    bough_runtime_lock(runtime);
    while (name != NULL && name->last != NULL)
        vacate_name(name->last, cause);
    slot->gate.phase = BOUGH_PLACE_STOPPED;
    bough_mail_flush(slot, true, BOUGH_EGONE);
    bough_slot_free_options(slot);
    bough_slot_free_quarantine(slot);
    if (name != NULL) {
        if (slot->type != NULL) bough_slot_event(slot, BOUGH_EVENT_REMOVED, cause, NULL);
        bough_name_detach(name);
        bough_name_free(name);
        slot->annex = NULL;
    }
    if (slot->loop->letters_slot == slot) slot->loop->letters_slot = NULL;
    bough_slot_free(slot);
    bough_runtime_unlock(runtime);
}

static bool is_empty(const struct bough_actor *slot)
{
    return bough_loop_is_near(slot->loop) ? !bough_slot_lives(slot)
                                          : !bough_slot_lives_far(slot);
}

void bough_name_sweep(struct bough_name *parent, const struct bough_actor *first)
{
    struct bough_name *name = parent->first;

    while (name != NULL && name->slot != first) {
        struct bough_name *next = name->next;

        if (name->made_for != NULL && is_empty(name->slot)) vacate_name(name, 0);
        name = next;
    }
}

void bough_place_sweep(struct bough_actor *actor, struct bough_address first)
{
    struct bough_name *name = bough_slot_name(actor);

    if (name == NULL) return;
    bough_runtime_lock(actor->loop->runtime);
    bough_name_sweep(name, bough_slot(bough_moved(first)));
    bough_runtime_unlock(actor->loop->runtime);
}

void bough_place_free(struct bough_address place, uint64_t cause)
{
    place = bough_moved(place);

    struct bough_actor *slot = bough_slot(place);
    if (slot == NULL) return;
    bough_runtime_lock(slot->loop->runtime);
    struct bough_name *name = bough_slot_name(slot);
    bough_assert(bough_loop_is_near(slot->loop) || !bough_slot_lives_far(slot));
    if (name != NULL)
        vacate_name(name, cause);
    else
        free_slot(slot, cause);
    bough_runtime_unlock(slot->loop->runtime);
}

/* Finding */

/* Somebody may know how to make it. */
static void make_known(struct bough_loop *loop, const char *path)
{
    const struct bough_runtime_options *options = &loop->runtime->options;

    if (options->missing == NULL || !bough_path_valid(path)) return;
    if (bough_name_find(loop->runtime, path) != NULL) return;
    options->missing(options->missing_data, loop, path);
}

enum bough_status bough_lookup(struct bough_loop *loop, const char *path,
                               struct bough_address *place)
{
    bough_runtime_lock(loop->runtime);
    make_known(loop, path);
    const struct bough_name *name = bough_name_find(loop->runtime, path);
    if (name != NULL) *place = bough_slot_place(name->slot);
    bough_runtime_unlock(loop->runtime);
    return name != NULL ? BOUGH_OK : BOUGH_ENOTFOUND;
}

/* From the root down, each step is found or reserved. */
static enum bough_status walk(struct bough_loop *loop, const char *path,
                              struct bough_name **name)
{
    char prefix[BOUGH_PATH_MAX] = "/";
    const char *rest = path + 1;
    size_t len = 0;
    enum bough_status status = BOUGH_OK;

    *name = bough_name_find(loop->runtime, prefix);
    if (*name == NULL) status = bough_slot_reserve(loop, false, NULL, prefix, name);
    while (status == BOUGH_OK && *rest != '\0') {
        const size_t step = strcspn(rest, "/");
        struct bough_name *parent = *name;

        prefix[len++] = '/';
        memcpy(prefix + len, rest, step);
        len += step;
        prefix[len] = '\0';
        *name = bough_name_find(loop->runtime, prefix);
        if (*name == NULL)
            status = bough_slot_reserve(loop, false, parent, prefix + len - step, name);
        rest += step;
        if (*rest == '/') rest++;
    }
    return status;
}

enum bough_status bough_reference(struct bough_loop *loop, const char *path,
                                  struct bough_address *place)
{
    struct bough_name *name;

    if (!bough_path_valid(path)) return BOUGH_EINVALID;
    bough_runtime_lock(loop->runtime);
    make_known(loop, path);
    const enum bough_status status = walk(loop, path, &name);
    if (status == BOUGH_OK) *place = bough_slot_place(name->slot);
    bough_runtime_unlock(loop->runtime);
    return status;
}

/* Showing */

/* A place may be another thread's, and change while it is described: each figure is one
 * that was right, and they are for people. So the thread sanitizer is not asked. What is
 * pointed to stays while the lock is held. */
__attribute__((no_sanitize("thread"))) static void
describe(const struct bough_actor *slot, struct bough_place_info *info)
{
    const struct bough_annex *annex = slot->annex;
    const struct bough_name *name = annex != NULL ? annex->name : NULL;
    const struct bough_quarantine *quarantine = bough_quarantine_of(slot);
    const size_t held = annex != NULL ? annex->held : 0;

    *info = (struct bough_place_info){
        .path = name != NULL ? name->path : "",
        .type = slot->type,
        .speaks = slot->type,
        .options = annex != NULL ? annex->options : NULL,
        .state = slot->gate.phase,
        .life = slot->life,
        .mailbox_length = slot->length + bough_peek(&slot->posted) + held,
        .mailbox_capacity = slot->capacity + held,
        .dropped = (annex != NULL ? annex->dropped : 0) + bough_peek(&slot->turned_away),
        .handled = slot->handled,
        .quarantined = quarantine != NULL ? quarantine->count : 0,
        .quarantine_lost = quarantine != NULL ? quarantine->lost : 0,
    };
    if (name == NULL) return;
    info->restarts = name->restarts;
    if (name->speaks != NULL) info->speaks = name->speaks;
    info->type = bough_slot_shown_type(slot);
    info->pid = atomic_load_explicit(&name->pid, memory_order_relaxed);
    info->stuck = atomic_load_explicit(&name->stuck, memory_order_relaxed);
    info->spent_ms = atomic_load_explicit(&name->spent_ms, memory_order_relaxed);
    info->restart = name->restart;
    info->isolation = bough_isolation_names[name->isolation];
    if (slot->state != NULL) {
        info->uptime_ms = bough_loop_clock_ns(slot->loop) / 1000000 - name->started_ms;
    }
}

__attribute__((no_sanitize("thread"))) const struct bough_actor *
bough_slot_follow(struct bough_address place)
{
    const struct bough_actor *slot = bough_slot(place);

    if (slot == NULL || !slot->is_sign) return slot;
    return bough_slot(bough_container(slot->annex, struct bough_sign, annex)->moved);
}

enum bough_status bough_place_look(struct bough_address place,
                                   bough_place_visitor *visitor, void *data)
{
    if (bough_slot(place) == NULL) return BOUGH_EGONE;

    struct bough_runtime *runtime = place.slot->loop->runtime;
    bough_runtime_lock(runtime);
    const struct bough_actor *slot = bough_slot_follow(place);
    if (slot != NULL) {
        struct bough_place_info info;

        describe(slot, &info);
        visitor(data, bough_slot_place(slot), &info);
    }
    bough_runtime_unlock(runtime);
    return slot != NULL ? BOUGH_OK : BOUGH_EGONE;
}

static void note_info(void *data, struct bough_address place,
                      const struct bough_place_info *info)
{
    (void)place;
    *(struct bough_place_info *)data = *info;
}

enum bough_status bough_place_info(struct bough_address place,
                                   struct bough_place_info *info)
{
    return bough_place_look(place, note_info, info);
}

/* Depth first without recursion: down, else right, else up and right. A path that is only
 * reserved has nobody to show. */
enum bough_status bough_place_visit(struct bough_loop *loop, const char *path,
                                    bough_place_visitor *visitor, void *data)
{
    bough_runtime_lock(loop->runtime);
    const struct bough_name *top = bough_name_find(loop->runtime, path);
    const struct bough_name *at = top;

    while (at != NULL) {
        struct bough_place_info info;

        describe(at->slot, &info);
        if (info.type != NULL) visitor(data, bough_slot_place(at->slot), &info);
        if (at->first != NULL) {
            at = at->first;
            continue;
        }
        while (at != top && at->next == NULL)
            at = at->parent;
        at = at == top ? NULL : at->next;
    }
    bough_runtime_unlock(loop->runtime);
    return top != NULL ? BOUGH_OK : BOUGH_ENOTFOUND;
}
