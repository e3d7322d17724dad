// SPDX-License-Identifier: MIT
#include "usb_class.h"

#include <stddef.h>

const char *usb_class_name(uint64_t class)
{
	static const char *const names[] = {
		[0x01] = "audio",
		[0x02] = "communications",
		[0x03] = "keyboard, mouse or other input",
		[0x05] = "physical",
		[0x06] = "camera (pictures)",
		[0x07] = "printer",
		[0x08] = "storage",
		[0x09] = "hub",
		[0x0a] = "communications data",
		[0x0b] = "smart card",
		[0x0d] = "content security",
		[0x0e] = "video",
		[0x0f] = "health",
		[0x10] = "audio and video",
		[0x11] = "billboard",
		[0x12] = "Type-C bridge",
		[0x3c] = "I3C",
		[0xdc] = "diagnostic",
		[0xe0] = "wireless",
		[0xef] = "miscellaneous",
		[0xfe] = "application-specific",
		[0xff] = "the vendor's own",
	};

	return class < sizeof(names) / sizeof(names[0]) ? names[class] : NULL;
}
