// SPDX-License-Identifier: MIT
/* What a worker counts, to the unit: in the page that it was given with CONNECT. */
#include "frontend2.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include <byte_order.h>

#define ISOC XVHCIF_TYPE_ISOC
#define BULK XVHCIF_TYPE_BULK
#define INTERRUPT XVHCIF_TYPE_INTERRUPT
#define OUT 0
#define IN 1

static struct counters_port port_now(const struct frontend2 *frontend)
{
	return frontend_counters(&frontend->base).port[0];
}

/* Fails where a figure of port 1 other than those of wanted has changed since before. */
static void assert_more(const struct frontend2 *frontend, const struct counters_port *before,
			struct counters_sums wanted)
{
	struct counters_port now = port_now(frontend);
	const uint64_t *is = &now.sums.transfers[0][0], *was = &before->sums.transfers[0][0];
	const uint64_t *more = &wanted.transfers[0][0];
	size_t i;

	for (i = 0; i < COUNTERS_SUMS_WORDS; i++) {
		if (is[i] - was[i] != more[i])
			fail_msg("word %zu: %llu more, and not %llu", i,
				 (unsigned long long)(is[i] - was[i]), (unsigned long long)more[i]);
	}
	assert_int_equal(now.in_flight, before->in_flight);
}

static uint32_t vendor(struct frontend2 *frontend, uint32_t place, uint8_t request, uint16_t value)
{
	struct setup_packet setup = {0x40, request, value, 0, 0};

	return frontend2_control(frontend, place, setup, NULL, NULL);
}

static void each_type_and_direction_is_counted(void **state)
{
	struct setup_packet write = {0x40, MODEL_REQUEST_WRITE, 0, 0, 1000};
	struct setup_packet read = {0xc0, MODEL_REQUEST_READ, 0, 0, 4096};
	struct frontend2 *frontend = *state;
	uint32_t place = frontend2_plug_loopback(frontend, 1, 1);
	struct counters_port before = port_now(frontend);
	uint8_t data[4096] = {0};

	assert_int_equal(frontend2_control(frontend, place, write, data, NULL), 0);
	assert_int_equal(frontend2_control(frontend, place, read, data, NULL), 0);
	assert_int_equal(frontend2_transfer(frontend, place, BULK, 0x01, data, 700, NULL), 0);
	assert_int_equal(frontend2_transfer(frontend, place, BULK, 0x01, data, 300, NULL), 0);
	assert_int_equal(frontend2_transfer(frontend, place, BULK, 0x81, data, 512, NULL), 0);
	assert_int_equal(frontend2_transfer(frontend, place, INTERRUPT, 0x03, data, 20, NULL), 0);
	assert_int_equal(frontend2_transfer(frontend, place, INTERRUPT, 0x83, data, 64, NULL), 0);
	assert_more(frontend, &before,
		    (struct counters_sums){
			    .transfers = {{1, 1}, {0, 0}, {2, 1}, {1, 1}},
			    .bytes = {{1000, 1000}, {0, 0}, {1000, 512}, {20, 20}},
		    });
}

static void an_isochronous_packet_that_fails_is_counted(void **state)
{
	static const uint32_t out[][2] = {{0, 100}, {100, 100}}, in[][2] = {{0, 50}, {50, 100}};
	struct frontend2 *frontend = *state;
	uint32_t place = frontend2_plug_loopback(frontend, 1, 1), i, n;
	struct counters_port before = port_now(frontend);
	struct xvhcif_request request;
	uint16_t id;

	for (n = 0; n < 2; n++) {
		id = frontend2_fill_submit(frontend, &request, place, ISOC, n ? 0x82 : 0x02,
					   n ? 150 : 200);
		for (i = 0; i < 2; i++) {
			frontend2_list(frontend, id)[i].offset = le32(n ? in[i][0] : out[i][0]);
			frontend2_list(frontend, id)[i].length = le32(n ? in[i][1] : out[i][1]);
		}
		request.packets = le16(2);
		request.u.isoc.interval = le16(8);
		request.u.isoc.packet_list = le32(FRONTEND2_LIST_PAGE(id));
		assert_int_equal(frontend2_run(frontend, &request), 0);
	}
	/* The first packet to the host has 100 bytes, and room for 50: it babbles. */
	assert_more(frontend, &before,
		    (struct counters_sums){
			    .transfers = {{0, 0}, {1, 1}},
			    .bytes = {{0, 0}, {200, port_now(frontend).sums.bytes[ISOC][IN]}},
			    .packets = 4,
			    .packets_lost = 1,
		    });
	assert_in_range(port_now(frontend).sums.bytes[ISOC][IN], 100, 150);
}

