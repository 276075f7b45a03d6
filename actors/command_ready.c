/* command_ready.c - when a command is ready, and whether it stays well.
 *
 * Until it is ready: a descriptor is read (notify_fd, sd_notify), its lines are held
 * against a regex (log), or looks are taken (tcp, exec), each a while after the one
 * before has ended. Then, if health is wanted, looks go on, and so many bad ones on end
 * are the end.
 *
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bough/actors/command_internal.h>
#include <bough/actors/look_internal.h>
#include <bough/actors/notify_internal.h>
#include <bough/core/runtime.h>
#include <bough/core/text.h>

enum {
    FIRST_MS = 5, /* between the first two looks; then twice as long each time, up to */
    TCP_EVERY_MS = 100,
    EXEC_EVERY_MS = 1000,
    LOOK_TIMEOUT_MS = 5000,
    HEALTH_EVERY_MS = 10000,
    HEALTH_THRESHOLD = 3,
    SLOW_MS = 10000 /* after which it is told what is missing; then after twice as long */
};

struct bough_readiness {
    struct bough_running *command;
    bool ready;
    int fd; /* that it says so by; 0: none */
    struct bough_source source;
    bool has_regex;
    regex_t regex;
    struct bough_look look;
    struct bough_timer next; /* look */
    int64_t pause_ms;        /* before it */
    int failed;              /* looks, on end */
    struct bough_timer slow; /* until it is ready */
    int64_t slow_ms;         /* since its start */
};

static bool wants_health(const struct bough_command_options *options)
{
    return options->health.tcp || options->health.exec;
}

static bool is_ready_at_once(const struct bough_command_options *options)
{
    const struct bough_command_ready *ready = &options->ready;

    return ready->when == BOUGH_READY_STARTED && !ready->notify_fd && !ready->tcp &&
           !ready->exec && !ready->log;
}

/* Opening */

static enum bough_status open_notify_fd(struct bough_readiness *readiness, int *handed,
                                        struct bough_error *error)
{
    if (bough_pipe_open(true, &readiness->fd, handed)) return BOUGH_OK;
    return bough_error_system(error, "cannot make a pipe for its readiness");
}

static enum bough_status open_socket(struct bough_readiness *readiness,
                                     struct bough_environment *environment,
                                     struct bough_error *error)
{
    char address[BOUGH_NOTIFY_ADDRESS];
    const int fd = bough_notify_open(address);

    if (fd < 0) return bough_error_system(error, "cannot make its NOTIFY_SOCKET");
    readiness->fd = fd;
    bough_environment_set(environment, "NOTIFY_SOCKET", address);
    return BOUGH_OK;
}

static enum bough_status open_regex(struct bough_readiness *readiness, const char *regex,
                                    struct bough_error *error)
{
    if (regcomp(&readiness->regex, regex, REG_EXTENDED | REG_NOSUB) != 0)
        return bough_error_set(error, BOUGH_EINVALID, "ready: no regular expression");
    readiness->has_regex = true;
    return BOUGH_OK;
}

enum bough_status bough_readiness_open(struct bough_running *self,
                                       struct bough_environment *environment, int *handed,
                                       struct bough_error *error)
{
    const struct bough_command_options *options = self->options;

    if (is_ready_at_once(options) && !wants_health(options)) return BOUGH_OK;
    self->readiness = calloc(1, sizeof(*self->readiness));
    if (!self->readiness)
        return bough_error_set(error, BOUGH_ENOMEM, "no memory for its readiness");
    self->readiness->command = self;
    if (options->ready.notify_fd) return open_notify_fd(self->readiness, handed, error);
    if (options->ready.log) return open_regex(self->readiness, options->ready.log, error);
    if (options->ready.when == BOUGH_READY_NOTIFY)
        return open_socket(self->readiness, environment, error);
    return BOUGH_OK;
}

/* Looking */

static void look(struct bough_actor *actor, struct bough_timer *timer);

