/* scan_token_internal.h - the smallest parts of a config's text, and what to say when
 * another part was expected.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_CONFIG_SCAN_TOKEN_INTERNAL_H
#define BOUGH_CONFIG_SCAN_TOKEN_INTERNAL_H

#include <bough/config/errors_internal.h>
#include <bough/config/quote_internal.h>

struct bough_scanner {
    char *text;
    size_t len, at; /* bytes */
    struct bough_errors *errors;
    const struct bough_json_place *place; /* what is being read */
};

static inline bool bough_scan_at_end(const struct bough_scanner *in)
{
    return in->at >= in->len;
}

/* Adds an error at an offset. All that report an error return false. */
bool bough_scan_error(struct bough_scanner *in, size_t offset, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Skips white space and comments; those become spaces. False when one is not closed. */
BOUGH_CHECKED bool bough_scan_space(struct bough_scanner *in);

/* A string, from its opening quote. In a key, NUL is not allowed. */
BOUGH_CHECKED bool bough_scan_string(struct bough_scanner *in, bool is_key);

/* A number, true, false or null. */
BOUGH_CHECKED bool bough_scan_word(struct bough_scanner *in);

/* What is wrong when something else was expected here. */
bool bough_scan_unclosed(struct bough_scanner *in, size_t opened);
bool bough_scan_no_comma(struct bough_scanner *in, char close);
bool bough_scan_no_key(struct bough_scanner *in);
bool bough_scan_no_colon(struct bough_scanner *in);
bool bough_scan_no_value(struct bough_scanner *in);

#endif
