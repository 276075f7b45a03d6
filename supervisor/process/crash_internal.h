/* crash_internal.h - what a process leaves that dies of a fault.
 *
 * crash.c    writes it, in the process that dies
 * stack.c    copies the stack and the mappings
 * symbols.c  finds the callers there, and their names, in a process of its own
 * reader.c   asks for them
 * fault.c    reads it in the parent, and checks it
 * report.c   tells
 *
 * It lies behind the child's side of the border, which outlives the process. The parent
 * does not believe it, and does not look into the files that it names: a program that has
 * lost its mind may have written anything there.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_SUPERVISOR_PROCESS_CRASH_INTERNAL_H
#define BOUGH_SUPERVISOR_PROCESS_CRASH_INTERNAL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bough/core/place.h>
#include <bough/supervisor/process/border_internal.h>
#include <bough/supervisor/process/nursery_internal.h>

#if defined(__x86_64__)
enum { BOUGH_CRASH_REGISTERS = 17 }; /* with the program counter */
#elif defined(__aarch64__)
enum { BOUGH_CRASH_REGISTERS = 32 };
#else
enum { BOUGH_CRASH_REGISTERS = 1 }; /* none is known */
#endif

enum {
    BOUGH_CRASH_MAPS_MAX = 96 * 1024,
    BOUGH_CRASH_STACK_MAX = 128 * 1024,
    BOUGH_CRASH_TEXT = 16 * 1024
};

/* Where a thread was, and its stack from there on. */
struct bough_crash_stack {
    uint64_t registers[BOUGH_CRASH_REGISTERS]; /* by their numbers in DWARF */
    uint64_t counter;                          /* of the program; 0: not known */
    uint64_t begin;                            /* the address of the first byte */
    uint32_t size;
    unsigned char bytes[BOUGH_CRASH_STACK_MAX];
};

/* How much of it has been written. */
enum {
    BOUGH_CRASH_NONE,
    BOUGH_CRASH_SIGNAL,
    BOUGH_CRASH_STACK,
    BOUGH_CRASH_MAPS,
    BOUGH_CRASH_RUNNER
};

/* What it died of. */
struct bough_crash_fault {
    _Atomic uint32_t written;
    int32_t signal, code; /* as in siginfo_t */
    uint32_t maps_size;
    uint64_t address;
    char runner[BOUGH_PATH_MAX]; /* whose handler was running, or "" */
};

struct bough_crash_area {
    struct bough_crash_fault fault;
    char maps[BOUGH_CRASH_MAPS_MAX + 1]; /* the lines of /proc/self/maps */
    struct bough_crash_stack stack;      /* last: only what is used of it is copied */
};
_Static_assert(sizeof(struct bough_crash_area) <= BOUGH_CRASH_ROOM, "there is room");

/* How much of one is used, if its numbers are sound. */
static inline size_t bough_crash_size(const struct bough_crash_area *area)
{
    return offsetof(struct bough_crash_area, stack.bytes) + area->stack.size;
}

/* Whether it is known where the thread was; which files lay there is another question. */
static inline bool bough_crash_is_known(const struct bough_crash_area *area)
{
    return area->stack.counter != 0 || area->stack.size > 0;
}

/* In a signal handler, with its context; and the mappings, in one or anywhere else. */
void bough_crash_copy_stack(void *context, struct bough_crash_stack *stack);
void bough_crash_copy_maps(struct bough_crash_area *area);

/* In a process where actors live: its faults are written there from now on. */
void bough_crash_prepare(volatile void *area);

/* In a process of its own: sends the backtrace as text over the socket, of a memfd that
 * holds the area, and ends. */
void bough_crash_read(int socket, int file) __attribute__((noreturn));

/* The backtrace, with names, of an area that is sound. It reads the files that the area
 * names, so that may be of this program's making only. Thread: one at a time. */
void bough_crash_print(const struct bough_crash_area *area, char text[BOUGH_CRASH_TEXT]);

/* Of the innermost frame alone a file and an offset: nothing is read. */
void bough_crash_print_innermost(const struct bough_crash_area *area,
                                 char text[BOUGH_CRASH_TEXT]);

/* fault.c */

struct bough_host;
struct rusage;

/* A copy of what a process has left, made sound; what is not used of it is not touched.
 * False: it has left nothing, or nothing that is a fault. */
BOUGH_CHECKED bool bough_fault_read(const struct bough_host *host,
                                    struct bough_crash_area *area);

/* "SEGV at 0x8: nothing is there". */
enum { BOUGH_FAULT_TEXT = 96 };
void bough_fault_print(const struct bough_crash_fault *fault,
                       char text[BOUGH_FAULT_TEXT]);

/* The same without the signal's name, of one that has died of that signal; "": it has not
 * said more. */
void bough_fault_print_end(const struct bough_host *host, int number,
                           char text[BOUGH_FAULT_TEXT]);

/* Whether the kernel says which address it was about. */
bool bough_fault_has_address(const struct bough_crash_fault *fault);

/* What is no text is made one, line by line. */
void bough_fault_clean(char *text);

/* Where the core file is, of a process that has dumped one: a sentence, cleaned. */
struct bough_core {
    int64_t pid;
    int signal;
};
void bough_fault_print_core(const struct bough_core *core, char *text, size_t size);

/* reader.c */

enum {
    BOUGH_READER_MS = 30000,    /* what takes longer has failed */
    BOUGH_READER_PAUSE_MS = 50, /* where none was free, until the next try */
    BOUGH_READER_TRIES = 40
};

/* Has the backtrace of an area, which is sound, made by a process that answers on
 * `reader->socket`, at its end when it fails. BOUGH_EFULL: as many are at work as may be
 * at the same time. Errors: there is none to be had, or nothing to find. */
BOUGH_CHECKED enum bough_status bough_reader_start(struct bough_nursery *nursery,
                                                   const struct bough_crash_area *area,
                                                   struct bough_birth *reader);
void bough_reader_end(struct bough_nursery *nursery, const struct bough_birth *reader);

/* Its answer; when there is none, the innermost frame. NULL: there was no reader. */
void bough_reader_receive(const struct bough_birth *reader,
                          const struct bough_crash_area *area,
                          char text[BOUGH_CRASH_TEXT]);

/* All of it, of this program itself, for who has a thread to wait on, until there is
 * something to read from `hurry`. `nursery` may be NULL: then this thread reads. */
void bough_reader_wait(struct bough_nursery *nursery, const struct bough_crash_area *area,
                       int hurry, char text[BOUGH_CRASH_TEXT]);

/* report.c */

/* Lines of the log, indented; the first of many. */
struct bough_runtime;
void bough_crash_log(struct bough_runtime *runtime, const char *path, const char *before,
                     const char *lines);

/* A process with that border has ended so. Tells when its owner's life is over,
 * later than that. */
void bough_crash_report(struct bough_host *host, bool dumped, const struct rusage *usage);

#endif
