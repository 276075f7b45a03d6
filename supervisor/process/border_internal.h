/* border_internal.h - what lies between an actor's place and the process it lives in.
 *
 * Two mappings, one for each side: a page of positions and a ring of frames, written by
 * that side alone. The parent's cannot be written by the child at all
 * (F_SEAL_FUTURE_WRITE); the child's is not believed: each number is checked, and a frame
 * is copied out before it is looked at. Neither can be made shorter. A frame that is too
 * large for the ring travels in a sealed memfd of its own, over a socket.
 *
 * Who has read all there is says so and sleeps; who writes wakes it, once.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_SUPERVISOR_PROCESS_BORDER_INTERNAL_H
#define BOUGH_SUPERVISOR_PROCESS_BORDER_INTERNAL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bough/core/status.h>

enum {
    BOUGH_RING_SIZE = 256 * 1024, /* bytes of frames; a power of two */
    /* The bytes of a frame that lies in the ring. */
    BOUGH_FRAME_MAX = 32 * 1024,
    /* Room that is left for frames which must get through. */
    BOUGH_RING_RESERVE = 8 * 1024
};

/* In the order of priority: how messages wait. */
enum { BOUGH_LANE_NORMAL, BOUGH_LANE_HIGH, BOUGH_LANE_COUNT };

/* `number`: the actor's, of those in this process. */
enum bough_frame_kind {
    BOUGH_FRAME_PAD, /* up to the end of the ring */

    /* From the parent */
    BOUGH_FRAME_START,   /* number; struct bough_resident_start */
    BOUGH_FRAME_STOP,    /* number: it is to end in order */
    BOUGH_FRAME_END,     /* number: it is to end now; struct bough_exit_reason */
    BOUGH_FRAME_MESSAGE, /* id; flags; the message */
    BOUGH_FRAME_ANSWER,  /* to a question of the child's: id, status, the reply */
    BOUGH_FRAME_LIMITS,  /* before all others: struct bough_limits_plan */
    BOUGH_FRAME_LEFT,    /* status: a state of the empty place, or that there is none any
                            more; its path, NUL */
    BOUGH_FRAME_GONE,    /* a life outside has ended: struct bough_exit_reason; the path,
                            NUL */

    /* From the child */
    BOUGH_FRAME_READY,  /* number */
    BOUGH_FRAME_EXITED, /* number; struct bough_exit_reason: it has ended */
    BOUGH_FRAME_UNFIT,  /* struct bough_exit_reason: nobody can live there */
    BOUGH_FRAME_REPLY,  /* to a message: its id, status, the reply */
    BOUGH_FRAME_TELL,   /* flags; the path of an actor, NUL, up to 8 bytes of zeroes so
                         * that the message which follows is aligned */
    BOUGH_FRAME_ASK,    /* the same with an id */
    BOUGH_FRAME_LOG,    /* status: the level; path NUL text NUL */
    BOUGH_FRAME_WATCH,  /* the end of a life outside is to be told; its path, NUL */
    BOUGH_FRAME_KIND_COUNT
};

enum {
    BOUGH_FRAME_ASKED = 1,
    BOUGH_FRAME_HIGH = 2,
    BOUGH_FRAME_LARGE = 4,
    BOUGH_FRAME_LOST = 8 /* it was large, and its bytes are lost */
};
#define BOUGH_FRAME_LOST_TEXT "there is no descriptor, or no memory, for one so large"

/* As small as one can be, for a message of 16 bytes costs by the cache line. */
struct bough_frame {
    uint32_t len; /* of its bytes, which follow in the ring; LARGE: they are in a memfd */
    uint8_t kind, flags;
    uint16_t status;
    uint64_t id; /* of a message or question; or an actor's number */
};
_Static_assert(sizeof(struct bough_frame) == 16, "frames are aligned to 16");

