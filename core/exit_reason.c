/* exit_reason.c - why a life ended: names, making and printing.
 *
 * SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <bough/core/exit_reason.h>

#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <bough/core/text.h>

static const char *const names[] = {
    [BOUGH_EXIT_NORMAL] = "normal",   [BOUGH_EXIT_SHUTDOWN] = "shutdown",
    [BOUGH_EXIT_ERROR] = "error",     [BOUGH_EXIT_KILLED] = "killed",
    [BOUGH_EXIT_SIGNAL] = "signal",   [BOUGH_EXIT_CODE] = "exit",
    [BOUGH_EXIT_TIMEOUT] = "timeout", [BOUGH_EXIT_LOST] = "lost",
};

_Static_assert(bough_count_of(names) == BOUGH_EXIT_KIND_COUNT, "each kind has its name");

const char *bough_exit_kind_name(enum bough_exit_kind kind)
{
    return (unsigned)kind < BOUGH_EXIT_KIND_COUNT ? names[kind] : "unknown";
}

bool bough_exit_kind_parse(const char *name, enum bough_exit_kind *kind)
{
    for (unsigned i = 0; i < BOUGH_EXIT_KIND_COUNT; i++) {
        if (strcmp(name, names[i]) != 0) continue;
        *kind = (enum bough_exit_kind)i;
        return true;
    }
    return false;
}

bool bough_exit_good(const struct bough_exit_reason *reason)
{
    return reason->kind == BOUGH_EXIT_NORMAL || reason->kind == BOUGH_EXIT_SHUTDOWN;
}

/* What follows the text is nobody's, and is not cleared: most reasons have none. */
static struct bough_exit_reason bare(enum bough_exit_kind kind, enum bough_status status,
                                     int number)
{
    struct bough_exit_reason reason;

    reason.kind = kind;
    reason.status = status;
    reason.number = number;
    reason.text[0] = '\0';
    return reason;
}

struct bough_exit_reason bough_exit_make(enum bough_exit_kind kind,
                                         enum bough_status status, int number,
                                         const char *format, ...)
{
    struct bough_exit_reason reason;
    va_list arguments;

    if (!format) return bare(kind, status, number);
    reason.kind = kind;
    reason.status = status;
    reason.number = number;
    va_start(arguments, format);
    bough_text_vformat(reason.text, sizeof(reason.text), format, arguments);
    va_end(arguments);
    return reason;
}

bool bough_signal_parse(const char *name, int *number)
{
    static const char sig[] = "SIG";
    char *end;

    if (strncmp(name, sig, strlen(sig)) == 0) name += strlen(sig);
    const long given = strtol(name, &end, 10);
    for (int i = 1; i < NSIG; i++) {
        const char *known = sigabbrev_np(i);
        const bool is_number = *name != '\0' && *end == '\0' && i == given;

        if (!is_number && (known == NULL || strcmp(known, name) != 0)) continue;
        *number = i;
        return true;
    }
    return false;
}

/* What comes before the text. */
static size_t print_head(const struct bough_exit_reason *reason, char *buffer,
                         size_t size)
{
    const char *name = bough_exit_kind_name(reason->kind);
    const char *signal = sigabbrev_np(reason->number);

    if (reason->kind == BOUGH_EXIT_SIGNAL && signal) {
        return bough_text_format(buffer, size, "%s %s", name, signal);
    }
    if (reason->kind == BOUGH_EXIT_SIGNAL || reason->kind == BOUGH_EXIT_CODE) {
        return bough_text_format(buffer, size, "%s %d", name, reason->number);
    }
    if (reason->status != BOUGH_OK) {
        return bough_text_format(buffer, size, "%s: %s", name,
                                 bough_status_name(reason->status));
    }
    return bough_text_format(buffer, size, "%s", name);
}

const char *bough_exit_print(const struct bough_exit_reason *reason, char *buffer,
                             size_t size)
{
    const size_t len = print_head(reason, buffer, size);

    if (reason->text[0] != '\0') {
        bough_text_format(buffer + len, size - len, ": %s", reason->text);
    }
    return buffer;
}
