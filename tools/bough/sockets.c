/* sockets.c - where the control socket of a tree is, for those who want to talk to it.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tools/bough/sockets.h>

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bough/core/place.h>
#include <bough/tools/bough/exit_code.h>
#include <bough/tools/bough/output.h>

static const char SYSTEM_FOLDER[] = "/run/bough";

static const char *given(const char *variable)
{
    const char *value = getenv(variable);

    return value != NULL && value[0] != '\0' ? value : NULL;
}

/* Writes `format` if it fits into the address of a Unix socket. */
__attribute__((format(printf, 3, 4))) static enum bough_status
set_path(char *path, struct bough_error *error, const char *format, ...)
{
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vsnprintf(path, BOUGH_SOCKET_PATH, format, arguments);
    va_end(arguments);
    if (length == 0) {
        return bough_error_set(error, BOUGH_EINVALID,
                               "the control socket's path is empty");
    }
    if (length > 0 && length < BOUGH_SOCKET_PATH) return BOUGH_OK;
    return bough_error_set(
        error, BOUGH_ETOOLARGE,
        "the control socket's path is longer than the %d bytes that a Unix "
        "socket allows; give a shorter one with --control",
        BOUGH_SOCKET_PATH - 1);
}

/* The folders in which trees are looked for, in order. One that has no room for a
 * socket's address is none. */
struct folders {
    char paths[2][BOUGH_SOCKET_PATH];
    size_t count;
};

static void add_folder(struct folders *folders, const char *folder, const char *below)
{
    char *path = folders->paths[folders->count];
    const int length = snprintf(path, BOUGH_SOCKET_PATH, "%s%s", folder, below);

    if (length >= 0 && length < BOUGH_SOCKET_PATH) folders->count++;
}

/* Who names a folder means that one alone: a tree of the machine's is not looked for. */
static void find_folders(struct folders *folders)
{
    const char *only = given("BOUGH_RUNTIME_DIR"), *user = given("XDG_RUNTIME_DIR");

    folders->count = 0;
    if (only != NULL) {
        add_folder(folders, only, "");
        return;
    }
    if (user != NULL) add_folder(folders, user, "/bough");
    add_folder(folders, SYSTEM_FOLDER, "");
}

/* For messages: "A and B". */
struct looked {
    char text[2 * BOUGH_SOCKET_PATH + 8];
};

static struct looked looked_in(const struct folders *folders)
{
    struct looked looked = { .text = "no folder" };

    if (folders->count > 0) {
        snprintf(looked.text, sizeof(looked.text), "%s%s%s", folders->paths[0],
                 folders->count > 1 ? " and " : "",
                 folders->count > 1 ? folders->paths[1] : "");
    }
    return looked;
}

enum bough_presence bough_socket_probe(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd, result, error;

    if (strlen(path) >= sizeof(address.sun_path)) return BOUGH_SOCKET_OTHER;
    memcpy(address.sun_path, path, strlen(path) + 1);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return BOUGH_SOCKET_OTHER;
    result = connect(fd, (const struct sockaddr *)&address, sizeof(address));
    error = errno;
    close(fd);
    /* EAGAIN: somebody listens, and has more callers than it can take just now. */
    if (result == 0 || error == EAGAIN || error == EINPROGRESS) return BOUGH_SOCKET_ALIVE;
    if (error == ENOENT || error == ENOTDIR) return BOUGH_SOCKET_ABSENT;
    if (error == EACCES || error == EPERM) return BOUGH_SOCKET_DENIED;
    return error == ECONNREFUSED ? BOUGH_SOCKET_STALE : BOUGH_SOCKET_OTHER;
}

enum bough_status bough_socket_choose(const char *control, const char *name,
                                      const char *tree, char *path,
                                      struct bough_error *error)
{
    const char *only = given("BOUGH_RUNTIME_DIR"), *user = given("XDG_RUNTIME_DIR");

    if (name != NULL && !bough_name_valid(name)) {
        return bough_error_set(error, BOUGH_EINVALID,
                               "\"%s\" is not a name: 1 to 64 of A-Z a-z 0-9 _ . -",
                               name);
    }
    if (control == NULL && name == NULL) control = given("BOUGH_CONTROL");
    if (control != NULL) return set_path(path, error, "%s", control);
    if (name == NULL) name = tree;
    if (only != NULL) return set_path(path, error, "%s/%s.sock", only, name);
    if (user != NULL) return set_path(path, error, "%s/bough/%s.sock", user, name);
    return set_path(path, error, "%s/%s.sock", SYSTEM_FOLDER, name);
}

/* What a search has seen: the sockets that answer, and those that did not let us in. */
struct search {
    char found[BOUGH_SOCKET_PATH];
    char *names; /* of all that answer, ", " between */
    size_t alive, denied;
    void (*visit)(void *data, const char *name); /* or NULL */
    void *data;
};

static void note_alive(struct search *search, const char *folder, const char *file)
{
    const int stem = (int)(strlen(file) - strlen(".sock"));
    char *names = NULL;

    search->alive++;
    if (search->visit != NULL) {
        char name[BOUGH_NAME_MAX + 1];

        snprintf(name, sizeof(name), "%.*s", stem, file);
        search->visit(search->data, name);
    }
    if (asprintf(&names, "%s%s%.*s (%s/%s)", search->names != NULL ? search->names : "",
                 search->names != NULL ? ", " : "", stem, file, folder, file) < 0) {
        return;
    }
    free(search->names);
    search->names = names;
}

