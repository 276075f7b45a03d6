/* public.h - marks what users may call, and what a caller must not ignore.
 *
 * The libraries are compiled with hidden symbols; only what is marked here can be linked
 * to.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_CORE_PUBLIC_H
#define BOUGH_CORE_PUBLIC_H

#define BOUGH_PUBLIC __attribute__((visibility("default")))
#define BOUGH_CHECKED __attribute__((warn_unused_result))

/* The struct that embeds `member` at `pointer`: from a call to the question around it. */
#define bough_container(pointer, type, member) \
    ((type *)((char *)(pointer)-offsetof(type, member)))

#define bough_count_of(array) (sizeof(array) / sizeof((array)[0]))

#endif
