// SPDX-License-Identifier: MIT
/*
 * Requests of random fields, at devices that come and go. Each request is answered once, the worker
 * stays alive, and a device that nobody disturbed still works at the end. XVHC_TEST_SEED replays a
 * run.
 */
#include "frontend.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define ROUNDS 50000u
#define QUIET_PORT 4u
#define ROOM 12u /* requests under way, at most, when one more is made */

static uint32_t seed;

static uint32_t random_below(uint32_t limit)
{
	seed = seed * 1664525 + 1013904223;
	return (uint32_t)((uint64_t)seed * limit >> 32);
}

/* Mostly a good value, sometimes any. */
static uint32_t mostly(uint32_t good, uint32_t any)
{
	return random_below(8) ? good : random_below(any);
}

static void spoil_segments(struct usbif_urb_request *request)
{
	uint32_t i = random_below(USBIF_SEGMENTS_MAX);

	switch (random_below(12)) {
	case 0:
		request->seg[i].offset = (uint16_t)random_below(0x10000);
		break;
	case 1:
		request->seg[i].length = (uint16_t)random_below(0x10000);
		break;
	case 2:
		/* Not the ring pages: what would be written there is the guest's own ruin. */
		request->seg[i].gref = 16 + random_below(0x7fffffff);
		break;
	case 3:
		request->buffer_length = (uint16_t)random_below(0x10000);
		break;
	case 4:
		request->nr_buffer_segs = (uint16_t)random_below(USBIF_SEGMENTS_MAX - 1);
		break;
	default:
		break;
	}
}

static void random_isoc(struct frontend *frontend, struct usbif_urb_request *request, uint16_t id)
{
	struct usbif_isoc_packet *list = frontend_list(frontend, id);
	uint32_t count = mostly(1 + random_below(8), XVHC_ISOC_PACKETS_MAX + 2), i;

	for (i = 0; i < count; i++) {
		list[i].offset = mostly(i * 100, 0xffffffff);
		list[i].length = mostly(100, 0xffffffff);
	}
	if (request->nr_buffer_segs >= USBIF_SEGMENTS_MAX)
		return;
	request->u.isoc.number_of_packets = (uint16_t)count;
	request->u.isoc.nr_frame_desc_segs = 1;
	request->seg[request->nr_buffer_segs].gref =
		(uint32_t)((uint8_t *)list - frontend->memory) / USBIF_PAGE_SIZE;
	request->seg[request->nr_buffer_segs].offset = 0;
	request->seg[request->nr_buffer_segs].length =
		(uint16_t)mostly(count * sizeof(struct usbif_isoc_packet), 4096);
}

static void random_setup(struct usbif_urb_request *request)
{
	static const uint8_t requests[][2] = {
		{0x80, 6}, {0x80, 0},    {0x00, 9},    {0x00, 5},    {0x01, 11},   {0x02, 1},
		{0x02, 3}, {0x40, 0x5b}, {0xc0, 0x5c}, {0x40, 0xf2}, {0x40, 0xf3}, {0x00, 9},
	};
	uint32_t i = random_below(sizeof(requests) / sizeof(requests[0]));

	request->u.setup[0] = requests[i][0];
	request->u.setup[1] = requests[i][1];
	request->u.setup[2] = (uint8_t)random_below(4);
	request->u.setup[3] = (uint8_t)random_below(3);
	request->u.setup[4] = (uint8_t)mostly(0, 256);
	/* Vanishing is rare, or there would be nobody to talk to. */
	if (requests[i][1] == MODEL_REQUEST_VANISH && random_below(8))
		request->u.setup[1] = 0;
	request->u.setup[6] = (uint8_t)mostly(request->buffer_length, 256);
}

static void random_request(struct frontend *frontend, const uint32_t *address)
{
	static const uint32_t pipes[] = {
		PIPE(CONTROL, 0), PIPE(CONTROL, 0x80), PIPE(CONTROL, 0x80),   PIPE(BULK, 0x81),
		PIPE(BULK, 0x01), PIPE(BULK, 0x02),    PIPE(INTERRUPT, 0x83), PIPE(INTERRUPT, 0x03),
		PIPE(ISOC, 0x82), PIPE(ISOC, 0x02),
	};
	uint32_t pipe = pipes[random_below(sizeof(pipes) / sizeof(pipes[0]))];
	uint32_t port = mostly(1 + random_below(3), QUIET_PORT);
	struct usbif_urb_request request;
	uint16_t id;

	pipe |= pipe_place(port, mostly(address[port], 128));
	if (random_below(16) == 0)
		pipe ^= 1u << (5 + random_below(27));
	id = frontend_fill(frontend, &request, pipe, mostly(random_below(200), 65536));
	if (pipe >> USBIF_PIPE_TYPE_SHIFT == USBIF_PIPE_TYPE_ISOC)
		random_isoc(frontend, &request, id);
	if (pipe >> USBIF_PIPE_TYPE_SHIFT == USBIF_PIPE_TYPE_CONTROL)
		random_setup(&request);
	spoil_segments(&request);
	frontend_put(frontend, &request);
	frontend_kick(frontend);
}

