/* SPDX-License-Identifier: MIT */
/*
 * The guest's memory, and a shadow of it: what each byte must be. A request's pieces are its own
 * while it is open, in units of 256 bytes, so that several requests share pages.
 */
#ifndef XVHC_TESTS_SIM_MEMORY_H
#define XVHC_TESTS_SIM_MEMORY_H

#include "sim.h"

#define MEMORY_URB_PAGE 1u
#define MEMORY_CONN_PAGE 2u
#define MEMORY_HEAD_PAGE 1u      /* version 2 */
#define MEMORY_RING_PAGE 2u      /* version 2: the first one */
#define MEMORY_DIRECTORY_PAGE 6u /* version 2: of the pool, which is the pages for data */
#define MEMORY_DATA_PAGE 7u      /* the first one */
#define MEMORY_DATA_PAGES 23u
#define MEMORY_NOISE_PAGE 30u /* for requests whose outcome is not foreseen */
#define MEMORY_NOISE_PAGES 4u
#define MEMORY_PAGES (MEMORY_NOISE_PAGE + MEMORY_NOISE_PAGES)

/* Makes the memory. Returns its memfd, which stays ours. */
int memory_init(void);

/* A page of the guest. */
void *memory_page(uint32_t page);

/*
 * Takes length bytes, in at most max pieces of random size and place. Returns how many; 0 where
 * there is not enough left, or length is 0.
 */
uint32_t memory_take(uint32_t length, struct usbif_segment *segments, uint32_t max);

/* Takes length bytes at the start of a page. Returns whether there is one. */
bool memory_take_start(uint32_t length, struct usbif_segment *segment);

/* Gives them back. */
void memory_give(const struct usbif_segment *segments, uint32_t count);

/* The guest writes: random bytes, or these; memory and shadow. */
void memory_write(const struct usbif_segment *segments, uint32_t count, const void *bytes,
		  uint32_t length);
void memory_scribble(const struct usbif_segment *segments, uint32_t count);

/* What must be there now. */
void memory_expect(const struct usbif_segment *segments, uint32_t count, const void *bytes,
		   uint32_t length);

/* Copies what must be there: length bytes. */
void memory_gather(const struct usbif_segment *segments, uint32_t count, void *bytes,
		   uint32_t length);

/* Whatever is in these pieces is right. */
void memory_accept(const struct usbif_segment *segments, uint32_t count);
void memory_accept_noise(void);

/* Compares each byte with what it must be; the pages of noise only where that is asked for. */
void memory_check(bool with_noise);

#endif
