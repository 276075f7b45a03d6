/* border.c - the memory between two processes, and who is woken for it.
 *
 * Sleeping is as between loops (core/sleep.c): the sleeper says so and looks once more,
 * the writer publishes and then looks whether the other sleeps, with a full fence in
 * between on both sides; each sleep has a number of its own, and is ended by one write to
 * an eventfd, or by one to a futex where nothing but that is waited for.
 *
 * SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <bough/supervisor/process/border_internal.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bough/core/assert.h>
#include <bough/core/field.h>
#include <bough/supervisor/process/nursery_internal.h>

static const size_t page_size = sizeof(struct bough_border_page);
static const size_t child_page_size = sizeof(struct bough_border_page) + BOUGH_CRASH_ROOM;

/* Making */

static int sealed_memory(const char *name, size_t size)
{
    const int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);

    if (fd < 0) return -1;
    if (ftruncate(fd, (off_t)size) == 0 &&
        fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) == 0)
        return fd;
    close(fd);
    return -1;
}

static void *map(int fd, size_t size, int protection)
{
    void *memory = mmap(NULL, size, protection, MAP_SHARED, fd, 0);

    return memory != MAP_FAILED ? memory : NULL;
}

static bool open_files(struct bough_border *border, int files[BOUGH_BORDER_FILE_COUNT])
{
    files[BOUGH_BORDER_PARENT_PAGE] = sealed_memory("bough-parent", page_size);
    files[BOUGH_BORDER_CHILD_PAGE] = sealed_memory("bough-child", child_page_size);
    border->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    border->poke_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    files[BOUGH_BORDER_PARENT_WAKE] = border->wake_fd;
    files[BOUGH_BORDER_CHILD_WAKE] = border->poke_fd;
    for (int i = 0; i < BOUGH_BORDER_FILE_COUNT; i++) {
        if (files[i] < 0) return false;
    }
    return true;
}

/* The child can map the parent's page to read it, from now on, and in no other way. */
static bool map_pages(struct bough_border *border,
                      const int files[BOUGH_BORDER_FILE_COUNT])
{
    border->mine =
        map(files[BOUGH_BORDER_PARENT_PAGE], page_size, PROT_READ | PROT_WRITE);
    border->theirs = map(files[BOUGH_BORDER_CHILD_PAGE], child_page_size, PROT_READ);
    return border->mine != NULL && border->theirs != NULL &&
           fcntl(files[BOUGH_BORDER_PARENT_PAGE], F_ADD_SEALS,
                 F_SEAL_FUTURE_WRITE | F_SEAL_SEAL) == 0 &&
           fcntl(files[BOUGH_BORDER_CHILD_PAGE], F_ADD_SEALS, F_SEAL_SEAL) == 0;
}

static void close_file(int *fd)
{
    if (*fd >= 0) close(*fd);
    *fd = -1;
}

/* The pages that each side touches first, so that they are there when it is to be quick.
 */
static void touch(const struct bough_border *border)
{
    const struct bough_border_page *theirs = border->theirs;
    struct bough_border_page *mine = border->mine;

    atomic_store_explicit(&mine->written, 0, memory_order_relaxed);
    *(volatile char *)mine->ring = 0;
    (void)atomic_load_explicit(&theirs->written, memory_order_relaxed);
    (void)*(const volatile char *)theirs->ring;
    (void)atomic_load_explicit(&theirs->progress[0][0], memory_order_relaxed);
}

static bool hand_over(const struct bough_border *border,
                      const int files[BOUGH_BORDER_FILE_COUNT])
{
    const char request = BOUGH_CALLED_HOST;

    return bough_files_send(border->socket, &request, sizeof(request), files,
                            BOUGH_BORDER_FILE_COUNT) > 0;
}

enum bough_status bough_border_new(struct bough_border *border, int socket)
{
    int files[BOUGH_BORDER_FILE_COUNT];

    *border = (struct bough_border){ .wake_fd = -1, .poke_fd = -1, .socket = socket };
    for (int i = 0; i < BOUGH_BORDER_FILE_COUNT; i++)
        files[i] = -1;
    border->scratch = aligned_alloc(16, BOUGH_FRAME_MAX);
    const bool made = border->scratch != NULL && open_files(border, files) &&
                      map_pages(border, files) && hand_over(border, files);
    const int error = errno;
    const bool memory = border->scratch == NULL;

    close_file(&files[BOUGH_BORDER_PARENT_PAGE]);
    close_file(&files[BOUGH_BORDER_CHILD_PAGE]);
    if (made) {
        touch(border);
        (void)*(volatile char *)bough_border_crash_area(border);
        return BOUGH_OK;
    }
    bough_border_finish(border);
    errno = error;
    return memory ? BOUGH_ENOMEM : BOUGH_ESYSTEM;
}

