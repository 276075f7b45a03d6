/* command_env.c - the environment of a program: this process's, then the file's, then the
 * options'.
 *
 * Made for each start, and wiped after it: the file may hold secrets, and may have
 * changed. What errors say of it is its name and a line's number.
 *
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bough/actors/command_internal.h>

enum { FILE_MAX = 1024 * 1024, NAME_MAX_LEN = 1024 };

/* One by one */

static void wipe(char *variable)
{
    if (!variable) return;
    explicit_bzero(variable, strlen(variable));
    free(variable);
}

static bool has_name(const char *variable, const char *name, size_t len)
{
    return variable[0] == name[0] && strncmp(variable, name, len) == 0 &&
           variable[len] == '=';
}

static bool make_room(struct bough_environment *environment)
{
    const size_t capacity = environment->capacity > 0 ? 2 * environment->capacity : 64;

    if (environment->count + 1 < environment->capacity) return true;
    char **list = realloc(environment->list, capacity * sizeof(*list));
    if (list) environment->list = list;
    bool *made = realloc(environment->made, capacity * sizeof(*made));
    if (made) environment->made = made;
    if (list && made) environment->capacity = capacity;
    return list && made;
}

static void append(struct bough_environment *environment, char *variable, bool made)
{
    if (!make_room(environment)) {
        environment->failed = true;
        if (made) wipe(variable);
        return;
    }
    environment->list[environment->count] = variable;
    environment->made[environment->count++] = made;
    environment->list[environment->count] = NULL;
}

/* Takes it: in the place of one of that name, or behind the others. */
static void put(struct bough_environment *environment, char *variable, size_t name_len)
{
    char **list = environment->list;

    if (!variable) environment->failed = true;
    if (!variable) return;
    for (size_t i = 0; i < environment->count; i++) {
        if (!has_name(list[i], variable, name_len)) continue;
        if (environment->made[i]) wipe(list[i]);
        list[i] = variable;
        environment->made[i] = true;
        return;
    }
    append(environment, variable, true);
}

void bough_environment_set(struct bough_environment *environment, const char *name,
                           const char *value)
{
    const size_t name_len = strlen(name), size = name_len + strlen(value) + 2;
    char *variable = malloc(size);

    if (variable) snprintf(variable, size, "%s=%s", name, value);
    put(environment, variable, name_len);
}

const char *bough_environment_path(const struct bough_environment *environment)
{
    for (size_t i = 0; i < environment->count; i++) {
        if (has_name(environment->list[i], "PATH", 4)) return environment->list[i] + 5;
    }
    return NULL;
}

void bough_environment_free(struct bough_environment *environment)
{
    for (size_t i = 0; i < environment->count; i++) {
        if (environment->made[i]) wipe(environment->list[i]);
    }
    free(environment->list);
    free(environment->made);
    *environment = (struct bough_environment){ .list = NULL };
}

/* This process's */

/* What was said to this process, by systemd mostly, is not for its children. */
static bool is_private(const char *variable)
{
    static const char *const names[] = {
        "NOTIFY_SOCKET", "WATCHDOG_USEC",  "WATCHDOG_PID",  "LISTEN_FDS",
        "LISTEN_PID",    "LISTEN_FDNAMES", "INVOCATION_ID", "MAINPID",
    };

    for (size_t i = 0; i < bough_count_of(names); i++) {
        if (has_name(variable, names[i], strlen(names[i]))) return true;
    }
    return false;
}

static void take_own(struct bough_environment *environment, bool all)
{
    for (char **variable = environ; variable && *variable; variable++) {
        const size_t len = strcspn(*variable, "=");

        if ((*variable)[len] == '\0' || is_private(*variable)) continue;
        if (all || has_name(*variable, "PATH", 4)) append(environment, *variable, false);
    }
}

/* A user's */

/* As a login would have them; what the options say is put over them. */
static void take_user(struct bough_environment *environment, const char *user)
{
    char buffer[4096];
    struct passwd entry, *found = NULL;
    char *end;
    const long number = strtol(user, &end, 10);

    if (*end == '\0')
        getpwuid_r((uid_t)number, &entry, buffer, sizeof(buffer), &found);
    else
        getpwnam_r(user, &entry, buffer, sizeof(buffer), &found);
    if (!found) return; /* whether there is one is for the limits to say */
    bough_environment_set(environment, "USER", entry.pw_name);
    bough_environment_set(environment, "LOGNAME", entry.pw_name);
    bough_environment_set(environment, "HOME", entry.pw_dir);
}

