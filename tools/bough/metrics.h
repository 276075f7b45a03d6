/* metrics.h - the figures of a tree in the text format of Prometheus, version 0.0.4.
 *
 * Printed in pieces, for a tree may have a hundred thousand places and its text is then
 * some hundred megabytes, which are not to lie in memory.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_TOOLS_BOUGH_METRICS_H
#define BOUGH_TOOLS_BOUGH_METRICS_H

#include <stdbool.h>
#include <stdio.h>

#include <bough/core/public.h>

#define BOUGH_METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

struct bough_figures;
struct bough_metrics;

/* Takes the figures, also when there is no memory: NULL. */
BOUGH_CHECKED struct bough_metrics *bough_metrics_new(struct bough_figures *figures);
void bough_metrics_free(struct bough_metrics *metrics);

/* Prints the next piece, some kilobytes. False: that was all, and nothing was printed. */
bool bough_metrics_print(struct bough_metrics *metrics, FILE *file);

#endif
