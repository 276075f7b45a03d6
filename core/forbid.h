/* forbid.h - functions of the C library that Bough's sources may not use.
 *
 * Compiled into every source file by the build (-include), so that using one is an error
 * that names it. Each has a bounded or checked sister.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_CORE_FORBID_H
#define BOUGH_CORE_FORBID_H

/* Their headers come first: poisoning a name forbids declaring it, too. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#pragma GCC poison strcpy strcat sprintf vsprintf strtok atoi atol atoll atof gets

#endif
