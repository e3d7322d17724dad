// SPDX-License-Identifier: MIT
#include "pcapng.h"

#include <assert.h>
#include <string.h>

#include <byte_order.h>

#define BLOCK_SECTION 0x0a0d0d0au
#define BLOCK_INTERFACE 1u
#define BLOCK_STATISTICS 5u
#define BLOCK_PACKET 6u

#define OPTION_END 0u
#define OPTION_COMMENT 1u
#define SECTION_HARDWARE 2u
#define SECTION_SYSTEM 3u
#define SECTION_APPLICATION 4u
#define INTERFACE_NAME 2u
#define INTERFACE_RESOLUTION 9u
#define PACKET_LOST 4u
#define STATISTICS_BEGIN 2u
#define STATISTICS_END 3u
#define STATISTICS_RECEIVED 4u
#define STATISTICS_LOST 5u

#define MAGIC 0x1a2b3c4du
#define LENGTH_AT 4u /* in a block */

static void put_16(struct pcapng *block, uint16_t value)
{
	value = le16(value);
	pcapng_put(block, &value, sizeof(value));
}

static void put_32(struct pcapng *block, uint32_t value)
{
	value = le32(value);
	pcapng_put(block, &value, sizeof(value));
}

/* Times and counts: the upper half of a number comes first. */
static void put_high_low(struct pcapng *block, uint64_t value)
{
	put_32(block, (uint32_t)(value >> 32));
	put_32(block, (uint32_t)value);
}

void pcapng_put(struct pcapng *block, const void *bytes, size_t length)
{
	assert(length <= block->size - block->used);
	memcpy(block->bytes + block->used, bytes, length);
	block->used += length;
}

static void pad(struct pcapng *block)
{
	static const uint8_t zeros[4];

	pcapng_put(block, zeros, (4 - block->used % 4) % 4);
}

static void begin(struct pcapng *block, uint32_t type)
{
	block->used = 0;
	put_32(block, type);
	put_32(block, 0); /* the length, once it is known */
}

static void option(struct pcapng *block, uint16_t code, const void *bytes, size_t length)
{
	put_16(block, code);
	put_16(block, (uint16_t)length);
	pcapng_put(block, bytes, length);
	pad(block);
}

static void option_text(struct pcapng *block, uint16_t code, const char *text)
{
	size_t length = text ? strlen(text) : 0;

	if (length > 0)
		option(block, code, text, length < UINT16_MAX ? length : UINT16_MAX);
}

static void option_time(struct pcapng *block, uint16_t code, uint64_t time_ns)
{
	put_16(block, code);
	put_16(block, sizeof(time_ns));
	put_high_low(block, time_ns);
}

/* Counts are numbers of 64 bits as the section has them: little-endian as a whole. */
static void option_count(struct pcapng *block, uint16_t code, uint64_t count)
{
	count = le64(count);
	option(block, code, &count, sizeof(count));
}

void pcapng_end(struct pcapng *block)
{
	uint32_t length = le32((uint32_t)block->used + 8);

	put_32(block, OPTION_END);
	pcapng_put(block, &length, sizeof(length));
	memcpy(block->bytes + LENGTH_AT, &length, sizeof(length));
}

void pcapng_section(struct pcapng *block, const char *hardware, const char *system,
		    const char *application)
{
	begin(block, BLOCK_SECTION);
	put_32(block, MAGIC);
	put_16(block, 1); /* version 1.0 */
	put_16(block, 0);
	put_32(block, UINT32_MAX); /* as long as it is */
	put_32(block, UINT32_MAX);
	option_text(block, SECTION_HARDWARE, hardware);
	option_text(block, SECTION_SYSTEM, system);
	option_text(block, SECTION_APPLICATION, application);
	pcapng_end(block);
}

void pcapng_interface(struct pcapng *block, uint16_t link_type, const char *name)
{
	static const uint8_t nanoseconds = 9;

	begin(block, BLOCK_INTERFACE);
	put_16(block, link_type);
	put_16(block, 0);
	put_32(block, 0); /* no limit to a packet's length */
	option_text(block, INTERFACE_NAME, name);
	option(block, INTERFACE_RESOLUTION, &nanoseconds, sizeof(nanoseconds));
	pcapng_end(block);
}

void pcapng_packet(struct pcapng *block, uint32_t interface, uint64_t time_ns, uint32_t length,
		   uint32_t original)
{
	begin(block, BLOCK_PACKET);
	put_32(block, interface);
	put_high_low(block, time_ns);
	put_32(block, length);
	put_32(block, original);
}

void pcapng_packet_whole(struct pcapng *block)
{
	pad(block);
}

void pcapng_comment(struct pcapng *block, const char *text)
{
	option_text(block, OPTION_COMMENT, text);
}

void pcapng_lost(struct pcapng *block, uint64_t lost)
{
	option_count(block, PACKET_LOST, lost);
}

void pcapng_statistics(struct pcapng *block, uint32_t interface,
		       const struct pcapng_statistics *statistics)
{
	begin(block, BLOCK_STATISTICS);
	put_32(block, interface);
	put_high_low(block, statistics->end_ns);
	option_time(block, STATISTICS_BEGIN, statistics->begin_ns);
	option_time(block, STATISTICS_END, statistics->end_ns);
	option_count(block, STATISTICS_RECEIVED, statistics->received);
	option_count(block, STATISTICS_LOST, statistics->lost);
	pcapng_end(block);
}