static uint32_t count_busy(struct frontend *frontend)
{
	uint32_t i, busy = 0;

	for (i = 0; i < USBIF_URB_RING_SLOTS; i++) {
		if (frontend->done[i])
			frontend->busy[i] = frontend->done[i] = false;
		busy += frontend->busy[i];
	}
	return busy;
}

/* Answers that are there make room; what waits for data is cancelled. */
static void make_room(struct frontend *frontend)
{
	bool old[USBIF_URB_RING_SLOTS];
	uint32_t busy = count_busy(frontend), i;
	uint16_t port;

	if (busy < ROOM)
		return;
	memcpy(old, frontend->busy, sizeof(old));
	for (i = 0; i < USBIF_URB_RING_SLOTS && busy + 3 <= USBIF_URB_RING_SLOTS; i++) {
		for (port = 1; port < QUIET_PORT && old[i]; port++, busy++)
			frontend_cancel(frontend, port, (uint16_t)i);
	}
	frontend_until(frontend, count_busy(frontend) < ROOM);
}

static void put_setup(struct frontend *frontend, uint32_t place, struct setup_packet setup)
{
	struct usbif_urb_request request;

	make_room(frontend);
	frontend_fill(frontend, &request, place | PIPE(CONTROL, 0), 0);
	frontend_pack_setup(request.u.setup, &setup);
	frontend_put(frontend, &request);
	frontend_kick(frontend);
}

/* As a good guest would, without looking at the answers. */
static void configure(struct frontend *frontend, uint32_t port, uint32_t *address)
{
	uint32_t configuration = 1 + random_below(2);

	address[port] = 1 + random_below(127);
	put_setup(frontend, pipe_place(port, 0),
		  (struct setup_packet){0, 5, (uint16_t)address[port], 0, 0});
	put_setup(frontend, pipe_place(port, address[port]),
		  (struct setup_packet){0, 9, (uint16_t)configuration, 0, 0});
	put_setup(frontend, pipe_place(port, address[port]),
		  (struct setup_packet){1, 11, (uint16_t)random_below(2), 0, 0});
}

static void change_device(struct frontend *frontend, uint32_t *address, uint32_t *attached)
{
	uint32_t port = 1 + random_below(3);

	switch (random_below(32)) {
	case 0:
		if (random_below(8) == 0)
			frontend_detach(frontend, port);
		break;
	case 1:
		configure(frontend, port, address);
		break;
	default:
		if (attached[port] != frontend->detached[port])
			break;
		attached[port]++;
		frontend_attach(frontend, port, 1 + random_below(MODEL_DISK_SUPER),
				random_below(2) ? USB_SPEED_SUPER : USB_SPEED_HIGH);
		break;
	}
	if (front_ring_free(&frontend->conn) == USBIF_CONN_RING_SLOTS)
		frontend_post_events(frontend, 4);
}

static void noise(void **state)
{
	struct frontend *frontend = *state;
	uint32_t address[USBIF_PORT_MAX + 1] = {0}, attached[USBIF_PORT_MAX + 1] = {0}, i, place;
	uint8_t data[64];

	frontend_plug(frontend, QUIET_PORT, MODEL_LOOPBACK, USB_SPEED_HIGH);
	place = frontend_configure(frontend, QUIET_PORT, 100, 1);
	for (i = 0; i < ROUNDS; i++) {
		change_device(frontend, address, attached);
		make_room(frontend);
		random_request(frontend, address);
	}
	for (i = 1; i < QUIET_PORT; i++)
		frontend_detach(frontend, i);
	for (i = 0; i < USBIF_URB_RING_SLOTS; i++) {
		if (frontend->busy[i])
			frontend_wait(frontend, i);
	}
	assert_int_equal(frontend_transfer(frontend, place | PIPE(BULK, 0x81), data, 64, NULL),
			 USBIF_STATUS_OK);
	assert_int_equal(data[62], 62);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WIRE_TEST(noise),
	};
	const char *given = getenv("XVHC_TEST_SEED");

	seed = given ? (uint32_t)strtoul(given, NULL, 0) : (uint32_t)time(NULL);
	print_message("XVHC_TEST_SEED=%u\n", seed);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
