// SPDX-License-Identifier: MIT
/*
 * Pages of the memory, by number:
 *
 *   1        version 1: the URB ring       version 2: the head page
 *   2        version 1: the event ring     version 2: the first of the request ring
 *   8        the first of the pool's directory
 *   16       the first of data, and the first of the pool
 *   4112     indirect segments, one page for each identifier
 */
#include "guest.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <byte_order.h>

#include "bench.h"

#define HEAD_PAGE 1u
#define RING_PAGE 2u
#define DIRECTORY_PAGE 8u
#define DATA_PAGE 16u
#define DATA_PAGES XVHC_POOL_PAGES_MAX
#define INDIRECT_PAGE (DATA_PAGE + DATA_PAGES)
#define PAGES (INDIRECT_PAGE + GUEST_IDS_MAX)
#define MEMORY_BYTES ((size_t)PAGES * XVHCIF_PAGE_SIZE)

#define ADDRESS 1u
#define ENDPOINT 0x81u

/* The identifier of requests that set up a device. */
#define SETUP_ID 0u

#define WAIT_MS 60000

struct guest_plan guest_plan_read(int argc, char **argv)
{
	struct guest_plan plan = {
		.version = (uint32_t)bench_option(argc, argv, "wire", 2),
		.length = (uint32_t)bench_option(argc, argv, "length", 0),
		.depth = (uint32_t)bench_option(argc, argv, "depth", 0),
		.ports = (uint32_t)bench_option(argc, argv, "ports", 1),
		.in_pool = bench_option(argc, argv, "pool", 0) != 0,
		.quotas = bench_option(argc, argv, "quotas", 0) != 0,
	};

	return plan;
}

static uint8_t *page(struct guest *guest, uint32_t number)
{
	return guest->memory + (size_t)number * XVHCIF_PAGE_SIZE;
}

/* The first page of an identifier's data. With more of them than fit, they share it. */
static uint32_t data_page(const struct guest *guest, uint32_t id)
{
	uint32_t pages = (guest->plan.length + XVHCIF_PAGE_SIZE - 1) / XVHCIF_PAGE_SIZE;

	return pages == 0 ? 0 : id % (DATA_PAGES / pages) * pages;
}

static void fill_usbif(struct guest *guest, uint32_t id)
{
	struct usbif_urb_request *request = &guest->request[id].usbif;
	uint32_t port = 1 + id % guest->plan.ports, at, left = guest->plan.length;

	request->id = (uint16_t)id;
	request->pipe = port | USBIF_PIPE_IN | ADDRESS << USBIF_PIPE_ADDRESS_SHIFT |
			(ENDPOINT & 15) << USBIF_PIPE_ENDPOINT_SHIFT |
			USBIF_PIPE_TYPE_BULK << USBIF_PIPE_TYPE_SHIFT;
	request->buffer_length = (uint16_t)guest->plan.length;
	for (at = 0; left > 0; at++) {
		uint32_t bytes = left < USBIF_PAGE_SIZE ? left : USBIF_PAGE_SIZE;

		request->seg[at].gref = DATA_PAGE + data_page(guest, id) + at;
		request->seg[at].length = (uint16_t)bytes;
		left -= bytes;
	}
	request->nr_buffer_segs = (uint16_t)at;
}

static uint16_t fill_segments(struct guest *guest, uint32_t id, struct xvhcif_segment *segments)
{
	uint32_t at, left = guest->plan.length;

	for (at = 0; left > 0; at++) {
		uint32_t bytes = left < XVHCIF_PAGE_SIZE ? left : XVHCIF_PAGE_SIZE;

		segments[at].gref = le32(DATA_PAGE + data_page(guest, id) + at);
		segments[at].length = le16((uint16_t)bytes);
		left -= bytes;
	}
	return (uint16_t)at;
}

