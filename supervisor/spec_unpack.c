/* spec_unpack.c - bytes become child specs and options again.
 *
 * The bytes are copied once, so that they are aligned, and the pointers of a view point
 * into that copy; the view is then copied as any spec is (spec.c), and thrown away.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/supervisor/spec_pack.h>

#include <stdlib.h>
#include <string.h>

#include <bough/supervisor/spec_pack_internal.h>

enum { DEPTH_MAX = BOUGH_PATH_MAX / 2 }; /* paths have fewer levels */

/* A part of the view; what it points to are others. */
struct chunk {
    struct chunk *next;
    alignas(max_align_t) char bytes[];
};

struct reader {
    struct chunk *chunks;
    struct bough_error *error;
    enum bough_status status;
    int depth;
};

/* A block that is being read. */
struct source {
    char *bytes;
    size_t fixed, size;
};

static void *refuse(struct reader *reader, enum bough_status status, const char *why)
{
    if (reader->status == BOUGH_OK)
        reader->status = bough_error_set(reader->error, status, "%s", why);
    return NULL;
}

static void *broken(struct reader *reader)
{
    return refuse(reader, BOUGH_EINVALID, "the packed spec is not whole");
}

static void *take(struct reader *reader, size_t count, size_t size)
{
    size_t bytes;
    struct chunk *chunk;

    if (__builtin_mul_overflow(count, size, &bytes)) return broken(reader);
    chunk = calloc(1, sizeof(*chunk) + bytes);
    if (!chunk) return refuse(reader, BOUGH_ENOMEM, bough_status_text(BOUGH_ENOMEM));
    chunk->next = reader->chunks;
    reader->chunks = chunk;
    return chunk->bytes;
}

static void release(struct reader *reader)
{
    while (reader->chunks) {
        struct chunk *next = reader->chunks->next;

        free(reader->chunks);
        reader->chunks = next;
    }
}

/* An aligned copy of a block whose fixed part has `fixed` bytes. */
static bool open_source(struct reader *reader, struct source *source, const void *bytes,
                        size_t len, size_t fixed)
{
    if (len < fixed) return broken(reader) != NULL;
    source->bytes = take(reader, 1, len);
    if (!source->bytes) return false;
    memcpy(source->bytes, bytes, len);
    source->fixed = fixed;
    source->size = len;
    return true;
}

/* The bytes of a span, NULL for one that is absent or does not lie in the block (then the
 * reader says so). */
static char *read_bytes(struct reader *reader, const struct source *source,
                        struct bough_span span, size_t element)
{
    if (span.offset == 0) return NULL;
    if (span.offset < source->fixed || span.offset > source->size ||
        span.len > (source->size - span.offset) / element)
        return broken(reader);
    return source->bytes + span.offset;
}

static char *read_text(struct reader *reader, const struct source *source,
                       struct bough_span span)
{
    char *text = read_bytes(reader, source, span, 1);

    if (!text) return NULL;
    if (span.len == source->size - span.offset || text[span.len] != '\0' ||
        memchr(text, '\0', span.len))
        return broken(reader);
    return text;
}

static const char **read_texts(struct reader *reader, const struct source *source,
                               struct bough_span list)
{
    const char *at = read_bytes(reader, source, list, sizeof(struct bough_span));
    const char **texts;

    if (!at) return NULL;
    texts = take(reader, (size_t)list.len + 1, sizeof(*texts));
    for (size_t i = 0; i < list.len && reader->status == BOUGH_OK; i++) {
        struct bough_span span;

        memcpy(&span, at + i * sizeof(span), sizeof(span));
        texts[i] = read_text(reader, source, span);
    }
    return texts;
}

/* Puts pointers in the place of the spans of the struct at `base`. */
static void read_pointers(struct reader *reader, const struct source *source, size_t base,
                          const struct bough_field *fields, size_t count)
{
    for (size_t i = 0; i < count && reader->status == BOUGH_OK; i++) {
        const struct bough_field *field = &fields[i];
        char *member = source->bytes + base + field->offset;
        struct bough_span span;
        const void *pointer;

        if (bough_kind_is_struct(field->kind)) {
            read_pointers(reader, source, base + field->offset, field->of,
                          field->of_count);
        } else if (bough_kind_is_string(field->kind) ||
                   bough_kind_is_strings(field->kind)) {
            memcpy(&span, member, sizeof(span));
            pointer = bough_kind_is_strings(field->kind)
                          ? (const void *)read_texts(reader, source, span)
                          : read_text(reader, source, span);
            memcpy(member, &pointer, sizeof(pointer));
        }
    }
}

