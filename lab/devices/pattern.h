// SPDX-License-Identifier: MIT
/* What the lab's devices send, and what its programs in guests compare it with. */
#ifndef LAB_DEVICES_PATTERN_H
#define LAB_DEVICES_PATTERN_H

#include <stdint.h>

#define PATTERN_FRAME_MARK 0x43485658u

/* 32-bit word i of a video frame: a mark, the frame's number, then words that no other frame has.
 */
static inline uint32_t pattern_frame_word(uint32_t frame, uint32_t i)
{
	uint32_t word = frame * 2654435761u ^ (i + 1) * 2246822519u;

	if (i == 0)
		return PATTERN_FRAME_MARK;
	if (i == 1)
		return frame;
	word ^= word >> 15;
	return word * 3266489917u;
}

/* The sample that follows another: a shift register that goes through all numbers but 0. */
static inline uint16_t pattern_next_sample(uint16_t sample)
{
	return (uint16_t)((sample >> 1) ^ ((sample & 1) ? 0xb400u : 0));
}

#endif
