/* look.c - a connection that is tried, or a program that is run.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/actors/look_internal.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bough/actors/command_internal.h>
#include <bough/core/text.h>

enum { OUTPUT_MAX = 64 * 1024 };

static void release(struct bough_look *look)
{
    bough_source_stop(&look->source);
    bough_timer_stop(&look->timer);
    if (look->fd > 0) close(look->fd);
    look->fd = 0;
    look->looks = false;
}

static void finish(struct bough_actor *actor, struct bough_look *look, bool good)
{
    release(look);
    look->done(actor, look, good);
}

static void on_failure(struct bough_actor *actor, struct bough_timer *timer)
{
    finish(actor, bough_container(timer, struct bough_look, timer), false);
}

/* Said in a moment, and not at once. */
static void fail_soon(struct bough_actor *actor, struct bough_look *look)
{
    bough_timer_start(actor, &look->timer, 0, 0, on_failure);
}

static void on_timeout(struct bough_actor *actor, struct bough_timer *timer)
{
    struct bough_look *look = bough_container(timer, struct bough_look, timer);

    bough_text_format(look->text, sizeof(look->text), "no connection in time");
    finish(actor, look, false);
}

/* Connecting */

static void judge_connection(struct bough_look *look, const char *tcp, int error)
{
    bough_text_format(look->text, sizeof(look->text), "tcp %s: %s", tcp, strerror(error));
}

static void on_connected(struct bough_actor *actor, struct bough_source *source,
                         int events)
{
    struct bough_look *look = bough_container(source, struct bough_look, source);
    int error = 0;
    socklen_t size = sizeof(error);

    (void)events;
    getsockopt(look->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0)
        bough_text_format(look->text, sizeof(look->text), "no connection: %s",
                          strerror(error));
    finish(actor, look, error == 0);
}

static void connect_to(struct bough_actor *actor, struct bough_look *look,
                       const char *tcp, int64_t timeout_ms)
{
    struct sockaddr_storage address;
    size_t size = 0;

    if (!bough_tcp_parse(tcp, &address, &size)) {
        bough_text_format(look->text, sizeof(look->text), "no address: %s", tcp);
        fail_soon(actor, look);
        return;
    }
    look->fd = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (look->fd > 0 &&
        (connect(look->fd, (struct sockaddr *)&address, (socklen_t)size) == 0 ||
         errno == EINPROGRESS)) {
        bough_source_start(actor, &look->source, look->fd, EV_WRITE, on_connected);
        bough_timer_start(actor, &look->timer, timeout_ms, 0, on_timeout);
        return;
    }
    judge_connection(look, tcp, errno);
    fail_soon(actor, look);
}

/* Running */

static void on_job_done(struct bough_actor *actor, struct bough_job *job)
{
    struct bough_look *look = job->data;
    const bool good = job->verdict == BOUGH_JOB_ENDED && job->end.known &&
                      job->end.signal == 0 && job->end.code == 0;

    if (job->verdict == BOUGH_JOB_TIMED_OUT)
        bough_text_format(look->text, sizeof(look->text), "exec did not end in time");
    else if (job->end.signal != 0)
        bough_text_format(look->text, sizeof(look->text), "exec ended by signal %d",
                          job->end.signal);
    else
        bough_text_format(look->text, sizeof(look->text), "exec ended with code %d",
                          job->end.code);
    finish(actor, look, good);
}

static void run(struct bough_actor *actor, struct bough_look *look,
                const struct bough_look_at *at, int64_t timeout_ms)
{
    struct bough_error error = { .text = "" };
    const struct bough_job_spec spec = {
        .argv = at->exec,
        .ways = at->ways,
        .timeout_ms = timeout_ms,
        .max_output = OUTPUT_MAX,
        .done = on_job_done,
    };

    if (!look->job) look->job = calloc(1, sizeof(*look->job));
    if (look->job && bough_job_start(actor, look->job, &spec, &error) == BOUGH_OK) {
        look->job->data = look;
        return;
    }
    bough_text_format(look->text, sizeof(look->text), "exec: %s", error.text);
    fail_soon(actor, look);
}

void bough_look_start(struct bough_actor *actor, struct bough_look *look,
                      const struct bough_look_at *at, int64_t timeout_ms)
{
    look->looks = true;
    look->text[0] = '\0';
    if (at->tcp)
        connect_to(actor, look, at->tcp, timeout_ms);
    else
        run(actor, look, at, timeout_ms);
}

bool bough_look_is_running(const struct bough_look *look)
{
    return look->looks;
}

void bough_look_stop(struct bough_actor *actor, struct bough_look *look)
{
    release(look);
    if (look->job) bough_job_finish(actor, look->job);
    free(look->job);
    look->job = NULL;
}