/* What one takes in the ring: the next begins at a multiple of 16. */
static inline size_t bough_frame_span(const struct bough_frame *frame)
{
    const size_t len = (frame->flags & BOUGH_FRAME_LARGE) != 0 ? 0 : frame->len;

    return sizeof(*frame) + ((len + 15) & ~(size_t)15);
}

/* Actors in one process. What none of them has touched of the memory below takes none. */
enum { BOUGH_RESIDENTS_MAX = 16384 };

/* How a side sleeps: 0, it does not. Who waits is woken through `pokes` of the other
 * side's page, who polls through its eventfd. */
enum bough_border_sleep {
    BOUGH_BORDER_POLLS = 1,
    BOUGH_BORDER_WAITS = 2,
    BOUGH_BORDER_SLEEPS = BOUGH_BORDER_POLLS | BOUGH_BORDER_WAITS
};

/* One side's positions: each line has one writer, and one who reads it often. */
struct bough_border_page {
    _Alignas(64) _Atomic uint64_t written; /* bytes of its ring, ever */
    _Atomic uint64_t hurry; /* `written` behind the last frame that is in a hurry */
    _Alignas(64) _Atomic uint64_t read;   /* bytes of the other's */
    _Alignas(64) _Atomic uint32_t asleep; /* enum bough_border_sleep, and above it
                                             another number each time */
    _Atomic uint32_t pokes;               /* another one wakes who waits for it there */
    _Atomic uint32_t blocked;             /* it waits for room in its own ring */
    _Atomic uint32_t curious;             /* the parent waits for progress */
    _Alignas(64) _Atomic uint64_t beat;   /* the child's: bough_loop_beat_at() */
    _Alignas(4096) char ring[BOUGH_RING_SIZE];
    /* The child's, by number: union bough_progress, counted from the first one to whoever
     * had it. */
    _Atomic uint64_t progress[BOUGH_RESIDENTS_MAX][BOUGH_LANE_COUNT];
};

/* Behind the child's page: what it writes when it crashes. */
enum { BOUGH_CRASH_ROOM = 256 * 1024 };

/* A frame that waits for room. */
struct bough_frame_kept;

struct bough_border {
    struct bough_border_page *mine;
    const struct bough_border_page *theirs;
    uint64_t written, read; /* as in `mine` */
    uint64_t hurry;
    uint64_t shown;                     /* `written`, as the other side sees it */
    uint64_t their_read, their_written; /* when last looked at */
    int wake_fd;                        /* readable: there is something to read */
    int poke_fd;                        /* the other's */
    int socket;
    uint64_t told;  /* `written` when the other side was last woken for it */
    uint32_t poked; /* their `asleep` that was woken */
    uint32_t pokes; /* theirs, when this side last went to sleep */
    char *scratch;  /* frames are copied here; NULL: the other side is believed */
    struct bough_frame_kept *kept, **kept_tail; /* nothing is written before them */
    size_t kept_count;
    char *large; /* of the present frame, to be freed */
};

/* The descriptors that a child is given, in this order. */
enum {
    BOUGH_BORDER_PARENT_PAGE,
    BOUGH_BORDER_CHILD_PAGE,
    BOUGH_BORDER_PARENT_WAKE,
    BOUGH_BORDER_CHILD_WAKE,
    BOUGH_BORDER_FILE_COUNT
};

/* A border of the parent's, to a process with that socket, which is the border's from now
 * on. The process is sent its ends of it. Errors, with errno: BOUGH_ESYSTEM;
 * BOUGH_ENOMEM. */
BOUGH_CHECKED enum bough_status bough_border_new(struct bough_border *border, int socket);

/* The child's side of it. Errors: BOUGH_ESYSTEM. */
BOUGH_CHECKED enum bough_status
bough_border_join(struct bough_border *border, int socket,
                  const int files[BOUGH_BORDER_FILE_COUNT]);

/* Unmaps and closes; fine on one that was zeroed. */
void bough_border_finish(struct bough_border *border);

/* Where the child writes what it crashed of; in the parent to be read only, and not
 * believed. */
