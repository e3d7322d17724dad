// SPDX-License-Identifier: MIT
#include "frontend2.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <byte_order.h>

static_assert(FRONTEND2_LIST_PAGE(XVHCIF_SLOTS_MAX - 1) < FRONTEND2_LARGE_PAGE, "memory");
static_assert(FRONTEND2_LARGE_PAGE + XVHCIF_LENGTH_MAX / XVHCIF_PAGE_SIZE < FRONTEND_PAGES,
	      "memory");

static uint8_t *page(struct frontend2 *frontend, uint32_t number)
{
	return frontend->base.memory + (size_t)number * XVHCIF_PAGE_SIZE;
}

void frontend2_spawn(struct frontend2 *frontend, uint32_t order)
{
	memset(frontend, 0, sizeof(*frontend));
	frontend_spawn(&frontend->base);
	frontend->slots = XVHCIF_SLOTS_OF_A_PAGE << order;
	front_ring_init(&frontend->requests,
			ring_page_requests(page(frontend, FRONTEND2_HEAD_PAGE),
					   page(frontend, FRONTEND2_RING_PAGE), frontend->slots));
	front_ring_init(&frontend->events, ring_page_events(page(frontend, FRONTEND2_HEAD_PAGE)));
}

struct message_connect frontend2_connect(const struct frontend2 *frontend)
{
	struct message_connect connect = {
		.transport = TRANSPORT_MEMFD,
		.domid = 7,
		.ports = FRONTEND_PORTS,
		.version = 2,
		.ring_pages = frontend->slots / XVHCIF_SLOTS_OF_A_PAGE,
		.event_ref = FRONTEND2_HEAD_PAGE,
	};
	uint32_t i;

	for (i = 0; i < connect.ring_pages; i++)
		connect.ring_ref[i] = FRONTEND2_RING_PAGE + i;
	return connect;
}

void frontend2_pool(struct frontend2 *frontend, struct message_connect *connect)
{
	uint32_t *directory = (uint32_t *)(void *)page(frontend, FRONTEND2_DIRECTORY_PAGE), i;

	for (i = 0; i < FRONTEND2_POOL_PAGES; i++)
		directory[i] = le32(FRONTEND2_LARGE_PAGE + FRONTEND2_POOL_PAGES - 1 - i);
	connect->pool_pages = FRONTEND2_POOL_PAGES;
	connect->pool_ref[0] = FRONTEND2_DIRECTORY_PAGE;
}

static uint8_t *pool_byte(struct frontend2 *frontend, uint32_t offset)
{
	uint32_t number = FRONTEND2_LARGE_PAGE + FRONTEND2_POOL_PAGES - 1;

	return page(frontend, number - offset / XVHCIF_PAGE_SIZE) + offset % XVHCIF_PAGE_SIZE;
}

void frontend2_pool_read(struct frontend2 *frontend, uint32_t offset, void *data, uint32_t length)
{
	uint8_t *bytes = data;

	for (; length > 0; length--)
		*bytes++ = *pool_byte(frontend, offset++);
}

void frontend2_pool_write(struct frontend2 *frontend, uint32_t offset, const void *data,
			  uint32_t length)
{
	const uint8_t *bytes = data;

	for (; length > 0; length--)
		*pool_byte(frontend, offset++) = *bytes++;
}

void frontend2_start(struct frontend2 *frontend, uint32_t order, struct message_connect quotas)
{
	struct message_connect connect;

	frontend2_spawn(frontend, order);
	connect = frontend2_connect(frontend);
	connect.transfers_max = quotas.transfers_max;
	connect.bytes_max = quotas.bytes_max;
	connect.control_rate = quotas.control_rate;
	frontend_connect(&frontend->base, &connect);
	frontend2_until(frontend, frontend->base.connected);
}

int frontend2_setup_unconnected(void **state)
{
	*state = calloc(1, sizeof(struct frontend2));
	return 0;
}

int frontend2_setup(void **state)
{
	struct message_connect none = {0};

	frontend2_setup_unconnected(state);
	frontend2_start(*state, XVHCIF_RING_ORDER_MAX, none);
	return 0;
}

int frontend2_teardown(void **state)
{
	struct frontend2 *frontend = *state;

	if (frontend->base.worker > 0)
		frontend_stop(&frontend->base);
	free(frontend);
	return 0;
}

