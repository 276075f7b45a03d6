/* spec_pack.c - child specs and options become bytes.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/supervisor/spec_pack.h>

#include <stdlib.h>
#include <string.h>

#include <bough/core/assert.h>
#include <bough/supervisor/spec_pack_internal.h>

static void fail(struct bough_block *block, enum bough_status status)
{
    if (block->status == BOUGH_OK) block->status = status;
}

/* What `part` holds becomes a span of `block`; finishes it. */
static void append(struct bough_block *block, size_t member_offset,
                   struct bough_block *part)
{
    if (part->status == BOUGH_OK)
        bough_block_bytes(block, member_offset, part->data, part->size);
    else
        fail(block, part->status);
    bough_block_finish(part);
}

static void pack_string(struct bough_block *block, size_t offset, const char *text)
{
    if (text) bough_block_text(block, offset, text);
}

static void pack_strings(struct bough_block *block, size_t offset,
                         const char *const *strings)
{
    size_t count = 0, at;

    if (!strings) return;
    while (strings[count])
        count++;
    at = bough_block_list(block, offset, count, sizeof(struct bough_span));
    for (size_t i = 0; i < count && block->status == BOUGH_OK; i++)
        bough_block_text(block, at + i * sizeof(struct bough_span), strings[i]);
}

/* Puts spans in the place of the pointers of a struct that lies at `base`. */
static void pack_pointers(struct bough_block *block, size_t base,
                          const struct bough_field *fields, size_t count,
                          const char *options)
{
    static const struct bough_span absent = { .offset = 0 };

    for (size_t i = 0; i < count && block->status == BOUGH_OK; i++) {
        const struct bough_field *field = &fields[i];
        const char *member = options + field->offset;
        const size_t offset = base + field->offset;
        const void *pointer;

        if (bough_kind_is_struct(field->kind)) {
            pack_pointers(block, offset, field->of, field->of_count, member);
        } else if (bough_kind_is_string(field->kind) ||
                   bough_kind_is_strings(field->kind)) {
            memcpy(&pointer, member, sizeof(pointer));
            memcpy(bough_block_at(block, offset), &absent, sizeof(absent));
            if (bough_kind_is_strings(field->kind))
                pack_strings(block, offset, pointer);
            else
                pack_string(block, offset, pointer);
        }
    }
}

static void pack_supervisor(struct bough_block *block, size_t member_offset,
                            const struct bough_supervisor_options *options)
{
    struct bough_packed_supervisor fixed = {
        .head.type = &bough_supervisor_type,
        .flags = *options,
    };
    struct bough_block part;
    size_t at;

    fixed.flags.children = NULL;
    bough_block_init(&part, NULL, 0, &fixed, sizeof(fixed));
    at = bough_block_list(&part, offsetof(struct bough_packed_supervisor, children),
                          options->child_count, sizeof(struct bough_span));
    for (size_t i = 0; i < options->child_count && part.status == BOUGH_OK; i++)
        bough_spec_pack(&part, at + i * sizeof(struct bough_span), &options->children[i]);
    append(block, member_offset, &part);
}

/* The head and the struct behind it, in one. */
static void begin_options(struct bough_block *part,
                          const struct bough_packed_options *head, const void *options)
{
    const size_t size = head->type->options_size;
    char *fixed = calloc(1, sizeof(*head) + size);

    *part = (struct bough_block){ .status = BOUGH_ENOMEM };
    if (!fixed) return;
    memcpy(fixed, head, sizeof(*head));
    if (size > 0) memcpy(fixed + sizeof(*head), options, size);
    bough_block_init(part, NULL, 0, fixed, sizeof(*head) + size);
    free(fixed);
}

void bough_options_pack(struct bough_block *block, size_t member_offset,
                        const struct bough_actor_type *type, const void *options,
                        uint64_t given)
{
    const struct bough_packed_options head = { .type = type, .given = given };
    struct bough_block part;

    if (!bough_pack_is_open(type)) {
        fail(block, BOUGH_EINVALID);
        return;
    }
    begin_options(&part, &head, options);
    pack_pointers(&part, sizeof(head), type->options, type->option_count, options);
    append(block, member_offset, &part);
}

/* A type without options gets none, whatever the spec says. */
static bool has_options(const struct bough_child_spec *spec)
{
    return spec->options && (bough_pack_is_supervisor(spec->type) ||
                             spec->type->copy_options || spec->type->options_size > 0);
}

void bough_spec_pack(struct bough_block *block, size_t member_offset,
                     const struct bough_child_spec *spec)
{
    struct bough_packed_spec fixed = { .spec = *spec };
    struct bough_block part;

    if (!spec->type) {
        fail(block, BOUGH_EINVALID);
        return;
    }
    fixed.spec.name = fixed.spec.route_field = NULL;
    fixed.spec.options = NULL;
    fixed.spec.policies = NULL;
    fixed.spec.limits.user = fixed.spec.limits.group = NULL;
    bough_block_init(&part, NULL, 0, &fixed, sizeof(fixed));
    pack_string(&part, offsetof(struct bough_packed_spec, name), spec->name);
    pack_string(&part, offsetof(struct bough_packed_spec, route_field),
                spec->route_field);
    pack_string(&part, offsetof(struct bough_packed_spec, user), spec->limits.user);
    pack_string(&part, offsetof(struct bough_packed_spec, group), spec->limits.group);
    bough_block_bytes(&part, offsetof(struct bough_packed_spec, policies), spec->policies,
                      spec->policy_count * sizeof(*spec->policies));
    if (has_options(spec) && bough_pack_is_supervisor(spec->type))
        pack_supervisor(&part, offsetof(struct bough_packed_spec, options),
                        spec->options);
    else if (has_options(spec))
        bough_options_pack(&part, offsetof(struct bough_packed_spec, options), spec->type,
                           spec->options, UINT64_MAX);
    append(block, member_offset, &part);
}

static bool all_zero(const char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != 0) return false;
    }
    return true;
}

uint64_t bough_options_given(const struct bough_actor_type *type, const void *options)
{
    uint64_t given = 0;

    bough_assert(type->option_count <= BOUGH_GIVEN_MAX);
    for (size_t i = 0; i < type->option_count; i++) {
        const struct bough_field *field = &type->options[i];

        if (!all_zero((const char *)options + field->offset, field->size))
            given |= UINT64_C(1) << i;
    }
    return given;
}
