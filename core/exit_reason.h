/* exit_reason.h - why a life ended.
 *
 * A plain value that goes with the watch, the event and the log. `normal` and `shutdown`
 * are the two good ones (OTP's table N); every other kind is a fault that supervision
 * acts on.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_CORE_EXIT_REASON_H
#define BOUGH_CORE_EXIT_REASON_H

#include <string.h>

#include <bough/core/status.h>

enum bough_exit_kind {
    BOUGH_EXIT_NORMAL,   /* its work was done */
    BOUGH_EXIT_SHUTDOWN, /* it was asked to end, and did */
    BOUGH_EXIT_ERROR,    /* it said so: status and text */
    BOUGH_EXIT_KILLED,   /* ended without being asked */
    BOUGH_EXIT_SIGNAL,   /* its process died of a signal: number */
    BOUGH_EXIT_CODE,     /* its process ended by itself: number is the exit code */
    BOUGH_EXIT_TIMEOUT,  /* it did not start, or stop, in time */
    BOUGH_EXIT_LOST,     /* its process or node is gone */
    BOUGH_EXIT_KIND_COUNT
};

enum { BOUGH_EXIT_TEXT = 160 };

struct bough_exit_reason {
    enum bough_exit_kind kind;
    enum bough_status status;   /* BOUGH_EXIT_ERROR's; else BOUGH_OK */
    int number;                 /* signal or exit code; else 0 */
    char text[BOUGH_EXIT_TEXT]; /* a sentence, or "" */
};

/* "normal", "shutdown", "error", "killed", "signal", "exit", "timeout", "lost". */
BOUGH_PUBLIC const char *bough_exit_kind_name(enum bough_exit_kind kind);

/* The kind of that name; false when there is none. */
BOUGH_PUBLIC bool bough_exit_kind_parse(const char *name, enum bough_exit_kind *kind);

/* A signal by name or number: "TERM", "SIGTERM" or "15"; false when there is none. */
BOUGH_PUBLIC bool bough_signal_parse(const char *name, int *number);

/* Whether the reason is one of the two good ones. */
BOUGH_PUBLIC bool bough_exit_good(const struct bough_exit_reason *reason);

/* Makes a reason; the text is cut at BOUGH_EXIT_TEXT - 1 bytes, never inside a UTF-8
 * character. `format` may be NULL. */
BOUGH_PUBLIC struct bough_exit_reason bough_exit_make(enum bough_exit_kind kind,
                                                      enum bough_status status,
                                                      int number, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Copies a reason, and of its text what there is, not all 160 bytes. What follows the
 * text in `*to` is nobody's. */
static inline void bough_exit_copy(struct bough_exit_reason *to,
                                   const struct bough_exit_reason *from)
{
    enum { SHORT = 32 }; /* copied without a call */

    to->kind = from->kind;
    to->status = from->status;
    to->number = from->number;
    to->text[0] = from->text[0];
    if (from->text[0] == '\0') return;

    const size_t len = strlen(from->text);
    if (len < SHORT)
        memcpy(to->text, from->text, SHORT);
    else
        memcpy(to->text, from->text, len + 1);
}

/* For a person: "error: range: count overflows", "signal SEGV", "exit 3", "normal".
 * Writes at most `size` bytes with the NUL and returns `buffer`. */
BOUGH_PUBLIC const char *bough_exit_print(const struct bough_exit_reason *reason,
                                          char *buffer, size_t size);

#endif