static void take_responses(struct frontend2 *frontend)
{
	struct xvhcif_response response;
	int got;

	while ((got = front_ring_take(&frontend->requests, &response, sizeof(response))) > 0) {
		uint16_t id = le16(response.id);

		assert_in_range(id, 0, frontend->slots - 1);
		assert_true(frontend->busy[id]);
		assert_false(frontend->done[id]);
		assert_int_equal(response.reserved, 0);
		frontend->done[id] = true;
		frontend->response[id] = response;
	}
	assert_int_equal(got, 0);
}

static void take_events(struct frontend2 *frontend)
{
	struct xvhcif_event event;
	int got;

	while ((got = front_ring_take(&frontend->events, &event, sizeof(event))) > 0) {
		assert_in_range(event.port, 1, FRONTEND_PORTS);
		assert_in_range(event.event, 0, XVHCIF_EVENT_WAKEUP);
		frontend->told[event.port][event.event]++;
		if (event.event == XVHCIF_EVENT_CONNECT) {
			frontend->speed[event.port] = event.speed;
			frontend->device[event.port] = le64(event.device);
		} else {
			assert_int_equal(event.speed, 0);
			assert_true(event.device == 0);
		}
	}
	assert_int_equal(got, 0);
}

void frontend2_step(struct frontend2 *frontend)
{
	frontend_listen(&frontend->base, front_ring_recheck(&frontend->requests) ||
						 front_ring_recheck(&frontend->events));
	take_responses(frontend);
	take_events(frontend);
}

void frontend2_kick(struct frontend2 *frontend)
{
	bool requests = front_ring_push(&frontend->requests);
	bool events = front_ring_push(&frontend->events);

	if (requests || events)
		frontend_notify(&frontend->base);
}

void frontend2_post_events(struct frontend2 *frontend, uint32_t count)
{
	struct xvhcif_event_request request = {.id = 0};

	for (; count > 0; count--, request.id++)
		front_ring_put(&frontend->events, &request, sizeof(request));
	frontend2_kick(frontend);
}

void frontend2_plug(struct frontend2 *frontend, uint32_t port, uint32_t model, enum usb_speed speed,
		    uint64_t instance)
{
	struct message_attach attach = {
		.port = port,
		.model = model,
		.speed = speed,
		.instance = {(uint32_t)instance, (uint32_t)(instance >> 32)},
	};
	uint32_t told = frontend->told[port][XVHCIF_EVENT_CONNECT];

	frontend2_post_events(frontend, 2);
	frontend_attach_as(&frontend->base, &attach);
	frontend2_until(frontend, frontend->told[port][XVHCIF_EVENT_CONNECT] > told);
}

uint16_t frontend2_fill(struct frontend2 *frontend, struct xvhcif_request *request,
			uint8_t operation, uint8_t port)
{
	uint16_t id = 0;

	while (id < frontend->slots && frontend->busy[id])
		id++;
	assert_in_range(id, 0, frontend->slots - 1);
	frontend->busy[id] = true;
	frontend->done[id] = false;
	memset(request, 0, sizeof(*request));
	request->id = le16(id);
	request->operation = operation;
	request->port = port;
	return id;
}

uint8_t *frontend2_data(struct frontend2 *frontend, uint32_t id, uint32_t length)
{
	return page(frontend,
		    length > XVHCIF_PAGE_SIZE ? FRONTEND2_LARGE_PAGE : FRONTEND2_DATA_PAGE(id));
}

struct xvhcif_packet *frontend2_list(struct frontend2 *frontend, uint32_t id)
{
	return (struct xvhcif_packet *)(void *)page(frontend, FRONTEND2_LIST_PAGE(id));
}

struct xvhcif_segment *frontend2_indirect(struct frontend2 *frontend, uint32_t id)
{
	return (struct xvhcif_segment *)(void *)page(frontend, FRONTEND2_LIST_PAGE(id));
}

static uint16_t fill_segments(struct xvhcif_segment *segments, uint32_t first, uint32_t length)
{
	uint16_t count = 0;
	uint32_t left;

	for (left = length; left > 0; count++) {
		uint32_t bytes = left < XVHCIF_PAGE_SIZE ? left : XVHCIF_PAGE_SIZE;

		segments[count].gref = le32(first + count);
		segments[count].offset = 0;
		segments[count].length = le16((uint16_t)bytes);
		left -= bytes;
	}
	return count;
}

