// SPDX-License-Identifier: MIT
/*
 * Attacks that consist of requests. Each function makes the request number i of one; what it leaves
 * alone is honest, so that nothing else is the reason for its refusal. No request reaches another
 * device than the attacker's, and none writes to a medium.
 */
#include "attack.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define FOREIGN_DOMAIN 0x7fe0u

/* A request to the silent device's endpoint, which stays under way. */
static void begin_silent(struct attacker *attacker, struct usbif_urb_request *request,
			 uint32_t length)
{
	request_begin(request, attacker->silent, TRANSFER_INTERRUPT, attacker->silent_in, true);
	attacker->silent_asked = true;
	usbif_set_data(&attacker->link, request, 16, length);
}

static void bad_segments(struct attacker *attacker, struct usbif_urb_request *request, uint32_t i)
{
	static const struct {
		uint16_t offset;
		uint16_t length;
	} bad[] = {
		{0xffff, 18}, {0, 0xffff}, {0, 0},         {4095, 2},
		{4096, 18},   {18, 4096},  {0xfff0, 0x20}, {1, 0xffff},
	};

	attack_begin_control(attacker, request);
	request->seg[0].offset = bad[i % COUNT(bad)].offset;
	request->seg[0].length = bad[i % COUNT(bad)].length;
	request->buffer_length = request->seg[0].length;
}

/* Its segments and its length do not agree. */
static void bad_total(struct attacker *attacker, struct usbif_urb_request *request, uint32_t i)
{
	attack_begin_control(attacker, request);
	if (i % 2 == 0)
		usbif_set_data(&attacker->link, request, 0, (i / 2 % 16 + 1) * PAGE_BYTES - 1);
	request->buffer_length = (uint16_t)(request->buffer_length + 1 + i / 2 * 7);
	if (request->buffer_length == request->seg[0].length)
		request->buffer_length++;
}

static void bad_pipe(struct attacker *attacker, struct usbif_urb_request *request, uint32_t i)
{
	attack_begin_control(attacker, request);
	request->pipe = attack_random(attacker) & ~USBIF_PIPE_UNLINK;
	if (i % 2 == 0)
		request->pipe &= ~USBIF_PIPE_RESERVED;
	/* Address 0 is another attack: "resets". */
	if ((request->pipe >> USBIF_PIPE_ADDRESS_SHIFT & USBIF_PIPE_ADDRESS_MASK) == 0)
		request->pipe |= 0x7fu << USBIF_PIPE_ADDRESS_SHIFT;
	/* The setup packet would be a packet list of many segments: "segment-count". */
	if (request->pipe >> USBIF_PIPE_TYPE_SHIFT == USBIF_PIPE_TYPE_ISOC)
		memset(&request->u, 0, sizeof(request->u));
	request->transfer_flags = i % 4 == 1 ? (uint16_t)attack_random(attacker) : 0;
}

/* Packets of a transfer that this device has no endpoint for, and lists that cannot be. */
static void bad_packets(struct attacker *attacker, struct usbif_urb_request *request, uint32_t i)
{
	static const uint16_t counts[] = {0, 1, 128, 129, 255, 256, 4096, 0xffff};
	uint16_t packets = counts[i % COUNT(counts)], *list = &request->u.isoc.nr_frame_desc_segs;
	uint32_t j;

	request_begin(request, attacker->bulk, TRANSFER_ISOC, (uint8_t)(1 + i / 8 % 15),
		      i % 3 == 0);
	usbif_set_data(&attacker->link, request, 0, 1024);
	request->u.isoc.interval = (uint16_t)i;
	request->u.isoc.number_of_packets = packets;
	request->seg[1] = request->seg[0];
	request->seg[1].gref = attacker->link.data_reference[1];
	request->seg[1].length = (uint16_t)((packets & 0xff) * sizeof(struct usbif_isoc_packet));
	*list = i / 8 % 4 == 3 ? 15 : 1;
	for (j = 0; j < PAGE_BYTES / 4; j++)
		((uint32_t *)(void *)link_data[1])[j] = attack_random(attacker);
}

