/* scrape.h - the metrics of a tree as an answer over HTTP, on the control socket and on
 * the port of metrics.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_TOOLS_BOUGH_SCRAPE_H
#define BOUGH_TOOLS_BOUGH_SCRAPE_H

#include <bough/tools/bough/figures.h>
#include <bough/tools/bough/http.h>

/* The figures as they are now, printed while they are sent. The response is the caller's;
 * NULL when the tree is down, or memory is out. Thread: the loop's. */
struct MHD_Response *bough_scrape_new(const struct bough_figures_source *source);

#endif
