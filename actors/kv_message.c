/* kv_message.c - Message and Handle of a kv: the tables that describe what it can be
 * told, and the functions that are the only makers of it.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/actors/kv_message_internal.h>

#include <stddef.h>

#include <bough/core/assert.h>

enum { LIMIT_DEFAULT = 100 };

/* Message */

#define KEY_FIELD \
    bough_field(struct bough_kv_message, key, "key", BOUGH_BYTES, .help = "the key")

static const struct bough_field key_fields[] = { KEY_FIELD };

static const struct bough_field set_fields[] = {
    KEY_FIELD,
    bough_field(struct bough_kv_message, value, "value", BOUGH_BYTES,
                .help = "what to keep"),
    bough_field(struct bough_kv_message, ttl_ms, "ttl", BOUGH_DURATION, .optional = true,
                .fallback = BOUGH_FOREVER, .min = 1, .max = BOUGH_FOREVER,
                .help = "how long to keep it"),
};

static const struct bough_field keys_fields[] = {
    bough_field(struct bough_kv_message, key, "prefix", BOUGH_BYTES, .optional = true,
                .help = "only keys that begin with this"),
    bough_field(struct bough_kv_message, cursor, "cursor", BOUGH_TEXT, .optional = true,
                .help = "from the page before; empty for the first page"),
    bough_field(struct bough_kv_message, limit, "limit", BOUGH_INT64, .optional = true,
                .fallback = LIMIT_DEFAULT, .min = 1, .max = BOUGH_KV_LIMIT_MAX,
                .help = "how many keys a page may hold"),
};

static const struct bough_field set_reply[] = {
    bough_field(struct bough_kv_flag_reply, flag, "created", BOUGH_BOOL,
                .help = "whether the key was not there before"),
};

static const struct bough_field get_reply[] = {
    bough_field(struct bough_kv_get_reply, value, "value", BOUGH_BYTES,
                .help = "what was set"),
};

static const struct bough_field del_reply[] = {
    bough_field(struct bough_kv_flag_reply, flag, "deleted", BOUGH_BOOL,
                .help = "whether the key was there"),
};

static const struct bough_field exists_reply[] = {
    bough_field(struct bough_kv_flag_reply, flag, "exists", BOUGH_BOOL,
                .help = "whether the key is there"),
};

static const struct bough_field size_reply[] = {
    bough_field(struct bough_kv_size, keys, "size", BOUGH_INT64, .help = "how many keys"),
    bough_field(struct bough_kv_size, memory, "memory", BOUGH_INT64,
                .help = "bytes that the table takes"),
};

static const struct bough_field key_item[] = {
    { .kind = BOUGH_BYTES, .size = sizeof(struct bough_span), .help = "a key" },
};

static const struct bough_field keys_reply[] = {
    bough_field(struct bough_kv_keys_reply, keys, "keys", BOUGH_LIST, .of = key_item,
                .of_count = bough_count_of(key_item),
                .of_size = sizeof(struct bough_span), .help = "the keys of this page"),
    bough_field(struct bough_kv_keys_reply, cursor, "cursor", BOUGH_TEXT,
                .help = "for the next page; empty when this was the last"),
};

const struct bough_message_type bough_kv_messages[BOUGH_KV_MESSAGE_COUNT] = {
    [BOUGH_KV_SET] = { "set", set_fields, bough_count_of(set_fields), "Sets a key.",
                       set_reply, 1, sizeof(struct bough_kv_flag_reply) },
    [BOUGH_KV_GET] = { "get", key_fields, 1, "Tells a key's value.", get_reply, 1,
                       sizeof(struct bough_kv_get_reply) },
    [BOUGH_KV_DEL] = { "del", key_fields, 1, "Removes a key.", del_reply, 1,
                       sizeof(struct bough_kv_flag_reply) },
    [BOUGH_KV_EXISTS] = { "exists", key_fields, 1, "Tells whether a key is there.",
                          exists_reply, 1, sizeof(struct bough_kv_flag_reply) },
    [BOUGH_KV_SIZE] = { "size", NULL, 0,
                        "Tells how many keys there are, and their memory.", size_reply,
                        bough_count_of(size_reply), sizeof(struct bough_kv_size) },
    [BOUGH_KV_KEYS] = { "keys", keys_fields, bough_count_of(keys_fields),
                        "Lists keys by prefix, a page at a time.", keys_reply,
                        bough_count_of(keys_reply), sizeof(struct bough_kv_keys_reply) },
};

