// SPDX-License-Identifier: MIT
/*
 * The guest's memory stays mapped from input to input and is zeroed; everything else is made anew.
 * Page 1 is the URB ring, page 2 the connection ring.
 */
#include "guest.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <models/model.h>
#include <worker/serve.h>

#define PAGES 24u
#define MEMORY_BYTES ((size_t)PAGES * USBIF_PAGE_SIZE)
#define URB_PAGE 1u
#define CONN_PAGE 2u
#define PORTS 3u

static struct worker worker;
static uint8_t *memory;
static int memfd = -1, broker = -1, worker_side = -1, to_worker = -1;

static struct usbif_ring_head *head_of(uint32_t page)
{
	return (struct usbif_ring_head *)(void *)(memory + (size_t)page * USBIF_PAGE_SIZE);
}

static void make_memory(void)
{
	if (!memory) {
		memfd = memfd_create("guest", MFD_CLOEXEC | MFD_ALLOW_SEALING);
		MUST(memfd >= 0 && ftruncate(memfd, (off_t)MEMORY_BYTES) == 0);
		MUST(fcntl(memfd, F_ADD_SEALS, F_SEAL_SHRINK) == 0);
		memory = mmap(NULL, MEMORY_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, memfd, 0);
		MUST(memory != MAP_FAILED);
	}
	memset(memory, 0, MEMORY_BYTES);
}

static void tell(const struct message *message, const struct message_fds *fds)
{
	MUST(message_send(broker, message, fds) == 0);
}

static void hear(void)
{
	struct message message;
	struct message_fds fds;

	while (message_receive(broker, &message, &fds) > 0)
		MUST(fds.count == 0 && message.type >= MESSAGE_CONNECTED &&
		     message.type <= MESSAGE_DETACHED);
}

