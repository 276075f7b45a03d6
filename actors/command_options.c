/* command_options.c - the options of a command, and what does not go together.
 *
 * SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <regex.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bough/actors/command_internal.h>
#include <bough/actors/cron_internal.h>

enum { NOTIFY_FD_MAX = 1000, THRESHOLD_MAX = 1000 };

static const char *const inputs[] = {
    [BOUGH_COMMAND_NO_INPUT] = "null",
    [BOUGH_COMMAND_INPUT] = "input",
    NULL,
};

static const char *const outputs[] = {
    [BOUGH_TO_LOG] = "log",
    [BOUGH_TO_INHERIT] = "inherit",
    [BOUGH_TO_NULL] = "null",
    NULL,
};

static const char *const readies[] = {
    [BOUGH_READY_STARTED] = "started",
    [BOUGH_READY_NOTIFY] = "sd_notify",
    NULL,
};

static const char *const healths[] = { "none", NULL };

static const struct bough_field output_fields[] = {
    bough_field(struct bough_command_output, file, "file", BOUGH_FILE,
                .help = "the file to append to"),
};

static const struct bough_field ready_fields[] = {
    bough_field(struct bough_command_ready, notify_fd, "notify_fd", BOUGH_INT64,
                .optional = true, .min = 3, .max = NOTIFY_FD_MAX,
                .help = "when it has written a newline to this descriptor"),
    bough_field(struct bough_command_ready, tcp, "tcp", BOUGH_STRING, .optional = true,
                .help = "when somebody listens at this address, such as "
                        "\"127.0.0.1:8080\" or \"[::1]:8080\""),
    bough_field(struct bough_command_ready, exec, "exec", BOUGH_STRINGS, .optional = true,
                .is_program = true,
                .help = "when this program, run again and again, ends with code 0"),
    bough_field(struct bough_command_ready, log, "log", BOUGH_STRING, .optional = true,
                .help = "when a line that it writes fits this regular expression "
                        "(extended, POSIX)"),
    bough_field(struct bough_command_ready, every_ms, "every", BOUGH_DURATION,
                .optional = true, .min = 1, .max = BOUGH_FOREVER,
                .help =
                    "how long \"tcp\" and \"exec\" wait between two looks; when absent, "
                    "5ms at first, and more and more, up to 100ms and 1s"),
};

static const struct bough_field health_fields[] = {
    bough_field(struct bough_command_health, tcp, "tcp", BOUGH_STRING, .optional = true,
                .help = "somebody listens at this address"),
    bough_field(struct bough_command_health, exec, "exec", BOUGH_STRINGS,
                .optional = true, .is_program = true,
                .help = "this program ends with code 0"),
    bough_field(struct bough_command_health, every_ms, "every", BOUGH_DURATION,
                .optional = true, .min = 1, .max = BOUGH_FOREVER,
                .help = "how long to wait between two looks; 10s when absent"),
    bough_field(struct bough_command_health, timeout_ms, "timeout", BOUGH_DURATION,
                .optional = true, .min = 1, .max = BOUGH_FOREVER,
                .help = "how long one look may take; 5s when absent"),
    bough_field(struct bough_command_health, threshold, "threshold", BOUGH_INT64,
                .optional = true, .min = 1, .max = THRESHOLD_MAX,
                .help = "how many looks must fail on end for it to be unhealthy; 3 when "
                        "absent"),
};

#define option(member, name, kind, ...) \
    bough_field(struct bough_command_options, member, name, kind, __VA_ARGS__)

const struct bough_field bough_command_fields[BOUGH_COMMAND_FIELDS] = {
    option(run, "run", BOUGH_STRINGS, .is_program = true, .string_with = "shell",
           .help = "the program, found in PATH or, with a slash in its name, from the "
                   "folder of the config, and its arguments; or a script for \"shell\""),
    option(shell, "shell", BOUGH_BOOL, .optional = true,
           .help = "whether \"run\" is a script for /bin/sh"),
    option(cwd, "cwd", BOUGH_FILE, .optional = true,
           .help = "the folder it runs in; that of bough when absent"),
    option(env, "env", BOUGH_MAP, .optional = true,
           .help = "environment variables, over those of \"env_file\" and of bough"),
    option(env_file, "env_file", BOUGH_FILE, .optional = true,
           .help =
               "a file of lines NAME=VALUE, for secrets: read at each start, and shown "
               "nowhere"),
    option(clear_env, "clear_env", BOUGH_BOOL, .optional = true,
           .help = "whether it gets no variable of bough's environment but PATH"),
    option(user, "user", BOUGH_STRING, .optional = true,
           .help = "the user it runs as, by name or number; for root alone"),
    option(group, "group", BOUGH_STRING, .optional = true,
           .help = "the group it runs as; that of the user when absent"),
    option(umask, "umask", BOUGH_STRING, .optional = true,
           .help = "the mask of modes for new files, in octal, such as \"027\""),
    option(nice, "nice", BOUGH_INT64, .optional = true, .min = -20, .max = 19,
           .given_zero = BOUGH_NICE_GIVEN_ZERO,
           .help = "its priority, -20 (first) to 19 (last)"),
    option(rlimits, "rlimits", BOUGH_OBJECT, .optional = true, .of = bough_rlimit_fields,
           .of_count = BOUGH_RLIMIT_COUNT, .of_size = sizeof(struct bough_rlimits),
           .help = "what it may use at most"),
    option(no_new_privs, "no_new_privs", BOUGH_BOOL, .optional = true,
           .help = "whether no program that it runs gains privileges by its file, as "
                   "set-user-ID programs do"),
    option(oom_score_adj, "oom_score_adj", BOUGH_INT64, .optional = true,
           .min = -BOUGH_OOM_SCORE_ADJ_MAX, .max = BOUGH_OOM_SCORE_ADJ_MAX,
           .given_zero = BOUGH_SCORE_GIVEN_ZERO,
           .help = "how soon the kernel ends it when memory is short: -1000 (never) to "
                   "1000 (first)"),
    option(stdin_from, "stdin", BOUGH_CHOICE, .optional = true, .choices = inputs,
           .help = "where its input comes from: nowhere, or messages \"input\""),
    option(stdout_to, "stdout", BOUGH_EITHER, .optional = true, .choices = outputs,
           .of = output_fields, .of_count = bough_count_of(output_fields),
           .of_size = sizeof(struct bough_command_output),
           .help = "where what it writes goes: line by line to the log, to bough's own "
                   "stdout, nowhere, or to a file"),
    option(stderr_to, "stderr", BOUGH_EITHER, .optional = true, .choices = outputs,
           .of = output_fields, .of_count = bough_count_of(output_fields),
           .of_size = sizeof(struct bough_command_output), .help = "the same for stderr"),
    option(logger, "logger", BOUGH_PATH, .optional = true, .refers_to = "logger",
           .at_start = true,
           .help = "the logger for what it writes; the tree's when absent"),
    option(stop_signal, "stop_signal", BOUGH_STRING, .optional = true,
           .fallback_text = "TERM",
           .help = "the signal that asks it to end, by name or number"),
    option(stop_command, "stop_command", BOUGH_STRINGS, .optional = true,
           .is_program = true,
           .help = "a program that asks it to end, instead: its process is $MAINPID"),
    option(ready, "ready", BOUGH_EITHER, .optional = true, .choices = readies,
           .of = ready_fields, .of_count = bough_count_of(ready_fields),
           .of_size = sizeof(struct bough_command_ready),
           .help = "when it is ready, and the next child is started: as soon as it runs, "
                   "when it says so to $NOTIFY_SOCKET (sd_notify(3)), or one of these; "
                   "\"start_timeout\" says how long that may take"),
    option(health, "health", BOUGH_EITHER, .optional = true, .choices = healths,
           .of = health_fields, .of_count = bough_count_of(health_fields),
           .of_size = sizeof(struct bough_command_health),
           .help = "what is looked at while it is ready; unhealthy is an end with the "
                   "error \"failed\""),
    option(every_ms, "every", BOUGH_DURATION, .optional = true, .min = 1,
           .max = BOUGH_FOREVER,
           .help = "runs the program at this interval, and not always; a run that ends "
                   "well is no end of the actor"),
    option(at, "at", BOUGH_STRING, .optional = true,
           .help = "runs the program at these times, as crontab(5) has them, in local "
                   "time: \"30 3 * * mon-fri\", \"@daily\""),
};

/* Checks. Each says which option is wrong. */

