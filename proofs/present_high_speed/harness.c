// SPDX-License-Identifier: MIT
/* The rewriting of arbitrary descriptors. They get no longer. */
#include <present.h>

#include "spans.h"

static void present(uint8_t *bytes, size_t length)
{
	size_t left = present_high_speed(bytes, length);

	/*@ check left <= length; */
}

/* Eva compares no two numbers that may both be many: here it can say less. */
static void present_any(uint8_t *bytes, size_t length)
{
	size_t left = present_high_speed(bytes, length);

	/*@ check left <= DESCRIPTOR_BYTES_MAX; */
}

void harness(void)
{
	spans_each(present);
	spans_any(present_any);
}
