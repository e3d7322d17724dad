/* SPDX-License-Identifier: MIT */
/* A ring whose other end is hostile. */
#ifndef XVHC_FUZZ_HOSTILE_RING_H
#define XVHC_FUZZ_HOSTILE_RING_H

#include "check.h"

/*
 * Puts some requests on a URB ring, lets the backend write what it likes, and takes and judges the
 * responses until the ring is empty or broken.
 */
void take_responses(struct input *input);

/* The same for the connection ring. */
void take_events(struct input *input);

/* Both for the rings of version 2. */
void take_responses_2(struct input *input);
void take_events_2(struct input *input);

#endif
