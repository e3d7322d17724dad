/* SPDX-License-Identifier: MIT */
/*
 * A record of a capture in the format of Linux' usbmon: LINKTYPE_USB_LINUX_MMAPPED, a head of 64
 * bytes, 16 bytes for each isochronous packet, and the data.
 */
#ifndef XVHC_CLI_USBMON_H
#define XVHC_CLI_USBMON_H

#include <capture_record.h>

#define USBMON_LINK_TYPE 220u
#define USBMON_HEAD_BYTES 64u
#define USBMON_PACKET_BYTES 16u

/* The device that stands for the virtual controller itself, in requests of its ports. */
#define USBMON_CONTROLLER 127u

/* Writes the head. bus and serial are this record's in the file. */
void usbmon_head(const struct capture_record *record, uint16_t bus, uint64_t serial,
		 uint8_t head[USBMON_HEAD_BYTES]);

/* Writes what stands for one packet. */
void usbmon_packet(const struct capture_packet *packet, uint8_t bytes[USBMON_PACKET_BYTES]);

#endif