static bool is_socket_name(const char *file)
{
    const size_t length = strlen(file);

    return length > strlen(".sock") &&
           strcmp(file + length - strlen(".sock"), ".sock") == 0;
}

static void search_folder(struct search *search, const char *folder)
{
    DIR *directory = opendir(folder);
    const struct dirent *entry;

    if (directory == NULL) {
        if (errno == EACCES) search->denied++;
        return;
    }
    while ((entry = readdir(directory)) != NULL) {
        char path[BOUGH_SOCKET_PATH];
        enum bough_presence presence;

        if (!is_socket_name(entry->d_name)) continue;
        if (set_path(path, NULL, "%s/%s", folder, entry->d_name) != BOUGH_OK) continue;
        presence = bough_socket_probe(path);
        if (presence == BOUGH_SOCKET_DENIED) search->denied++;
        if (presence != BOUGH_SOCKET_ALIVE) continue;
        memcpy(search->found, path, sizeof(path));
        note_alive(search, folder, entry->d_name);
    }
    closedir(directory);
}

static void search_folders(struct search *search, const struct folders *folders)
{
    for (size_t i = 0; i < folders->count; i++)
        search_folder(search, folders->paths[i]);
}

void bough_socket_visit(void (*visit)(void *data, const char *name), void *data)
{
    struct search search = { .visit = visit, .data = data };
    struct folders folders;

    find_folders(&folders);
    search_folders(&search, &folders);
    free(search.names);
}

/* Exactly one tree runs: that one. */
static int find_only(char *path)
{
    struct search search = { .alive = 0 };
    struct folders folders;
    int code = BOUGH_CODE_DONE;

    find_folders(&folders);
    search_folders(&search, &folders);
    if (search.alive == 1) {
        memcpy(path, search.found, sizeof(search.found));
    } else if (search.alive > 1) {
        bough_complain("several trees run; say which with --name: %s",
                       search.names != NULL ? search.names : "");
        code = BOUGH_CODE_USAGE;
    } else if (search.denied > 0) {
        bough_complain(
            "no tree of yours runs, and others' are not yours to see (looked in "
            "%s); give --control PATH",
            looked_in(&folders).text);
        code = BOUGH_CODE_DENIED;
    } else {
        bough_complain("no tree runs (looked in %s); start one with `bough run FILE`, or "
                       "give --control PATH",
                       looked_in(&folders).text);
        code = BOUGH_CODE_NOBODY;
    }
    free(search.names);
    return code;
}

/* What to say when a socket was named and is not alive. */
static int refuse(const char *path, enum bough_presence presence)
{
    switch (presence) {
    case BOUGH_SOCKET_DENIED:
        bough_complain("%s: permission denied; the tree belongs to another user", path);
        return BOUGH_CODE_DENIED;
    case BOUGH_SOCKET_STALE:
        bough_complain("%s: nobody there; a tree that ran is gone", path);
        return BOUGH_CODE_NOBODY;
    case BOUGH_SOCKET_OTHER:
        bough_complain("%s: not a control socket", path);
        return BOUGH_CODE_NOBODY;
    case BOUGH_SOCKET_ABSENT:
    case BOUGH_SOCKET_ALIVE: break;
    }
    bough_complain("%s: no such socket; is the tree running?", path);
    return BOUGH_CODE_NOBODY;
}

static int find_at(const char *control, char *path)
{
    struct bough_error error;
    enum bough_presence presence;

    if (set_path(path, &error, "%s", control) != BOUGH_OK) {
        bough_complain("%s", error.text);
        return BOUGH_CODE_USAGE;
    }
    presence = bough_socket_probe(path);
    return presence == BOUGH_SOCKET_ALIVE ? BOUGH_CODE_DONE : refuse(path, presence);
}

static int find_named(const char *name, char *path)
{
    struct folders folders;

    if (!bough_name_valid(name)) {
        bough_complain("\"%s\" is not a name: 1 to 64 of A-Z a-z 0-9 _ . -", name);
        return BOUGH_CODE_USAGE;
    }
    find_folders(&folders);
    for (size_t i = 0; i < folders.count; i++) {
        const bool last = i + 1 == folders.count;
        enum bough_presence presence;

        if (set_path(path, NULL, "%s/%s.sock", folders.paths[i], name) != BOUGH_OK)
            continue;
        presence = bough_socket_probe(path);
        if (presence == BOUGH_SOCKET_ALIVE) return BOUGH_CODE_DONE;
        if (last && presence == BOUGH_SOCKET_DENIED) return refuse(path, presence);
    }
    bough_complain("no tree \"%s\" runs (looked in %s)", name, looked_in(&folders).text);
    return BOUGH_CODE_NOBODY;
}

int bough_socket_find(const char *control, const char *name, char *path)
{
    if (control != NULL) return find_at(control, path);
    if (name != NULL) return find_named(name, path);
    if (given("BOUGH_CONTROL") != NULL) return find_at(given("BOUGH_CONTROL"), path);
    return find_only(path);
}
