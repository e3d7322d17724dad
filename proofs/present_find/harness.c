// SPDX-License-Identifier: MIT
/*
 * The search in arbitrary descriptors, for anything. What it finds lies in the descriptors: of a
 * configuration, that is shown for those lengths where no more than one fits.
 */
#include <present.h>

#include "spans.h"

static void find_any(uint8_t *bytes, size_t length)
{
	const uint8_t *found;
	size_t size = present_find(bytes, length, DESCRIPTOR_DEVICE, arbitrary_u8(), &found);

	if (size > 0) {
		/*@ check \valid_read(found + (0 .. size - 1)); */
	}
	(void)present_find(bytes, length, arbitrary_u8(), arbitrary_u8(), &found);
}

static void find(uint8_t *bytes, size_t length)
{
	const uint8_t *found;
	size_t size = present_find(bytes, length, DESCRIPTOR_CONFIGURATION, arbitrary_u8(), &found);

	if (size > 0 && length <= SPANS_SHORT) {
		/*@ check \valid_read(found + (0 .. size - 1)); */
	}
	find_any(bytes, length);
}

void harness(void)
{
	spans_each(find);
	spans_any(find_any);
}