/* References that are no grant, somebody else's, read-only, of no memory, or the ring's own. */
static void bad_grants(struct attacker *attacker, struct usbif_urb_request *request, uint32_t i)
{
	static uint32_t bad[8];
	uint32_t j;

	if (bad[0] == 0) {
		bad[0] = 0xffffffff;
		bad[1] = GRANTS_MAX - 1;
		bad[2] = grant_page(FOREIGN_DOMAIN, link_data[0], true);
		bad[3] = grant_page(attacker->link.domain, link_data[0], false);
		bad[4] = grant_frame(attacker->link.domain, 0xffffffff, true);
		bad[5] = grant_frame(attacker->link.domain, 0x000e0000, true);
		bad[6] = 0x80000000;
		bad[7] = 0; /* the console's or the store's, of dom0 as it happens */
	}
	attack_begin_control(attacker, request);
	if (i % 8 == 7) {
		/* One page sixteen times. */
		request->nr_buffer_segs = 16;
		for (j = 0; j < 16; j++)
			request->seg[j] = request->seg[0];
		request->buffer_length = 16 * 18;
		return;
	}
	request->seg[0].gref = bad[i % 8];
}

/* Its data stage is longer than its buffer, or goes the other way. */
static void bad_setup(struct attacker *attacker, struct usbif_urb_request *request, uint32_t i)
{
	attack_begin_control(attacker, request);
	request->u.setup[6] = (uint8_t)(19 + i);
	request->u.setup[7] = (uint8_t)(i % 4 == 0 ? 0xff : 1 + i / 4);
	if (i % 4 == 1)
		request->pipe &= ~USBIF_PIPE_IN;
	if (i % 4 == 2) {
		request->nr_buffer_segs = 0;
		request->buffer_length = 0;
	}
	if (i % 4 == 3) {
		request->u.setup[0] = 0;
		request->u.setup[1] = 7; /* SET_DESCRIPTOR */
	}
}

static void control_storm(struct attacker *attacker, struct usbif_urb_request *request, uint32_t i)
{
	(void)i;
	attack_begin_control(attacker, request);
}

/* What loads firmware, or leaves the device other than it was. */
static void firmware(struct attacker *attacker, struct usbif_urb_request *request, uint32_t i)
{
	static const struct setup setups[] = {
		{0x21, 0, 1000, 0, 0},      /* DFU_DETACH */
		{0x21, 1, 0, 0, 64},        /* DFU_DNLOAD */
		{0xa1, 2, 0, 0, 64},        /* DFU_UPLOAD */
		{0x21, 4, 0, 0, 0},         /* DFU_CLRSTATUS */
		{0x40, 0xa0, 0xe600, 0, 1}, /* Cypress FX2: holds its processor */
		{0x40, 0xa3, 0, 0, 64},     /* Cypress FX2: writes its memory */
		{0x00, 7, 0x0100, 0, 18},   /* SET_DESCRIPTOR */
		{0x00, 3, 2, 0x0100, 0},    /* SET_FEATURE(TEST_MODE) */
	};
	const struct setup *setup = &setups[i % COUNT(setups)];

	request_begin(request, attacker->bulk, TRANSFER_CONTROL, 0, false);
	request_set_setup(request, setup);
	usbif_set_data(&attacker->link, request, 0, setup->length);
}

/* Cancels what is under way, was cancelled, is not known, or is a cancel itself. */
static void unlink_races(struct attacker *attacker, struct usbif_urb_request *request, uint32_t i)
{
	/* The request in front, by its distance; 0: a transfer of the largest size. */
	static const uint16_t targets[ATTACK_GROUP] = {0, 1, 0, 1000, 2, 3, 0, 1};
	uint16_t target = targets[i % ATTACK_GROUP];

	begin_silent(attacker, request, 16 * PAGE_BYTES);
	if (target == 0)
		return;
	request->pipe |= USBIF_PIPE_UNLINK;
	memset(&request->u, 0, sizeof(request->u));
	request->u.unlink.unlink_id = (uint16_t)(i - target);
}

