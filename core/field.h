/* field.h - one description of a struct's members, for everything that must name them.
 *
 * A message, a reply or an options struct is described once by a table of fields. The
 * same table prints and parses JSON, checks a config, fills the struct, makes the schema
 * and the manual, and carries the values across a process border.
 *
 * Messages and replies are flat blocks: a fixed struct, followed in the same block by its
 * variable parts, which the struct names by spans (offset and length). A block has no
 * pointers, so it can be copied as it stands. Options are ordinary structs with pointers,
 * for they are written by hand in C; bough_options_copy() makes one block of them.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_CORE_FIELD_H
#define BOUGH_CORE_FIELD_H

#include <stdint.h>
#include <string.h>

#include <bough/core/status.h>

/* Where a variable part lies, counted from the start of its block. */
struct bough_span {
    uint32_t offset; /* bytes from the start of the block */
    uint32_t len;    /* bytes; for BOUGH_LIST, elements */
};

enum bough_kind {
    /* member type in the struct        JSON */
    BOUGH_BOOL,     /* bool             true, false */
    BOUGH_INT64,    /* int64_t          a whole number */
    BOUGH_DOUBLE,   /* double           a number */
    BOUGH_DURATION, /* int64_t, ms      "200ms", "5s"; BOUGH_FOREVER is "infinity" */
    BOUGH_SIZE,     /* int64_t, bytes   "10MiB", "infinity" too */
    BOUGH_CHOICE,   /* int, an index    one of .choices */
    /* flat blocks only */
    BOUGH_TEXT,  /* struct bough_span   a string: UTF-8, a NUL follows it in the block */
    BOUGH_BYTES, /* struct bough_span   a string, or {"base64": "..."} when not UTF-8 */
    BOUGH_PAIRS, /* struct bough_span   an object of scalars: name NUL value NUL ... */
    BOUGH_LIST,  /* struct bough_span   an array of structs described by .of */
    /* flat blocks only, bytes that the room supervisor/ makes and reads (spec_pack.h) */
    BOUGH_SPEC,    /* struct bough_span   a child spec, as an object */
    BOUGH_OPTIONS, /* struct bough_span   options of a type the receiver knows: an object
                    */
    /* options only; pointers, NULL when not given */
    BOUGH_STRING,  /* const char *         a string */
    BOUGH_STRINGS, /* const char *const *  an array of strings; ends with NULL */
    BOUGH_PATH,    /* const char *         the path of another actor */
    BOUGH_FILE,    /* const char *         the path of a file */
    BOUGH_MAP,     /* const char *const *  an object of strings: name, value ... NULL */
    BOUGH_OBJECT,  /* a nested struct      an object of .of */
    /* A nested struct that begins with an int: one of .choices, whose index that is, or
     * an object of .of, some member of which then is not zero: none has a fallback. */
    BOUGH_EITHER,
    BOUGH_KIND_COUNT
};

#define BOUGH_FOREVER INT64_MAX

struct bough_field {
    const char *name; /* snake_case; NULL: the sole field of a list of plain values */
    enum bough_kind kind;
    uint32_t offset, size;     /* of the member */
    const char *help;          /* one sentence for the manual and the schema */
    bool optional;             /* when not given: the fallback */
    int64_t fallback;          /* numbers, durations, sizes, choices (index), bools */
    const char *fallback_text; /* BOUGH_STRING, BOUGH_PATH, BOUGH_TEXT */
    int64_t min, max;          /* numbers, durations, sizes; both 0: no limits */
    /* Of options, where a zeroed member stands for "not given": what it is when zero is
     * given. A whole number outside of the limits; 0: no difference is made. */
    int64_t given_zero;
    const char *const *choices; /* BOUGH_CHOICE, BOUGH_EITHER: names, ends with NULL */
    const char *refers_to;      /* BOUGH_PATH: the type it must be of, NULL: any */
    bool at_start;              /* BOUGH_PATH: must run before this actor starts */
    bool is_program;         /* BOUGH_STRINGS: the first is one, with or without path */
    const char *string_with; /* BOUGH_STRINGS: a string is one, too, beside this bool */
    const struct bough_field *of; /* BOUGH_LIST, BOUGH_OBJECT, BOUGH_EITHER: the fields */
    uint32_t of_count, of_size;   /* how many fields; bytes of one element */
};

