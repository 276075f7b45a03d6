/* message.c - a message of an actor, for people.
 *
 * It is looked at before it is shown: a message waits as whoever sent it has made it, and
 * is checked by nobody before its actor runs it.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tools/bough/message.h>

#include <bough/config/json_fields.h>

static const struct bough_message_type *
row_of_sound_one(const struct bough_actor_type *type, const void *message, size_t size)
{
    const struct bough_message_type *row = bough_message_row(type, message, size);

    return row != NULL && bough_block_valid(row->fields, row->field_count, message,
                                            type->message_size, size)
               ? row
               : NULL;
}

json_t *bough_message_json(const struct bough_actor_type *type, const void *message,
                           size_t size)
{
    const struct bough_message_type *row = row_of_sound_one(type, message, size);

    if (row == NULL)
        return json_pack("{s:o}", "bytes", bough_json_from_bytes(message, size));
    return json_pack("{s:s, s:o}", "message", row->name, "fields",
                     bough_json_from_block(row->fields, row->field_count, message));
}
