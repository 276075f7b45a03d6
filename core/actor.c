/* actor.c - what an actor may ask and say of itself, and how others end it.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/core/actor.h>

#include <stdarg.h>
#include <string.h>

#include <bough/core/assert.h>
#include <bough/core/letter_internal.h>
#include <bough/core/text.h>

struct bough_loop *bough_actor_loop(struct bough_actor *actor)
{
    return actor->loop;
}

struct bough_runtime *bough_actor_runtime(struct bough_actor *actor)
{
    return actor->loop->runtime;
}

const struct bough_message_type *bough_message_row(const struct bough_actor_type *type,
                                                   const void *message, size_t size)
{
    uint32_t kind;

    if (type->messages == NULL || size < sizeof(kind) || size < type->message_size)
        return NULL;
    memcpy(&kind, message, sizeof(kind));
    return kind < type->message_count ? &type->messages[kind] : NULL;
}

const char *bough_actor_path(struct bough_actor *actor)
{
    return bough_slot_path(actor);
}

const void *bough_near_state(struct bough_address address,
                             const struct bough_actor_type *type)
{
    const struct bough_actor *slot = address.slot;
    const bool near = slot != NULL && slot->loop == bough_here;

    return near && bough_slot_fits(slot, address) && bough_slot_takes(slot) &&
                   slot->type == type
               ? slot->state
               : NULL;
}

int64_t bough_now_ms(struct bough_actor *actor)
{
    return bough_loop_time(actor->loop);
}

void bough_pause(struct bough_actor *actor)
{
    actor->gate.shut |= BOUGH_SHUT_PAUSED;
}

void bough_resume(struct bough_actor *actor)
{
    actor->gate.shut &= (unsigned char)~BOUGH_SHUT_PAUSED;
    bough_slot_queue(actor);
}

void bough_starting(struct bough_actor *actor)
{
    bough_assert(actor->gate.phase == BOUGH_PLACE_STARTING);
    actor->gate.shut |= BOUGH_SHUT_UNREADY;
}

/* In init it only takes bough_starting() back: the start goes on when init returns. */
void bough_ready(struct bough_actor *actor)
{
    actor->gate.shut &= (unsigned char)~BOUGH_SHUT_UNREADY;
    if (!actor->begun || actor->gate.doomed) return;
    bough_life_ready(actor);
    bough_slot_queue(actor);
}

/* Ends */

void bough_exit_because(struct bough_actor *actor, const struct bough_exit_reason *reason)
{
    bough_slot_doom(actor, reason, 0);
}

void bough_exit(struct bough_actor *actor, enum bough_exit_kind kind)
{
    const struct bough_exit_reason reason = bough_exit_make(kind, BOUGH_OK, 0, NULL);

    bough_exit_because(actor, &reason);
}

void bough_fail(struct bough_actor *actor, enum bough_status status, const char *format,
                ...)
{
    char *text = bough_slot_break(actor, status);
    va_list arguments;

    if (text == NULL) return;
    va_start(arguments, format);
    bough_text_vformat(text, BOUGH_EXIT_TEXT, format, arguments);
    va_end(arguments);
}

/* The event whose watch is being told just now: what is asked for meanwhile is caused by
 * it. */
static uint64_t present_cause(void)
{
    return bough_here != NULL ? bough_here->cause : 0;
}

static bool is_far(struct bough_address address)
{
    return address.slot != NULL && !bough_loop_is_near(address.slot->loop);
}

void bough_place_stop(struct bough_address address, uint64_t cause)
{
    address = bough_moved(address);
    if (is_far(address)) {
        bough_post_stop(address, cause);
        return;
    }
    struct bough_actor *slot = bough_slot(address);

    if (slot == NULL || !bough_slot_lives(slot) || slot->gate.doomed) return;
    if (slot->gate.phase == BOUGH_PLACE_STOPPING || slot->stop_asked) return;
    slot->stop_asked = true;
    if (bough_slot_name(slot) != NULL) bough_slot_name(slot)->cause = cause;
    bough_slot_hurry(slot);
}

void bough_stop(struct bough_address address)
{
    bough_place_stop(address, present_cause());
}

void bough_place_end(struct bough_address address, const struct bough_exit_reason *reason,
                     uint64_t cause)
{
    address = bough_moved(address);
    if (is_far(address)) {
        bough_post_end(address, reason, cause);
        return;
    }
    struct bough_actor *slot = bough_slot(address);

    if (slot != NULL) bough_slot_doom(slot, reason, cause);
}

void bough_end(struct bough_address address, const struct bough_exit_reason *reason)
{
    bough_place_end(address, reason, present_cause());
}

void bough_kill(struct bough_address address)
{
    const struct bough_exit_reason reason =
        bough_exit_make(BOUGH_EXIT_KILLED, BOUGH_OK, 0, NULL);

    bough_end(address, &reason);
}
