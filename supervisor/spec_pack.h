/* spec_pack.h - child specs and options as bytes, so that they can travel in a message.
 *
 * A packed spec is a flat block in itself: name, policies, the type's options (by its
 * field table; of a supervisor, its flags and children, as deep as they go). It fills a
 * span of kind BOUGH_SPEC. Packed options fill a span of kind BOUGH_OPTIONS, and know
 * which of their members were given.
 *
 * Types travel as pointers, and so do members that no field table describes: the bytes
 * are good inside one process and the processes forked from it, and must not be believed
 * when they come from anywhere else. config/ makes them from JSON. Thread: any.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_SUPERVISOR_SPEC_PACK_H
#define BOUGH_SUPERVISOR_SPEC_PACK_H

#include <bough/supervisor/spec.h>

/* Appends the spec to the block and writes its span at `member_offset`. What went wrong
 * is remembered in the block, as always: BOUGH_ENOMEM, BOUGH_ETOOLARGE, or BOUGH_EINVALID
 * for a spec without a type, or of a type that copies its options by its own rule (other
 * than a supervisor). */
BOUGH_PUBLIC void bough_spec_pack(struct bough_block *block, size_t member_offset,
                                  const struct bough_child_spec *spec);

/* The spec that the bytes of such a span say: a deep copy, options and all that is nested
 * included, to be released with bough_spec_free(). That the bytes are whole is checked,
 * that the spec is allowed is not (bough_supervisor_check() does that). Errors:
 * BOUGH_EINVALID, `error` (may be NULL) says what is wrong; BOUGH_ENOMEM. */
BOUGH_PUBLIC BOUGH_CHECKED enum bough_status
bough_spec_unpack(const void *bytes, size_t len, struct bough_child_spec **spec,
                  struct bough_error *error);

/* The same without the way through bytes: NULL when memory is out. */
BOUGH_PUBLIC BOUGH_CHECKED struct bough_child_spec *
bough_spec_copy(const struct bough_child_spec *spec);

/* Releases such a copy; NULL is fine. */
BOUGH_PUBLIC void bough_spec_free(struct bough_child_spec *spec);

/* Appends options of `type`, with the knowledge of which were given: bit i of `given` is
 * row i of type->options (types with more than 64 rows are refused: BOUGH_EINVALID).
 * Members without a row count as given, all of them, when any is not zero. */
BOUGH_PUBLIC void bough_options_pack(struct bough_block *block, size_t member_offset,
                                     const struct bough_actor_type *type,
                                     const void *options, uint64_t given);

/* The rows of options written in C that are not zero, and so are given. */
BOUGH_PUBLIC uint64_t bough_options_given(const struct bough_actor_type *type,
                                          const void *options);

/* Options of `type`: `base` (may be NULL: all fallbacks), with those that the bytes give
 * laid over it; a copy as the type's own rule makes it, to be released with
 * bough_packed_options_free(). Errors: BOUGH_EINVALID (options of another type, bytes
 * that are not whole), BOUGH_ENOMEM. */
BOUGH_PUBLIC BOUGH_CHECKED enum bough_status
bough_options_unpack(const void *bytes, size_t len, const struct bough_actor_type *type,
                     const void *base, void **options, struct bough_error *error);
BOUGH_PUBLIC void bough_packed_options_free(const struct bough_actor_type *type,
                                            void *options);

#endif