/* Most are ready soon. */
static int64_t every_ms(struct bough_readiness *readiness)
{
    const struct bough_command_options *options = readiness->command->options;
    const int64_t most = options->ready.tcp ? TCP_EVERY_MS : EXEC_EVERY_MS;

    if (readiness->ready)
        return options->health.every_ms ? options->health.every_ms : HEALTH_EVERY_MS;
    if (options->ready.every_ms) return options->ready.every_ms;
    readiness->pause_ms = readiness->pause_ms ? 2 * readiness->pause_ms : FIRST_MS;
    if (readiness->pause_ms > most) readiness->pause_ms = most;
    return readiness->pause_ms;
}

static void look_later(struct bough_readiness *readiness)
{
    bough_timer_start(readiness->command->actor, &readiness->next, every_ms(readiness), 0,
                      look);
}

static void be_ready(struct bough_readiness *readiness)
{
    struct bough_running *self = readiness->command;

    if (readiness->ready) return;
    readiness->ready = true;
    readiness->failed = 0;
    bough_timer_stop(&readiness->slow);
    bough_ready(self->actor);
    if (wants_health(self->options)) look_later(readiness);
}

static void be_unhealthy(struct bough_readiness *readiness)
{
    const int64_t given = readiness->command->options->health.threshold;

    readiness->failed++;
    if (readiness->failed < (given ? given : HEALTH_THRESHOLD)) {
        look_later(readiness);
        return;
    }
    bough_fail(readiness->command->actor, BOUGH_EFAILED, "unhealthy: %s (%d of %d looks)",
               readiness->look.text, readiness->failed, readiness->failed);
}

static void on_looked(struct bough_actor *actor, struct bough_look *done, bool good)
{
    struct bough_readiness *readiness =
        bough_container(done, struct bough_readiness, look);

    (void)actor;
    if (!readiness->ready && good) {
        be_ready(readiness);
    } else if (!readiness->ready) {
        look_later(readiness);
    } else if (good) {
        readiness->failed = 0;
        look_later(readiness);
    } else {
        be_unhealthy(readiness);
    }
}

/* What cannot be prepared for an exec is a look like a bad one. */
static void look(struct bough_actor *actor, struct bough_timer *timer)
{
    struct bough_readiness *readiness =
        bough_container(timer, struct bough_readiness, next);
    const struct bough_command_options *options = readiness->command->options;
    const bool health = readiness->ready;
    struct bough_error error = { .text = "" };
    struct bough_ways ways = { .plan = NULL };
    struct bough_look_at at = {
        .tcp = health ? options->health.tcp : options->ready.tcp,
        .exec = health ? options->health.exec : options->ready.exec,
    };
    const int64_t given = health ? options->health.timeout_ms : 0;

    if (at.exec && bough_ways_make(options, &ways, &error) == BOUGH_OK) {
        ways.options.env = (const char *const *)ways.environment.list;
        at.ways = &ways.options;
    }
    readiness->look.done = on_looked;
    bough_look_start(actor, &readiness->look, &at, given ? given : LOOK_TIMEOUT_MS);
    bough_ways_free(&ways);
}

/* Hearing */

static void never(struct bough_readiness *readiness, const char *why)
{
    bough_source_stop(&readiness->source);
    bough_fail(readiness->command->actor, BOUGH_EFAILED, "%s", why);
}

/* s6 has it so: the first newline. */
static void on_notify_fd(struct bough_actor *actor, struct bough_source *source,
                         int events)
{
    struct bough_readiness *readiness =
        bough_container(source, struct bough_readiness, source);
    char bytes[256];
    const ssize_t got = read(readiness->fd, bytes, sizeof(bytes));

    (void)actor, (void)events;
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got > 0 && !memchr(bytes, '\n', (size_t)got)) return;
    bough_source_stop(source);
    if (got > 0)
        be_ready(readiness);
    else
        never(readiness, "it closed its notify_fd without a newline, and so is never "
                         "ready: correct \"ready\", or the program");
}