/* Handle: the only code that makes a message, so no malformed one exists. */

/* A message that fits on the stack: nearly every one. Made by a few stores, since there
 * is nothing in it that can fail; what is larger is a block. Hot: it takes half of the
 * instructions that a block does, and lies where it is made, when there is room: whoever
 * runs it would otherwise wait for the copy, of pieces that were stored just now. For the
 * same reason it is no copy of one that was prepared: each member is stored where it will
 * be loaded, for a load waits for all that is older where it takes in more than one
 * store. */
struct small {
    struct bough_kv_message message;
    char bytes[BOUGH_KV_SMALL_BLOCK];
};

/* Appends bytes, and a NUL as a block does, at `size` bytes from the message's beginning.
 * Returns where the next ones go. */
static inline size_t append(struct small *small, size_t size, struct bough_kv_bytes bytes,
                            struct bough_span *span)
{
    char *room = small->bytes + (size - sizeof(small->message));

    *span = (struct bough_span){ .offset = (uint32_t)size, .len = (uint32_t)bytes.len };
    bough_copy_bytes(room, bytes.data, bytes.len);
    room[bytes.len] = '\0';
    return size + bytes.len + 1;
}

static inline bool is_small(size_t len)
{
    return len < BOUGH_KV_SMALL_BLOCK;
}

/* Sends what the block holds, or reports what went wrong in making it; finishes it. */
static void ask_kv(struct bough_kv kv, struct bough_block *block, struct bough_call *call,
                   void *result, size_t result_size)
{
    if (block->status == BOUGH_OK && result) {
        bough_call_start(call, kv.address, block->data, block->size, result, result_size);
        bough_block_finish(block);
    } else {
        bough_call_block(call, kv.address, block);
    }
}

static __attribute__((noinline)) void ask_largely(struct bough_kv kv,
                                                  enum bough_kv_message_kind kind,
                                                  struct bough_kv_bytes key,
                                                  struct bough_call *call, bool *result)
{
    const struct bough_kv_message message = { .kind = kind };
    struct bough_block block;

    bough_block_init(&block, NULL, 0, &message, sizeof(message));
    bough_block_bytes(&block, offsetof(struct bough_kv_message, key), key.data, key.len);
    ask_kv(kv, &block, call, result, sizeof(*result));
}

/* Asks what needs a key and no more. */
static inline void ask_about_key(struct bough_kv kv, enum bough_kv_message_kind kind,
                                 struct bough_kv_bytes key, struct bough_call *call,
                                 bool *result)
{
    const size_t result_size = result ? sizeof(*result) : 0;
    struct small small;

    if (!is_small(key.len)) {
        ask_largely(kv, kind, key, call, result);
        return;
    }
    bough_kv_foresee(kv, key);
    const size_t size = sizeof(small.message) + key.len + 1;
    struct small *room = bough_call_begin(call, kv.address, size, result, result_size);
    struct small *made = room ? room : &small;
    made->message = (struct bough_kv_message){ .kind = kind };
    append(made, sizeof(made->message), key, &made->message.key);
    if (room == NULL) bough_call_start(call, kv.address, made, size, result, result_size);
}

enum bough_status bough_kv_spawn(struct bough_loop *loop,
                                 const struct bough_kv_options *given,
                                 struct bough_watch *watch, struct bough_kv *kv,
                                 struct bough_exit_reason *failure)
{
    return bough_spawn(loop, &bough_kv_type, given, watch, &kv->address, failure);
}

static __attribute__((noinline)) void
set_largely(struct bough_kv kv, struct bough_kv_bytes key, struct bough_kv_bytes value,
            int64_t ttl_ms, struct bough_kv_set_ask *ask)
{
    const struct bough_kv_message message = { .kind = BOUGH_KV_SET, .ttl_ms = ttl_ms };
    struct bough_block block;

    bough_block_init(&block, NULL, 0, &message, sizeof(message));
    bough_block_bytes(&block, offsetof(struct bough_kv_message, key), key.data, key.len);
    bough_block_bytes(&block, offsetof(struct bough_kv_message, value), value.data,
                      value.len);
    ask_kv(kv, &block, &ask->call, &ask->created, sizeof(ask->created));
}