static void fill_xvhcif(struct guest *guest, uint32_t id)
{
	struct xvhcif_request *request = &guest->request[id].xvhcif;
	struct xvhcif_segment *segments = request->data.segment;

	request->id = le16((uint16_t)id);
	request->operation = XVHCIF_SUBMIT;
	request->port = (uint8_t)(1 + id % guest->plan.ports);
	request->address = ADDRESS;
	request->endpoint = ENDPOINT;
	request->type = XVHCIF_TYPE_BULK;
	request->length = le32(guest->plan.length);
	if (guest->plan.in_pool) {
		request->flags = XVHCIF_FLAG_POOL;
		request->data.pool = le32(data_page(guest, id) * XVHCIF_PAGE_SIZE);
		return;
	}
	if (guest->plan.length > XVHCIF_SEGMENTS_DIRECT * XVHCIF_PAGE_SIZE) {
		request->flags = XVHCIF_FLAG_INDIRECT;
		request->data.indirect = le32(INDIRECT_PAGE + id);
		segments = (struct xvhcif_segment *)(void *)page(guest, INDIRECT_PAGE + id);
	}
	request->segments = le16(fill_segments(guest, id, segments));
}

static void make_rings(struct guest *guest)
{
	if (guest->plan.version == 1) {
		guest->slots = USBIF_URB_RING_SLOTS;
		front_ring_init(&guest->requests,
				ring_page_usbif(page(guest, HEAD_PAGE),
						sizeof(union usbif_urb_slot), guest->slots));
		front_ring_init(&guest->events, ring_page_usbif(page(guest, RING_PAGE),
								sizeof(union usbif_conn_slot),
								USBIF_CONN_RING_SLOTS));
		return;
	}
	guest->slots = XVHCIF_SLOTS_MAX;
	front_ring_init(&guest->requests, ring_page_requests(page(guest, HEAD_PAGE),
							     page(guest, RING_PAGE), guest->slots));
	front_ring_init(&guest->events, ring_page_events(page(guest, HEAD_PAGE)));
}

static void make_requests(struct guest *guest)
{
	uint32_t id;

	if (guest->plan.depth == 0 || guest->plan.depth > guest->slots)
		guest->plan.depth = guest->slots;
	for (id = 0; id < guest->plan.depth; id++) {
		if (guest->plan.version == 1)
			fill_usbif(guest, id);
		else
			fill_xvhcif(guest, id);
		guest->free[guest->free_count++] = (uint16_t)id;
	}
}