/* The struct behind the head, with its pointers; NULL when there is none, or it is
 * broken. */
static void *read_options(struct reader *reader, const void *bytes, size_t len,
                          const struct bough_actor_type *type, uint64_t *given)
{
    struct bough_packed_options head;
    struct source source;

    if (len < sizeof(head)) return broken(reader);
    memcpy(&head, bytes, sizeof(head));
    if (head.type != type || !bough_pack_is_open(type))
        return refuse(reader, BOUGH_EINVALID, "the options are another type's");
    if (!open_source(reader, &source, bytes, len, sizeof(head) + type->options_size))
        return NULL;
    read_pointers(reader, &source, sizeof(head), type->options, type->option_count);
    if (given) *given = head.given;
    return reader->status == BOUGH_OK ? source.bytes + sizeof(head) : NULL;
}

static void read_spec(struct reader *reader, const void *bytes, size_t len,
                      struct bough_child_spec *spec);

static struct bough_supervisor_options *read_supervisor(struct reader *reader,
                                                        const void *bytes, size_t len)
{
    struct bough_packed_supervisor *fixed;
    struct bough_child_spec *children;
    struct source source;
    const char *at;

    if (!open_source(reader, &source, bytes, len, sizeof(*fixed))) return NULL;
    fixed = (void *)source.bytes;
    if (!bough_pack_is_supervisor(fixed->head.type)) return broken(reader);
    at = read_bytes(reader, &source, fixed->children, sizeof(struct bough_span));
    if (!at && fixed->children.len > 0) return broken(reader);
    children = take(reader, fixed->children.len, sizeof(*children));
    for (size_t i = 0; i < fixed->children.len && reader->status == BOUGH_OK; i++) {
        struct bough_span span;
        const char *child;

        memcpy(&span, at + i * sizeof(span), sizeof(span));
        child = read_bytes(reader, &source, span, 1);
        if (child)
            read_spec(reader, child, span.len, &children[i]);
        else
            broken(reader);
    }
    fixed->flags.children = children;
    fixed->flags.child_count = fixed->children.len;
    return &fixed->flags;
}

static void read_policies(struct reader *reader, const struct source *source,
                          struct bough_span span, struct bough_child_spec *spec)
{
    const char *bytes = read_bytes(reader, source, span, 1);
    struct bough_policy *policies;

    spec->policies = NULL;
    if (!bytes || span.len != spec->policy_count * sizeof(*policies)) {
        broken(reader);
        return;
    }
    if (span.len == 0) return;
    policies = take(reader, spec->policy_count, sizeof(*policies));
    if (policies) memcpy(policies, bytes, span.len);
    spec->policies = policies;
}

static void read_spec(struct reader *reader, const void *bytes, size_t len,
                      struct bough_child_spec *spec)
{
    struct bough_packed_spec *fixed;
    struct source source;
    const char *options;

    if (++reader->depth > DEPTH_MAX) {
        broken(reader);
        return;
    }
    if (!open_source(reader, &source, bytes, len, sizeof(*fixed))) return;
    fixed = (void *)source.bytes;
    *spec = fixed->spec;
    spec->name = read_text(reader, &source, fixed->name);
    spec->route_field = read_text(reader, &source, fixed->route_field);
    spec->limits.user = read_text(reader, &source, fixed->user);
    spec->limits.group = read_text(reader, &source, fixed->group);
    read_policies(reader, &source, fixed->policies, spec);
    options = read_bytes(reader, &source, fixed->options, 1);
    if (!spec->type)
        broken(reader);
    else if (options && bough_pack_is_supervisor(spec->type))
        spec->options = read_supervisor(reader, options, fixed->options.len);
    else if (options)
        spec->options =
            read_options(reader, options, fixed->options.len, spec->type, NULL);
    reader->depth--;
}