void bough_kv_set(struct bough_kv kv, struct bough_kv_bytes key,
                  struct bough_kv_bytes value, int64_t ttl_ms,
                  struct bough_kv_set_ask *ask)
{
    struct small small;

    if (ttl_ms == 0) ttl_ms = BOUGH_FOREVER;
    if (!is_small(key.len) || !is_small(value.len) ||
        !is_small(key.len + value.len + 1)) {
        set_largely(kv, key, value, ttl_ms, ask);
        return;
    }
    bough_kv_foresee(kv, key);
    __builtin_prefetch(value.data);
    const size_t size = sizeof(small.message) + key.len + 1 + value.len + 1;
    struct small *room = bough_call_begin(&ask->call, kv.address, size, &ask->created,
                                          sizeof(ask->created));
    struct small *made = room ? room : &small;
    made->message = (struct bough_kv_message){ .kind = BOUGH_KV_SET, .ttl_ms = ttl_ms };
    const size_t keyed = append(made, sizeof(made->message), key, &made->message.key);
    append(made, keyed, value, &made->message.value);
    if (room == NULL)
        bough_call_start(&ask->call, kv.address, made, size, &ask->created,
                         sizeof(ask->created));
}

void bough_kv_get(struct bough_kv kv, struct bough_kv_bytes key,
                  struct bough_kv_get_ask *ask)
{
    ask_about_key(kv, BOUGH_KV_GET, key, &ask->call, NULL);
}

struct bough_kv_bytes bough_kv_get_value(const struct bough_kv_get_ask *ask)
{
    const struct bough_kv_get_reply *reply = ask->call.reply;

    return (struct bough_kv_bytes){
        .data = bough_span_data(reply, reply->value),
        .len = reply->value.len,
    };
}

void bough_kv_del(struct bough_kv kv, struct bough_kv_bytes key,
                  struct bough_kv_del_ask *ask)
{
    ask_about_key(kv, BOUGH_KV_DEL, key, &ask->call, &ask->deleted);
}

void bough_kv_exists(struct bough_kv kv, struct bough_kv_bytes key,
                     struct bough_kv_exists_ask *ask)
{
    ask_about_key(kv, BOUGH_KV_EXISTS, key, &ask->call, &ask->exists);
}

void bough_kv_size(struct bough_kv kv, struct bough_kv_size_ask *ask)
{
    const struct bough_kv_message message = { .kind = BOUGH_KV_SIZE };

    bough_call_start(&ask->call, kv.address, &message, sizeof(message), &ask->size,
                     sizeof(ask->size));
}

void bough_kv_keys(struct bough_kv kv, struct bough_kv_bytes prefix, const char *cursor,
                   int64_t limit, struct bough_kv_keys_ask *ask)
{
    const struct bough_kv_message message = { .kind = BOUGH_KV_KEYS, .limit = limit };
    _Alignas(max_align_t) char buffer[BOUGH_KV_SMALL_BLOCK];
    struct bough_block block;

    bough_block_init(&block, buffer, sizeof(buffer), &message, sizeof(message));
    bough_block_bytes(&block, offsetof(struct bough_kv_message, key), prefix.data,
                      prefix.len);
    bough_block_text(&block, offsetof(struct bough_kv_message, cursor), cursor);
    ask_kv(kv, &block, &ask->call, NULL, 0);
}

static const struct bough_kv_keys_reply *keys_answer(const struct bough_kv_keys_ask *ask)
{
    return ask->call.reply;
}

size_t bough_kv_keys_count(const struct bough_kv_keys_ask *ask)
{
    return keys_answer(ask)->keys.len;
}

struct bough_kv_bytes bough_kv_keys_key(const struct bough_kv_keys_ask *ask, size_t index)
{
    const struct bough_kv_keys_reply *reply = keys_answer(ask);
    const struct bough_span *spans = bough_span_data(reply, reply->keys);

    bough_assert(index < reply->keys.len);
    return (struct bough_kv_bytes){
        .data = bough_span_data(reply, spans[index]),
        .len = spans[index].len,
    };
}

const char *bough_kv_keys_cursor(const struct bough_kv_keys_ask *ask)
{
    const struct bough_kv_keys_reply *reply = keys_answer(ask);

    return bough_span_text(reply, reply->cursor);
}
