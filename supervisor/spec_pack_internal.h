/* spec_pack_internal.h - what packed specs and options look like.
 *
 * Each is a flat block: a fixed struct whose pointers are zeroed or, in options, replaced
 * by spans in their place (both have eight bytes). What is nested is a block in a span.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_SUPERVISOR_SPEC_PACK_INTERNAL_H
#define BOUGH_SUPERVISOR_SPEC_PACK_INTERNAL_H

#include <stdalign.h>

#include <bough/supervisor/spec_pack.h>
#include <bough/supervisor/supervisor.h>

enum { BOUGH_GIVEN_MAX = 64 }; /* rows of a type whose options can be packed */

_Static_assert(sizeof(struct bough_span) == sizeof(char *), "a span takes its place");

/* A spec; the pointers of `spec` but its type are in the spans. */
struct bough_packed_spec {
    struct bough_child_spec spec;
    struct bough_span name, options, policies, route_field, user, group;
};

/* Options; those of a type with a field table follow at once, as a struct. */
struct bough_packed_options {
    alignas(max_align_t) const struct bough_actor_type *type;
    uint64_t given;
};

struct bough_packed_supervisor {
    struct bough_packed_options head;
    struct bough_supervisor_options flags;
    struct bough_span children; /* a list of spans, each a packed spec */
};

static inline bool bough_pack_is_supervisor(const struct bough_actor_type *type)
{
    return type == &bough_supervisor_type;
}

/* The options of a spec that bough_spec_unpack() or bough_spec_copy() made: the caller's
 * from now on, as its type's copy of options. */
void *bough_spec_take_options(struct bough_child_spec *spec);

/* Whether options can be copied from outside of their type. */
static inline bool bough_pack_is_open(const struct bough_actor_type *type)
{
    return type->copy_options == NULL && type->option_count <= BOUGH_GIVEN_MAX;
}

#endif
