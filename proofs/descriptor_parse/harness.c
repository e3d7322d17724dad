// SPDX-License-Identifier: MIT
/* The parser of descriptors, on arbitrary bytes. What it makes of them is a valid table. */
#include <error.h>

#include "spans.h"

static void parse(uint8_t *bytes, size_t length)
{
	struct descriptor_table table;

	if (descriptor_parse(&table, bytes, length) == XVHC_OK)
		assert(descriptor_table_is_valid(&table));
}

void harness(void)
{
	spans_all(parse);
}
