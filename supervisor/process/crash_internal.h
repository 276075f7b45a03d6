/* crash_internal.h - what a process leaves that dies of a fault.
 *
 * crash.c    writes it, in the process that dies
 * symbols.c  finds names for it, in a process of its own
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

enum { BOUGH_CRASH_FRAMES_MAX = 48, BOUGH_CRASH_TEXT = 16 * 1024 };

/* How much of it has been written. */
enum {
    BOUGH_CRASH_NONE,
    BOUGH_CRASH_SIGNAL,
    BOUGH_CRASH_FRAMES,
    BOUGH_CRASH_MAPS,
    BOUGH_CRASH_RUNNER
};

struct bough_crash_area {
    _Atomic uint32_t written;
    int32_t signal, code; /* as in siginfo_t */
    uint32_t frame_count, maps_size;
    uint64_t address;
    uint64_t frames[BOUGH_CRASH_FRAMES_MAX]; /* program counters, innermost first */
    char runner[BOUGH_PATH_MAX];             /* whose handler was running, or "" */
};

/* The lines of /proc/self/maps follow. */
enum { BOUGH_CRASH_MAPS_MAX = BOUGH_CRASH_ROOM - sizeof(struct bough_crash_area) };

/* In a signal handler, with its context: the program counters, innermost first; `count`
 * counts them as they come. */
void bough_crash_walk(void *context, uint64_t *frames, volatile uint32_t *count);

/* In the program, before it forks its nursery: one that is forked again, from a program
 * with threads, must load nothing. */
void bough_crash_load(void);

/* In the nursery: what is set up when it is first used is there in each child. */
void bough_crash_warm_up(void);

/* In a process where actors live: its faults are written there from now on. */
void bough_crash_prepare(volatile void *area);

/* In a process of its own: sends the backtrace as text over the socket, of a memfd that
 * holds the area and the lines behind it, and ends. */
void bough_crash_read(int socket, int file) __attribute__((noreturn));

/* Without names: a file and an offset for each frame. */
void bough_crash_print(const struct bough_crash_area *area, const char *maps, char *text,
                       size_t size);

/* fault.c */

struct bough_host;
struct rusage;

/* A copy of what a process has left, made sound, and its mappings, which end with NUL.
 * False: it has left nothing, or nothing that is a fault. */
BOUGH_CHECKED bool bough_fault_read(const struct bough_host *host,
                                    struct bough_crash_area *area,
                                    char maps[BOUGH_CRASH_MAPS_MAX + 1]);

/* "SEGV at 0x8: nothing is there". */
enum { BOUGH_FAULT_TEXT = 96 };
void bough_fault_print(const struct bough_crash_area *area, char text[BOUGH_FAULT_TEXT]);

/* The same without the signal's name, of one that has died of that signal; "": it has not
 * said more. */
void bough_fault_print_end(const struct bough_host *host, int number,
                           char text[BOUGH_FAULT_TEXT]);

/* Whether the kernel says which address it was about. */
bool bough_fault_has_address(const struct bough_crash_area *area);

/* What is no text is made one, line by line. */
void bough_fault_clean(char *text);

/* Where the core file is, of a process that has dumped one: a sentence, cleaned. */
struct bough_core {
    int64_t pid;
    int signal;
};
void bough_fault_print_core(const struct bough_core *core, char *text, size_t size);

/* reader.c */

enum { BOUGH_READER_MS = 30000 }; /* what takes longer has failed */

/* Has names found for the frames of an area, which is sound, by a process that answers on
 * `reader->socket`, at its end when it fails. False: there is none to be had, or nothing
 * to find; only a few are at work at the same time. */
BOUGH_CHECKED bool bough_reader_start(struct bough_nursery *nursery,
                                      const struct bough_crash_area *area,
                                      const char *maps, struct bough_birth *reader);
void bough_reader_end(struct bough_nursery *nursery, const struct bough_birth *reader);

/* Its answer; files and offsets when there is none. NULL: there was no reader. */
void bough_reader_receive(const struct bough_birth *reader,
                          const struct bough_crash_area *area, const char *maps,
                          char text[BOUGH_CRASH_TEXT]);

/* All of it, for who has a thread to wait on, until there is something to read from
 * `hurry`. `nursery` may be NULL. */
void bough_reader_wait(struct bough_nursery *nursery, const struct bough_crash_area *area,
                       const char *maps, int hurry, char text[BOUGH_CRASH_TEXT]);

/* report.c */

/* Lines of the log, indented; the first of many. */
struct bough_runtime;
void bough_crash_log(struct bough_runtime *runtime, const char *path, const char *before,
                     const char *lines);

/* A process with that border has ended so. Tells when its owner's life is over,
 * later than that. */
void bough_crash_report(struct bough_host *host, bool dumped, const struct rusage *usage);

#endif