__attribute__((format(printf, 3, 4))) static enum bough_status
wrong(struct bough_error *error, const char *option, const char *format, ...)
{
    char text[BOUGH_ERROR_TEXT];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    bough_error_set(error, BOUGH_EINVALID, "%s", text);
    if (error) snprintf(error->pointer, sizeof(error->pointer), "/%s", option);
    return BOUGH_EINVALID;
}

static enum bough_status check_run(const struct bough_command_options *options,
                                   struct bough_error *error)
{
    const char *const *run = options->run;

    if (!run || !run[0] || run[0][0] == '\0')
        return wrong(error, "run", "\"run\" needs a program");
    if (options->shell && run[1])
        return wrong(error, "run",
                     "with \"shell\", \"run\" is one string, the script; without it, a "
                     "program and its arguments");
    return BOUGH_OK;
}

static enum bough_status check_environment(const struct bough_command_options *options,
                                           struct bough_error *error)
{
    for (const char *const *at = options->env; at && *at; at += 2) {
        if (at[0][0] != '\0' && !strchr(at[0], '=')) continue;
        return wrong(error, "env", "\"%.64s\" is no name of a variable", at[0]);
    }
    return BOUGH_OK;
}

static enum bough_status check_ways(const struct bough_command_options *options,
                                    struct bough_error *error)
{
    const char *mask = options->umask;
    const int64_t nice = options->nice;
    int number;

