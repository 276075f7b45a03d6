/* cmd_metrics.c - `bough metrics`: the figures of a tree, for Prometheus.
 *
 * SPDX-License-Identifier: MIT */
#include <stdio.h>

#include <bough/tools/bough/client.h>
#include <bough/tools/bough/commands.h>
#include <bough/tools/bough/exit_code.h>
#include <bough/tools/bough/output.h>

static bool print_line(void *data, const char *line)
{
    (void)data;
    return puts(line) >= 0;
}

int bough_cmd_metrics(const struct bough_arguments *arguments)
{
    struct bough_client client;
    int code = bough_client_init(&client, arguments);

    if (code != BOUGH_CODE_DONE) return code;
    code = bough_client_stream(&client, "/v1/metrics", NULL, print_line, NULL);
    bough_client_finish(&client);
    return code;
}
