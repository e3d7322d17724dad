// SPDX-License-Identifier: MIT
/* A guest's quotas: what is beyond them waits, and is not lost. */
#include "frontend.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

/* One is left for control requests. */
#define TRANSFERS (XVHC_TRANSFERS_IN_FLIGHT_MIN - 1)
#define READ_BYTES 65536u
#define READS (XVHC_WORKER_BYTES_MIN_1 / READ_BYTES)
#define CONTROL_REQUESTS 60u

static int setup_with(void **state, struct message_connect quotas)
{
	struct frontend *frontend = calloc(1, sizeof(*frontend));

	frontend_start_with(frontend, quotas);
	*state = frontend;
	return 0;
}

static int few_transfers(void **state)
{
	return setup_with(state, (struct message_connect){.transfers_max = TRANSFERS + 1});
}

static int few_bytes(void **state)
{
	return setup_with(state, (struct message_connect){.bytes_max = XVHC_WORKER_BYTES_MIN_1});
}

static int few_control_requests(void **state)
{
	return setup_with(state, (struct message_connect){.control_rate = XVHC_CONTROL_RATE_MIN});
}

/* A device whose reads wait, on port 1, and one whose reads end at once, on port 2. */
static void plug(struct frontend *frontend, uint32_t *waits, uint32_t *ends)
{
	frontend_plug(frontend, 1, MODEL_LOOPBACK, USB_SPEED_HIGH);
	frontend_plug(frontend, 2, MODEL_LOOPBACK, USB_SPEED_HIGH);
	*waits = frontend_configure(frontend, 1, 3, 2) | PIPE(BULK, 0x81);
	*ends = frontend_configure(frontend, 2, 4, 1) | PIPE(BULK, 0x81);
}

/* Has the worker take some more turns: a cancellation of nothing is answered in any case. */
static void let_it_work(struct frontend *frontend)
{
	for (int i = 0; i < 5; i++)
		assert_int_equal(frontend_wait(frontend, frontend_cancel(frontend, 3, 15)),
				 USBIF_STATUS_NODEV);
}

static void fill_and_free(struct frontend *frontend, uint32_t count, uint32_t bytes)
{
	uint16_t reads[USBIF_URB_RING_SLOTS], read, asking;
	uint32_t waits, ends, i;

	plug(frontend, &waits, &ends);
	for (i = 0; i < count; i++)
		reads[i] = frontend_submit(frontend, waits, bytes);
	read = frontend_submit(frontend, ends, bytes);
	let_it_work(frontend);
	assert_false(frontend->done[read]);
	asking = frontend_cancel(frontend, 1, reads[0]);
	assert_int_equal(frontend_wait(frontend, asking), USBIF_STATUS_OK);
	assert_int_equal(frontend_wait(frontend, reads[0]), USBIF_STATUS_IOERROR);
	assert_int_equal(frontend_wait(frontend, read), USBIF_STATUS_OK);
	assert_int_equal(frontend->response[read].actual_length, bytes);
	/* The others are still under way. */
	for (i = 1; i < count; i++)
		assert_false(frontend->done[reads[i]]);
}

static void transfer_beyond_the_quota_waits(void **state)
{
	fill_and_free(*state, TRANSFERS, 64);
}

/* Neither the transfers under way nor one that waits before it hold up a control request. */
static void control_request_passes_those_that_wait(void **state)
{
	struct setup_packet get_status = {0x80, 0, 0, 0, 2};
	struct frontend *frontend = *state;
	uint32_t waits, ends, i;
	uint8_t status[2];
	uint16_t read = 0;

	plug(frontend, &waits, &ends);
	for (i = 0; i <= TRANSFERS; i++)
		read = frontend_submit(frontend, waits, 64);
	assert_int_equal(frontend_control(frontend, pipe_place(1, 3), get_status, status, NULL),
			 USBIF_STATUS_OK);
	assert_false(frontend->done[read]);
}

static void bytes_beyond_the_quota_wait(void **state)
{
	fill_and_free(*state, READS, READ_BYTES);
}

static void waiting_transfer_can_be_cancelled(void **state)
{
	struct frontend *frontend = *state;
	uint32_t waits, ends, i;
	uint16_t read;

	plug(frontend, &waits, &ends);
	for (i = 0; i < TRANSFERS; i++)
		frontend_submit(frontend, waits, 64);
	read = frontend_submit(frontend, ends, 64);
	let_it_work(frontend);
	assert_int_equal(frontend_wait(frontend, frontend_cancel(frontend, 2, read)),
			 USBIF_STATUS_OK);
	assert_int_equal(frontend_wait(frontend, read), USBIF_STATUS_IOERROR);
}

