// SPDX-License-Identifier: MIT
/*
 * The pages of a ring that the backend has mapped must not be used for anything else. A backend
 * that ends a connection unmaps them at some time; so there are several pairs, and a new connection
 * takes one whose grants can be taken back.
 *
 * Data pages are granted once. A backend that went away leaves nothing of itself on them.
 */
#include "link.h"

#include <error.h>
#include <string.h>
#include <usbif_response.h>

#include "console.h"
#include "store.h"

#define RING_PAIRS 8u
#define EVENT_REQUESTS 64u
#define EXCHANGE_NS (10000 * MS)
#define STATE_CHECK_NS (50 * MS)

static struct {
	_Alignas(PAGE_BYTES) uint8_t page[2][PAGE_BYTES];
	uint32_t reference[2]; /* 0: not granted */
} pairs[RING_PAIRS];

_Alignas(PAGE_BYTES) uint8_t link_data[LINK_DATA_PAGES][PAGE_BYTES];

static void path_of(char *path, const char *directory, const char *name)
{
	format(path, 2 * LINK_PATH_MAX, "%s/%s", directory, name);
}

static uint32_t read_number(const char *directory, const char *name)
{
	char path[2 * LINK_PATH_MAX];

	path_of(path, directory, name);
	return store_read_number(path);
}

bool link_find(struct link *link, uint64_t until_ns)
{
	char name[STORE_VALUE_MAX], value[STORE_VALUE_MAX], path[2 * LINK_PATH_MAX];
	uint32_t i;

	memset(link, 0, sizeof(*link));
	for (;;) {
		if (store_first("device/vusb", name)) {
			format(link->frontend, sizeof(link->frontend), "device/vusb/%s", name);
			path_of(path, link->frontend, "backend");
			if (store_read(path, value))
				break;
		}
		if (now_ns() >= until_ns)
			return false;
		wait_until(now_ns() + 20 * MS);
	}
	format(link->backend, sizeof(link->backend), "%s", value);
	link->domain = (uint16_t)read_number(link->frontend, "backend-id");
	for (i = 0; i < LINK_DATA_PAGES; i++)
		link->data_reference[i] = grant_page(link->domain, link_data[i], true);
	return true;
}

uint32_t link_backend_state(const struct link *link)
{
	return read_number(link->backend, "state");
}

bool link_is_open(const struct link *link)
{
	return link_backend_state(link) == STATE_CONNECTED;
}

void link_set_state(const struct link *link, enum link_state state)
{
	char path[2 * LINK_PATH_MAX];

	path_of(path, link->frontend, "state");
	store_write_number(0, path, state);
}

static bool wait_backend(const struct link *link, enum link_state wanted, uint64_t until_ns)
{
	uint32_t state;

	for (;;) {
		state = link_backend_state(link);
		if (state == wanted)
			return true;
		if (wanted >= STATE_CLOSING &&
		    (state == STATE_CLOSED || state == STORE_NOT_A_NUMBER))
			return true;
		if (now_ns() >= until_ns)
			return false;
		wait_until(now_ns() + 5 * MS);
	}
}

/* Takes both grants of a pair back, as far as that goes. */
static bool pair_is_free(uint32_t pair)
{
	uint32_t i;

	for (i = 0; i < 2; i++) {
		if (pairs[pair].reference[i] != 0 && !grant_end(pairs[pair].reference[i]))
			return false;
		pairs[pair].reference[i] = 0;
	}
	return true;
}

bool link_prepare(struct link *link)
{
	uint32_t pair = 0, i;

	while (pair < RING_PAIRS && !pair_is_free(pair))
		pair++;
	if (pair == RING_PAIRS)
		return false;
	memset(pairs[pair].page, 0, sizeof(pairs[pair].page));
	for (i = 0; i < 2; i++) {
		pairs[pair].reference[i] = grant_page(link->domain, pairs[pair].page[i], true);
		link->ring_reference[i] = pairs[pair].reference[i];
	}
	front_ring_init(&link->urb,
			ring_page_usbif(pairs[pair].page[0], sizeof(union usbif_urb_slot),
					USBIF_URB_RING_SLOTS));
	front_ring_init(&link->conn,
			ring_page_usbif(pairs[pair].page[1], sizeof(union usbif_conn_slot),
					USBIF_CONN_RING_SLOTS));
	memset(link->speed, 0, sizeof(link->speed));
	link->event = event_alloc(link->domain);
	return link->event != 0;
}

void link_offer(const struct link *link, uint32_t urb, uint32_t conn, uint32_t event,
		enum link_state state)
{
	const struct {
		const char *name;
		uint32_t value;
	} nodes[] = {
		{"urb-ring-ref", urb},    {"conn-ring-ref", conn}, {"event-channel", event},
		{"feature-reconnect", 1}, {"state", state},
	};
	char path[2 * LINK_PATH_MAX];
	uint32_t transaction, i;

