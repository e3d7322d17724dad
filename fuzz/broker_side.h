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

/* Frees it. */
void broker_end(void);

/*
 * A describer says something of the device in the first given port, and the broker, whose policy
 * has a filter, judges the device by it. False where the broker is done with that describer.
 */
bool describer_hear(struct input *input);

#endif
