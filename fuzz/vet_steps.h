/* SPDX-License-Identifier: MIT */
/* Steps of an input for the vetting of requests. */
#ifndef XVHC_FUZZ_VET_STEPS_H
#define XVHC_FUZZ_VET_STEPS_H

#include "check.h"

/* Parses the descriptors at the head of the input. False where there are none. */
bool input_device(struct input *input, struct descriptor_table *table);

/* Selects an address, configuration or altsetting, or vets a request. */
void input_step(struct input *input, struct device_state *state);

#endif
