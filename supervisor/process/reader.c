/* reader.c - asking another process for the names of addresses.
 *
 * Which files it looks into is said by a list of mappings, that of a process which may
 * have gone mad among them: so it is forked for that alone, and has nothing to lose.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/supervisor/process/crash_internal.h>

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

static bool hand_over(const struct bough_crash_area *area, const char *maps, int socket)
{
    const char calling = BOUGH_CALLED_READER;
    const int file = memfd_create("bough-crash", MFD_CLOEXEC);
    bool done = file >= 0 && ftruncate(file, BOUGH_CRASH_ROOM) == 0;

    done = done && pwrite(file, area, sizeof(*area), 0) == (ssize_t)sizeof(*area);
    done = done &&
           pwrite(file, maps, area->maps_size, sizeof(*area)) == (ssize_t)area->maps_size;
    done = done && bough_files_send(socket, &calling, sizeof(calling), &file, 1) > 0;
    if (file >= 0) close(file);
    return done;
}

bool bough_reader_start(struct bough_nursery *nursery,
                        const struct bough_crash_area *area, const char *maps,
                        struct bough_birth *reader)
{
    if (nursery == NULL || area->frame_count == 0 || area->maps_size == 0) return false;
    if (!bough_nursery_lend_reader(nursery)) return false;
    if (bough_nursery_take(nursery, reader, true) != BOUGH_OK) {
        bough_nursery_return_reader(nursery);
        return false;
    }
    if (hand_over(area, maps, reader->socket)) return true;
    bough_reader_end(nursery, reader);
    return false;
}

void bough_reader_end(struct bough_nursery *nursery, const struct bough_birth *reader)
{
    bough_birth_kill(reader);
    close(reader->socket);
    bough_nursery_return_reader(nursery);
}

void bough_reader_receive(const struct bough_birth *reader,
                          const struct bough_crash_area *area, const char *maps,
                          char text[BOUGH_CRASH_TEXT])
{
    const ssize_t size =
        reader != NULL ? recv(reader->socket, text, BOUGH_CRASH_TEXT - 1, MSG_DONTWAIT)
                       : 0;

    if (size > 0)
        text[size] = '\0';
    else
        bough_crash_print(area, maps, text, BOUGH_CRASH_TEXT);
    bough_fault_clean(text);
}

void bough_reader_wait(struct bough_nursery *nursery, const struct bough_crash_area *area,
                       const char *maps, int hurry, char text[BOUGH_CRASH_TEXT])
{
    struct bough_birth reader;

    if (!bough_reader_start(nursery, area, maps, &reader)) {
        bough_reader_receive(NULL, area, maps, text);
        return;
    }
    struct pollfd polled[] = { { .fd = reader.socket, .events = POLLIN },
                               { .fd = hurry, .events = POLLIN } };
    while (poll(polled, 2, BOUGH_READER_MS) < 0 && errno == EINTR)
        continue;
    bough_reader_receive(&reader, area, maps, text);
    bough_reader_end(nursery, &reader);
}
