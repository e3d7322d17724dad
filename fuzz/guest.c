// SPDX-License-Identifier: MIT
/*
 * The guest's memory stays mapped from input to input and is zeroed; everything else is made anew.
 * On version 1 page 1 is the URB ring and page 2 the connection ring; on version 2 page 1 is the
 * head page and page 2 the ring of requests.
 */
#include "guest.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <models/model.h>
#include <worker/serve.h>

#include "../cli/capture_file.h"
#include "guest_requests.h"

#define PAGES GUEST_PAGES
#define MEMORY_BYTES ((size_t)PAGES * USBIF_PAGE_SIZE)
#define URB_PAGE 1u
#define CONN_PAGE 2u
#define PORTS GUEST_PORTS

static struct worker worker;
static uint8_t *memory;
static bool version_2;
static int memfd = -1, broker = -1, worker_side = -1, to_worker = -1;
static int capture = -1; /* the reader's end; -1: nobody captures */
static struct capture_file file;

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
		MUST(fds.count == 0 &&
		     ((message.type >= MESSAGE_CONNECTED && message.type <= MESSAGE_DETACHED) ||
		      message.type == MESSAGE_PORT_EVENT));
}

static int forget(void *context, const void *bytes, size_t length)
{
	(void)context;
	(void)bytes;
	(void)length;
	return 0;
}

/* Somebody captures: of some ports, and of not much data. */
static void capture_begin(uint8_t how)
{
	struct message message = {.type = MESSAGE_CAPTURE};
	struct message_fds fds = {.count = 1};
	int pair[2];

	MUST(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
	message.u.capture.index = how % XVHC_CAPTURES_MAX;
	message.u.capture.ports = how & 4 ? UINT32_MAX : 1u << (how >> 3) % (PORTS + 1);
	message.u.capture.data_max = how;
	message.u.capture.source = how;
	fds.fd[0] = pair[1];
	tell(&message, &fds);
	close(pair[1]);
	capture = pair[0];
	memset(&file, 0, sizeof(file));
	file.put = forget;
	MUST(capture_file_begin(&file, 0, "", "", "") == 0);
}

/* What a worker tells makes sense, whatever its guest does. */
static void capture_read(void)
{
	static uint8_t record[CAPTURE_RECORD_MAX];
	ssize_t length;

	while (capture >= 0 && (length = recv(capture, record, sizeof(record), MSG_DONTWAIT)) > 0)
		MUST(capture_file_add(&file, record, (size_t)length) == 0);
	MUST(file.senseless == 0);
}

static void offer_pool(struct message_connect *connect, uint8_t how)
{
	uint32_t *directory = (uint32_t *)(void *)memory, i;

	connect->pool_pages = 1 + how % (PAGES - 3);
	for (i = 0; i < connect->pool_pages; i++)
		directory[i] = 3 + (i + how) % (PAGES - 3 + (how == UINT8_MAX));
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
	uint8_t how;
	int pair[2];

	make_memory();
	how = input_u8(input);
	version_2 = (how & 0x10) != 0;
	if (version_2) {
		message.u.connect.version = 2;
		message.u.connect.ring_ref[0] = 2;
		message.u.connect.event_ref = 1;
	}
	/* A pool of all the pages that data lies in; its directory is in the first page. */
	if (version_2 && how & 0x20)
		offer_pool(&message.u.connect, input_u8(input));
	/* A ring may have been in use before; a page may not be there. */
	if (how & 1) {
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
	if (serve_begin(&worker, worker_side) != 0)
		return false;
	if (how & 0x40)
		capture_begin(input_u8(input));
	return true;
}

static void attach(struct input *input)
{
	struct message message = {.type = MESSAGE_ATTACH};
	uint8_t what = input_u8(input);

	message.u.attach.port = 1 + what % PORTS;
	message.u.attach.model = 1 + (what / PORTS) % (MODEL_DISK_SUPER + 1);
	message.u.attach.instance[0] = what;
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

static void put_good(struct input *input)
{
	(version_2 ? guest_put_good_2 : guest_put_good)(memory, input);
}

static void put_raw(struct input *input)
{
	(version_2 ? guest_put_raw_2 : guest_put_raw)(memory, input);
}

static void post_events(struct input *input)
{
	struct usbif_ring_head *head = version_2 ? head_of(1) + 1 : head_of(CONN_PAGE);

	head->req_prod += input_u8(input);
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
	if (what & 0x40)
		capture_read();
	MUST(error == XVHC_OK || error == XVHC_EPROTO);
	return error == XVHC_OK && !worker.ending;
}

void guest_disconnect(void)
{
	serve_release(&worker);
	capture_read();
	if (capture >= 0)
		close(capture);
	capture = -1;
	source_model_fini();
	transport_memfd_disconnect();
	close(to_worker);
	close(worker_side);
	close(broker);
}