static void on_socket(struct bough_actor *actor, struct bough_source *source, int events)
{
    struct bough_readiness *readiness =
        bough_container(source, struct bough_readiness, source);
    const pid_t head = readiness->command->process.pid;
    char text[BOUGH_NOTIFY_TEXT];
    pid_t sender;

    (void)events;
    switch (bough_notify_take(readiness->fd, head, text, &sender)) {
    case BOUGH_NOTIFY_NONE: break;
    case BOUGH_NOTIFY_TAKEN:
        if (bough_notify_says(text, "READY=1")) be_ready(readiness);
        break;
    case BOUGH_NOTIFY_STRANGER:
        bough_log(bough_actor_runtime(actor), BOUGH_WARNING, bough_actor_path(actor),
                  "process %d sends to its NOTIFY_SOCKET, and is none of its own: not "
                  "believed",
                  (int)sender);
        break;
    }
}

/* It may wait for ever, and those behind it with it: that shall not be in silence. */
static void tell_slow(struct bough_actor *actor, struct bough_timer *timer)
{
    struct bough_readiness *readiness =
        bough_container(timer, struct bough_readiness, slow);
    char why[256];

    bough_readiness_explain(readiness->command, why, sizeof(why));
    bough_log(bough_actor_runtime(actor), BOUGH_WARNING, bough_actor_path(actor),
              "not ready after %d s: %s; it is waited for, as long as \"start_timeout\" "
              "allows",
              (int)(readiness->slow_ms / 1000), why);
    bough_timer_start(actor, timer, readiness->slow_ms, 0, tell_slow);
    readiness->slow_ms *= 2;
}

void bough_readiness_start(struct bough_running *self)
{
    struct bough_readiness *readiness = self->readiness;
    const struct bough_command_options *options = self->options;

    if (!readiness) return;
    if (is_ready_at_once(options)) {
        readiness->ready = true;
        look_later(readiness);
        return;
    }
    bough_starting(self->actor);
    readiness->slow_ms = SLOW_MS;
    bough_timer_start(self->actor, &readiness->slow, SLOW_MS, 0, tell_slow);
    if (readiness->fd > 0)
        bough_source_start(self->actor, &readiness->source, readiness->fd, EV_READ,
                           options->ready.notify_fd ? on_notify_fd : on_socket);
    if (options->ready.tcp || options->ready.exec)
        bough_timer_start(self->actor, &readiness->next, 0, 0, look);
}

void bough_readiness_line(struct bough_running *self, const char *line)
{
    struct bough_readiness *readiness = self->readiness;

    if (readiness->ready || !readiness->has_regex) return;
    if (self->phase != BOUGH_COMMAND_RUNS) return;
    if (regexec(&readiness->regex, line, 0, NULL, 0) == 0) be_ready(readiness);
}

void bough_readiness_explain(const struct bough_running *self, char *text, size_t size)
{
    const struct bough_readiness *readiness = self->readiness;
    const struct bough_command_ready *ready = &self->options->ready;

    text[0] = '\0';
    if (!readiness || readiness->ready) return;
    if (ready->notify_fd)
        bough_text_format(text, size, "no newline came on its notify_fd %d",
                          (int)ready->notify_fd);
    else if (ready->log)
        bough_text_format(text, size, "no line fits \"%s\"", ready->log);
    else if (ready->tcp)
        bough_text_format(text, size, "tcp %s: %s", ready->tcp,
                          readiness->look.text[0] ? readiness->look.text : "no answer");
    else if (ready->exec)
        bough_text_format(text, size, "%s", readiness->look.text);
    else
        bough_text_format(text, size, "no READY=1 came to its NOTIFY_SOCKET");
}

void bough_readiness_close(struct bough_running *self)
{
    struct bough_readiness *readiness = self->readiness;

    if (!readiness) return;
    bough_source_stop(&readiness->source);
    bough_timer_stop(&readiness->next);
    bough_timer_stop(&readiness->slow);
    bough_look_stop(self->actor, &readiness->look);
    if (readiness->fd > 0) close(readiness->fd);
    if (readiness->has_regex) regfree(&readiness->regex);
    free(readiness);
    self->readiness = NULL;
}
