/* manual_config.h - bough.json(5), made from the tables that a config is checked by.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_TOOLS_BOUGH_MANUAL_CONFIG_H
#define BOUGH_TOOLS_BOUGH_MANUAL_CONFIG_H

#include <stdio.h>

/* Prints the page, in roff. */
void bough_manual_config(FILE *file);

#endif
