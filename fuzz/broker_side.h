/* SPDX-License-Identifier: MIT */
/* A broker with one controller, two given ports, and a hostile worker. */
#ifndef XVHC_FUZZ_BROKER_SIDE_H
#define XVHC_FUZZ_BROKER_SIDE_H

#include "input.h"

/* Makes it, in a phase and with states of devices that the input tells. */
void broker_begin(struct input *input);

/*
 * The worker says something, and the broker handles it. False where the broker has ended the
 * connection to it.
 */
bool broker_hear(struct input *input);

/* Checks that the broker is as it must be, and frees it. */
void broker_end(void);

#endif
