// SPDX-License-Identifier: MIT
#include "memory.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <byte_order.h>

#define UNIT 256u
#define BYTES ((size_t)MEMORY_PAGES * USBIF_PAGE_SIZE)

static uint8_t *memory;
static uint8_t shadow[BYTES];
static uint16_t taken[MEMORY_PAGES]; /* a bit for each unit */

void *memory_page(uint32_t page)
{
	return memory + (size_t)page * USBIF_PAGE_SIZE;
}

int memory_init(void)
{
	uint32_t directory[MEMORY_DATA_PAGES], i;
	int memfd = memfd_create("guest", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	SIM_CHECK(memfd >= 0 && ftruncate(memfd, (off_t)BYTES) == 0, "cannot make memory");
	SIM_CHECK(fcntl(memfd, F_ADD_SEALS, F_SEAL_SHRINK) == 0, "cannot seal memory");
	memory = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, memfd, 0);
	SIM_CHECK(memory != MAP_FAILED, "cannot map memory");
	for (i = 0; i < MEMORY_DATA_PAGES; i++)
		directory[i] = le32(MEMORY_DATA_PAGE + i);
	memcpy(memory_page(MEMORY_DIRECTORY_PAGE), directory, sizeof(directory));
	return memfd;
}

static size_t place_of(const struct usbif_segment *segment)
{
	return (size_t)segment->gref * USBIF_PAGE_SIZE + segment->offset;
}

static uint16_t units_of(const struct usbif_segment *segment)
{
	uint32_t first = segment->offset / UNIT;
	uint32_t last = (segment->offset + segment->length - 1u) / UNIT;

	return (uint16_t)((2u << last) - (1u << first));
}

static bool take_piece(struct usbif_segment *segment, uint32_t length)
{
	uint32_t tries;

	segment->length = (uint16_t)length;
	for (tries = 0; tries < 12; tries++) {
		segment->gref = MEMORY_DATA_PAGE + random_below(MEMORY_DATA_PAGES);
		segment->offset = (uint16_t)random_below(USBIF_PAGE_SIZE - length + 1);
		if (taken[segment->gref] & units_of(segment))
			continue;
		taken[segment->gref] |= units_of(segment);
		return true;
	}
	return false;
}

uint32_t memory_take(uint32_t length, struct usbif_segment *segments, uint32_t max)
{
	uint32_t count = 0, least, most, bytes;

	while (length > 0) {
		if (count == max)
			goto fail;
		least = (length + max - count - 1) / (max - count);
		most = length < USBIF_PAGE_SIZE ? length : USBIF_PAGE_SIZE;
		if (least > most)
			goto fail;
		bytes = random_one_in(2) ? most : least + random_below(most - least + 1);
		if (!take_piece(&segments[count], bytes))
			goto fail;
		count++;
		length -= bytes;
	}
	return count;
fail:
	memory_give(segments, count);
	return 0;
}

bool memory_take_start(uint32_t length, struct usbif_segment *segment)
{
	uint32_t tries;

	segment->offset = 0;
	segment->length = (uint16_t)length;
	for (tries = 0; tries < 12; tries++) {
		segment->gref = MEMORY_DATA_PAGE + random_below(MEMORY_DATA_PAGES);
		if (taken[segment->gref] & units_of(segment))
			continue;
		taken[segment->gref] |= units_of(segment);
		return true;
	}
	return false;
}

void memory_give(const struct usbif_segment *segments, uint32_t count)
{
	for (; count > 0; count--, segments++)
		taken[segments->gref] &= (uint16_t)~units_of(segments);
}

void memory_write(const struct usbif_segment *segments, uint32_t count, const void *bytes,
		  uint32_t length)
{
	memory_expect(segments, count, bytes, length);
	for (; count > 0; count--, segments++)
		memcpy(memory + place_of(segments), shadow + place_of(segments), segments->length);
}

void memory_scribble(const struct usbif_segment *segments, uint32_t count)
{
	for (; count > 0; count--, segments++) {
		random_fill(memory + place_of(segments), segments->length);
		memcpy(shadow + place_of(segments), memory + place_of(segments), segments->length);
	}
}

void memory_expect(const struct usbif_segment *segments, uint32_t count, const void *bytes,
		   uint32_t length)
{
	const uint8_t *from = bytes;

	for (; count > 0 && length > 0; count--, segments++) {
		uint32_t part = segments->length < length ? segments->length : length;

		memcpy(shadow + place_of(segments), from, part);
		from += part;
		length -= part;
	}
}

void memory_gather(const struct usbif_segment *segments, uint32_t count, void *bytes,
		   uint32_t length)
{
	uint8_t *to = bytes;

	for (; count > 0 && length > 0; count--, segments++) {
		uint32_t part = segments->length < length ? segments->length : length;

		memcpy(to, shadow + place_of(segments), part);
		to += part;
		length -= part;
	}
}

void memory_accept(const struct usbif_segment *segments, uint32_t count)
{
	for (; count > 0; count--, segments++) {
		if (segments->gref < MEMORY_PAGES)
			memcpy(shadow + place_of(segments), memory + place_of(segments),
			       segments->length);
	}
}

void memory_accept_noise(void)
{
	size_t at = (size_t)MEMORY_NOISE_PAGE * USBIF_PAGE_SIZE;

	memcpy(shadow + at, memory + at, BYTES - at);
}

static void check_zero(size_t from, size_t to, const char *what)
{
	for (; from < to; from++)
		SIM_CHECK(memory[from] == 0, "%s: byte %zu was written", what, from);
}

/* Where no ring has a field or a slot, there are zeros. */
static void check_rings_2(void)
{
	size_t head = (size_t)MEMORY_HEAD_PAGE * USBIF_PAGE_SIZE;

	check_zero(0, USBIF_PAGE_SIZE, "page 0");
	check_zero(head + 16, head + XVHCIF_EVENT_HEAD, "head of the request ring");
	check_zero(head + XVHCIF_EVENT_HEAD + 16, head + XVHCIF_EVENT_SLOTS_AT, "head page");
}

static void check_rings(void)
{
	size_t urb = (size_t)MEMORY_URB_PAGE * USBIF_PAGE_SIZE;
	size_t conn = (size_t)MEMORY_CONN_PAGE * USBIF_PAGE_SIZE;

	check_zero(0, USBIF_PAGE_SIZE, "page 0");
	check_zero(urb + 16, urb + 64, "head of the URB ring");
	check_zero(urb + 64 + USBIF_URB_RING_SLOTS * sizeof(union usbif_urb_slot),
		   urb + USBIF_PAGE_SIZE, "end of the URB ring");
	check_zero(conn + 16, conn + 64, "head of the connection ring");
	check_zero(conn + 64 + USBIF_CONN_RING_SLOTS * sizeof(union usbif_conn_slot),
		   conn + USBIF_PAGE_SIZE, "end of the connection ring");
}

void memory_check(bool with_noise)
{
	size_t at = (size_t)MEMORY_DATA_PAGE * USBIF_PAGE_SIZE;
	size_t end = (size_t)(with_noise ? MEMORY_PAGES : MEMORY_NOISE_PAGE) * USBIF_PAGE_SIZE;

	if (random_one_in(64))
		(sim_version == 1 ? check_rings : check_rings_2)();
	if (memcmp(memory + at, shadow + at, end - at) == 0)
		return;
	while (memory[at] == shadow[at])
		at++;
	sim_fail("page %zu, byte %zu is %02x and not %02x: no request that ended just now may have "
		 "changed it",
		 at / USBIF_PAGE_SIZE, at % USBIF_PAGE_SIZE, memory[at], shadow[at]);
}