/* The file's */

static bool is_name(const char *text, size_t len)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";

    if (len == 0 || len > NAME_MAX_LEN || (text[0] >= '0' && text[0] <= '9'))
        return false;
    return strspn(text, letters) >= len;
}

static void trim(char **begin, char **end)
{
    while (*begin < *end && strchr(" \t\r", **begin))
        (*begin)++;
    while (*begin < *end && strchr(" \t\r", (*end)[-1]))
        (*end)--;
}

static bool is_quoted(const char *begin, const char *end)
{
    return end - begin >= 2 && (*begin == '"' || *begin == '\'') && end[-1] == *begin;
}

/* "NAME=VALUE", spaces around it, quotes around the value; nothing or a comment is fine,
 * too. */
static bool take_line(struct bough_environment *environment, char *begin, char *end)
{
    trim(&begin, &end);
    if (begin == end || *begin == '#') return true;
    char *equals = memchr(begin, '=', (size_t)(end - begin));
    if (!equals || !is_name(begin, (size_t)(equals - begin))) return false;
    char *value = equals + 1;
    if (is_quoted(value, end)) {
        value++;
        end--;
    }
    char *variable = malloc((size_t)(equals + 1 - begin) + (size_t)(end - value) + 1);
    if (variable) {
        char *at = mempcpy(variable, begin, (size_t)(equals + 1 - begin));
        at = mempcpy(at, value, (size_t)(end - value));
        *at = '\0';
    }
    put(environment, variable, (size_t)(equals - begin));
    return true;
}

static enum bough_status take_lines(struct bough_environment *environment,
                                    const char *name, char *text, size_t size,
                                    struct bough_error *error)
{
    char *end = text + size;

    for (int line = 1; text < end; line++) {
        char *newline = memchr(text, '\n', (size_t)(end - text));
        if (!newline) newline = end;
        if (memchr(text, '\0', (size_t)(newline - text)) ||
            !take_line(environment, text, newline))
            return bough_error_set(error, BOUGH_EINVALID,
                                   "env_file \"%s\": line %d is not NAME=VALUE", name,
                                   line);
        text = newline + 1;
    }
    return BOUGH_OK;
}

static enum bough_status read_file(const char *name, char *text, size_t *size,
                                   struct bough_error *error)
{
    const int fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat status;
    ssize_t got;

    *size = 0;
    if (fd < 0 || fstat(fd, &status) != 0) {
        bough_error_system(error, "env_file \"%s\" cannot be read", name);
        if (fd >= 0) close(fd);
        return BOUGH_ESYSTEM;
    }
    if (!S_ISREG(status.st_mode)) {
        close(fd);
        return bough_error_set(error, BOUGH_EINVALID, "env_file \"%s\" is not a file",
                               name);
    }
    while (*size <= FILE_MAX && (got = read(fd, text + *size, FILE_MAX + 1 - *size)) > 0)
        *size += (size_t)got;
    close(fd);
    if (*size > FILE_MAX)
        return bough_error_set(error, BOUGH_ETOOLARGE,
                               "env_file \"%s\" has more than %d bytes", name, FILE_MAX);
    return BOUGH_OK;
}

static enum bough_status take_file(struct bough_environment *environment,
                                   const char *name, struct bough_error *error)
{
    char *text = malloc(FILE_MAX + 1);
    size_t size;

    if (!text) return bough_error_set(error, BOUGH_ENOMEM, "no memory for env_file");
    enum bough_status status = read_file(name, text, &size, error);
    if (status == BOUGH_OK) status = take_lines(environment, name, text, size, error);
    explicit_bzero(text, size);
    free(text);
    return status;
}

/* All */

enum bough_status bough_environment_make(const struct bough_command_options *options,
                                         struct bough_environment *environment,
                                         struct bough_error *error)
{
    enum bough_status status = BOUGH_OK;

    *environment = (struct bough_environment){ .list = NULL };
    take_own(environment, !options->clear_env);
    if (options->user) take_user(environment, options->user);
    if (options->env_file) status = take_file(environment, options->env_file, error);
    for (const char *const *at = options->env; at && *at; at += 2)
        bough_environment_set(environment, at[0], at[1]);
    if (environment->failed && status == BOUGH_OK)
        status = bough_error_set(error, BOUGH_ENOMEM, "no memory for the environment");
    if (status != BOUGH_OK) bough_environment_free(environment);
    return status;
}
