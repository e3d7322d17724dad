// SPDX-License-Identifier: MIT
/* Each type of transfer, to loops and a keyboard and back. */
#include "frontend.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define SET_INTERFACE(interface, altsetting)                                                       \
	(struct setup_packet)                                                                      \
	{                                                                                          \
		1, 11, altsetting, interface, 0                                                    \
	}

static uint32_t plug_loopback(struct frontend *frontend, uint8_t configuration, uint8_t altsetting)
{
	uint32_t place;

	frontend_plug(frontend, 1, MODEL_LOOPBACK, USB_SPEED_HIGH);
	place = frontend_configure(frontend, 1, 3, configuration);
	if (altsetting)
		assert_int_equal(
			frontend_control(frontend, place, SET_INTERFACE(0, altsetting), NULL, NULL),
			USBIF_STATUS_OK);
	return place;
}

static void control_data_goes_both_ways(void **state)
{
	struct frontend *frontend = *state;
	struct setup_packet write = {0x40, MODEL_REQUEST_WRITE, 0, 0, 1000};
	struct setup_packet read = {0xc0, MODEL_REQUEST_READ, 0, 0, 4096};
	uint8_t data[4096];
	uint32_t place = plug_loopback(frontend, 1, 0), actual, i;

	for (i = 0; i < 1000; i++)
		data[i] = (uint8_t)(i * 3);
	assert_int_equal(frontend_control(frontend, place, write, data, &actual), USBIF_STATUS_OK);
	assert_int_equal(actual, 1000);
	memset(data, 0xa5, sizeof(data));
	assert_int_equal(frontend_control(frontend, place, read, data, &actual), USBIF_STATUS_OK);
	assert_int_equal(actual, 1000);
	for (i = 0; i < 1000; i++)
		assert_int_equal(data[i], (uint8_t)(i * 3));
	for (; i < sizeof(data); i++)
		assert_int_equal(data[i], 0xa5);
}

static void unknown_control_request_stalls(void **state)
{
	struct frontend *frontend = *state;
	struct setup_packet unknown = {0xc0, 0x77, 0, 0, 4};
	uint8_t data[4];
	uint32_t place = plug_loopback(frontend, 1, 0);

	assert_int_equal(frontend_control(frontend, place, unknown, data, NULL),
			 USBIF_STATUS_STALL);
}

static void control_transfer_beyond_the_limit_is_refused(void **state)
{
	struct frontend *frontend = *state;
	struct setup_packet read = {0xc0, MODEL_REQUEST_READ, 0, 0, 4097};
	uint8_t data[4097];
	uint32_t place = plug_loopback(frontend, 1, 0);

	assert_int_equal(frontend_control(frontend, place, read, data, NULL), USBIF_STATUS_INVAL);
}

static void bulk_loop_keeps_unaligned_data(void **state)
{
	struct frontend *frontend = *state;
	uint32_t place = plug_loopback(frontend, 2, 0), i;
	struct usbif_urb_request out, in;
	uint8_t *data;
	uint16_t id;

	/* 5,000 bytes from the middle of a page on, in two segments that are not its halves. */
	id = frontend_fill(frontend, &out, place | PIPE(BULK, 0x01), 0);
	data = frontend_data(frontend, id);
	for (i = 0; i < 5000; i++)
		data[3000 + i] = (uint8_t)(i ^ i >> 8);
	out.buffer_length = 5000;
	out.nr_buffer_segs = 2;
	out.seg[0].gref = (uint32_t)(data - frontend->memory) / USBIF_PAGE_SIZE;
	out.seg[0].offset = 3000;
	out.seg[0].length = 1096;
	out.seg[1].gref = out.seg[0].gref + 1;
	out.seg[1].length = 3904;
	frontend_put(frontend, &out);
	frontend_kick(frontend);
	assert_int_equal(frontend_wait(frontend, id), USBIF_STATUS_OK);

	id = frontend_fill(frontend, &in, place | PIPE(BULK, 0x81), 5000);
	data = frontend_data(frontend, id);
	frontend_put(frontend, &in);
	frontend_kick(frontend);
	assert_int_equal(frontend_wait(frontend, id), USBIF_STATUS_OK);
	assert_int_equal(frontend->response[id].actual_length, 5000);
	for (i = 0; i < 5000; i++)
		assert_int_equal(data[i], (uint8_t)(i ^ i >> 8));
}

static void a_read_waits_for_its_data(void **state)
{
	struct frontend *frontend = *state;
	uint32_t place = plug_loopback(frontend, 2, 0);
	uint8_t data[] = "loop";
	uint16_t id;

	id = frontend_submit(frontend, place | PIPE(BULK, 0x81), 64);
	assert_int_equal(frontend_transfer(frontend, place | PIPE(BULK, 0x01), data, 5, NULL),
			 USBIF_STATUS_OK);
	assert_int_equal(frontend_wait(frontend, id), USBIF_STATUS_OK);
	assert_int_equal(frontend->response[id].actual_length, 5);
	assert_string_equal((char *)frontend_data(frontend, id), "loop");
}

