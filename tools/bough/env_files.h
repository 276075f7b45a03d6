/* env_files.h - whether the env_file of a command says something else than when it was
 * started.
 *
 * Of each such file there is a sum of what it said when the present life of its command
 * was started, and nothing of what it said. A file that cannot be read now has not
 * changed: who lives has no use for a restart that cannot succeed. Thread: the loop's.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_TOOLS_BOUGH_ENV_FILES_H
#define BOUGH_TOOLS_BOUGH_ENV_FILES_H

#include <bough/core/event.h>
#include <bough/supervisor/spec.h>

struct bough_env_files;

/* Those that the tree names, as they are now; nothing of `root` is kept. NULL when memory
 * is out. */
struct bough_env_files *bough_env_files_new(const struct bough_supervisor_options *root);
void bough_env_files_free(struct bough_env_files *files);

/* Hears of all events: a command that starts has read its file. NULL is fine. */
void bough_env_files_note(struct bough_env_files *files, const struct bough_event *event);

/* "env_file" when the command at `path`, which `after` is about, has to be restarted for
 * that; else NULL. As apply.h has it: `files` is a struct bough_env_files. */
const char *bough_env_files_stale(void *files, const char *path,
                                  const struct bough_child_spec *after);

#endif