static void a_stall_is_an_error(void **state)
{
	struct setup_packet unknown = {0xc0, 0x77, 0, 0, 4};
	struct frontend2 *frontend = *state;
	uint32_t place = frontend2_plug_loopback(frontend, 1, 0);
	struct counters_port before = port_now(frontend);
	uint8_t data[4];

	assert_int_equal(frontend2_control(frontend, place, unknown, data, NULL),
			 XVHCIF_STATUS_STALL);
	assert_more(frontend, &before,
		    (struct counters_sums){.transfers = {{0, 1}}, .errors[COUNTERS_STALL] = 1});
}

static void a_cancelled_read_is_in_flight_until_then(void **state)
{
	struct frontend2 *frontend = *state;
	uint32_t place = frontend2_plug_loopback(frontend, 2, 0);
	struct counters_port before = port_now(frontend);
	struct xvhcif_request request;
	uint16_t read = frontend2_submit(frontend, place, BULK, 0x81, 64), cancel;

	cancel = frontend2_fill(frontend, &request, XVHCIF_CANCEL, 1);
	request.u.cancel.id = le16(250);
	frontend2_send(frontend, &request);
	assert_int_equal(frontend2_wait(frontend, cancel), XVHCIF_STATUS_NO_DEVICE);
	assert_int_equal(port_now(frontend).in_flight, 1);
	cancel = frontend2_fill(frontend, &request, XVHCIF_CANCEL, 1);
	request.u.cancel.id = le16(read);
	frontend2_send(frontend, &request);
	assert_int_equal(frontend2_wait(frontend, cancel), 0);
	assert_int_equal(frontend2_wait(frontend, read), XVHCIF_STATUS_CANCELLED);
	assert_more(
		frontend, &before,
		(struct counters_sums){.transfers[BULK][IN] = 1, .errors[COUNTERS_CANCELLED] = 1});
}

static void what_vetting_refuses_is_no_transfer(void **state)
{
	struct frontend2 *frontend = *state;
	uint32_t place = frontend2_plug_loopback(frontend, 1, 0);
	struct counters_port before = port_now(frontend);
	uint64_t refused = frontend_counters(&frontend->base).connection.refused;
	uint8_t data[4];

	assert_int_equal(frontend2_transfer(frontend, place, BULK, 0x85, data, 4, NULL),
			 XVHCIF_STATUS_INVALID);
	assert_more(frontend, &before, (struct counters_sums){.refused = 1});
	assert_int_equal(frontend_counters(&frontend->base).connection.refused, refused + 1);
}

static void what_the_worker_answers_is_no_transfer(void **state)
{
	struct setup_packet get_device = {0x80, 6, 0x0100, 0, 18};
	struct frontend2 *frontend = *state;
	uint32_t place = frontend2_plug_loopback(frontend, 1, 0);
	struct counters_port before = port_now(frontend);
	uint8_t data[18];

	assert_int_equal(frontend2_control(frontend, place, get_device, data, NULL), 0);
	assert_more(frontend, &before, (struct counters_sums){0});
}

static void a_reset_that_the_device_did_is_counted(void **state)
{
	struct frontend2 *frontend = *state;
	uint32_t place = frontend2_plug_loopback(frontend, 1, 0);
	struct counters_port before = port_now(frontend);

	assert_int_equal(vendor(frontend, place, MODEL_REQUEST_FAIL, 0), 0);
	assert_int_equal(frontend2_operate(frontend, XVHCIF_PORT_RESET, 1),
			 XVHCIF_STATUS_BUS_ERROR);
	assert_int_equal(frontend2_operate(frontend, XVHCIF_PORT_RESET, 1), 0);
	/* It is as a reset left it: the device is not bothered again. */
	assert_int_equal(frontend2_operate(frontend, XVHCIF_PORT_RESET, 1), 0);
	assert_more(frontend, &before,
		    (struct counters_sums){
			    .transfers = {{1, 0}}, .errors[COUNTERS_IO] = 1, .resets = 1});
}

static void a_device_that_goes_takes_its_transfers_along(void **state)
{
	struct frontend2 *frontend = *state;
	uint32_t place = frontend2_plug_loopback(frontend, 2, 0);
	struct counters_port before = port_now(frontend);
	uint16_t read = frontend2_submit(frontend, place, BULK, 0x81, 64);

	assert_int_equal(vendor(frontend, place, MODEL_REQUEST_VANISH, 0), XVHCIF_STATUS_NO_DEVICE);
	assert_int_equal(frontend2_wait(frontend, read), XVHCIF_STATUS_NO_DEVICE);
	assert_more(frontend, &before,
		    (struct counters_sums){.transfers = {{1, 0}, {0, 0}, {0, 1}},
					   .errors[COUNTERS_GONE] = 2});
}

