/* command_start.c - from the options of a command to a process.
 *
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bough/actors/command_internal.h>
#include <bough/actors/guard_internal.h>
#include <bough/core/runtime.h>

/* Ways */

static enum bough_status make_plan(const struct bough_command_options *options,
                                   struct bough_limits_plan **plan,
                                   struct bough_error *error)
{
    const struct bough_process_limits limits = {
        .rlimits = options->rlimits,
        .user = options->user,
        .group = options->group,
        .no_new_privs = options->no_new_privs,
        .any_oom_score_adj = options->oom_score_adj != 0,
        .oom_score_adj = options->oom_score_adj == BOUGH_SCORE_GIVEN_ZERO
                             ? 0
                             : (int)options->oom_score_adj,
    };

    *plan = NULL;
    if (!bough_limits_any(&limits)) return BOUGH_OK;
    *plan = malloc(sizeof(**plan));
    if (!*plan) return bough_error_set(error, BOUGH_ENOMEM, "no memory for limits");
    const enum bough_status status = bough_limits_plan(&limits, *plan, error);
    if (status == BOUGH_OK) return BOUGH_OK;
    free(*plan);
    *plan = NULL;
    return status;
}

enum bough_status bough_ways_make(const struct bough_command_options *options,
                                  struct bough_ways *ways, struct bough_error *error)
{
    enum bough_status status = bough_environment_make(options, &ways->environment, error);

    if (status != BOUGH_OK) return status;
    status = make_plan(options, &ways->plan, error);
    if (status != BOUGH_OK) {
        bough_environment_free(&ways->environment);
        return status;
    }
    ways->options = (struct bough_spawn_options){
        .cwd = options->cwd,
        .has_umask = options->umask != NULL,
        .umask = options->umask ? (mode_t)strtol(options->umask, NULL, 8) : 0,
        .nice = (int)options->nice,
        .limits = ways->plan,
    };
    return BOUGH_OK;
}

void bough_ways_free(struct bough_ways *ways)
{
    bough_environment_free(&ways->environment);
    free(ways->plan);
}

/* Descriptors */

struct files {
    int in, out, err; /* as spawn.h has them */
    int handed;       /* 0: none */
};

/* Those of this process, which were opened for the program. */
static void close_files(const struct files *files)
{
    if (files->in > STDERR_FILENO) close(files->in);
    if (files->out > STDERR_FILENO) close(files->out);
    if (files->err > STDERR_FILENO) close(files->err);
    if (files->handed > 0) close(files->handed);
}

static enum bough_status open_files(struct bough_running *self, struct bough_ways *ways,
                                    struct files *files, struct bough_error *error)
{
    *files = (struct files){ .in = BOUGH_SPAWN_NULL };
    enum bough_status status = bough_command_open_input(self, &files->in, error);

    if (status == BOUGH_OK)
        status = bough_command_open_output(self, STDOUT_FILENO, &files->out, error);
    if (status == BOUGH_OK)
        status = bough_command_open_output(self, STDERR_FILENO, &files->err, error);
    if (status == BOUGH_OK)
        status = bough_readiness_open(self, &ways->environment, &files->handed, error);
    return status;
}

/* Starting */

/* An actor without a name has none. */
static int open_cgroup(struct bough_running *self, struct bough_guard *guard)
{
    const char *path = bough_actor_path(self->actor);

    if (guard) bough_guard_check(guard);
    if (!bough_guard_cgroup(guard) || path[0] == '\0') return -1;
    return bough_cgroup_open(bough_guard_cgroup(guard), path);
}

static int or_null(int fd, const struct bough_guard *guard)
{
    return fd == BOUGH_SPAWN_NULL ? bough_guard_null(guard) : fd;
}

static enum bough_status spawn(struct bough_running *self, const struct bough_ways *ways,
                               const struct files *files, struct bough_error *error)
{
    const struct bough_command_options *options = self->options;
    const char *const script[] = { "/bin/sh", "-c", options->run[0], NULL };
    struct bough_guard *guard = bough_runtime_guard(bough_actor_runtime(self->actor));
    struct bough_spawn_options how = ways->options;
    const int cgroup = open_cgroup(self, guard);

    how.argv = options->shell ? script : options->run;
    how.env = (const char *const *)ways->environment.list;
    how.stdin_fd = or_null(files->in, guard);
    how.stdout_fd = or_null(files->out, guard);
    how.stderr_fd = or_null(files->err, guard);
    how.handed_fd = files->handed;
    how.handed_as = files->handed > 0 ? (int)options->ready.notify_fd : 0;
    how.cgroup_fd = cgroup > 0 ? cgroup : 0;
    how.files = bough_guard_files(guard);
    how.ignored = bough_guard_ignored(guard);
    const enum bough_status status = bough_process_spawn(&how, &self->process, error);
    if (cgroup > 0) close(cgroup);
    self->has_cgroup = cgroup > 0;
    return status;
}

enum bough_status bough_command_start(struct bough_running *self,
                                      struct bough_error *error)
{
    struct files files;
    struct bough_ways ways;
    enum bough_status status = bough_ways_make(self->options, &ways, error);

    if (status != BOUGH_OK) return status;
    status = open_files(self, &ways, &files, error);
    if (status == BOUGH_OK && ways.environment.failed)
        status = bough_error_set(error, BOUGH_ENOMEM, "no memory for the environment");
    if (status == BOUGH_OK) status = spawn(self, &ways, &files, error);
    close_files(&files);
    bough_ways_free(&ways);
    if (status != BOUGH_OK) {
        bough_command_release(self);
        return status;
    }
    self->phase = BOUGH_COMMAND_RUNS;
    self->killed = self->returns = self->well = false;
    self->started_ms = bough_now_ms(self->actor);
    bough_command_watch_end(self);
    bough_command_watch_output(self);
    return BOUGH_OK;
}

/* Whether the folder is there, and the program for it. */
static enum bough_status look_for(const struct bough_command_options *options,
                                  const struct bough_ways *ways,
                                  struct bough_error *error)
{
    char path[BOUGH_PROGRAM_PATH];

    const enum bough_status status =
        options->cwd ? bough_directory_check(options->cwd, error) : BOUGH_OK;

    if (status != BOUGH_OK || options->shell) return status;
    return bough_program_find(options->run[0], bough_environment_path(&ways->environment),
                              path, sizeof(path), error);
}

enum bough_status bough_command_check_here(const void *data, struct bough_error *error)
{
    const struct bough_command_options *options = data;
    struct bough_ways ways;
    enum bough_status status = bough_ways_make(options, &ways, error);

    if (status != BOUGH_OK) return status;
    status = look_for(options, &ways, error);
    bough_ways_free(&ways);
    return status;
}