static void interrupt_loop_returns_what_was_sent(void **state)
{
	struct frontend *frontend = *state;
	uint32_t place = plug_loopback(frontend, 1, 1), actual;
	uint8_t data[64] = "interrupt", back[64];

	assert_int_equal(frontend_transfer(frontend, place | PIPE(INTERRUPT, 0x03), data, 20, NULL),
			 USBIF_STATUS_OK);
	assert_int_equal(
		frontend_transfer(frontend, place | PIPE(INTERRUPT, 0x83), back, 64, &actual),
		USBIF_STATUS_OK);
	assert_int_equal(actual, 20);
	assert_memory_equal(back, data, 20);
}

/* Fills in an isochronous request: packets of these lengths at these offsets. */
static uint16_t fill_isoc(struct frontend *frontend, struct usbif_urb_request *request,
			  uint32_t pipe, uint32_t length, const uint32_t (*packets)[2],
			  uint16_t count)
{
	uint16_t id = frontend_fill(frontend, request, pipe, length), i;
	struct usbif_isoc_packet *list = frontend_list(frontend, id);

	memset(list, 0xee, USBIF_PAGE_SIZE);
	for (i = 0; i < count; i++) {
		list[i].offset = packets[i][0];
		list[i].length = packets[i][1];
	}
	request->u.isoc.number_of_packets = count;
	request->u.isoc.nr_frame_desc_segs = 1;
	request->seg[request->nr_buffer_segs].gref =
		(uint32_t)((uint8_t *)list - frontend->memory) / USBIF_PAGE_SIZE;
	request->seg[request->nr_buffer_segs].length =
		(uint16_t)(count * sizeof(struct usbif_isoc_packet));
	return id;
}

static void isoc_out(struct frontend *frontend, uint32_t place, const uint32_t (*packets)[2],
		     uint16_t count, uint32_t length)
{
	struct usbif_urb_request request;
	uint16_t id =
		fill_isoc(frontend, &request, place | PIPE(ISOC, 0x02), length, packets, count);
	uint32_t i;

	for (i = 0; i < length; i++)
		frontend_data(frontend, id)[i] = (uint8_t)(i * 5 + i / 256);
	frontend_put(frontend, &request);
	frontend_kick(frontend);
	assert_int_equal(frontend_wait(frontend, id), USBIF_STATUS_OK);
	assert_int_equal(frontend->response[id].error_count, 0);
	for (i = 0; i < count; i++) {
		assert_int_equal(frontend_list(frontend, id)[i].actual_length, packets[i][1]);
		assert_int_equal(frontend_list(frontend, id)[i].status, USBIF_STATUS_OK);
	}
}

static void isoc_packets_keep_their_lengths(void **state)
{
	static const uint32_t out[][2] = {{0, 1000}, {1000, 10}, {1010, 512}, {1522, 0}};
	static const uint32_t in[][2] = {
		{0, 1024}, {1024, 1024}, {2048, 1024}, {3072, 1024}, {4096, 1024}};
	static const uint32_t lengths[] = {1000, 10, 512, 0, 0}, starts[] = {0, 1000, 1010, 0, 0};
	struct frontend *frontend = *state;
	uint32_t place = plug_loopback(frontend, 1, 1), i, n;
	struct usbif_urb_request request;
	uint16_t id;

	isoc_out(frontend, place, out, 4, 1522);
	id = fill_isoc(frontend, &request, place | PIPE(ISOC, 0x82), 5120, in, 5);
	memset(frontend_data(frontend, id), 0xa5, 8192);
	frontend_put(frontend, &request);
	frontend_kick(frontend);
	assert_int_equal(frontend_wait(frontend, id), USBIF_STATUS_OK);
	assert_int_equal(frontend->response[id].actual_length, 1522);
	for (n = 0; n < 5; n++) {
		const uint8_t *data = frontend_data(frontend, id) + in[n][0];

		assert_int_equal(frontend_list(frontend, id)[n].actual_length, lengths[n]);
		for (i = 0; i < lengths[n]; i++)
			assert_int_equal(data[i],
					 (uint8_t)((starts[n] + i) * 5 + (starts[n] + i) / 256));
		/* What no packet filled is zero, not what was in the worker before. */
		for (; i < 1024; i++)
			assert_int_equal(data[i], 0);
	}
	assert_int_equal(frontend_data(frontend, id)[5120], 0xa5);
}