enum bough_status bough_border_join(struct bough_border *border, int socket,
                                    const int files[BOUGH_BORDER_FILE_COUNT])
{
    *border = (struct bough_border){
        .mine =
            map(files[BOUGH_BORDER_CHILD_PAGE], child_page_size, PROT_READ | PROT_WRITE),
        .theirs = map(files[BOUGH_BORDER_PARENT_PAGE], page_size, PROT_READ),
        .wake_fd = files[BOUGH_BORDER_CHILD_WAKE],
        .poke_fd = files[BOUGH_BORDER_PARENT_WAKE],
        .socket = socket,
    };
    close(files[BOUGH_BORDER_CHILD_PAGE]);
    close(files[BOUGH_BORDER_PARENT_PAGE]);
    if (border->mine == NULL || border->theirs == NULL) return BOUGH_ESYSTEM;
    touch(border);
    atomic_store_explicit(&border->mine->progress[0][0], 0, memory_order_relaxed);
    return BOUGH_OK;
}

void bough_border_finish(struct bough_border *border)
{
    if (border->mine != NULL) munmap(border->mine, page_size);
    if (border->theirs != NULL)
        munmap((void *)(uintptr_t)border->theirs, child_page_size);
    bough_border_drop_kept(border);
    free(border->scratch);
    free(border->large);
    close_file(&border->wake_fd);
    close_file(&border->poke_fd);
    close_file(&border->socket);
    *border = (struct bough_border){ .wake_fd = -1, .poke_fd = -1, .socket = -1 };
}

volatile void *bough_border_crash_area(const struct bough_border *border)
{
    const struct bough_border_page *page =
        border->scratch != NULL ? border->theirs : border->mine;

    return (volatile void *)(uintptr_t)(page + 1);
}

/* Waking */

static void wake(int fd)
{
    const uint64_t one = 1;

    while (write(fd, &one, sizeof(one)) < 0 && errno == EINTR)
        continue;
}

/* The other side has the word mapped to read it, which is enough to wait for it. */
static void poke_word(_Atomic uint32_t *word)
{
    atomic_store(word, atomic_load(word) + 1);
    syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0);
}

bool bough_border_poke(struct bough_border *border)
{
    if (border->written == border->told) return false;
    bough_border_show(border);
    border->told = border->written;
    bough_border_wake(border);
    return true;
}

void bough_border_wake(struct bough_border *border)
{
    atomic_thread_fence(memory_order_seq_cst);

    const uint32_t asleep =
        atomic_load_explicit(&border->theirs->asleep, memory_order_relaxed);
    if ((asleep & BOUGH_BORDER_SLEEPS) == 0 || asleep == border->poked) return;
    border->poked = asleep;
    if ((asleep & BOUGH_BORDER_WAITS) != 0)
        poke_word(&border->mine->pokes);
    else
        wake(border->poke_fd);
}

/* Sleeping */

static void publish_read(struct bough_border *border)
{
    atomic_store_explicit(&border->mine->read, border->read, memory_order_release);
}

void bough_border_show_read(struct bough_border *border)
{
    publish_read(border);
    if (atomic_load_explicit(&border->theirs->blocked, memory_order_relaxed) != 0)
        bough_border_wake(border);
}

/* The next sleep has another number. */
void bough_border_stay_awake(struct bough_border *border)
{
    atomic_store(&border->mine->asleep,
                 atomic_load(&border->mine->asleep) & ~(uint32_t)BOUGH_BORDER_SLEEPS);
}

bool bough_border_sleep(struct bough_border *border, enum bough_border_sleep how)
{
    struct bough_border_page *mine = border->mine;
    const uint32_t number = (atomic_load(&mine->asleep) | BOUGH_BORDER_SLEEPS) + 1;

    publish_read(border);
    border->pokes = atomic_load(&border->theirs->pokes);
    atomic_store(&mine->asleep, number | how);
    atomic_thread_fence(memory_order_seq_cst);
    if (atomic_load_explicit(&border->theirs->blocked, memory_order_relaxed) != 0)
        bough_border_wake(border);
    if (!bough_border_waits(border)) return true;
    bough_border_stay_awake(border);
    return false;
}

/* Any error says that it was poked by now, or that there was a signal. */
void bough_border_wait(struct bough_border *border)
{
    syscall(SYS_futex, &border->theirs->pokes, FUTEX_WAIT, border->pokes, NULL, NULL, 0);
    bough_border_stay_awake(border);
}

void bough_border_woken(struct bough_border *border)
{
    uint64_t count;

    if (read(border->wake_fd, &count, sizeof(count)) < 0 && errno != EAGAIN) return;
    bough_border_stay_awake(border);
}
