/* options.c - one block of memory from an options struct and all that it points to, which
 * may be shared.
 *
 * The same walk runs twice: first to measure, with no memory behind the arena and no
 * target, then to copy. What was not given (zero) becomes its fallback on the way, so
 * that both walks see the same texts.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/core/field.h>

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include <bough/core/assert.h>
#include <bough/core/buffer.h>
#include <bough/core/buffer_internal.h>

/* Hands out parts of one allocation; without memory it only counts. */
struct arena {
    char *memory; /* NULL while measuring */
    size_t used;
};

/* Room for `size` bytes; NULL while measuring. */
static void *take(struct arena *arena, size_t size, size_t alignment)
{
    const size_t offset = (arena->used + alignment - 1) / alignment * alignment;

    arena->used = offset + size;
    return arena->memory ? arena->memory + offset : NULL;
}

static const char *copy_string(struct arena *arena, const char *string)
{
    const size_t size = strlen(string) + 1;
    char *copy = take(arena, size, 1);

    if (copy) memcpy(copy, string, size);
    return copy;
}

static const char *const *copy_strings(struct arena *arena, const char *const *strings)
{
    size_t count = 0;

    while (strings[count])
        count++;
    const char **copy = take(arena, (count + 1) * sizeof(*copy), alignof(const char *));
    for (size_t i = 0; i < count; i++) {
        const char *string = copy_string(arena, strings[i]);
        if (copy) copy[i] = string;
    }
    if (copy) copy[count] = NULL;
    return copy;
}

/* A member's value; zero when no options were given at all. */
static void read_member(const char *source, const struct bough_field *field, void *value,
                        size_t size)
{
    bough_assert(field->size == size);
    if (source) {
        memcpy(value, source + field->offset, size);
    } else {
        memset(value, 0, size);
    }
}

static void write_member(char *target, const struct bough_field *field, const void *value)
{
    if (target) memcpy(target + field->offset, value, field->size);
}

static void walk_bool(const struct bough_field *field, const char *source, char *target)
{
    bool value;

    read_member(source, field, &value, sizeof(value));
    if (!value) value = field->fallback != 0;
    write_member(target, field, &value);
}

static void walk_int64(const struct bough_field *field, const char *source, char *target)
{
    int64_t value;

    read_member(source, field, &value, sizeof(value));
    if (value == 0) value = field->fallback;
    write_member(target, field, &value);
}

static void walk_double(const struct bough_field *field, const char *source, char *target)
{
    double value;

    read_member(source, field, &value, sizeof(value));
    if (value == 0) value = (double)field->fallback;
    write_member(target, field, &value);
}

static void walk_choice(const struct bough_field *field, const char *source, char *target)
{
    int value;

    read_member(source, field, &value, sizeof(value));
    if (value == 0) value = (int)field->fallback;
    write_member(target, field, &value);
}

static void walk_string(struct arena *arena, const struct bough_field *field,
                        const char *source, char *target)
{
    const char *value;

    read_member(source, field, &value, sizeof(value));
    if (!value) value = field->fallback_text;
    if (value) value = copy_string(arena, value);
    write_member(target, field, &value);
}

static void walk_strings(struct arena *arena, const struct bough_field *field,
                         const char *source, char *target)
{
    const char *const *value;

    read_member(source, field, &value, sizeof(value));
    if (value) value = copy_strings(arena, value);
    write_member(target, field, &value);
}

/* From `source` (NULL: all zero) to `target` (NULL: only measure). */
static void walk(struct arena *arena, const struct bough_field *fields, size_t count,
                 const char *source, char *target)
{
    for (size_t i = 0; i < count; i++) {
        const struct bough_field *field = &fields[i];

        switch (field->kind) {
        case BOUGH_BOOL: walk_bool(field, source, target); break;
        case BOUGH_INT64:
        case BOUGH_DURATION:
        case BOUGH_SIZE: walk_int64(field, source, target); break;
        case BOUGH_DOUBLE: walk_double(field, source, target); break;
        case BOUGH_CHOICE: walk_choice(field, source, target); break;
        case BOUGH_STRING:
        case BOUGH_FILE:
        case BOUGH_PATH: walk_string(arena, field, source, target); break;
        case BOUGH_MAP:
        case BOUGH_STRINGS: walk_strings(arena, field, source, target); break;
        case BOUGH_EITHER: /* its int is copied with the rest that has no field */
        case BOUGH_OBJECT:
            walk(arena, field->of, field->of_count,
                 source ? source + field->offset : NULL,
                 target ? target + field->offset : NULL);
            break;
        case BOUGH_TEXT:
        case BOUGH_BYTES:
        case BOUGH_PAIRS:
        case BOUGH_LIST:
        case BOUGH_SPEC:
        case BOUGH_OPTIONS:
        case BOUGH_KIND_COUNT: bough_assert(!"a kind for flat blocks, in options"); break;
        }
    }
}

void *bough_options_copy(const struct bough_field *fields, size_t count, size_t size,
                         const void *options)
{
    struct arena measured = { .used = size };

    walk(&measured, fields, count, options, NULL);
    struct bough_buffer *buffer = calloc(1, sizeof(*buffer) + measured.used);
    if (!buffer) return NULL;
    atomic_init(&buffer->count, 1);
    buffer->size = measured.used;
    char *memory = buffer->bytes;

    /* Members that the table does not name are copied as they are. */
    if (options && size > 0) memcpy(memory, options, size);
    struct arena arena = { .memory = memory, .used = size };
    walk(&arena, fields, count, options, memory);
    bough_assert(arena.used == measured.used);
    return memory;
}

/* It is a buffer, as many places hold what one spec says. */
static struct bough_buffer *buffer_of(const void *options)
{
    return bough_buffer_of((char *)(uintptr_t)options);
}

void *bough_options_share(const void *options)
{
    return bough_buffer_share(buffer_of(options))->bytes;
}

void bough_options_drop(void *options)
{
    if (options) bough_buffer_drop(buffer_of(options));
}
