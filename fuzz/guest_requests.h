/* SPDX-License-Identifier: MIT */
/* Requests of a hostile guest, on either version of the wire, put into its memory. */
#ifndef XVHC_FUZZ_GUEST_REQUESTS_H
#define XVHC_FUZZ_GUEST_REQUESTS_H

#include "input.h"

#define GUEST_PAGES 24u
#define GUEST_PORTS 3u

/* A request of any bytes. */
void guest_put_raw(uint8_t *memory, struct input *input);
void guest_put_raw_2(uint8_t *memory, struct input *input);

/* A request that is well-formed, so that it gets past the decoder. */
void guest_put_good(uint8_t *memory, struct input *input);
void guest_put_good_2(uint8_t *memory, struct input *input);

#endif
