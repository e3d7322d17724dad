// SPDX-License-Identifier: MIT
/* What arbitrary descriptors say that the device is. No byte of the result is left unwritten. */
#include <describe.h>

#include "spans.h"

static void describe(uint8_t *bytes, size_t length)
{
	struct describe_result result;

	(void)!describe_device(&result, bytes, length);
	/*@ check \initialized((uint8_t *)&result + (0 .. sizeof(result) - 1)); */
	/*@ check result.kinds <= XVHC_KINDS_MAX; */
}

void harness(void)
{
	spans_all(describe);
}
