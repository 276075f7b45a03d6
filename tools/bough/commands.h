/* commands.h - the function of each verb; each returns the exit code.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_TOOLS_BOUGH_COMMANDS_H
#define BOUGH_TOOLS_BOUGH_COMMANDS_H

struct bough_arguments;

int bough_cmd_run(const struct bough_arguments *arguments);
int bough_cmd_check(const struct bough_arguments *arguments);
int bough_cmd_simulate(const struct bough_arguments *arguments);
int bough_cmd_tree(const struct bough_arguments *arguments);
int bough_cmd_graph(const struct bough_arguments *arguments);
int bough_cmd_status(const struct bough_arguments *arguments);
int bough_cmd_top(const struct bough_arguments *arguments);
int bough_cmd_events(const struct bough_arguments *arguments);
int bough_cmd_logs(const struct bough_arguments *arguments);
int bough_cmd_metrics(const struct bough_arguments *arguments);
int bough_cmd_why(const struct bough_arguments *arguments);
int bough_cmd_call(const struct bough_arguments *arguments);
int bough_cmd_send(const struct bough_arguments *arguments);
int bough_cmd_kill(const struct bough_arguments *arguments);
int bough_cmd_quarantine(const struct bough_arguments *arguments);
int bough_cmd_start(const struct bough_arguments *arguments);
int bough_cmd_stop(const struct bough_arguments *arguments);
int bough_cmd_restart(const struct bough_arguments *arguments);
int bough_cmd_plan(const struct bough_arguments *arguments);
int bough_cmd_apply(const struct bough_arguments *arguments);
int bough_cmd_shutdown(const struct bough_arguments *arguments);
int bough_cmd_types(const struct bough_arguments *arguments);
int bough_cmd_schema(const struct bough_arguments *arguments);
int bough_cmd_completion(const struct bough_arguments *arguments);
int bough_cmd_manual(const struct bough_arguments *arguments);
int bough_cmd_version(const struct bough_arguments *arguments);
int bough_cmd_help(const struct bough_arguments *arguments);

#endif