/* All transfers and cancels have the same id. */
static void same_id(struct attacker *attacker, struct usbif_urb_request *request, uint32_t i)
{
	begin_silent(attacker, request, 4096);
	request->id = (uint16_t)(0u - i);
	if (i % ATTACK_GROUP == 0)
		return;
	request->pipe |= USBIF_PIPE_UNLINK;
	memset(&request->u, 0, sizeof(request->u));
}

/* Changes the configuration, interfaces and halts under running transfers. */
static void configuration(struct attacker *attacker, struct usbif_urb_request *request, uint32_t i)
{
	const uint8_t value = attacker->silent->descriptors.configuration[0].value;
	const struct setup setups[ATTACK_GROUP] = {
		{0},
		{0x00, 9, value, 0, 0},
		{0},
		{0x01, 11, 0, 0, 0},
		{0x02, 1, 0, (uint16_t)(0x80 | attacker->silent_in), 0},
		{0x01, 11, 9, 9, 0},
		{0x00, 9, 99, 0, 0},
		{0x00, 9, i / ATTACK_GROUP % 4 == 3 ? 0 : value, 0, 0},
	};
	const struct setup *setup = &setups[i % ATTACK_GROUP];

	if (setup->request == 0) {
		begin_silent(attacker, request, 4096);
		return;
	}
	request_begin(request, attacker->silent, TRANSFER_CONTROL, 0, false);
	request_set_setup(request, setup);
}

/* Talks to address 0, which is a port reset, as often as it can. */
static void resets(struct attacker *attacker, struct usbif_urb_request *request, uint32_t i)
{
	const struct setup address = {0x00, 5, (uint16_t)(i % 3 == 0 ? attacker->bulk->address : i),
				      0, 0};

	attack_begin_control(attacker, request);
	request->pipe &= ~(USBIF_PIPE_ADDRESS_MASK << USBIF_PIPE_ADDRESS_SHIFT);
	if (i % 2 == 0)
		return;
	request_set_setup(request, &address);
	request->nr_buffer_segs = request->buffer_length = 0;
}

/* Random bytes, everywhere or with an honest pipe, honest segments or both. */
static void noise(struct attacker *attacker, struct usbif_urb_request *request, uint32_t i)
{
	uint32_t words[sizeof(*request) / 4], j;
	struct usbif_urb_request random;

	for (j = 0; j < COUNT(words); j++)
		words[j] = attack_random(attacker);
	memcpy(&random, words, sizeof(random));
	/* More segments than there are is another attack: "segment-count". */
	random.nr_buffer_segs &= 7;
	random.u.isoc.nr_frame_desc_segs &= 7;
	attack_begin_control(attacker, request);
	memcpy(&request->u, &random.u, sizeof(request->u));
	request->u.setup[7] = 0;
	if (i % 2 == 0)
		request->pipe = random.pipe & ~USBIF_PIPE_RESERVED;
	if (i % 4 >= 2) {
		request->nr_buffer_segs = random.nr_buffer_segs;
		request->buffer_length = random.buffer_length;
		memcpy(request->seg, random.seg, sizeof(request->seg));
	}
	if ((request->pipe >> USBIF_PIPE_ADDRESS_SHIFT & USBIF_PIPE_ADDRESS_MASK) == 0)
		request->pipe |= 0x40u << USBIF_PIPE_ADDRESS_SHIFT;
}

const struct attack attacks_by_request[] = {
	{"segments", bad_segments, NULL},
	{"total", bad_total, NULL},
	{"pipe", bad_pipe, NULL},
	{"packets", bad_packets, NULL},
	{"grants", bad_grants, NULL},
	{"setup-length", bad_setup, NULL},
	{"control-storm", control_storm, NULL},
	{"firmware", firmware, NULL},
	{"unlink", unlink_races, NULL},
	{"same-id", same_id, NULL},
	{"configuration", configuration, NULL},
	{"resets", resets, NULL},
	{"noise", noise, NULL},
	{NULL, NULL, NULL},
};