    if (mask && (strspn(mask, "01234567") != strlen(mask) || strlen(mask) < 1 ||
                 strtol(mask, NULL, 8) > 0777))
        return wrong(error, "umask",
                     "\"umask\" must be octal, \"000\" to \"777\", not \"%.32s\"", mask);
    if (nice < -20 || nice > BOUGH_NICE_GIVEN_ZERO)
        return wrong(error, "nice", "\"nice\" must be from -20 to 19");
    if (options->stop_signal && !bough_signal_parse(options->stop_signal, &number))
        return wrong(error, "stop_signal",
                     "\"%.32s\" is no signal; it must be a name such as \"TERM\", or a "
                     "number",
                     options->stop_signal);
    if (options->stop_command && !options->stop_command[0])
        return wrong(error, "stop_command", "\"stop_command\" needs a program");
    if (options->oom_score_adj < -BOUGH_OOM_SCORE_ADJ_MAX ||
        (options->oom_score_adj > BOUGH_OOM_SCORE_ADJ_MAX &&
         options->oom_score_adj != BOUGH_SCORE_GIVEN_ZERO))
        return wrong(error, "oom_score_adj",
                     "\"oom_score_adj\" must be from -1000 to 1000");
    const enum bough_status status = bough_rlimits_check(&options->rlimits, error);
    if (status != BOUGH_OK && error)
        snprintf(error->pointer, sizeof(error->pointer), "/rlimits");
    return status;
}

bool bough_tcp_parse(const char *text, struct sockaddr_storage *address, size_t *size)
{
    struct sockaddr_in *four = (void *)address;
    struct sockaddr_in6 *six = (void *)address;
    const char *colon = strrchr(text, ':');
    char host[64];
    char *end;

    if (!colon || colon - text >= (ptrdiff_t)sizeof(host)) return false;
    const long port = strtol(colon + 1, &end, 10);
    if (colon[1] < '0' || colon[1] > '9' || *end || port < 1 || port > 65535)
        return false;
    snprintf(host, sizeof(host), "%.*s", (int)(colon - text), text);
    memset(address, 0, sizeof(*address));
    if (strcmp(host, "localhost") == 0) snprintf(host, sizeof(host), "127.0.0.1");
    if (inet_pton(AF_INET, host, &four->sin_addr) == 1) {
        four->sin_family = AF_INET;
        four->sin_port = htons((uint16_t)port);
        *size = sizeof(*four);
        return true;
    }
    const size_t len = strlen(host);
    if (len < 2 || host[0] != '[' || host[len - 1] != ']') return false;
    host[len - 1] = '\0';
    if (inet_pton(AF_INET6, host + 1, &six->sin6_addr) != 1) return false;
    six->sin6_family = AF_INET6;
    six->sin6_port = htons((uint16_t)port);
    *size = sizeof(*six);
    return true;
}

static enum bough_status check_tcp(const char *text, const char *option,
                                   struct bough_error *error)
{
    struct sockaddr_storage address;
    size_t size;

    if (!text || bough_tcp_parse(text, &address, &size)) return BOUGH_OK;
    return wrong(error, option,
                 "\"tcp\" must be an address and a port, such as \"127.0.0.1:8080\" or "
                 "\"[::1]:8080\", not \"%.64s\"",
                 text);
}

static enum bough_status check_regex(const char *text, struct bough_error *error)
{
    char why[128];
    regex_t regex;