/* What is given away: the spec, and the flags of one child that own what it points to. */
struct unpacked {
    struct bough_supervisor_options *owner;
    struct bough_child_spec spec;
};

struct bough_child_spec *bough_spec_copy(const struct bough_child_spec *view)
{
    const struct bough_supervisor_options one = { .children = view, .child_count = 1 };
    struct unpacked *unpacked = malloc(sizeof(*unpacked));

    if (!unpacked) return NULL;
    unpacked->owner = bough_supervisor_options_copy(&one);
    if (!unpacked->owner) {
        free(unpacked);
        return NULL;
    }
    unpacked->spec = unpacked->owner->children[0];
    return &unpacked->spec;
}

enum bough_status bough_spec_unpack(const void *bytes, size_t len,
                                    struct bough_child_spec **spec,
                                    struct bough_error *error)
{
    struct reader reader = { .error = error };
    struct bough_child_spec view, *copy = NULL;

    read_spec(&reader, bytes, len, &view);
    if (reader.status == BOUGH_OK) {
        copy = bough_spec_copy(&view);
        if (!copy) refuse(&reader, BOUGH_ENOMEM, bough_status_text(BOUGH_ENOMEM));
    }
    release(&reader);
    if (reader.status == BOUGH_OK) *spec = copy;
    return reader.status;
}

void bough_spec_free(struct bough_child_spec *spec)
{
    struct unpacked *unpacked;

    if (!spec) return;
    unpacked = bough_container(spec, struct unpacked, spec);
    bough_supervisor_options_free(unpacked->owner);
    free(unpacked);
}

void *bough_spec_take_options(struct bough_child_spec *spec)
{
    struct unpacked *unpacked = bough_container(spec, struct unpacked, spec);
    struct bough_child_spec *owned =
        (struct bough_child_spec *)(uintptr_t)unpacked->owner->children;
    void *options = (void *)(uintptr_t)spec->options;

    owned->options = spec->options = NULL;
    return options;
}

/* Options over options */

static bool has_row(const struct bough_actor_type *type, size_t offset)
{
    for (size_t i = 0; i < type->option_count; i++) {
        const struct bough_field *field = &type->options[i];

        if (offset >= field->offset && offset - field->offset < field->size) return true;
    }
    return false;
}

/* The members that no row names: all of them, when any is not zero. */
static void lay_over_rowless(const struct bough_actor_type *type, char *below,
                             const char *above)
{
    bool any = false;

    for (size_t i = 0; i < type->options_size && !any; i++)
        any = above[i] != 0 && !has_row(type, i);
    for (size_t i = 0; i < type->options_size && any; i++) {
        if (!has_row(type, i)) below[i] = above[i];
    }
}

static void lay_over(const struct bough_actor_type *type, char *below, const char *above,
                     uint64_t given)
{
    for (size_t i = 0; i < type->option_count; i++) {
        const struct bough_field *field = &type->options[i];

        if (given & UINT64_C(1) << i)
            memcpy(below + field->offset, above + field->offset, field->size);
    }
    lay_over_rowless(type, below, above);
}

enum bough_status bough_options_unpack(const void *bytes, size_t len,
                                       const struct bough_actor_type *type,
                                       const void *base, void **options,
                                       struct bough_error *error)
{
    struct reader reader = { .error = error };
    uint64_t given = 0;
    const char *above = read_options(&reader, bytes, len, type, &given);
    char *merged = above ? take(&reader, 1, type->options_size) : NULL;
    void *copy = NULL;

    if (merged) {
        if (base) memcpy(merged, base, type->options_size);
        lay_over(type, merged, above, given);
        copy = bough_options_copy(type->options, type->option_count, type->options_size,
                                  merged);
        if (!copy) refuse(&reader, BOUGH_ENOMEM, bough_status_text(BOUGH_ENOMEM));
    }
    release(&reader);
    if (reader.status == BOUGH_OK) *options = copy;
    return reader.status;
}

void bough_packed_options_free(const struct bough_actor_type *type, void *options)
{
    if (!options) return;
    if (type->free_options)
        type->free_options(options);
    else
        bough_options_drop(options);
}
