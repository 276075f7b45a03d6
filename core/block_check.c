/* block_check.c - whether a block that comes from outside can be read as its table says.
 *
 * A border: nothing in the block is believed. Members are copied out, never pointed at;
 * each number is compared before it is used; and the reading itself is bounded, because
 * spans may overlap: many that name the same bytes, or lists that contain each other,
 * would otherwise turn a small block into endless work. An honest block has each byte in
 * one part, so a budget of a few times its size never refuses one.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/core/field.h>

#include <string.h>

#include <bough/core/text.h>

enum {
    DEPTH_MAX = 16,     /* lists in lists */
    BUDGET_FACTOR = 4,  /* how often each byte may be read, on average */
    LIST_ALIGNMENT = 8, /* as bough_block_list() makes them */
};

struct check {
    const unsigned char *block;
    size_t fixed_size, size;
    size_t budget; /* bytes that may still be read */
};

static bool spend(struct check *check, size_t bytes)
{
    if (bytes > check->budget) return false;
    check->budget -= bytes;
    return true;
}

static struct bough_span read_span(const struct check *check, size_t offset)
{
    struct bough_span span;

    memcpy(&span, check->block + offset, sizeof(span));
    return span;
}

/* Offset 0 is the part that was not given, and has no length. */
static bool is_absent(struct bough_span span)
{
    return span.offset == 0 && span.len == 0;
}

static bool range_valid(const struct check *check, struct bough_span span, size_t bytes)
{
    if (span.offset < check->fixed_size || span.offset > check->size) return false;
    return bytes <= check->size - span.offset;
}

static bool bytes_valid(struct check *check, struct bough_span span)
{
    if (is_absent(span)) return true;
    if (!range_valid(check, span, (size_t)span.len + 1)) return false;
    return check->block[span.offset + (size_t)span.len] == '\0';
}

static bool text_valid(struct check *check, struct bough_span span)
{
    if (!bytes_valid(check, span)) return false;
    if (!spend(check, span.len)) return false;
    const unsigned char *text = check->block + span.offset;
    return !memchr(text, '\0', span.len) && bough_utf8_valid(text, span.len);
}

/* Name NUL value NUL, any number of times: an even number of NULs, and one at the end. */
static bool pairs_valid(struct check *check, struct bough_span span)
{
    if (!bytes_valid(check, span)) return false;
    if (!spend(check, span.len)) return false;
    const unsigned char *pairs = check->block + span.offset;
    size_t texts = 0;

    for (size_t i = 0; i < span.len; i++) {
        if (pairs[i] == '\0') texts++;
    }
    if (span.len > 0 && pairs[span.len - 1] != '\0') return false;
    return texts % 2 == 0 && bough_utf8_valid(pairs, span.len);
}

static bool bool_valid(const struct check *check, size_t offset)
{
    _Static_assert(sizeof(bool) == 1, "a bool is read as a byte");
    return check->block[offset] <= 1;
}

static bool choice_valid(const struct check *check, const struct bough_field *field,
                         size_t offset)
{
    int choice;

    memcpy(&choice, check->block + offset, sizeof(choice));
    if (choice < 0 || !field->choices) return false;
    for (int i = 0; field->choices[i]; i++) {
        if (i == choice) return true;
    }
    return false;
}

static bool struct_valid(struct check *check, const struct bough_field *fields,
                         size_t count, size_t base, size_t size, int depth);

static bool list_valid(struct check *check, const struct bough_field *field,
                       struct bough_span span, int depth)
{
    size_t bytes;

    if (is_absent(span)) return true;
    if (depth >= DEPTH_MAX || field->of_size == 0) return false;
    if (span.offset % LIST_ALIGNMENT != 0) return false;
    if (__builtin_mul_overflow((size_t)span.len, (size_t)field->of_size, &bytes))
        return false;
    if (!range_valid(check, span, bytes) || !spend(check, bytes)) return false;

    for (size_t i = 0; i < span.len; i++) {
        const size_t base = span.offset + i * field->of_size;
        if (!struct_valid(check, field->of, field->of_count, base, field->of_size,
                          depth + 1)) {
            return false;
        }
    }
    return true;
}

static bool field_valid(struct check *check, const struct bough_field *field,
                        size_t offset, int depth)
{
    switch (field->kind) {
    case BOUGH_INT64:
    case BOUGH_DOUBLE:
    case BOUGH_DURATION:
    case BOUGH_SIZE: return true;
    case BOUGH_BOOL: return bool_valid(check, offset);
    case BOUGH_CHOICE: return choice_valid(check, field, offset);
    case BOUGH_TEXT: return text_valid(check, read_span(check, offset));
    case BOUGH_BYTES:
    case BOUGH_SPEC:
    case BOUGH_OPTIONS: return bytes_valid(check, read_span(check, offset));
    case BOUGH_PAIRS: return pairs_valid(check, read_span(check, offset));
    case BOUGH_LIST: return list_valid(check, field, read_span(check, offset), depth);
    case BOUGH_STRING:
    case BOUGH_STRINGS:
    case BOUGH_PATH:
    case BOUGH_FILE:
    case BOUGH_MAP:
    case BOUGH_OBJECT:
    case BOUGH_EITHER:
    case BOUGH_KIND_COUNT: break;
    }
    return false; /* pointers have no place in a block */
}

/* A struct of `size` bytes at `base`, which lies inside the block. */
static bool struct_valid(struct check *check, const struct bough_field *fields,
                         size_t count, size_t base, size_t size, int depth)
{
    for (size_t i = 0; i < count; i++) {
        if (fields[i].offset > size || fields[i].size > size - fields[i].offset)
            return false;
        if (!field_valid(check, &fields[i], base + fields[i].offset, depth)) return false;
    }
    return true;
}

bool bough_block_valid(const struct bough_field *fields, size_t count, const void *block,
                       size_t fixed_size, size_t size)
{
    if (size < fixed_size || size > BOUGH_BLOCK_MAX) return false;
    struct check check = {
        .block = block,
        .fixed_size = fixed_size,
        .size = size,
        .budget = size * BUDGET_FACTOR,
    };
    return struct_valid(&check, fields, count, 0, fixed_size, 0);
}
