/* exit_code.h - how the program ends, as the manual promises.
 *
 * The three high ones are those of sysexits.h, which systemd knows by name.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_TOOLS_BOUGH_EXIT_CODE_H
#define BOUGH_TOOLS_BOUGH_EXIT_CODE_H

enum bough_code {
    BOUGH_CODE_DONE = 0,
    BOUGH_CODE_FAILED = 1,   /* it did not work, or the answer is an error */
    BOUGH_CODE_USAGE = 2,    /* the command line is wrong */
    BOUGH_CODE_CHANGES = 3,  /* there is something to do, where that was asked */
    BOUGH_CODE_NO_PATH = 4,  /* no actor of that path */
    BOUGH_CODE_DENIED = 5,   /* not permitted */
    BOUGH_CODE_NOBODY = 6,   /* nobody at the control socket */
    BOUGH_CODE_TIMEOUT = 7,  /* no answer in time */
    BOUGH_CODE_CHILD = 69,   /* EX_UNAVAILABLE: a child could not start */
    BOUGH_CODE_GAVE_UP = 70, /* EX_SOFTWARE: the tree gave up */
    BOUGH_CODE_CONFIG = 78   /* EX_CONFIG: the config is wrong */
};

#endif