static void waiting_for_the_host_is_counted(void **state)
{
	struct frontend2 *frontend = *state;
	uint32_t place = frontend2_plug_loopback(frontend, 1, 0);
	struct counters_port before = port_now(frontend);
	uint8_t data[64];

	assert_int_equal(vendor(frontend, place, MODEL_REQUEST_FULL, 3), 0);
	assert_int_equal(frontend2_transfer(frontend, place, BULK, 0x81, data, 64, NULL), 0);
	assert_more(frontend, &before,
		    (struct counters_sums){.transfers = {{1, 0}, {0, 0}, {0, 1}},
					   .bytes[BULK][IN] = 64,
					   .host_full = 3});
}

static void ports_are_counted_apart(void **state)
{
	struct frontend2 *frontend = *state;
	struct counters counters;
	uint8_t data[64];
	uint32_t place;

	(void)frontend2_plug_loopback(frontend, 1, 0);
	frontend2_plug(frontend, 2, MODEL_LOOPBACK, USB_SPEED_HIGH, 2);
	place = frontend2_configure(frontend, 2, 4, 1);
	assert_int_equal(frontend2_transfer(frontend, place, BULK, 0x81, data, 64, NULL), 0);
	counters = frontend_counters(&frontend->base);
	assert_int_equal(counters.port[0].sums.transfers[BULK][IN], 0);
	assert_int_equal(counters.port[1].sums.transfers[BULK][IN], 1);
	assert_int_equal(counters.port[1].sums.bytes[BULK][IN], 64);
}

static void requests_and_notifications_are_counted(void **state)
{
	struct frontend2 *frontend = *state;
	uint32_t place = frontend2_plug_loopback(frontend, 1, 0), i;
	struct counters before = frontend_counters(&frontend->base), now;
	uint8_t data[64];

	for (i = 0; i < 5; i++)
		assert_int_equal(frontend2_transfer(frontend, place, BULK, 0x81, data, 64, NULL),
				 0);
	now = frontend_counters(&frontend->base);
	assert_int_equal(now.connection.requests - before.connection.requests, 5);
	/* Data by grants, one copy each; what is not published yet may not be counted, either. */
	assert_int_equal(now.connection.copies - before.connection.copies, 5);
	assert_int_equal(now.connection.pooled, before.connection.pooled);
	assert_in_range(now.connection.woken - before.connection.woken, 1, 10);
	assert_true(now.connection.rounds > before.connection.rounds);
}

/* A page that is too small, or none where one was promised: the worker does not begin. */
static void connect_without_page(struct frontend2 *frontend, uint32_t promised, off_t size)
{
	struct message message = {.type = MESSAGE_CONNECT};
	struct message_fds fds = {.count = 3};

	frontend2_spawn(frontend, 0);
	message.u.connect = frontend2_connect(frontend);
	message.u.connect.counters = promised;
	fds.fd[0] = frontend->base.memfd;
	fds.fd[1] = frontend->base.to_worker;
	fds.fd[2] = frontend->base.from_worker;
	if (size > 0) {
		assert_return_code(ftruncate(frontend->base.counters, size), errno);
		fds.fd[fds.count++] = frontend->base.counters;
	}
	assert_int_equal(message_send(frontend->base.broker, &message, &fds), 0);
}

static void a_page_that_is_wrong_is_refused(void **state)
{
	struct frontend2 *frontend = *state;

	connect_without_page(frontend, 1, 4096);
	frontend_expect_failure(&frontend->base);
	connect_without_page(frontend, 2, (off_t)COUNTERS_BYTES);
	frontend_expect_failure(&frontend->base);
	connect_without_page(frontend, 1, 0); /* the last descriptor is another one */
	frontend_expect_failure(&frontend->base);
}

static void a_worker_without_a_page_serves(void **state)
{
	struct frontend2 *frontend = *state;
	uint32_t place;
	uint8_t data[64];

	connect_without_page(frontend, 0, 0);
	frontend_until(&frontend->base, frontend->base.connected);
	place = frontend2_plug_loopback(frontend, 1, 0);
	assert_int_equal(frontend2_transfer(frontend, place, BULK, 0x81, data, 64, NULL), 0);
	frontend_stop(&frontend->base);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WIRE2_TEST(each_type_and_direction_is_counted),
		WIRE2_TEST(an_isochronous_packet_that_fails_is_counted),
		WIRE2_TEST(a_stall_is_an_error),
		WIRE2_TEST(a_cancelled_read_is_in_flight_until_then),
		WIRE2_TEST(what_vetting_refuses_is_no_transfer),
		WIRE2_TEST(what_the_worker_answers_is_no_transfer),
		WIRE2_TEST(a_reset_that_the_device_did_is_counted),
		WIRE2_TEST(a_device_that_goes_takes_its_transfers_along),
		WIRE2_TEST(waiting_for_the_host_is_counted),
		WIRE2_TEST(ports_are_counted_apart),
		WIRE2_TEST(requests_and_notifications_are_counted),
		WIRE2_UNCONNECTED_TEST(a_page_that_is_wrong_is_refused),
		WIRE2_UNCONNECTED_TEST(a_worker_without_a_page_serves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