    const int failed = regcomp(&regex, text, REG_EXTENDED | REG_NOSUB);
    if (failed == 0) {
        regfree(&regex);
        return BOUGH_OK;
    }
    regerror(failed, &regex, why, sizeof(why));
    return wrong(error, "ready/log", "\"%.64s\" is no regular expression: %s", text, why);
}

static bool goes_to_log(const struct bough_command_output *output)
{
    return !output->file && output->to == BOUGH_TO_LOG;
}

static enum bough_status check_ready(const struct bough_command_options *options,
                                     struct bough_error *error)
{
    const struct bough_command_ready *ready = &options->ready;
    const int count = (ready->notify_fd != 0) + (ready->tcp != NULL) +
                      (ready->exec != NULL) + (ready->log != NULL);

    if (count > 1)
        return wrong(error, "ready",
                     "\"ready\" is one of \"notify_fd\", \"tcp\", \"exec\" and \"log\"");
    if (ready->every_ms != 0 && !ready->tcp && !ready->exec)
        return wrong(error, "ready/every",
                     "\"every\" goes with \"tcp\" and \"exec\" only");
    if (ready->every_ms < 0 || (ready->notify_fd != 0 && ready->notify_fd < 3))
        return wrong(error, "ready", "a number of \"ready\" is too small");
    if (ready->exec && !ready->exec[0])
        return wrong(error, "ready/exec", "\"exec\" needs a program");
    if (ready->log && !goes_to_log(&options->stdout_to) &&
        !goes_to_log(&options->stderr_to))
        return wrong(error, "ready/log",
                     "nothing that it writes is seen: \"stdout\" or \"stderr\" must be "
                     "\"log\"");
    if (ready->log) return check_regex(ready->log, error);
    return check_tcp(ready->tcp, "ready/tcp", error);
}

static enum bough_status check_health(const struct bough_command_health *health,
                                      struct bough_error *error)
{
    if (health->tcp && health->exec)
        return wrong(error, "health", "\"health\" is one of \"tcp\" and \"exec\"");
    if (health->exec && !health->exec[0])
        return wrong(error, "health/exec", "\"exec\" needs a program");
    const bool any = health->every_ms || health->timeout_ms || health->threshold;
    if (any && !health->tcp && !health->exec)
        return wrong(error, "health", "\"health\" needs one of \"tcp\" and \"exec\"");
    if (health->every_ms < 0 || health->timeout_ms < 0 || health->threshold < 0)
        return wrong(error, "health", "a number of \"health\" is negative");
    return check_tcp(health->tcp, "health/tcp", error);
}

static enum bough_status check_at(const char *at, struct bough_error *error)
{
    struct bough_cron cron;
    const char *why;

    if (!bough_cron_parse(at, &cron, &why))
        return wrong(error, "at", "\"%.64s\" is no time: %s", at, why);
    if (bough_cron_next(&cron, 0) < 0)
        return wrong(error, "at", "\"%.64s\" is a time that never comes", at);
    return BOUGH_OK;
}

static enum bough_status check_schedule(const struct bough_command_options *options,
                                        struct bough_error *error)
{
    if (options->every_ms < 0) return wrong(error, "every", "\"every\" is negative");
    if (!bough_command_is_scheduled(options)) return BOUGH_OK;
    if (options->every_ms > 0 && options->at)
        return wrong(error, "at", "there is \"every\" or \"at\", not both");
    if (options->ready.when != BOUGH_READY_STARTED || options->ready.notify_fd != 0 ||
        options->ready.tcp || options->ready.exec || options->ready.log)
        return wrong(error, "ready", "what runs at times is ready at once");
    if (options->health.tcp || options->health.exec)
        return wrong(error, "health", "what runs at times has no health");
    return options->at ? check_at(options->at, error) : BOUGH_OK;
}

enum bough_status bough_command_check(const void *data, struct bough_error *error)
{
    const struct bough_command_options *options = data;
    enum bough_status status = check_run(options, error);

    if (status == BOUGH_OK) status = check_environment(options, error);
    if (status == BOUGH_OK) status = check_ways(options, error);
    if (status == BOUGH_OK) status = check_ready(options, error);
    if (status == BOUGH_OK) status = check_health(&options->health, error);
    if (status == BOUGH_OK) status = check_schedule(options, error);
    return status;
}

int bough_command_stop_signal(const struct bough_command_options *options)
{
    int number = SIGTERM;

    if (options->stop_signal) (void)!bough_signal_parse(options->stop_signal, &number);
    return number;
}
