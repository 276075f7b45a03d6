/* reporter.h - which logger the reports of a tree go to, while it may change.
 *
 * The hooks of a runtime are set once, before there are threads; what they lead to is
 * changed at any time. Embed one; it outlives the runtime.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_TOOLS_BOUGH_REPORTER_H
#define BOUGH_TOOLS_BOUGH_REPORTER_H

#include <stdatomic.h>

#include <bough/core/runtime.h>

struct bough_reporter {
    /* private */
    _Atomic(struct bough_reporter_hook *) hook;
};

/* Sets the hooks of the loop's runtime, for the logger at `path`; NULL: none. Errors:
 * BOUGH_ENOMEM. */
BOUGH_CHECKED enum bough_status bough_reporter_init(struct bough_reporter *reporter,
                                                    struct bough_loop *loop,
                                                    const char *path);

/* Another logger from now on. Thread: the loop's. Errors, nothing changed: as above. */
BOUGH_CHECKED enum bough_status bough_reporter_set(struct bough_reporter *reporter,
                                                   struct bough_loop *loop,
                                                   const char *path);

/* Whether reports go to a logger, and so are seen only once its loop runs. Thread: any.
 */
bool bough_reporter_has_logger(struct bough_reporter *reporter);

/* Once the runtime is no more. Fine on a zeroed one. */
void bough_reporter_finish(struct bough_reporter *reporter);

#endif
