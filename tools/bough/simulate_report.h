/* simulate_report.h - what came of a simulation, or of many, for people and programs.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_TOOLS_BOUGH_SIMULATE_REPORT_H
#define BOUGH_TOOLS_BOUGH_SIMULATE_REPORT_H

#include <stdio.h>

#include <jansson.h>

#include <bough/tools/bough/simulate.h>

/* What was asked for. */
struct bough_simulate_request {
    const char *name; /* of the tree */
    uint64_t seed;
    int64_t for_ms;
    uint64_t runs;
};

/* One run: how it ended, and a table of the actors. */
void bough_simulate_print(FILE *file, const struct bough_simulate_request *request,
                          const struct bough_simulation *simulation,
                          const struct bough_simulation_result *result);

/* The same as an object; NULL when memory is out. */
BOUGH_CHECKED json_t *bough_simulate_json(const struct bough_simulate_request *request,
                                          const struct bough_simulation *simulation,
                                          const struct bough_simulation_result *result);

/* Many runs, each of which has been added. */
struct bough_simulate_summary;

/* NULL when memory is out. */
BOUGH_CHECKED struct bough_simulate_summary *bough_simulate_summary_new(size_t runs,
                                                                        size_t actors);
void bough_simulate_summary_free(struct bough_simulate_summary *summary);
void bough_simulate_summary_add(struct bough_simulate_summary *summary,
                                const struct bough_simulation_result *result);

/* All of them; sorts what was added. */
void bough_simulate_summary_print(FILE *file,
                                  const struct bough_simulate_request *request,
                                  const struct bough_simulation *simulation,
                                  struct bough_simulate_summary *summary);
BOUGH_CHECKED json_t *
bough_simulate_summary_json(const struct bough_simulate_request *request,
                            const struct bough_simulation *simulation,
                            struct bough_simulate_summary *summary);

#endif
