/* SPDX-License-Identifier: MIT */
/*
 * Colours, where a person sees them: on a terminal that knows them, and neither in a pipe nor in a
 * file. NO_COLOR in the environment (with anything in it) and TERM=dumb switch them off, and
 * --color says always or never.
 */
#ifndef XVHC_CLI_COLOUR_H
#define XVHC_CLI_COLOUR_H

#include <stdbool.h>
#include <stdio.h>

enum colour {
	COLOUR_BAD,     /* an error, or what a guest does not get */
	COLOUR_WARNING, /* what somebody should look at */
	COLOUR_GOOD,    /* what is as it should be */
	COLOUR_STRONG,  /* a title */
	COLOUR_WEAK,    /* what matters less */
};

/* Takes what stands behind --color: auto, always or never. False: it is none of these. */
bool colour_choose(const char *when);

/* What begins a colour on this stream, and what ends it: to be printed; "" where there is none. */
const char *colour_start(FILE *stream, enum colour colour);
const char *colour_end(FILE *stream);

#endif
