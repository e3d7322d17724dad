/* SPDX-License-Identifier: MIT */
/*
 * A SuperSpeed device, presented to a guest whose wire knows no SuperSpeed: its descriptors, as a
 * high-speed device would have them. The transfers themselves need no change: the guest splits
 * nothing by packets.
 *
 * One difference is left. A bulk endpoint of such a device has packets of 1,024 bytes and is
 * presented with 512, the only size that there is at high speed. So after data of an odd multiple
 * of 512 bytes, a driver that ends its data with an empty packet (Linux: URB_ZERO_PACKET) sends one
 * where the last packet was short already: to the device, that is an empty transfer of its own. And
 * a driver that reads into an odd multiple of 512 bytes can have a packet overrun it, which is told
 * as BABBLE. Mass storage, and all else that announces its lengths, depends on neither. Only a wire
 * that tells SuperSpeed as what it is can mend this.
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
