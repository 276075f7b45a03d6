/* usage.c - what a process has used, and what it holds: from /proc.
 *
 * One file and one read for all of it, for a tree may have ten thousand processes. See
 * proc_pid_stat(5).
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tools/bough/usage.h>

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { STAT_SIZE = 2048 }; /* bytes: fifty numbers and a name */

/* Where the fields stand that are read here; the first after the name is 3. */
enum {
    FIRST = 3,
    USER = 14,
    SYSTEM = 15,
    WAITED_USER = 16,
    WAITED_SYSTEM = 17,
    STARTED = 22,
    VIRTUAL = 23,
    RESIDENT = 24
};

static int64_t ticks_ms(int64_t ticks)
{
    const int64_t a_second = sysconf(_SC_CLK_TCK);

    return ticks / a_second * 1000 + ticks % a_second * 1000 / a_second;
}

/* False when there is nothing to read. */
static bool read_file(const char *path, char *text, size_t size)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length;

    if (fd < 0) return false;
    length = read(fd, text, size - 1);
    close(fd);
    if (length <= 0) return false;
    text[length] = '\0';
    return true;
}

bool bough_usage_read(int64_t pid, struct bough_usage *usage)
{
    char path[64], text[STAT_SIZE];
    int64_t fields[RESIDENT + 1] = { 0 };
    char *at;
    int number;

    if (pid <= 0) return false;
    snprintf(path, sizeof(path), "/proc/%" PRId64 "/stat", pid);
    if (!read_file(path, text, sizeof(text))) return false;
    at = strrchr(text, ')'); /* a name may have anything in it, these too */
    if (at == NULL || at[1] != ' ' || at[2] == '\0') return false;
    at += 3; /* the state is a letter */
    for (number = FIRST + 1; number <= RESIDENT && *at == ' '; number++)
        fields[number] = strtoll(at, &at, 10);
    if (number <= RESIDENT) return false;
    *usage = (struct bough_usage){
        .cpu_ms = ticks_ms(fields[USER] + fields[SYSTEM]),
        .waited_ms = ticks_ms(fields[WAITED_USER] + fields[WAITED_SYSTEM]),
        .memory = fields[RESIDENT] * sysconf(_SC_PAGESIZE),
        .virtual = fields[VIRTUAL],
        .started_ms = ticks_ms(fields[STARTED]),
    };
    return true;
}

int64_t bough_usage_boot_time(void)
{
    FILE *file = fopen("/proc/stat", "re");
    char line[256];
    int64_t seconds = 0;

    if (file == NULL) return 0;
    while (seconds == 0 && fgets(line, sizeof(line), file) != NULL) {
        if (sscanf(line, "btime %" SCNd64, &seconds) != 1) seconds = 0;
    }
    fclose(file);
    return seconds;
}