/* What the member of an option of that kind is. */
static inline bool bough_kind_is_string(enum bough_kind kind)
{
    return kind == BOUGH_STRING || kind == BOUGH_PATH || kind == BOUGH_FILE;
}

static inline bool bough_kind_is_strings(enum bough_kind kind)
{
    return kind == BOUGH_STRINGS || kind == BOUGH_MAP;
}

static inline bool bough_kind_is_struct(enum bough_kind kind)
{
    return kind == BOUGH_OBJECT || kind == BOUGH_EITHER;
}

/* A row of a field table; more members by designated initialisers. The member's size is
 * checked against its kind by bough_fields_valid(), which a test runs over every table.
 */
#define bough_field(struct_type, member, field_name, field_kind, ...) \
    { \
        .name = (field_name), .kind = (field_kind), \
        .offset = offsetof(struct_type, member), \
        .size = sizeof(((struct_type *)NULL)->member), __VA_ARGS__ \
    }

/* Whether a table is sound: sizes fit kinds, names are unique and snake_case, choices are
 * there, a fallback is allowed by its own limits. For tests; writes the reason. */
BOUGH_PUBLIC bool bough_fields_valid(const struct bough_field *fields, size_t count,
                                     struct bough_error *error);

/* The same for a table of options, in which a zeroed member stands for its fallback: so a
 * number with another fallback must exclude zero by its limits, a choice lists its
 * default first, and a bool is named so that its default is false. */
BOUGH_PUBLIC bool bough_options_valid(const struct bough_field *fields, size_t count,
                                      struct bough_error *error);

/* The field of that name, or NULL. */
BOUGH_PUBLIC const struct bough_field *bough_field_find(const struct bough_field *fields,
                                                        size_t count, const char *name);

/* Reading a flat block */

/* The bytes of a span; never NULL, also for an empty one. */
static inline const void *bough_span_data(const void *block, struct bough_span span)
{
    return (const char *)block + span.offset;
}

/* The text of a BOUGH_TEXT span, NUL-terminated. */
static inline const char *bough_span_text(const void *block, struct bough_span span)
{
    return span.offset == 0 ? "" : (const char *)block + span.offset;
}

/* Whether every span of the block lies inside it, every text ends with NUL and is UTF-8,
 * and every choice is in range: for blocks that come from outside. `size` is the block's.
 */
BOUGH_PUBLIC bool bough_block_valid(const struct bough_field *fields, size_t count,
                                    const void *block, size_t fixed_size, size_t size);

/* Copies `len` bytes; 8 to 32 of them, as most keys and words are, without a call: as two
 * copies that overlap. */
static inline void bough_copy_bytes(void *to, const void *from, size_t len)
{
    enum { LEAST = 8, HALF = 16, MOST = 32 };
    char *out = to;
    const char *in = from;

    if (len - LEAST > MOST - LEAST) {
        if (len > 0) memcpy(to, from, len);
    } else if (len >= HALF) {
        char first[HALF], last[HALF];
        memcpy(first, in, HALF);
        memcpy(last, in + len - HALF, HALF);
        memcpy(out, first, HALF);
        memcpy(out + len - HALF, last, HALF);
    } else {
        memcpy(out, in, LEAST);
        memcpy(out + len - LEAST, in + len - LEAST, LEAST);
    }
}

/* Making a flat block
 *
 * Starts in a buffer of the caller (on the stack, so that small messages allocate
 * nothing) and moves to the heap when that is too small. An error is remembered: check
 * once, at the end. `data` moves when it grows: keep spans, never pointers. */
struct bough_block {
    char *data;
    size_t size, capacity;
    enum bough_status status; /* BOUGH_OK, BOUGH_ENOMEM, BOUGH_ETOOLARGE */
    /* private */
    char *buffer;
};

