/* job.c - one run of a program: input in, output out, and its end.
 *
 *   running --program ends--------------------------------------------> done
 *   running --time is up, too much output, no memory--> killed --ends--> done
 *
 * A killed program that does not even die is left to the reaper after a while.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/actors/job_internal.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bough/actors/guard_internal.h>
#include <bough/actors/reaper_internal.h>
#include <bough/core/assert.h>
#include <bough/core/runtime.h>

enum {
    READ_SIZE = 16 * 1024, /* bytes made room for, at least, before a read */
    PIPE_SIZE = 64 * 1024, /* bytes that a pipe holds, see pipe(7) */
    KILL_PATIENCE = 5000,  /* ms in which a killed program must be gone */
    FINISH_PATIENCE =
        100 /* ms for which finish() waits; a kill takes less than one, mostly */
};

/* Descriptors */

static void close_descriptor(int *fd)
{
    if (*fd >= 0) close(*fd);
    *fd = -1;
}

static bool write_all(int fd, const char *data, size_t size)
{
    off_t offset = 0;

    while ((size_t)offset < size) {
        ssize_t written = pwrite(fd, data + offset, size - (size_t)offset, offset);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return false;
        offset += written;
    }
    return true;
}

/* A file in memory, at its start, that nobody can change any more. */
static bool open_input(const void *input, size_t size, int *fd)
{
    *fd = memfd_create("bough-input", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (*fd < 0) return false;
    return bough_descriptor_raise(fd) && write_all(*fd, input, size) &&
           fcntl(*fd, F_ADD_SEALS,
                 F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) == 0;
}

/* The end */

static void release_descriptors(struct bough_job *job)
{
    bough_source_stop(&job->ended);
    bough_source_stop(&job->output_source);
    bough_source_stop(&job->complaint_source);
    close_descriptor(&job->output_fd);
    close_descriptor(&job->complaint_fd);
}

static struct ev_loop *ev_of(struct bough_actor *actor)
{
    return bough_loop_ev(bough_actor_loop(actor));
}

/* The process is reaped, or in the reaper's hands. */
static void job_over(struct bough_actor *actor, struct bough_job *job)
{
    bough_timer_stop(&job->timer);
    bough_taken_stop(&job->taken, ev_of(actor));
    release_descriptors(job);
    job->duration_ms += bough_now_ms(actor);
    job->running = false;
    job->done(actor, job);
}

/* The first verdict stands. */
static void job_expired(struct bough_actor *actor, struct bough_timer *timer);

static void job_kill(struct bough_actor *actor, struct bough_job *job,
                     enum bough_job_verdict verdict)
{
    if (job->verdict != BOUGH_JOB_ENDED) return;
    job->verdict = verdict;
    bough_process_kill(&job->process);
    bough_timer_start(actor, &job->timer, KILL_PATIENCE, 0, job_expired);
}

static void job_expired(struct bough_actor *actor, struct bough_timer *timer)
{
    struct bough_job *job = bough_container(timer, struct bough_job, timer);

    if (job->verdict == BOUGH_JOB_ENDED) {
        job_kill(actor, job, BOUGH_JOB_TIMED_OUT);
        return;
    }
    bough_source_stop(&job->ended);
    bough_reaper_take(ev_of(actor), &job->process, 0);
    job_over(actor, job);
}

/* Gathering what the program says */

static bool make_room(struct bough_job *job)
{
    size_t limit =
        job->max_output + 1; /* one more than allowed tells that it is too much */

    if (job->capacity - job->output_size >= READ_SIZE || job->capacity == limit)
        return true;
    size_t capacity = job->capacity < READ_SIZE ? READ_SIZE * 2 : job->capacity * 2;
    if (capacity > limit) capacity = limit;
    char *output = realloc(job->output, capacity);
    if (!output) return false;
    job->output = output;
    job->capacity = capacity;
    return true;
}

enum reading { READ_MORE, READ_WAIT, READ_END };

static enum reading reading_of(ssize_t result)
{
    if (result > 0) return READ_MORE;
    if (result < 0 && errno == EINTR) return READ_MORE;
    return result < 0 && errno == EAGAIN ? READ_WAIT : READ_END;
}

static enum reading read_output(struct bough_actor *actor, struct bough_job *job)
{
    if (!make_room(job)) {
        job_kill(actor, job, BOUGH_JOB_NO_MEMORY);
        return READ_END;
    }
    ssize_t result = read(job->output_fd, job->output + job->output_size,
                          job->capacity - job->output_size);
    if (result > 0) job->output_size += (size_t)result;
    if (job->output_size > job->max_output) {
        job_kill(actor, job, BOUGH_JOB_TOO_LARGE);
        return READ_END;
    }
    return reading_of(result);
}

/* Keeps the last bytes. */
static void add_complaint(struct bough_job *job, const char *bytes, size_t size)
{
    size_t keep = sizeof(job->complaint) - size;

    if (job->complaint_size > keep) {
        memmove(job->complaint, job->complaint + job->complaint_size - keep, keep);
        job->complaint_size = keep;
        job->complaint_cut = true;
    }
    memcpy(job->complaint + job->complaint_size, bytes, size);
    job->complaint_size += size;
}

static enum reading read_complaint(struct bough_job *job)
{
    char bytes[BOUGH_JOB_COMPLAINT];
    ssize_t result = read(job->complaint_fd, bytes, sizeof(bytes));

    if (result > 0) add_complaint(job, bytes, (size_t)result);
    return reading_of(result);
}

static void job_output(struct bough_actor *actor, struct bough_source *source, int events)
{
    struct bough_job *job = bough_container(source, struct bough_job, output_source);

    (void)events;
    if (read_output(actor, job) != READ_END) return;
    bough_source_stop(source);
    close_descriptor(&job->output_fd);
}

static void job_complaint(struct bough_actor *actor, struct bough_source *source,
                          int events)
{
    struct bough_job *job = bough_container(source, struct bough_job, complaint_source);

    (void)actor;
    (void)events;
    if (read_complaint(job) != READ_END) return;
    bough_source_stop(source);
    close_descriptor(&job->complaint_fd);
}

/* What was written before the end is still in the pipes. Somebody that escaped the kill
 * may still write there; the output has its limit, and of complaints a pipe full is
 * enough. */
static void drain(struct bough_actor *actor, struct bough_job *job)
{
    while (job->output_fd >= 0 && job->verdict == BOUGH_JOB_ENDED) {
        if (read_output(actor, job) != READ_MORE) break;
    }
    for (int size = 0; size < PIPE_SIZE && job->complaint_fd >= 0;
         size += BOUGH_JOB_COMPLAINT) {
        if (read_complaint(job) != READ_MORE) break;
    }
}

static void job_ended(struct bough_actor *actor, struct bough_source *source, int events)
{
    struct bough_job *job = bough_container(source, struct bough_job, ended);

    (void)events;
    if (!bough_process_wait(&job->process, 0)) return;
    bough_process_kill(&job->process); /* what it has left behind in its group */
    drain(actor, job);
    bough_source_stop(source);
    if (!bough_taken_reap(&job->taken, &job->process, &job->end)) return;
    job_over(actor, job);
}

/* The start */

static void watch_job(struct bough_actor *actor, struct bough_job *job,
                      int64_t timeout_ms)
{
    job->running = true;
    job->duration_ms = -bough_now_ms(actor);
    bough_taken_start(&job->taken, ev_of(actor), job->process.pid);
    bough_source_start(actor, &job->ended, job->process.pidfd, EV_READ, job_ended);
    bough_source_start(actor, &job->output_source, job->output_fd, EV_READ, job_output);
    bough_source_start(actor, &job->complaint_source, job->complaint_fd, EV_READ,
                       job_complaint);
    if (timeout_ms < BOUGH_FOREVER) {
        bough_timer_start(actor, &job->timer, timeout_ms, 0, job_expired);
    }
}

static enum bough_status spawn_job(struct bough_actor *actor, struct bough_job *job,
                                   const struct bough_job_spec *spec,
                                   struct bough_error *error)
{
    int input = -1, output = -1, complaint = -1;
    enum bough_status status;

    if (!bough_pipe_open(true, &job->output_fd, &output) ||
        !bough_pipe_open(true, &job->complaint_fd, &complaint)) {
        status = bough_error_system(error, "cannot make a pipe for the job");
    } else if (spec->input_size > 0 &&
               !open_input(spec->input, spec->input_size, &input)) {
        status = bough_error_system(error, "cannot keep the input of the job");
    } else {
        struct bough_spawn_options options = { .argv = NULL };

        if (spec->ways) options = *spec->ways;
        options.argv = spec->argv;
        options.stdin_fd = spec->input_size > 0 ? input : BOUGH_SPAWN_NULL;
        options.stdout_fd = output;
        options.stderr_fd = complaint;
        options.announce_fd = spec->announce_fd;
        options.files =
            bough_guard_files(bough_runtime_guard(bough_actor_runtime(actor)));
        status = bough_process_spawn(&options, &job->process, error);
    }
    close_descriptor(&input);
    close_descriptor(&output);
    close_descriptor(&complaint);
    return status;
}

enum bough_status bough_job_start(struct bough_actor *actor, struct bough_job *job,
                                  const struct bough_job_spec *spec,
                                  struct bough_error *error)
{
    bough_assert(!job->running);
    bough_assert(spec->max_output < SIZE_MAX);
    free(job->output);
    *job = (struct bough_job){
        .done = spec->done,
        .process = { .pidfd = -1 },
        .max_output = spec->max_output,
        .output_fd = -1,
        .complaint_fd = -1,
    };
    enum bough_status status = spawn_job(actor, job, spec, error);
    if (status != BOUGH_OK) {
        release_descriptors(job);
        return status;
    }
    watch_job(actor, job, spec->timeout_ms);
    return BOUGH_OK;
}

bool bough_job_is_running(const struct bough_job *job)
{
    return job->running;
}

void bough_job_finish(struct bough_actor *actor, struct bough_job *job)
{
    if (job->running) {
        bough_timer_stop(&job->timer);
        bough_taken_stop(&job->taken, ev_of(actor));
        release_descriptors(job);
        bough_process_kill(&job->process);
        bough_reaper_take(ev_of(actor), &job->process, FINISH_PATIENCE);
    }
    free(job->output);
    *job = (struct bough_job){ .output_fd = -1, .complaint_fd = -1 };
}
