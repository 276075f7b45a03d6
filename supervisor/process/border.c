/* border.c - frames in rings of shared memory, and who is woken for them.
 *
 * A writer publishes `written` after the bytes (release), a reader looks at it before
 * them (acquire). Sleeping is as between loops (core/parcel.c): the sleeper says so and
 * looks once more, the writer publishes and then looks whether the other sleeps, with a
 * full fence in between on both sides; each sleep has a number of its own, and is ended
 * by one write.
 *
 * SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <bough/supervisor/process/border_internal.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bough/core/assert.h>
#include <bough/core/field.h>
#include <bough/supervisor/process/nursery_internal.h>

static const size_t page_size = sizeof(struct bough_border_page);
static const size_t child_page_size = sizeof(struct bough_border_page) + BOUGH_CRASH_ROOM;

_Static_assert(sizeof(struct bough_frame) % 16 == 0, "frames are aligned to 16");

static size_t frame_size(size_t len)
{
    return sizeof(struct bough_frame) + ((len + 15) & ~(size_t)15);
}

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

static void drop_first(struct bough_border *border);

void bough_border_finish(struct bough_border *border)
{
    if (border->mine != NULL) munmap(border->mine, page_size);
    if (border->theirs != NULL)
        munmap((void *)(uintptr_t)border->theirs, child_page_size);
    while (border->kept != NULL)
        drop_first(border);
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

/* Large frames */

static bool write_all(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        const ssize_t count = write(fd, bytes, len);

        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return false;
        bytes += count;
        len -= (size_t)count;
    }
    return true;
}

/* BOUGH_ENOMEM: there is none, or no descriptor, and nobody says when there will be. */
static enum bough_status why_not_sent(int error)
{
    if (error == EAGAIN) return BOUGH_EFULL;
    return error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOSPC
               ? BOUGH_ENOMEM
               : BOUGH_ESYSTEM;
}

