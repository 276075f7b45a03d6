/* reader.c - asking another process for a backtrace.
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

/* Most of an area is not used, and is none of the file. */
static bool hand_over(const struct bough_crash_area *area, int socket)
{
    const char calling = BOUGH_CALLED_READER;
    const size_t stack_at = offsetof(struct bough_crash_area, stack);
    const size_t head = offsetof(struct bough_crash_area, maps) + area->fault.maps_size;
    const size_t stack = bough_crash_size(area) - stack_at;
    const int file = memfd_create("bough-crash", MFD_CLOEXEC);
    bool done = file >= 0 && ftruncate(file, sizeof(*area)) == 0;

    done = done && pwrite(file, area, head, 0) == (ssize_t)head;
    done = done && pwrite(file, &area->stack, stack, (off_t)stack_at) == (ssize_t)stack;
    done = done && bough_files_send(socket, &calling, sizeof(calling), &file, 1) > 0;
    if (file >= 0) close(file);
    return done;
}

enum bough_status bough_reader_start(struct bough_nursery *nursery,
                                     const struct bough_crash_area *area,
                                     struct bough_birth *reader)
{
    if (nursery == NULL || !bough_crash_is_known(area) || area->fault.maps_size == 0)
        return BOUGH_EINVALID;
    if (!bough_nursery_lend_reader(nursery)) return BOUGH_EFULL;
    const enum bough_status status = bough_nursery_take(nursery, reader, true);
    if (status != BOUGH_OK) {
        bough_nursery_return_reader(nursery);
        return status;
    }
    if (hand_over(area, reader->socket)) return BOUGH_OK;
    bough_reader_end(nursery, reader);
    return BOUGH_ESYSTEM;
}

void bough_reader_end(struct bough_nursery *nursery, const struct bough_birth *reader)
{
    bough_birth_kill(reader);
    close(reader->socket);
    bough_nursery_return_reader(nursery);
    (void)!bough_nursery_stock(nursery); /* the one that was born after it */
}

void bough_reader_receive(const struct bough_birth *reader,
                          const struct bough_crash_area *area,
                          char text[BOUGH_CRASH_TEXT])
{
    const ssize_t size =
        reader != NULL ? recv(reader->socket, text, BOUGH_CRASH_TEXT - 1, MSG_DONTWAIT)
                       : 0;

    if (size > 0)
        text[size] = '\0';
    else
        bough_crash_print_innermost(area, text);
    bough_fault_clean(text);
}

void bough_reader_wait(struct bough_nursery *nursery, const struct bough_crash_area *area,
                       int hurry, char text[BOUGH_CRASH_TEXT])
{
    struct bough_birth reader;

    if (nursery == NULL) {
        bough_crash_print(area, text);
        return;
    }
    struct pollfd hurried = { .fd = hurry, .events = POLLIN };
    enum bough_status status = bough_reader_start(nursery, area, &reader);
    for (int tries = 1; status == BOUGH_EFULL && tries < BOUGH_READER_TRIES; tries++) {
        if (poll(&hurried, 1, BOUGH_READER_PAUSE_MS) != 0) break;
        status = bough_reader_start(nursery, area, &reader);
    }
    if (status != BOUGH_OK) {
        bough_reader_receive(NULL, area, text);
        return;
    }
    struct pollfd polled[] = { { .fd = reader.socket, .events = POLLIN },
                               { .fd = hurry, .events = POLLIN } };
    while (poll(polled, 2, BOUGH_READER_MS) < 0 && errno == EINTR)
        continue;
    bough_reader_receive(&reader, area, text);
    bough_reader_end(nursery, &reader);
}
