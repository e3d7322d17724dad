// SPDX-License-Identifier: MIT
/*
 * The pages of a ring that the backend has mapped must not be used for anything else. A backend
 * that ends a connection unmaps them at some time; so there are several sets, and a new connection
 * takes one whose grants can be taken back.
 *
 * Data pages are granted once. A backend that went away leaves nothing of itself on them.
 */
#include "link.h"

#include <error.h>
#include <string.h>

#include "console.h"
#include "link_usbif.h"
#include "link_xvhcif.h"
#include "store.h"

#define RING_SETS 8u
#define EVENT_REQUESTS 64u
#define EXCHANGE_NS (10000 * MS)
#define STATE_CHECK_NS (50 * MS)

static struct {
	_Alignas(PAGE_BYTES) uint8_t page[LINK_RING_PAGES_MAX][PAGE_BYTES];
	uint32_t reference[LINK_RING_PAGES_MAX]; /* 0: not granted */
} sets[RING_SETS];

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

bool link_find(struct link *link, uint32_t version_max, uint64_t until_ns)
{
	char name[STORE_VALUE_MAX], value[STORE_VALUE_MAX], path[2 * LINK_PATH_MAX];
	uint32_t i;

	memset(link, 0, sizeof(*link));
	link->version_max = version_max;
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

uint32_t link_read_backend(const struct link *link, const char *name)
{
	return read_number(link->backend, name);
}

uint32_t link_backend_state(const struct link *link)
{
	return link_read_backend(link, "state");
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

/* Takes the grants of a set back, as far as that goes. */
static bool set_is_free(uint32_t set)
{
	uint32_t i;

	for (i = 0; i < LINK_RING_PAGES_MAX; i++) {
		if (sets[set].reference[i] != 0 && !grant_end(sets[set].reference[i]))
			return false;
		sets[set].reference[i] = 0;
	}
	return true;
}

bool link_prepare(struct link *link)
{
	uint32_t set = 0, i;

	while (set < RING_SETS && !set_is_free(set))
		set++;
	if (set == RING_SETS)
		return false;
	memset(sets[set].page, 0, sizeof(sets[set].page));
	for (i = 0; i < link->ring_pages; i++) {
		sets[set].reference[i] = grant_page(link->domain, sets[set].page[i], true);
		link->ring_reference[i] = sets[set].reference[i];
	}
	link->wire->lay_rings(link, sets[set].page);
	memset(link->speed, 0, sizeof(link->speed));
	link->event = event_alloc(link->domain);
	return link->event != 0;
}

void link_write_nodes(const struct link *link, const struct link_node *nodes, uint32_t count)
{
	char path[2 * LINK_PATH_MAX];
	uint32_t transaction, i;

	do {
		transaction = store_begin();
		for (i = 0; i < count; i++) {
			path_of(path, link->frontend, nodes[i].name);
			if (nodes[i].text)
				store_write(transaction, path, nodes[i].text);
			else
				store_write_number(transaction, path, nodes[i].number);
		}
	} while (!store_commit(transaction));
}

/* Leaves the backend room for events. A request for one has nothing but its id, on either wire. */
static void post_events(struct link *link, uint32_t count)
{
	const uint16_t request = 0;

	for (; count > 0; count--)
		front_ring_put(&link->events, &request, sizeof(request));
	if (front_ring_push(&link->events))
		event_send(link->event);
}

/* The highest version that both ends speak. */
static void choose_wire(struct link *link)
{
	static const struct link_wire *const wires[] = {&link_wire_xvhcif, &link_wire_usbif};
	uint32_t i;

	link->ring_pages = 0;
	for (i = 0; i < 2 && link->ring_pages == 0; i++) {
		link->wire = wires[i];
		if (link->wire->version <= link->version_max)
			link->ring_pages = link->wire->ring_pages(link);
	}
}

bool link_open(struct link *link, uint64_t until_ns)
{
	link_set_state(link, STATE_INITIALISING);
	if (!wait_backend(link, STATE_INIT_WAIT, until_ns))
		return false;
	choose_wire(link);
	if (!link_prepare(link))
		return false;
	link->ports = (uint8_t)link_read_backend(link, "num-ports");
	if (link->ports == 0 || link->ports > USBIF_PORT_MAX)
		die("the backend has no usable num-ports");
	link->wire->offer(link);
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
	if (link->wire->withdraw)
		link->wire->withdraw(link);
}

void link_take_events(struct link *link)
{
	int got;

	while ((got = link->wire->take_event(link)) > 0)
		post_events(link, 1);
	if (got < 0)
		die("a port event, or the index of their ring, cannot be true");
}

uint8_t link_next_device(const struct link *link, uint8_t port)
{
	while (++port <= link->ports)
		if (link->speed[port] != 0)
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
		if (!front_ring_recheck(&link->events))
			event_wait(link->event, until_ns);
	}
}

void link_put(struct link *link, const void *slot, uint32_t size)
{
	front_ring_put(&link->requests, slot, size);
	if (front_ring_push(&link->requests))
		event_send(link->event);
}

int link_exchange_slots(struct link *link, const void *request, uint32_t request_size,
			void *response, uint32_t response_size)
{
	uint64_t until_ns = now_ns() + EXCHANGE_NS;
	int got;

	link_put(link, request, request_size);
	while ((got = front_ring_take(&link->requests, response, response_size)) == 0) {
		if (now_ns() >= until_ns || !link_is_open(link))
			return LINK_LOST;
		if (!front_ring_recheck(&link->requests))
			event_wait(link->event, now_ns() + STATE_CHECK_NS);
	}
	return got < 0 ? LINK_WRONG : 0;
}

int link_reset(struct link *link, uint8_t port)
{
	return link->wire->reset(link, port);
}

int link_exchange(struct link *link, const struct link_request *request)
{
	return link->wire->exchange(link, request);
}
