// SPDX-License-Identifier: MIT
/* What a guest can do with the state of a device: any state, of any table. It stays valid. */
#include "valid.h"

void harness(void)
{
	const struct descriptor_endpoint *endpoint;
	struct descriptor_table table;
	struct device_state state, other;

	valid_table(&table);
	device_state_init(&other, &table);
	assert(device_state_is_valid(&other));

	valid_state(&state, &table);
	switch (arbitrary_u8()) {
	case 0:
		(void)!device_state_configure(&state, arbitrary_u8());
		break;
	case 1:
		(void)!device_state_set_interface(&state, arbitrary_u8(), arbitrary_u8());
		break;
	case 2:
		(void)device_state_has_configuration(&state, arbitrary_u8());
		break;
	case 3:
		(void)device_state_altsetting(&state, arbitrary_u8(), arbitrary_u8());
		break;
	case 4:
		endpoint = device_state_endpoint(&state, arbitrary_u8());
		/*@ check endpoint == \null || \valid_read(endpoint); */
		break;
	case 5:
		(void)device_state_can_stream(&state, arbitrary_u32(0, UINT32_MAX));
		break;
	case 6:
		device_state_set_streams(&state, arbitrary_u32(0, UINT32_MAX),
					 (uint16_t)arbitrary_u32(0, UINT16_MAX));
		break;
	default:
		(void)device_state_owns(&state, arbitrary_u8(), arbitrary_u8());
		break;
	}
	assert(device_state_is_valid(&state));
}