enum { BOUGH_BLOCK_MAX = 64 * 1024 * 1024 }; /* bytes in one message or reply */

/* The long ways of init(), bytes() and finish(): what goes to the heap. */
BOUGH_PUBLIC void bough_block_begin(struct bough_block *block, void *buffer,
                                    size_t buffer_size, const void *fixed,
                                    size_t fixed_size);
BOUGH_PUBLIC void bough_block_append(struct bough_block *block, size_t member_offset,
                                     const void *bytes, size_t len);
BOUGH_PUBLIC void bough_block_release(struct bough_block *block);

/* Begins with a copy of the fixed struct; `buffer` must be aligned for it (max_align_t is
 * always right) and outlive the block. `buffer_size` may be smaller than `fixed_size`.
 *
 * Hot, as bytes() and finish() are: inline, since every actor knows its sizes and offsets
 * when it is compiled, and the checks of a first part vanish. */
static inline void bough_block_init(struct bough_block *block, void *buffer,
                                    size_t buffer_size, const void *fixed,
                                    size_t fixed_size)
{
    if (buffer == NULL || buffer_size > BOUGH_BLOCK_MAX || fixed_size > buffer_size) {
        bough_block_begin(block, buffer, buffer_size, fixed, fixed_size);
        return;
    }
    block->data = buffer;
    block->size = fixed_size;
    block->capacity = buffer_size;
    block->status = BOUGH_OK;
    block->buffer = buffer;
    if (fixed_size > 0) memcpy(buffer, fixed, fixed_size);
}

/* Releases what bough_block took from the heap. */
static inline void bough_block_finish(struct bough_block *block)
{
    if (block->data != block->buffer) bough_block_release(block);
    block->data = block->buffer = NULL;
    block->size = block->capacity = 0;
}

/* Appends bytes and a NUL that the span does not count; so texts and bytes alike. The
 * span lies at `member_offset` in the block (use offsetof) and is written there. */
static inline void bough_block_bytes(struct bough_block *block, size_t member_offset,
                                     const void *bytes, size_t len)
{
    const struct bough_span span = { .offset = (uint32_t)block->size,
                                     .len = (uint32_t)len };

    if (block->status != BOUGH_OK || len >= BOUGH_BLOCK_MAX ||
        len >= block->capacity - block->size ||
        member_offset + sizeof(span) > block->size) {
        bough_block_append(block, member_offset, bytes, len);
        return;
    }
    char *room = block->data + block->size;
    block->size += len + 1;
    bough_copy_bytes(room, bytes, len);
    room[len] = '\0';
    memcpy(block->data + member_offset, &span, sizeof(span));
}

/* The same for a NUL-terminated text. */
BOUGH_PUBLIC void bough_block_text(struct bough_block *block, size_t member_offset,
                                   const char *text);

/* Appends room, zeroed and aligned to 8, for a BOUGH_LIST of `count` elements of
 * `element_size` bytes, writes the span, and returns the offset of the first element; 0
 * on failure. Elements are then filled through bough_block_at() and by bough_block_text()
 * with the element's own offsets. */
BOUGH_PUBLIC size_t bough_block_list(struct bough_block *block, size_t member_offset,
                                     size_t count, size_t element_size);

/* The bytes at an offset, until the next append; NULL after a failure. */
BOUGH_PUBLIC void *bough_block_at(struct bough_block *block, size_t offset);

/* Options */

/* A deep copy in one allocation, zeroed members replaced by their fallbacks. `options`
 * NULL: all fallbacks. NULL when memory is out. Nobody changes it but its maker, before
 * it is shared; it is released by bough_options_drop(). */
BOUGH_PUBLIC void *bough_options_copy(const struct bough_field *fields, size_t count,
                                      size_t size, const void *options);

/* One more holder of such a copy, and one less: the last one frees it; NULL is fine.
 * Thread: any. */
BOUGH_PUBLIC void *bough_options_share(const void *options);
BOUGH_PUBLIC void bough_options_drop(void *options);

#endif
