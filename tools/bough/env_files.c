/* env_files.c - sums of the files from which commands have their environment.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tools/bough/env_files.h>

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uthash.h>
#include <xxhash.h>

#include <bough/actors/command.h>
#include <bough/core/field.h>
#include <bough/supervisor/supervisor.h>

struct env_file {
    char *path; /* of the actor, or of its group */
    char *name; /* of the file */
    bool group; /* members are below the path */
    uint64_t sum;
    UT_hash_handle hh;
};

struct bough_env_files {
    struct env_file *by_path;
    bool failed; /* memory is out */
};

/* Of what it says now; 0: it cannot be read. As much is read as a command would read. */
static uint64_t sum_of(const char *name)
{
    enum { MOST = 1024 * 1024 };
    const int fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    char *text = fd >= 0 ? malloc(MOST) : NULL;
    struct stat status;
    size_t size = 0;
    uint64_t sum = 0;
    ssize_t got = 1;

    if (text != NULL && fstat(fd, &status) == 0 && S_ISREG(status.st_mode)) {
        while (size < MOST && (got = read(fd, text + size, MOST - size)) > 0)
            size += (size_t)got;
        sum = got >= 0 ? XXH3_64bits(text, size) : 0;
        sum += got >= 0 && sum == 0;
    }
    if (text != NULL) explicit_bzero(text, size);
    free(text);
    if (fd >= 0) close(fd);
    return sum;
}

static void free_one(struct env_file *file)
{
    free(file->path);
    free(file->name);
    free(file);
}

static void add(struct bough_env_files *files, const char *path,
                const struct bough_child_spec *spec)
{
    const struct bough_command_options *options = spec->options;
    struct env_file *file;

    if (options == NULL || options->env_file == NULL) return;
    file = calloc(1, sizeof(*file));
    if (file == NULL) {
        files->failed = true;
        return;
    }
    file->path = strdup(path);
    file->name = strdup(options->env_file);
    file->group = spec->replicas > 0;
    if (file->path == NULL || file->name == NULL) {
        free_one(file);
        files->failed = true;
        return;
    }
    file->sum = sum_of(file->name);
    HASH_ADD_KEYPTR(hh, files->by_path, file->path, strlen(file->path), file);
}

/* A plan does not look into groups and dynamic supervisors either. */
static void add_all(struct bough_env_files *files, const char *above,
                    const struct bough_supervisor_options *options)
{
    if (options == NULL || options->strategy == BOUGH_DYNAMIC) return;
    for (size_t i = 0; i < options->child_count && !files->failed; i++) {
        const struct bough_child_spec *spec = &options->children[i];
        char *path = NULL;

        if (asprintf(&path, "%s/%s", above, spec->name) < 0) {
            files->failed = true;
            return;
        }
        if (spec->type == &bough_command_type)
            add(files, path, spec);
        else if (spec->type == &bough_supervisor_type && spec->replicas == 0)
            add_all(files, path, spec->options);
        free(path);
    }
}

struct bough_env_files *bough_env_files_new(const struct bough_supervisor_options *root)
{
    struct bough_env_files *files = calloc(1, sizeof(*files));

    if (files == NULL) return NULL;
    add_all(files, "", root);
    if (!files->failed) return files;
    bough_env_files_free(files);
    return NULL;
}

void bough_env_files_free(struct bough_env_files *files)
{
    struct env_file *file, *next;

    if (files == NULL) return;
    HASH_ITER (hh, files->by_path, file, next) {
        HASH_DEL(files->by_path, file);
        free_one(file);
    }
    free(files);
}

static struct env_file *find(const struct bough_env_files *files, const char *path,
                             size_t len)
{
    struct env_file *file;

    HASH_FIND(hh, files->by_path, path, len, file);
    return file;
}

/* The path itself, or that of the group of which it is a member. */
static struct env_file *find_whole(const struct bough_env_files *files, const char *path)
{
    const char *slash = strrchr(path, '/');
    struct env_file *file = find(files, path, strlen(path));

    if (file != NULL || slash == NULL) return file;
    file = find(files, path, (size_t)(slash - path));
    return file != NULL && file->group ? file : NULL;
}

void bough_env_files_note(struct bough_env_files *files, const struct bough_event *event)
{
    struct env_file *file;

    if (files == NULL || files->by_path == NULL) return;
    if (event->kind != BOUGH_EVENT_STARTED) return;
    file = find_whole(files, event->path);
    if (file != NULL) file->sum = sum_of(file->name);
}

const char *bough_env_files_stale(void *files, const char *path,
                                  const struct bough_child_spec *after)
{
    const struct bough_command_options *options = after->options;
    const struct env_file *file = find(files, path, strlen(path));
    uint64_t sum;

    if (file == NULL || after->type != &bough_command_type) return NULL;
    if (options == NULL || options->env_file == NULL ||
        strcmp(options->env_file, file->name) != 0)
        return NULL;
    sum = sum_of(file->name);
    return sum != 0 && sum != file->sum ? "env_file" : NULL;
}