static void make_memory(struct guest *guest)
{
	guest->memfd = memfd_create("guest", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	bench_must(guest->memfd >= 0 && ftruncate(guest->memfd, (off_t)MEMORY_BYTES) == 0 &&
			   fcntl(guest->memfd, F_ADD_SEALS, F_SEAL_SHRINK) == 0,
		   "a guest has memory");
	guest->memory =
		mmap(NULL, MEMORY_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, guest->memfd, 0);
	bench_must(guest->memory != MAP_FAILED, "a guest's memory is mapped");
	guest->to_worker = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	guest->from_worker = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	bench_must(guest->to_worker >= 0 && guest->from_worker >= 0, "a guest has its channels");
}

/* The pool lies in the pages of data. Returns its pages. */
static uint32_t make_pool(struct guest *guest, struct message_connect *connect)
{
	uint32_t i;

	for (i = 0; i < XVHCIF_POOL_DIRECTORY_MAX; i++)
		connect->pool_ref[i] = DIRECTORY_PAGE + i;
	for (i = 0; i < DATA_PAGES; i++) {
		const uint32_t ref = le32(DATA_PAGE + i);

		memcpy(page(guest, DIRECTORY_PAGE) + (size_t)i * sizeof(ref), &ref, sizeof(ref));
	}
	return DATA_PAGES;
}

static void send_connect(struct guest *guest)
{
	struct message message = {.type = MESSAGE_CONNECT};
	struct message_connect *connect = &message.u.connect;
	struct message_fds fds = {
		.fd = {guest->memfd, guest->to_worker, guest->from_worker},
		.count = 3,
	};
	uint32_t i;

	connect->transport = TRANSPORT_MEMFD;
	connect->domid = 7;
	connect->ports = guest->plan.ports;
	connect->version = guest->plan.version;
	connect->ring_pages = 1;
	connect->ring_ref[0] = HEAD_PAGE;
	connect->event_ref = RING_PAGE;
	if (guest->plan.version == 2) {
		connect->ring_pages = XVHCIF_RING_PAGES_MAX;
		for (i = 0; i < connect->ring_pages; i++)
			connect->ring_ref[i] = RING_PAGE + i;
		connect->event_ref = HEAD_PAGE;
	}
	if (guest->plan.in_pool)
		connect->pool_pages = make_pool(guest, connect);
	if (guest->plan.quotas) {
		connect->transfers_max = XVHC_WORKER_TRANSFERS_MAX;
		connect->bytes_max = XVHC_WORKER_BYTES_MAX;
		connect->control_rate = XVHC_CONTROL_RATE_DEFAULT;
	}
	bench_must(message_send(guest->broker, &message, &fds) == 0, "CONNECT is sent");
}

int guest_init(struct guest *guest, const struct guest_plan *plan)
{
	int pair[2];

	bench_must(plan->version == 1 || plan->version == 2, "the wire has version 1 or 2");
	bench_must(plan->ports >= 1 && plan->ports <= USBIF_PORT_MAX, "there are 1 to 31 ports");
	bench_must(plan->length <= (plan->version == 1 ? USBIF_SEGMENTS_MAX * USBIF_PAGE_SIZE
						       : XVHCIF_LENGTH_MAX),
		   "the length fits in a request");
	memset(guest, 0, sizeof(*guest));
	guest->plan = *plan;
	make_memory(guest);
	make_rings(guest);
	make_requests(guest);
	bench_must(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0,
		   "there is a socket");
	guest->broker = pair[0];
	send_connect(guest);
	return pair[1];
}

void guest_connected(struct guest *guest)
{
	close(guest->memfd);
	guest->memfd = -1;
}

static void notify(struct guest *guest)
{
	const uint64_t one = 1;

	guest->notified++;
	bench_must(write(guest->to_worker, &one, sizeof(one)) == sizeof(one),
		   "the worker is notified");
}

static void take_events(struct guest *guest)
{
	union {
		struct usbif_conn_response usbif;
		struct xvhcif_event xvhcif;
	} event;
	uint32_t size = guest->plan.version == 1 ? sizeof(event.usbif) : sizeof(event.xvhcif);

	do {
		while (front_ring_take(&guest->events, &event, size) == 1)
			guest->connected++;
	} while (front_ring_recheck(&guest->events));
}

static void plug(struct guest *guest)
{
	const uint16_t room = 0;
	uint32_t port;

	for (port = 1; port <= guest->plan.ports; port++)
		front_ring_put(&guest->events, &room, sizeof(room));
	if (front_ring_push(&guest->events))
		notify(guest);
	for (port = 1; port <= guest->plan.ports; port++) {
		struct message attach = {.type = MESSAGE_ATTACH};

		attach.u.attach.port = port;
		attach.u.attach.speed = USB_SPEED_HIGH;
		attach.u.attach.model = 1;
		bench_must(message_send(guest->broker, &attach, NULL) == 0, "a device is attached");
	}
	while (guest->connected < guest->plan.ports) {
		guest->wait(guest);
		take_events(guest);
	}
}

/* What a response says, in the words of both versions. */
struct outcome {
	uint16_t id;
	bool ok;
	uint32_t actual;
};

static bool take_response(struct guest *guest, struct outcome *outcome)
{
	struct usbif_urb_response usbif;
	struct xvhcif_response xvhcif;
	int got;

	if (guest->plan.version == 1) {
		got = front_ring_take(&guest->requests, &usbif, sizeof(usbif));
		outcome->id = usbif.id;
		outcome->ok = usbif.status == USBIF_STATUS_OK;
		outcome->actual = (uint32_t)usbif.actual_length;
	} else {
		got = front_ring_take(&guest->requests, &xvhcif, sizeof(xvhcif));
		outcome->id = le16(xvhcif.id);
		outcome->ok = xvhcif.status == le32(XVHCIF_STATUS_OK);
		outcome->actual = le32(xvhcif.actual);
	}
	bench_must(got >= 0, "the ring of responses is in order");
	return got == 1;
}

static void put(struct guest *guest, uint32_t id)
{
	if (guest->plan.version == 1)
		front_ring_put(&guest->requests, &guest->request[id].usbif,
			       sizeof(guest->request[id].usbif));
	else
		front_ring_put(&guest->requests, &guest->request[id].xvhcif,
			       sizeof(guest->request[id].xvhcif));
}

/* A control request without data: its first byte is 0, and so are those that are not named. */
static void control(struct guest *guest, uint32_t port, uint32_t address, uint8_t request,
		    uint8_t value)
{
	const uint8_t setup[8] = {0, request, value};
	struct usbif_urb_request usbif = {
		.id = SETUP_ID,
		.pipe = port | address << USBIF_PIPE_ADDRESS_SHIFT |
			USBIF_PIPE_TYPE_CONTROL << USBIF_PIPE_TYPE_SHIFT,
	};
	struct xvhcif_request xvhcif = {
		.id = le16(SETUP_ID),
		.operation = XVHCIF_SUBMIT,
		.port = (uint8_t)port,
		.address = (uint8_t)address,
		.type = XVHCIF_TYPE_CONTROL,
	};
	struct outcome outcome = {0};

	memcpy(usbif.u.setup, setup, sizeof(setup));
	memcpy(xvhcif.u.setup, setup, sizeof(setup));
	if (guest->plan.version == 1)
		front_ring_put(&guest->requests, &usbif, sizeof(usbif));
	else
		front_ring_put(&guest->requests, &xvhcif, sizeof(xvhcif));
	if (front_ring_push(&guest->requests))
		notify(guest);
	for (;;) {
		if (take_response(guest, &outcome))
			break;
		if (!front_ring_recheck(&guest->requests))
			guest->wait(guest);
	}
	bench_must(outcome.ok && outcome.id == SETUP_ID, "a device is configured");
}

void guest_configure(struct guest *guest)
{
	uint32_t port;

	plug(guest);
	for (port = 1; port <= guest->plan.ports; port++) {
		control(guest, port, 0, 5, ADDRESS); /* SET_ADDRESS */
		control(guest, port, ADDRESS, 9, 1); /* SET_CONFIGURATION */
	}
}

static uint32_t take_responses(struct guest *guest)
{
	struct outcome outcome;
	uint32_t count = 0;

	do {
		while (take_response(guest, &outcome)) {
			bench_must(outcome.ok && outcome.actual == guest->plan.length &&
					   outcome.id < guest->plan.depth,
				   "a request is answered as it should be");
			bench_must(guest->free_count < guest->plan.depth, "it was under way");
			guest->free[guest->free_count++] = outcome.id;
			count++;
		}
	} while (front_ring_recheck(&guest->requests));
	return count;
}

uint32_t guest_turn(struct guest *guest, uint64_t *left)
{
	uint32_t count = take_responses(guest);
	bool some = false;

	guest->answered += count;
	while (guest->free_count > 0 && *left > 0) {
		put(guest, guest->free[--guest->free_count]);
		(*left)--;
		some = true;
	}
	if (some && front_ring_push(&guest->requests))
		notify(guest);
	return count;
}

void guest_wait_for_process(struct guest *guest)
{
	struct pollfd wait = {.fd = guest->from_worker, .events = POLLIN};
	uint64_t count;

	bench_must(poll(&wait, 1, WAIT_MS) == 1, "the worker is alive");
	if (read(guest->from_worker, &count, sizeof(count)) < 0)
		bench_must(errno == EAGAIN, "the guest's channel can be read");
}

void guest_fini(struct guest *guest)
{
	munmap(guest->memory, MEMORY_BYTES);
	if (guest->memfd >= 0)
		close(guest->memfd);
	close(guest->to_worker);
	close(guest->from_worker);
	close(guest->broker);
}