	do {
		transaction = store_begin();
		path_of(path, link->frontend, "protocol");
		store_write(transaction, path, "x86_64-abi");
		for (i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++) {
			path_of(path, link->frontend, nodes[i].name);
			store_write_number(transaction, path, nodes[i].value);
		}
	} while (!store_commit(transaction));
}

/* Leaves the backend room for events. */
static void post_events(struct link *link, uint32_t count)
{
	struct usbif_conn_request request = {.id = 0};

	for (; count > 0; count--)
		front_ring_put(&link->conn, &request, sizeof(request));
	if (front_ring_push(&link->conn))
		event_send(link->event);
}

bool link_open(struct link *link, uint64_t until_ns)
{
	link_set_state(link, STATE_INITIALISING);
	if (!wait_backend(link, STATE_INIT_WAIT, until_ns) || !link_prepare(link))
		return false;
	link->ports = (uint8_t)read_number(link->backend, "num-ports");
	if (link->ports == 0 || link->ports > USBIF_PORT_MAX)
		die("the backend has no usable num-ports");
	link_offer(link, link->ring_reference[0], link->ring_reference[1], link->event,
		   STATE_INITIALISED);
	if (!wait_backend(link, STATE_CONNECTED, until_ns)) {
		link_abandon(link);
		return false;
	}
	link_set_state(link, STATE_CONNECTED);
	post_events(link, EVENT_REQUESTS);
	return true;
}

void link_abandon(struct link *link)
{
	link_set_state(link, STATE_CLOSED);
	event_close(link->event);
	link->event = 0;
}

void link_close(struct link *link, uint64_t until_ns)
{
	link_set_state(link, STATE_CLOSING);
	wait_backend(link, STATE_CLOSING, until_ns);
	link_abandon(link);
	wait_backend(link, STATE_CLOSED, until_ns);
}

void link_take_events(struct link *link)
{
	struct usbif_conn_response event;
	int got;

	while ((got = front_ring_take(&link->conn, &event, sizeof(event))) > 0) {
		if (usbif_event_check(&event, link->ports, USBIF_SPEED_HIGH) != XVHC_OK)
			die("a port event cannot be true");
		link->speed[event.portnum] = event.speed;
		post_events(link, 1);
	}
	if (got < 0)
		die("the connection ring's index cannot be true");
}

uint8_t link_next_device(const struct link *link, uint8_t port)
{
	while (++port <= link->ports)
		if (link->speed[port] != USBIF_SPEED_NONE)
			return port;
	return 0;
}

bool link_wait_devices(struct link *link, uint32_t count, uint64_t until_ns)
{
	uint32_t there;
	uint8_t port;

	for (;;) {
		link_take_events(link);
		there = 0;
		for (port = 0; (port = link_next_device(link, port)) != 0;)
			there++;
		if (there >= count)
			return true;
		if (now_ns() >= until_ns)
			return false;
		if (!front_ring_recheck(&link->conn))
			event_wait(link->event, until_ns);
	}
}

void link_put(struct link *link, const struct usbif_urb_request *request)
{
	front_ring_put(&link->urb, request, sizeof(*request));
	if (front_ring_push(&link->urb))
		event_send(link->event);
}

void link_set_data(const struct link *link, struct usbif_urb_request *request, uint32_t page,
		   uint32_t length)
{
	request->buffer_length = (uint16_t)length;
	request->nr_buffer_segs = 0;
	while (length > 0) {
		struct usbif_segment *segment = &request->seg[request->nr_buffer_segs++];

		segment->gref = link->data_reference[page++];
		segment->offset = 0;
		segment->length = (uint16_t)(length < PAGE_BYTES ? length : PAGE_BYTES);
		length -= segment->length;
	}
}

int link_exchange(struct link *link, const struct usbif_urb_request *request)
{
	uint64_t until_ns = now_ns() + EXCHANGE_NS;
	struct usbif_urb_response response;
	int got;

	link_put(link, request);
	while ((got = front_ring_take(&link->urb, &response, sizeof(response))) == 0) {
		if (now_ns() >= until_ns || !link_is_open(link))
			return LINK_LOST;
		if (!front_ring_recheck(&link->urb))
			event_wait(link->event, now_ns() + STATE_CHECK_NS);
	}
	if (got < 0 || response.id != request->id ||
	    usbif_response_check(&response, request->buffer_length) != XVHC_OK)
		return LINK_WRONG;
	return response.status == USBIF_STATUS_OK ? response.actual_length : response.status;
}
