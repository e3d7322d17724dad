/* SPDX-License-Identifier: MIT */
/*
 * Writes blocks of the pcapng format (IETF draft-ietf-opsawg-pcapng), little-endian, into a buffer:
 * one block at a time, which the caller takes from there. The buffer's size is the caller's promise
 * that each of its blocks fits.
 */
#ifndef XVHC_CLI_PCAPNG_H
#define XVHC_CLI_PCAPNG_H

#include <xvhc/types.h>

struct pcapng {
	uint8_t *bytes;
	size_t size;
	size_t used;
};

/* A section header; NULL: that text is left out. */
void pcapng_section(struct pcapng *block, const char *hardware, const char *system,
		    const char *application);

/* An interface whose times have nanoseconds. They are numbered from 0, in their order. */
void pcapng_interface(struct pcapng *block, uint16_t link_type, const char *name);

/* Begins a packet. The caller puts length bytes of it; original is what there was. */
void pcapng_packet(struct pcapng *block, uint32_t interface, uint64_t time_ns, uint32_t length,
		   uint32_t original);

/* A part of the packet that was begun. */
void pcapng_put(struct pcapng *block, const void *bytes, size_t length);

/* The packet is whole; what follows are its options, and then pcapng_end(). */
void pcapng_packet_whole(struct pcapng *block);

void pcapng_comment(struct pcapng *block, const char *text);

/* Packets lost between the one of the same interface before this one and this one. */
void pcapng_lost(struct pcapng *block, uint64_t lost);

/* Ends a packet's options and its block. */
void pcapng_end(struct pcapng *block);

struct pcapng_statistics {
	uint64_t begin_ns, end_ns;
	uint64_t received, lost; /* packets */
};

void pcapng_statistics(struct pcapng *block, uint32_t interface,
		       const struct pcapng_statistics *statistics);

#endif