static enum bough_status send_large(struct bough_border *border, const void *bytes,
                                    size_t len)
{
    const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;
    const int fd = memfd_create("bough-message", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    enum bough_status status = BOUGH_OK;
    const char byte = 0;

    if (fd < 0) return why_not_sent(errno);
    if (!write_all(fd, bytes, len) || fcntl(fd, F_ADD_SEALS, seals) != 0 ||
        bough_files_send(border->socket, &byte, sizeof(byte), &fd, 1) != 1)
        status = why_not_sent(errno);
    if (status == BOUGH_EFULL) atomic_store(&border->mine->blocked, 1);
    close(fd);
    return status;
}

/* -1: nothing has come, or no descriptor. */
static int receive_file(int socket)
{
    char byte;
    int fd;
    size_t count = 1;

    return bough_files_receive(socket, &byte, sizeof(byte), &fd, &count, MSG_DONTWAIT) ==
                       sizeof(byte) &&
                   count == 1
               ? fd
               : -1;
}

/* Of that size, and nobody can change it any more. */
static bool file_is_sound(int fd, size_t len)
{
    const int needed = F_SEAL_SHRINK | F_SEAL_WRITE;
    struct stat about;

    return (fcntl(fd, F_GET_SEALS) & needed) == needed && fstat(fd, &about) == 0 &&
           about.st_size == (off_t)len;
}

static bool read_all(int fd, char *bytes, size_t len)
{
    size_t at = 0;

    while (at < len) {
        const ssize_t count = pread(fd, bytes + at, len - at, (off_t)at);

        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return false;
        at += (size_t)count;
    }
    return true;
}

static enum bough_status receive_large(struct bough_border *border, size_t len,
                                       const void **bytes)
{
    const int fd = receive_file(border->socket);
    enum bough_status status = BOUGH_EINVALID;

    if (fd < 0) return BOUGH_EINVALID;
    if (len > BOUGH_FRAME_MAX && len <= BOUGH_BLOCK_MAX + BOUGH_FRAME_MAX &&
        file_is_sound(fd, len)) {
        border->large = malloc(len);
        status = border->large == NULL ? BOUGH_ENOMEM : BOUGH_OK;
        if (status == BOUGH_OK && !read_all(fd, border->large, len))
            status = BOUGH_EINVALID;
        *bytes = border->large;
    }
    close(fd);
    return status;
}

/* Writing */

static size_t room_left(const struct bough_border *border)
{
    return BOUGH_RING_SIZE - (size_t)(border->written - border->their_read);
}

/* What the other side says it has read; it can only do itself harm with it. */
static bool look_for_room(struct bough_border *border, size_t needed)
{
    const uint64_t read =
        atomic_load_explicit(&border->theirs->read, memory_order_acquire);

    if (read >= border->their_read && read <= border->written) border->their_read = read;
    return room_left(border) >= needed;
}

static bool has_room(struct bough_border *border, size_t needed)
{
    if (room_left(border) >= needed || look_for_room(border, needed)) return true;
    /* Says so, and looks once more: else both could wait. */
    atomic_store(&border->mine->blocked, 1);
    return look_for_room(border, needed);
}

static void pad(struct bough_border *border, size_t left)
{
    const struct bough_frame frame = { .kind = BOUGH_FRAME_PAD };

    memcpy(border->mine->ring + border->written % BOUGH_RING_SIZE, &frame,
           sizeof(frame) < left ? sizeof(frame) : left);
    border->written += left;
}

/* Where a frame with so many bytes is to be put; NULL: there is no room. Frames do not go
 * round the end of the ring: the rest of it is left out. */
static struct bough_frame *make_room(struct bough_border *border, size_t len, bool must)
{
    const size_t size = frame_size(len);
    const size_t left = BOUGH_RING_SIZE - (size_t)(border->written % BOUGH_RING_SIZE);
    const size_t skip = left < size ? left : 0;

    if (!has_room(border, skip + size + (must ? 0 : BOUGH_RING_RESERVE))) return NULL;
    return (void *)(border->mine->ring + (border->written + skip) % BOUGH_RING_SIZE);
}

static void put(struct bough_border *border, struct bough_frame *there, const void *bytes,
                size_t len)
{
    const size_t at = border->written % BOUGH_RING_SIZE;

    /* Only now: what is left out with nothing behind it is nonsense to who reads. */
    if ((const char *)there != border->mine->ring + at) pad(border, BOUGH_RING_SIZE - at);
    bough_copy_bytes(there + 1, bytes, len);
    border->written += frame_size(len);
    if (atomic_load_explicit(&border->mine->blocked, memory_order_relaxed) != 0)
        atomic_store_explicit(&border->mine->blocked, 0, memory_order_relaxed);
}

/* Its frame is made in the ring: one that is copied there just after its members were
 * stored one by one waits for these to be in the cache, longer than all the rest takes.
 */
enum bough_status bough_border_message(struct bough_border *border, uint64_t id,
                                       unsigned flags, const void *bytes, size_t len)
{
    struct bough_frame large = { .kind = BOUGH_FRAME_MESSAGE,
                                 .flags = (uint16_t)flags,
                                 .id = id };
    struct bough_frame *there;

    if (len > BOUGH_FRAME_MAX)
        return bough_border_write(border, &large, bytes, len, false);
    there = make_room(border, len, false);
    if (there == NULL) return BOUGH_EFULL;
    *there = (struct bough_frame){ .len = (uint32_t)len,
                                   .kind = BOUGH_FRAME_MESSAGE,
                                   .flags = (uint16_t)flags,
                                   .id = id };
    put(border, there, bytes, len);
    return BOUGH_OK;
}

/* Whoever asked hears something in any case. */
static bool is_answer(const struct bough_frame *frame)
{
    return frame->kind == BOUGH_FRAME_REPLY || frame->kind == BOUGH_FRAME_ANSWER;
}

enum bough_status bough_border_write(struct bough_border *border,
                                     struct bough_frame *frame, const void *bytes,
                                     size_t len, bool must)
{
    static const char unsent[] = "there is no descriptor, or no memory, for so large an "
                                 "answer";
    const bool large = len > BOUGH_FRAME_MAX;
    struct bough_frame *there = make_room(border, large ? sizeof(unsent) : len, must);

    if (there == NULL) return BOUGH_EFULL;
    frame->len = large ? 0 : (uint32_t)len;
    const enum bough_status status = large ? send_large(border, bytes, len) : BOUGH_OK;
    if (status == BOUGH_ENOMEM && is_answer(frame)) {
        frame->status = BOUGH_ENOMEM;
        frame->len = sizeof(unsent);
        bytes = unsent;
    } else if (status != BOUGH_OK) {
        return status;
    } else if (large) {
        frame->flags |= BOUGH_FRAME_LARGE;
        frame->large = (uint32_t)len;
    }
    *there = *frame;
    put(border, there, bytes, frame->len);
    return BOUGH_OK;
}

/* Once for many frames: each time the other processor must fetch the line again. */
void bough_border_show(struct bough_border *border)
{
    if (border->written == border->shown) return;
    border->shown = border->written;
    atomic_store_explicit(&border->mine->written, border->written, memory_order_release);
}

/* Keeping */

struct bough_frame_kept {
    struct bough_frame_kept *next;
    struct bough_frame frame;
    size_t len;
    _Alignas(16) char bytes[];
};

static enum bough_status keep(struct bough_border *border,
                              const struct bough_frame *frame, const void *bytes,
                              size_t len)
{
    struct bough_frame_kept *kept = malloc(sizeof(*kept) + len);

    if (kept == NULL) return BOUGH_ENOMEM;
    kept->next = NULL;
    kept->frame = *frame;
    kept->len = len;
    bough_copy_bytes(kept->bytes, bytes, len);
    if (border->kept == NULL) border->kept_tail = &border->kept;
    *border->kept_tail = kept;
    border->kept_tail = &kept->next;
    border->kept_count++;
    return BOUGH_OK;
}

static void drop_first(struct bough_border *border)
{
    struct bough_frame_kept *first = border->kept;

    border->kept = first->next;
    border->kept_count--;
    free(first);
}

enum bough_status bough_border_post(struct bough_border *border,
                                    struct bough_frame *frame, const void *bytes,
                                    size_t len, size_t most)
{
    const enum bough_status status =
        border->kept == NULL ? bough_border_write(border, frame, bytes, len, false)
                             : BOUGH_EFULL;

    if (status == BOUGH_OK || status == BOUGH_ENOMEM) return status;
    return border->kept_count < most ? keep(border, frame, bytes, len) : BOUGH_EFULL;
}

bool bough_border_flush(struct bough_border *border)
{
    while (border->kept != NULL) {
        struct bough_frame_kept *first = border->kept;

        if (bough_border_write(border, &first->frame, first->bytes, first->len, false) !=
            BOUGH_OK)
            break;
        drop_first(border);
    }
    bough_border_poke(border);
    return border->kept == NULL;
}

/* Waking */

static void wake(int fd)
{
    const uint64_t one = 1;

    while (write(fd, &one, sizeof(one)) < 0 && errno == EINTR)
        continue;
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
    if ((asleep & 1) == 0 || asleep == border->poked) return;
    border->poked = asleep;
    wake(border->poke_fd);
}

/* Reading */

/* What was there when it was last looked at comes first, without another look. */
static size_t waiting(struct bough_border *border)
{
    if (border->their_written == border->read)
        border->their_written =
            atomic_load_explicit(&border->theirs->written, memory_order_acquire);
    return (size_t)(border->their_written - border->read);
}

/* Where the next frame lies, after what was left out; NULL: nonsense. */
static const char *next_frame(struct bough_border *border, size_t *there,
                              struct bough_frame *frame)
{
    for (;;) {
        const size_t left = BOUGH_RING_SIZE - (size_t)(border->read % BOUGH_RING_SIZE);
        const char *at = border->theirs->ring + border->read % BOUGH_RING_SIZE;

        if (*there < 16 || *there % 16 != 0) return NULL;
        *frame = (struct bough_frame){ .kind = BOUGH_FRAME_PAD };
        memcpy(frame, at, left < sizeof(*frame) ? 16 : sizeof(*frame));
        if (frame->kind != BOUGH_FRAME_PAD) return at;
        if (left >= *there) return NULL;
        border->read += left;
        *there -= left;
    }
}

static void step_over(struct bough_border *border, size_t size)
{
    border->read += size;
    atomic_store_explicit(&border->mine->read, border->read, memory_order_release);
}

enum bough_status bough_border_read(struct bough_border *border,
                                    struct bough_frame *frame, const void **bytes,
                                    size_t *len)
{
    size_t there = waiting(border);

    if (border->large != NULL) free(border->large);
    border->large = NULL;
    if (there == 0) return BOUGH_ENOREPLY;
    if (there > BOUGH_RING_SIZE) return BOUGH_EINVALID;

    const char *at = next_frame(border, &there, frame);
    if (at == NULL) return BOUGH_EINVALID;
    const size_t left = BOUGH_RING_SIZE - (size_t)(border->read % BOUGH_RING_SIZE);
    if (there < sizeof(*frame) || left < sizeof(*frame) ||
        frame->kind >= BOUGH_FRAME_KIND_COUNT || frame->len > BOUGH_FRAME_MAX ||
        frame_size(frame->len) > there || frame_size(frame->len) > left)
        return BOUGH_EINVALID;

    *bytes = at + sizeof(*frame);
    *len = frame->len;
    if (border->scratch != NULL) {
        memcpy(border->scratch, *bytes, *len);
        *bytes = border->scratch;
        step_over(border, frame_size(frame->len));
    } else {
        /* In place: it is the reader's until the next call publishes that it was read. */
        atomic_store_explicit(&border->mine->read, border->read, memory_order_release);
        border->read += frame_size(frame->len);
    }
    if ((frame->flags & BOUGH_FRAME_LARGE) == 0) return BOUGH_OK;
    *len = frame->large;
    return receive_large(border, frame->large, bytes);
}

void bough_border_show_read(struct bough_border *border)
{
    step_over(border, 0);
    if (atomic_load_explicit(&border->theirs->blocked, memory_order_relaxed) != 0)
        bough_border_wake(border);
}

bool bough_border_sleep(struct bough_border *border)
{
    struct bough_border_page *mine = border->mine;

    step_over(border, 0);
    atomic_store(&mine->asleep, atomic_load(&mine->asleep) | 1);
    atomic_thread_fence(memory_order_seq_cst);
    if (atomic_load_explicit(&border->theirs->blocked, memory_order_relaxed) != 0)
        bough_border_wake(border);
    if (waiting(border) == 0) return true;
    bough_border_woken(border);
    return false;
}

/* The next sleep has the next odd number. */
void bough_border_woken(struct bough_border *border)
{
    struct bough_border_page *mine = border->mine;
    uint64_t count;

    if (read(border->wake_fd, &count, sizeof(count)) < 0 && errno != EAGAIN) return;
    if ((atomic_load(&mine->asleep) & 1) != 0)
        atomic_store(&mine->asleep, atomic_load(&mine->asleep) + 1);
}

void bough_border_come_back(struct bough_border *border)
{
    wake(border->wake_fd);
}