bool guest_connect(struct input *input)
{
	struct message message = {
		.type = MESSAGE_CONNECT,
		.u.connect =
			{
				.transport = TRANSPORT_MEMFD,
				.domid = 7,
				.ports = PORTS,
				.version = 1,
				.ring_pages = 1,
				.ring_ref = {URB_PAGE},
				.event_ref = CONN_PAGE,
			},
	};
	struct message_fds fds = {.count = 3};
	int pair[2];

	make_memory();
	/* A ring may have been in use before; a page may not be there. */
	if (input_u8(input) & 1) {
		message.u.connect.ring_ref[0] = input_u8(input) % (PAGES + 1);
		input_take(input, head_of(URB_PAGE), 16);
	}
	MUST(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
	broker = pair[0];
	worker_side = pair[1];
	to_worker = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	fds.fd[0] = memfd;
	fds.fd[1] = to_worker;
	fds.fd[2] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	tell(&message, &fds);
	close(fds.fd[2]);
	worker.transport = &transport_memfd;
	worker.source = &source_model;
	return serve_begin(&worker, worker_side) == 0;
}

static void attach(struct input *input)
{
	struct message message = {.type = MESSAGE_ATTACH};
	uint8_t what = input_u8(input);

	message.u.attach.port = 1 + what % PORTS;
	message.u.attach.model = 1 + (what / PORTS) % (MODEL_DISK_SUPER + 1);
	message.u.attach.speed = message.u.attach.model == MODEL_DISK_SUPER
					 ? USB_SPEED_SUPER
					 : 1 + input_u8(input) % USB_SPEED_SUPER_PLUS;
	tell(&message, NULL);
}

static void detach(struct input *input)
{
	struct message message = {.type = MESSAGE_DETACH};

	message.u.port.port = 1 + input_u8(input) % PORTS;
	tell(&message, NULL);
}

static void put(const struct usbif_urb_request *request)
{
	struct usbif_ring_head *head = head_of(URB_PAGE);
	union usbif_urb_slot *slots = (union usbif_urb_slot *)(void *)(head + 1);

	memcpy(&slots[head->req_prod++ % USBIF_URB_RING_SLOTS], request, sizeof(*request));
}

static void put_raw(struct input *input)
{
	struct usbif_urb_request request;

	input_take(input, &request, sizeof(request));
	put(&request);
}

static void fill_segments(struct usbif_urb_request *request, uint32_t length)
{
	request->buffer_length = (uint16_t)length;
	for (; length > 0; request->nr_buffer_segs++) {
		uint32_t bytes = length < USBIF_PAGE_SIZE ? length : USBIF_PAGE_SIZE;

		request->seg[request->nr_buffer_segs].gref = 3 + request->nr_buffer_segs;
		request->seg[request->nr_buffer_segs].length = (uint16_t)bytes;
		length -= bytes;
	}
}

/* A packet list in the last page, with equal packets. */
static void fill_packets(struct usbif_urb_request *request, uint32_t length, uint32_t count)
{
	struct usbif_isoc_packet *list = (void *)(memory + (PAGES - 1) * USBIF_PAGE_SIZE);
	uint32_t i;

	count = 1 + count % XVHC_ISOC_PACKETS_MAX;
	for (i = 0; i < count; i++) {
		list[i].offset = length / count * i;
		list[i].length = length / count;
	}
	request->u.isoc.number_of_packets = (uint16_t)count;
	request->u.isoc.nr_frame_desc_segs = 1;
	request->seg[request->nr_buffer_segs].gref = PAGES - 1;
	request->seg[request->nr_buffer_segs].length = (uint16_t)(count * sizeof(list[0]));
}

/* A request that is well-formed, so that it gets past the decoder. */
static void put_good(struct input *input)
{
	struct usbif_urb_request request = {.id = input_u8(input) & 15};
	uint16_t bits = input_u16(input);
	uint32_t address = bits >> 12, type = (bits >> 10) & 3, length;

	request.pipe = (1 + bits % PORTS) | address << USBIF_PIPE_ADDRESS_SHIFT |
		       (uint32_t)((bits >> 2) & 15) << USBIF_PIPE_ENDPOINT_SHIFT |
		       (bits & 0x40 ? USBIF_PIPE_IN : 0) | type << USBIF_PIPE_TYPE_SHIFT;
	if ((bits & 0x380) == 0x380) {
		request.pipe |= USBIF_PIPE_UNLINK;
		request.u.unlink.unlink_id = input_u8(input) & 15;
	} else if (type == USBIF_PIPE_TYPE_CONTROL) {
		input_take(input, request.u.setup, sizeof(request.u.setup));
		fill_segments(&request, descriptor_u16(request.u.setup + 6) & 0x1fff);
	} else {
		length = input_u16(input) % (15 * USBIF_PAGE_SIZE);
		fill_segments(&request, length);
		if (type == USBIF_PIPE_TYPE_ISOC)
			fill_packets(&request, length, input_u8(input));
	}
	put(&request);
}

static void post_events(struct input *input)
{
	head_of(CONN_PAGE)->req_prod += input_u8(input);
}

/* Scribbles into the rings. */
static void write_ring(struct input *input)
{
	uint16_t at = input_u16(input) % (2 * USBIF_PAGE_SIZE - 8);

	input_take(input, memory + USBIF_PAGE_SIZE + at, 1 + (at & 7));
}

static void write_data(struct input *input)
{
	uint16_t at = input_u16(input);

	input_take(input, memory + 3 * USBIF_PAGE_SIZE + at % USBIF_PAGE_SIZE, 1 + (at >> 12) * 4);
}

static void (*const steps[])(struct input *input) = {
	put_good, attach, put_good, post_events, put_raw, write_data, detach, write_ring,
};

bool guest_step(struct input *input)
{
	const uint64_t one = 1;
	uint8_t what = input_u8(input);
	int error = XVHC_OK, rounds;

	steps[what % 8](input);
	MUST(write(to_worker, &one, sizeof(one)) == sizeof(one));
	/* Some steps go together. */
	for (rounds = what & 0x80 ? 0 : 3; rounds > 0 && error == XVHC_OK; rounds--)
		error = serve_round(&worker, 0);
	hear();
	MUST(error == XVHC_OK || error == XVHC_EPROTO);
	return error == XVHC_OK && !worker.ending;
}

void guest_disconnect(void)
{
	serve_release(&worker);
	source_model_fini();
	transport_memfd_disconnect();
	close(to_worker);
	close(worker_side);
	close(broker);
}
