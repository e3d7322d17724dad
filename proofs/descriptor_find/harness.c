// SPDX-License-Identifier: MIT
/* The look-ups in a table, of any valid table. */
#include "valid.h"

void harness(void)
{
	const struct descriptor_configuration *configuration;
	const struct descriptor_altsetting *altsetting;
	struct descriptor_table table;

	valid_table(&table);
	configuration = descriptor_find_configuration(&table, arbitrary_u8());
	if (!configuration)
		return;
	(void)descriptor_interfaces(&table, configuration);
	altsetting =
		descriptor_find_altsetting(&table, configuration, arbitrary_u8(), arbitrary_u8());
	if (altsetting) {
		/*@ check \valid_read(altsetting); */
	}
}
