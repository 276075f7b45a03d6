/* status.h - what a function or a call can answer, and the error a person reads.
 *
 * One small, closed list for the whole of Bough. A value is added only when a caller
 * would do something different because of it. The names in lower case
 * (`bough_status_name`) are what the command line, the control socket and the events
 * print.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_CORE_STATUS_H
#define BOUGH_CORE_STATUS_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <bough/core/public.h>

enum bough_status {
    BOUGH_OK = 0,
    BOUGH_ENOMEM,      /* no memory; nothing was changed */
    BOUGH_EINVALID,    /* an argument or a value that is not allowed */
    BOUGH_EFULL,       /* the receiver's mailbox is full; the message was not taken */
    BOUGH_EGONE,       /* the life, or the place, is no more */
    BOUGH_ECRASHED,    /* the actor broke while it had the message */
    BOUGH_ETIMEOUT,    /* no answer within the time given */
    BOUGH_EREFUSED,    /* the actor said no; its text says why */
    BOUGH_ENOREPLY,    /* the actor ran the message and did not answer */
    BOUGH_ENOTFOUND,   /* no such path, key, child, message ... */
    BOUGH_EPRESENT,    /* a child of that name is there and is not running */
    BOUGH_ESTARTED,    /* a child of that name runs already */
    BOUGH_ERUNNING,    /* not while it runs */
    BOUGH_ERESTARTING, /* not while it restarts */
    BOUGH_ERANGE,      /* a number that does not fit */
    BOUGH_ETOOLARGE,   /* more bytes than allowed */
    BOUGH_ECANCELLED,  /* taken back by who asked */
    BOUGH_EDENIED,     /* not permitted */
    BOUGH_ESYSTEM,     /* the system said no; errno says why */
    BOUGH_EFAILED,     /* the work was done and did not succeed; the text says why */
    BOUGH_IGNORE, /* from init: no process wanted now, and that is no error (OTP `ignore`)
                   */
    BOUGH_STATUS_COUNT /* not a status */
};

/* The name in lower case: "ok", "full", "no_reply" ... Never NULL. */
BOUGH_PUBLIC const char *bough_status_name(enum bough_status status);

/* The same in a sentence: "the mailbox is full". Never NULL. */
BOUGH_PUBLIC const char *bough_status_text(enum bough_status status);

/* The status of that name; false when there is none, and `*status` is then unchanged. */
BOUGH_PUBLIC bool bough_status_parse(const char *name, enum bough_status *status);

enum { BOUGH_ERROR_TEXT = 256, BOUGH_ERROR_WHERE = 256 };

/* What went wrong, for a person. The caller owns it; nothing in it is allocated. A
 * function that takes one accepts NULL, and writes it only when it fails. */
struct bough_error {
    enum bough_status status;
    int errno_value;  /* 0: not the system's fault */
    int line, column; /* from 1; 0: not about a text. Columns count characters */
    char where[BOUGH_ERROR_WHERE];   /* a file or an actor's path; "" when neither */
    char pointer[BOUGH_ERROR_WHERE]; /* JSON pointer, "" when not about JSON */
    char text[BOUGH_ERROR_TEXT];     /* one sentence without a full stop */
};

/* Writes status and text, clears the rest, and returns `status`, so that a caller can
 * `return bough_error_set(error, BOUGH_EINVALID, "..."). `error` may be NULL. */
BOUGH_PUBLIC enum bough_status bough_error_set(struct bough_error *error,
                                               enum bough_status status,
                                               const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same for a failed system call: takes errno, appends its text. Returns
 * BOUGH_ESYSTEM, or BOUGH_ENOMEM when errno is ENOMEM. */
BOUGH_PUBLIC enum bough_status bough_error_system(struct bough_error *error,
                                                  const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