static void isoc_packets_may_lie_in_any_order_with_gaps(void **state)
{
	static const uint32_t out[][2] = {{600, 100}, {0, 50}, {200, 300}};
	static const uint32_t in[][2] = {{3000, 200}, {0, 100}, {1000, 400}};
	struct frontend *frontend = *state;
	uint32_t place = plug_loopback(frontend, 1, 1), i, n;
	struct usbif_urb_request request;
	uint16_t id;

	isoc_out(frontend, place, out, 3, 700);
	id = fill_isoc(frontend, &request, place | PIPE(ISOC, 0x82), 4000, in, 3);
	frontend_put(frontend, &request);
	frontend_kick(frontend);
	assert_int_equal(frontend_wait(frontend, id), USBIF_STATUS_OK);
	for (n = 0; n < 3; n++) {
		const uint8_t *data = frontend_data(frontend, id) + in[n][0];

		assert_int_equal(frontend_list(frontend, id)[n].actual_length, out[n][1]);
		for (i = 0; i < out[n][1]; i++)
			assert_int_equal(data[i],
					 (uint8_t)((out[n][0] + i) * 5 + (out[n][0] + i) / 256));
	}
}

static void isoc_packet_that_babbles_is_counted(void **state)
{
	static const uint32_t out[][2] = {{0, 100}, {100, 100}};
	static const uint32_t in[][2] = {{0, 50}, {50, 100}};
	struct frontend *frontend = *state;
	uint32_t place = plug_loopback(frontend, 1, 1);
	struct usbif_urb_request request;
	uint16_t id;

	isoc_out(frontend, place, out, 2, 200);
	id = fill_isoc(frontend, &request, place | PIPE(ISOC, 0x82), 150, in, 2);
	frontend_put(frontend, &request);
	frontend_kick(frontend);
	assert_int_equal(frontend_wait(frontend, id), USBIF_STATUS_OK);
	assert_int_equal(frontend->response[id].error_count, 1);
	assert_int_equal(frontend_list(frontend, id)[0].status, USBIF_STATUS_BABBLE);
	assert_int_equal(frontend_list(frontend, id)[1].status, USBIF_STATUS_OK);
	assert_int_equal(frontend_list(frontend, id)[1].actual_length, 100);
}

static void typed_keys_arrive(void **state)
{
	struct frontend *frontend = *state;
	struct setup_packet type = {0x40, MODEL_REQUEST_TYPE, 4, 0, 0};
	struct setup_packet leds = {0x21, 9, 0x0200, 0, 1};
	struct setup_packet leds_back = {0xc0, MODEL_REQUEST_LEDS, 0, 0, 1};
	uint8_t report[8], byte = 0x05;
	uint32_t place;
	uint16_t id;

	frontend_plug(frontend, 2, MODEL_KEYBOARD, USB_SPEED_LOW);
	assert_int_equal(frontend->speed[2], USBIF_SPEED_LOW);
	place = frontend_configure(frontend, 2, 9, 1);
	id = frontend_submit(frontend, place | PIPE(INTERRUPT, 0x81), 8);
	assert_int_equal(frontend_control(frontend, place, leds, &byte, NULL), USBIF_STATUS_OK);
	assert_false(frontend->done[id]);
	assert_int_equal(frontend_control(frontend, place, type, NULL, NULL), USBIF_STATUS_OK);
	assert_int_equal(frontend_wait(frontend, id), USBIF_STATUS_OK);
	assert_int_equal(frontend->response[id].actual_length, 8);
	assert_int_equal(frontend_data(frontend, id)[2], 4);
	assert_int_equal(
		frontend_transfer(frontend, place | PIPE(INTERRUPT, 0x81), report, 8, NULL),
		USBIF_STATUS_OK);
	assert_int_equal(report[2], 0);
	byte = 0;
	assert_int_equal(frontend_control(frontend, place, leds_back, &byte, NULL),
			 USBIF_STATUS_OK);
	assert_int_equal(byte, 0x05);
}

static void short_read_that_is_not_ok_is_answered_ok(void **state)
{
	struct frontend *frontend = *state;
	uint32_t place = plug_loopback(frontend, 2, 0);
	struct usbif_urb_request request;
	uint8_t data[8] = {0};
	uint16_t id;

	assert_int_equal(frontend_transfer(frontend, place | PIPE(BULK, 0x01), data, 8, NULL),
			 USBIF_STATUS_OK);
	id = frontend_fill(frontend, &request, place | PIPE(BULK, 0x81), 512);
	request.transfer_flags = USBIF_FLAG_SHORT_NOT_OK;
	frontend_put(frontend, &request);
	frontend_kick(frontend);
	assert_int_equal(frontend_wait(frontend, id), USBIF_STATUS_OK);
	assert_int_equal(frontend->response[id].actual_length, 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WIRE_TEST(control_data_goes_both_ways),
		WIRE_TEST(unknown_control_request_stalls),
		WIRE_TEST(control_transfer_beyond_the_limit_is_refused),
		WIRE_TEST(bulk_loop_keeps_unaligned_data),
		WIRE_TEST(a_read_waits_for_its_data),
		WIRE_TEST(interrupt_loop_returns_what_was_sent),
		WIRE_TEST(isoc_packets_keep_their_lengths),
		WIRE_TEST(isoc_packets_may_lie_in_any_order_with_gaps),
		WIRE_TEST(isoc_packet_that_babbles_is_counted),
		WIRE_TEST(typed_keys_arrive),
		WIRE_TEST(short_read_that_is_not_ok_is_answered_ok),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
