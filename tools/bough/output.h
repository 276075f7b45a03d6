/* output.h - what the program prints for people, and how numbers and texts look there.
 *
 * Text that comes from a tree may hold anything, so it is made harmless for a terminal
 * before it is printed for people; JSON is escaped by its printer.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_TOOLS_BOUGH_OUTPUT_H
#define BOUGH_TOOLS_BOUGH_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

/* "bough: ..." and a newline on stderr. */
void bough_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* From now on a complaint that stderr does not take is dropped after a moment: for who
 * has a tree to see to. */
void bough_complain_impatiently(void);

enum bough_paint {
    BOUGH_PLAIN,
    BOUGH_DIM,
    BOUGH_BOLD,
    BOUGH_GREEN,
    BOUGH_YELLOW,
    BOUGH_RED
};

/* Whether `file` shows colours: a terminal, not a dumb one, and no NO_COLOR in the
 * environment (https://no-color.org). */
bool bough_output_colour(FILE *file);

/* The escape that begins a paint, BOUGH_PLAIN ends all; "" when `colour` is false. */
const char *bough_output_paint(bool colour, enum bough_paint paint);

/* The state of a place for people: "stuck" while its handler runs for too long; or
 * `fallback`. */
const char *bough_output_state(const json_t *place, const char *fallback);

/* How a state of an actor is painted: "running" green, "failed" red ... */
enum bough_paint bough_output_state_paint(const char *state);

/* Prints text with its control characters replaced by '?'; NULL prints nothing. */
void bough_output_text(FILE *file, const char *text);

enum { BOUGH_OUTPUT_DURATION = 32 };

/* The two largest units: "850ms", "12s", "3m12s", "2d4h". Returns `buffer`, which holds
 * BOUGH_OUTPUT_DURATION bytes. */
const char *bough_output_duration(int64_t ms, char *buffer);

/* One line of compact JSON on stdout. */
void bough_output_json(const json_t *json);

/* A JSON string of any bytes: what is not UTF-8 becomes '?'. NULL when memory is out;
 * never for another reason. NULL text is JSON null. The caller owns the result. */
json_t *bough_output_string(const char *text);

/* The lines of a text, which is UTF-8, as an array. A new reference. */
json_t *bough_output_lines(const char *lines);

/* A member of an object for printing: its text, or `fallback`. */
const char *bough_output_member(const json_t *object, const char *name,
                                const char *fallback);

#endif