volatile void *bough_border_crash_area(const struct bough_border *border);

/* Writes a frame: BOUGH_EFULL when there is no room now (`blocked` is then said, and the
 * other side pokes when there may be), BOUGH_ENOMEM for a large one that there is no
 * memory or no descriptor for (an answer then goes LOST), or BOUGH_ESYSTEM. `must`: into
 * the reserve, too. Its `len`, LARGE and LOST are filled in. The other
 * side sees it after bough_border_show(), and is woken by bough_border_poke() alone,
 * which shows it, too. */
BOUGH_CHECKED enum bough_status bough_border_write(struct bough_border *border,
                                                   struct bough_frame *frame,
                                                   const void *bytes, size_t len,
                                                   bool must);
/* bough_border_write(), and keeps it when there is no room now: frames that are posted
 * come in order. BOUGH_EFULL: `most` are kept already. BOUGH_ENOMEM: there is no memory
 * to keep it, or none or no descriptor to send it. */
BOUGH_CHECKED enum bough_status bough_border_post(struct bough_border *border,
                                                  struct bough_frame *frame,
                                                  const void *bytes, size_t len,
                                                  size_t most);

/* Writes those kept for which there is room by now, and pokes. True: none is left. A
 * large one for which there is no descriptor then goes LOST. */
bool bough_border_flush(struct bough_border *border);
void bough_border_drop_kept(struct bough_border *border);

/* What was written is there to be read. */
void bough_border_show(struct bough_border *border);

/* The same, and wakes who sleeps. True: there was something to wake it for. */
bool bough_border_poke(struct bough_border *border);

/* Wakes the other side for something else than frames: room, or progress. Who is woken
 * for nothing sleeps again and must not wake the other for that: the two would never
 * rest. */
void bough_border_wake(struct bough_border *border);

/* The next frame; its bytes, aligned to 16, are valid until the next call.
 * BOUGH_ENOREPLY: there is none. BOUGH_EINVALID: what is there is nonsense. One that is
 * LOST has no bytes. */
BOUGH_CHECKED enum bough_status bough_border_read(struct bough_border *border,
                                                  struct bough_frame *frame,
                                                  const void **bytes, size_t *len);

/* Whether there is a frame to be read that is in a hurry, of high priority or the end of
 * an actor: who runs those before it first would let it wait. */
static inline bool bough_border_hurries(const struct bough_border *border)
{
    return atomic_load_explicit(&border->theirs->hurry, memory_order_relaxed) >
           border->read;
}

/* Whether there is something to read. */
static inline bool bough_border_waits(const struct bough_border *border)
{
    return atomic_load_explicit(&border->theirs->written, memory_order_acquire) !=
           border->read;
}

/* large.c: sends bytes with the frame that is written next, and receives those of one
 * that was read, which are then in `large`. BOUGH_ENOMEM: there is no memory or no
 * descriptor for them; those that came are lost. BOUGH_EFULL: not now. BOUGH_EINVALID:
 * nonsense. */
BOUGH_CHECKED enum bough_status bough_large_send(struct bough_border *border,
                                                 const void *bytes, size_t len);
BOUGH_CHECKED enum bough_status bough_large_receive(struct bough_border *border,
                                                    size_t len, const void **bytes);

/* Says how much was read, also of what was read last; its bytes are valid no more. */
void bough_border_show_read(struct bough_border *border);

/* All has been read: says that the other side may write on, and how this one sleeps.
 * False: there is something again. What else it waits for, room or progress, is to be
 * looked for once more after that: else the other side may have seen it awake. */
bool bough_border_sleep(struct bough_border *border, enum bough_border_sleep how);

/* It does not sleep, after all: nobody need wake it. */
void bough_border_stay_awake(struct bough_border *border);

/* The sleep of one that said it waits: until it is woken, or a signal has come. */
void bough_border_wait(struct bough_border *border);

/* Of one that polls: reads the eventfd, after a wake-up. */
void bough_border_woken(struct bough_border *border);

#endif
