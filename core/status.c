/* status.c - the names of what can be answered, and the error a person reads.
 *
 * SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <bough/core/status.h>

#include <errno.h>
#include <string.h>

#include <bough/core/assert.h>
#include <bough/core/text.h>

struct row {
    const char *name, *text;
};

static const struct row rows[] = {
    [BOUGH_OK] = { "ok", "done" },
    [BOUGH_ENOMEM] = { "no_memory", "there is no memory" },
    [BOUGH_EINVALID] = { "invalid", "the value is not allowed" },
    [BOUGH_EFULL] = { "full", "the mailbox is full" },
    [BOUGH_EGONE] = { "gone", "the actor is no more" },
    [BOUGH_ECRASHED] = { "crashed", "the actor broke while it had the message" },
    [BOUGH_ETIMEOUT] = { "timeout", "there was no answer in time" },
    [BOUGH_EREFUSED] = { "refused", "the actor refused" },
    [BOUGH_ENOREPLY] = { "no_reply", "the actor did not answer" },
    [BOUGH_ENOTFOUND] = { "not_found", "there is no such thing" },
    [BOUGH_EPRESENT] = { "already_present",
                         "a child of that name is there and not running" },
    [BOUGH_ESTARTED] = { "already_started", "a child of that name is running" },
    [BOUGH_ERUNNING] = { "running", "it is running" },
    [BOUGH_ERESTARTING] = { "restarting", "it is restarting" },
    [BOUGH_ERANGE] = { "range", "the number does not fit" },
    [BOUGH_ETOOLARGE] = { "too_large", "there are more bytes than allowed" },
    [BOUGH_ECANCELLED] = { "cancelled", "it was taken back" },
    [BOUGH_EDENIED] = { "denied", "it is not permitted" },
    [BOUGH_ESYSTEM] = { "system", "the system refused" },
    [BOUGH_EFAILED] = { "failed", "the work did not succeed" },
    [BOUGH_IGNORE] = { "ignore", "none is wanted now" },
};

_Static_assert(bough_count_of(rows) == BOUGH_STATUS_COUNT, "each status has its row");

const char *bough_status_name(enum bough_status status)
{
    return (unsigned)status < BOUGH_STATUS_COUNT ? rows[status].name : "unknown";
}

const char *bough_status_text(enum bough_status status)
{
    return (unsigned)status < BOUGH_STATUS_COUNT ? rows[status].text
                                                 : "an unknown status";
}

bool bough_status_parse(const char *name, enum bough_status *status)
{
    for (unsigned i = 0; i < BOUGH_STATUS_COUNT; i++) {
        if (strcmp(name, rows[i].name) != 0) continue;
        *status = (enum bough_status)i;
        return true;
    }
    return false;
}

enum bough_status bough_error_set(struct bough_error *error, enum bough_status status,
                                  const char *format, ...)
{
    bough_assert(status != BOUGH_OK);
    if (!error) return status;

    va_list arguments;
    *error = (struct bough_error){ .status = status };
    va_start(arguments, format);
    bough_text_vformat(error->text, sizeof(error->text), format, arguments);
    va_end(arguments);
    return status;
}

enum bough_status bough_error_system(struct bough_error *error, const char *format, ...)
{
    const int errno_value = errno;
    const enum bough_status status = errno_value == ENOMEM ? BOUGH_ENOMEM : BOUGH_ESYSTEM;
    if (!error) return status;

    va_list arguments;
    *error = (struct bough_error){ .status = status, .errno_value = errno_value };
    va_start(arguments, format);
    const size_t len =
        bough_text_vformat(error->text, sizeof(error->text), format, arguments);
    va_end(arguments);

    const char *why = strerrordesc_np(errno_value);
    if (why) {
        bough_text_format(error->text + len, sizeof(error->text) - len, ": %s", why);
    } else {
        bough_text_format(error->text + len, sizeof(error->text) - len, ": error %d",
                          errno_value);
    }
    return status;
}
