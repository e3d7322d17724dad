/* SPDX-License-Identifier: MIT */
/*
 * What a device says that it is: its identity and the classes of its interfaces, by which a policy
 * judges whether a guest may have it.
 */
#ifndef XVHC_CORE_DESCRIBE_H
#define XVHC_CORE_DESCRIBE_H

#include "descriptor.h"

struct describe_kind {
	uint8_t class;
	uint8_t subclass;
	uint8_t protocol;
};

struct describe_result {
	uint16_t vendor;
	uint16_t product;
	uint16_t version; /* bcdDevice */
	struct describe_kind device;
	uint32_t kinds;
	bool complete; /* false: there are more kinds than places for them */
	struct describe_kind kind[XVHC_KINDS_MAX];
};

/*
 * Reads descriptors as usbfs hands them out. Each class of an interface is noted once, of all
 * configurations and altsettings, whatever limits the tables of descriptor.h have. Returns
 * XVHC_EINVAL where there is no device descriptor.
 */
XVHC_MUST_CHECK int describe_device(struct describe_result *result, const uint8_t *bytes,
				    size_t length);

#endif