uint16_t frontend2_fill_submit(struct frontend2 *frontend, struct xvhcif_request *request,
			       uint32_t place, uint8_t type, uint8_t endpoint, uint32_t length)
{
	uint16_t id = frontend2_fill(frontend, request, XVHCIF_SUBMIT, (uint8_t)place);
	uint16_t segments;

	request->address = (uint8_t)(place >> 8);
	request->type = type;
	request->endpoint = endpoint;
	request->length = le32(length);
	if (length <= XVHCIF_PAGE_SIZE) {
		segments = fill_segments(request->data.segment, FRONTEND2_DATA_PAGE(id), length);
	} else {
		request->flags = XVHCIF_FLAG_INDIRECT;
		request->data.indirect = le32(FRONTEND2_LIST_PAGE(id));
		segments = fill_segments(frontend2_indirect(frontend, id), FRONTEND2_LARGE_PAGE,
					 length);
	}
	request->segments = le16(segments);
	return id;
}

void frontend2_put(struct frontend2 *frontend, const struct xvhcif_request *request)
{
	front_ring_put(&frontend->requests, request, sizeof(*request));
}

void frontend2_send(struct frontend2 *frontend, const struct xvhcif_request *request)
{
	frontend2_put(frontend, request);
	frontend2_kick(frontend);
}

uint32_t frontend2_wait(struct frontend2 *frontend, uint32_t id)
{
	assert_true(frontend->busy[id]);
	frontend2_until(frontend, frontend->done[id]);
	frontend->busy[id] = false;
	return le32(frontend->response[id].status);
}

uint32_t frontend2_run(struct frontend2 *frontend, const struct xvhcif_request *request)
{
	frontend2_send(frontend, request);
	return frontend2_wait(frontend, le16(request->id));
}

uint16_t frontend2_submit(struct frontend2 *frontend, uint32_t place, uint8_t type,
			  uint8_t endpoint, uint32_t length)
{
	struct xvhcif_request request;
	uint16_t id = frontend2_fill_submit(frontend, &request, place, type, endpoint, length);

	frontend2_send(frontend, &request);
	return id;
}

static uint32_t run_with_data(struct frontend2 *frontend, const struct xvhcif_request *request,
			      void *data, uint32_t length, uint32_t *actual)
{
	uint16_t id = le16(request->id);
	uint32_t status;

	if (length > 0)
		memcpy(frontend2_data(frontend, id, length), data, length);
	status = frontend2_run(frontend, request);
	if (length > 0)
		memcpy(data, frontend2_data(frontend, id, length), length);
	if (actual)
		*actual = le32(frontend->response[id].actual);
	return status;
}

uint32_t frontend2_transfer(struct frontend2 *frontend, uint32_t place, uint8_t type,
			    uint8_t endpoint, void *data, uint32_t length, uint32_t *actual)
{
	struct xvhcif_request request;

	frontend2_fill_submit(frontend, &request, place, type, endpoint, length);
	return run_with_data(frontend, &request, data, length, actual);
}

uint32_t frontend2_control(struct frontend2 *frontend, uint32_t place, struct setup_packet setup,
			   void *data, uint32_t *actual)
{
	struct xvhcif_request request;

	frontend2_fill_submit(frontend, &request, place, XVHCIF_TYPE_CONTROL,
			      setup.request_type & 0x80, setup.length);
	frontend_pack_setup(request.u.setup, &setup);
	return run_with_data(frontend, &request, data, setup.length, actual);
}

uint32_t frontend2_operate(struct frontend2 *frontend, uint8_t operation, uint8_t port)
{
	struct xvhcif_request request;

	frontend2_fill(frontend, &request, operation, port);
	return frontend2_run(frontend, &request);
}

uint32_t frontend2_configure(struct frontend2 *frontend, uint8_t port, uint8_t address,
			     uint8_t configuration)
{
	struct setup_packet set_address = {.request = 5, .value = address};
	struct setup_packet set_configuration = {.request = 9, .value = configuration};
	uint32_t place = place_of(port, address);

	assert_int_equal(frontend2_control(frontend, place_of(port, 0), set_address, NULL, NULL),
			 XVHCIF_STATUS_OK);
	assert_int_equal(frontend2_control(frontend, place, set_configuration, NULL, NULL),
			 XVHCIF_STATUS_OK);
	return place;
}

uint32_t frontend2_plug_loopback(struct frontend2 *frontend, uint8_t configuration,
				 uint8_t altsetting)
{
	struct setup_packet set_interface = {1, 11, altsetting, 0, 0};
	uint32_t place;

	frontend2_plug(frontend, 1, MODEL_LOOPBACK, USB_SPEED_HIGH, 1);
	place = frontend2_configure(frontend, 1, 3, configuration);
	if (altsetting)
		assert_int_equal(frontend2_control(frontend, place, set_interface, NULL, NULL),
				 XVHCIF_STATUS_OK);
	return place;
}
