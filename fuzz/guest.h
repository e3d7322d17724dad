/* SPDX-License-Identifier: MIT */
/*
 * A guest that does what an input says, and the worker that serves it, in this one process. The
 * broker is played as well: it is the one peer that a worker trusts, so it stays within its rules.
 */
#ifndef XVHC_FUZZ_GUEST_H
#define XVHC_FUZZ_GUEST_H

#include "input.h"

/* Starts a worker and connects to it. False where the worker did not take the rings. */
bool guest_connect(struct input *input);

/* Does one thing. False where the worker closed the connection. */
bool guest_step(struct input *input);

/* Ends the worker, and forgets all of it. */
void guest_disconnect(void);

#endif