static void unplugged_device_gives_its_share_back(void **state)
{
	struct frontend *frontend = *state;
	uint32_t waits, ends, i;
	uint16_t read;

	plug(frontend, &waits, &ends);
	for (i = 0; i < TRANSFERS; i++)
		frontend_submit(frontend, waits, 64);
	read = frontend_submit(frontend, ends, 64);
	let_it_work(frontend);
	assert_false(frontend->done[read]);
	frontend_detach(frontend, 1);
	assert_int_equal(frontend_wait(frontend, read), USBIF_STATUS_OK);
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Not before their time: there is no way to be too slow for this test. */
static void control_requests_beyond_the_rate_wait(void **state)
{
	struct setup_packet get_status = {0x80, 0, 0, 0, 2};
	struct frontend *frontend = *state;
	uint64_t before = now_ms();
	uint8_t status[2];

	frontend_plug(frontend, 1, MODEL_LOOPBACK, USB_SPEED_HIGH);
	for (uint32_t i = 0; i < CONTROL_REQUESTS; i++)
		assert_int_equal(
			frontend_control(frontend, pipe_place(1, 0), get_status, status, NULL),
			USBIF_STATUS_OK);
	/* A full bucket holds 32; the others come one in 20 ms. */
	assert_true(now_ms() - before >= (CONTROL_REQUESTS - 33) * 20);
}

/* The memory for transfers is one pool for the host, of which programs in dom0 have a part. */
static void transfer_for_which_the_host_has_no_room_waits(void **state)
{
	struct setup_packet full = {0x40, MODEL_REQUEST_FULL, 3, 0, 0};
	struct frontend *frontend = *state;
	uint32_t waits, ends;
	uint16_t read;

	plug(frontend, &waits, &ends);
	assert_int_equal(frontend_control(frontend, pipe_place(2, 4), full, NULL, NULL),
			 USBIF_STATUS_OK);
	read = frontend_submit(frontend, ends, 64);
	assert_int_equal(frontend_wait(frontend, read), USBIF_STATUS_OK);
	assert_int_equal(frontend->response[read].actual_length, 64);
}

static void transfer_that_waits_for_the_host_can_be_cancelled(void **state)
{
	struct setup_packet full = {0x40, MODEL_REQUEST_FULL, 0xffff, 0, 0};
	struct frontend *frontend = *state;
	uint32_t waits, ends;
	uint16_t read;

	plug(frontend, &waits, &ends);
	assert_int_equal(frontend_control(frontend, pipe_place(2, 4), full, NULL, NULL),
			 USBIF_STATUS_OK);
	read = frontend_submit(frontend, ends, 64);
	let_it_work(frontend);
	assert_int_equal(frontend_wait(frontend, frontend_cancel(frontend, 2, read)),
			 USBIF_STATUS_OK);
	assert_int_equal(frontend_wait(frontend, read), USBIF_STATUS_IOERROR);
	frontend_detach(frontend, 2);
	frontend_until(frontend, frontend->detached[2] == 1);
}

static void share_too_small_is_refused(void **state)
{
	struct frontend *frontend = calloc(1, sizeof(*frontend));
	struct message_connect connect = {
		.transport = TRANSPORT_MEMFD,
		.ports = 1,
		.version = 1,
		.ring_pages = 1,
		.ring_ref = {FRONTEND_URB_PAGE},
		.event_ref = FRONTEND_CONN_PAGE,
		.bytes_max = XVHC_WORKER_BYTES_MIN_1 - 1,
	};

	(void)state;
	frontend_spawn(frontend);
	frontend_connect(frontend, &connect);
	frontend_expect_failure(frontend);
	free(frontend);
}

#define TEST(name, setup) cmocka_unit_test_setup_teardown(name, setup, frontend_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(transfer_beyond_the_quota_waits, few_transfers),
		TEST(control_request_passes_those_that_wait, few_transfers),
		TEST(waiting_transfer_can_be_cancelled, few_transfers),
		TEST(unplugged_device_gives_its_share_back, few_transfers),
		TEST(bytes_beyond_the_quota_wait, few_bytes),
		TEST(control_requests_beyond_the_rate_wait, few_control_requests),
		TEST(transfer_for_which_the_host_has_no_room_waits, few_bytes),
		TEST(transfer_that_waits_for_the_host_can_be_cancelled, few_bytes),
		cmocka_unit_test(share_too_small_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
