/* SPDX-License-Identifier: MIT */
/*
 * A SuperSpeed device, presented to a guest whose wire knows no SuperSpeed: its descriptors, as a
 * high-speed device would have them. The transfers themselves need no change: the guest splits
 * nothing by packets.
 */
#ifndef XVHC_CORE_PRESENT_H
#define XVHC_CORE_PRESENT_H

#include "descriptor.h"

/*
 * Rewrites the descriptors of a SuperSpeed device (device descriptor, then configurations) in
 * place, and returns their new length, which is at most the old one.
 *
 * An altsetting other than 0 that works by streams is left out: there are none on this wire. A
 * device with USB Attached SCSI and Bulk-Only falls back to the latter by this.
 */
size_t present_high_speed(uint8_t *bytes, size_t length);

/*
 * Finds the device descriptor, or the configuration with this index, in descriptors one after
 * another. Sets *found and returns its length; returns 0 where there is none.
 */
size_t present_find(const uint8_t *bytes, size_t length, uint8_t type, uint8_t index,
		    const uint8_t **found);

#endif
