// SPDX-License-Identifier: MIT
/*
 * Page 1 of the memory is the URB ring, page 2 the connection ring. Request id n has its data in
 * the 16 pages from 16 + 32 n on, and its packet list in the page behind them.
 */
#include "frontend.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <worker/broker_link.h>

#define LIMIT_MS 20000
#define TEST_LIMIT_S 60
#define DATA_PAGE(id) (16u + 32u * (id))

static_assert(DATA_PAGE(USBIF_URB_RING_SLOTS - 1) + 17 <= FRONTEND_PAGES, "memory");

static uint8_t *page(struct frontend *frontend, uint32_t number)
{
	return frontend->memory + (size_t)number * USBIF_PAGE_SIZE;
}

static void run_worker(int broker)
{
	char self[4096], path[4200];
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (length < 0)
		_exit(120);
	self[length] = 0;
	snprintf(path, sizeof(path), "%s/../xvhcd-worker-models", dirname(self));
	if (broker == BROKER_LINK_FD)
		fcntl(broker, F_SETFD, 0);
	else if (dup2(broker, BROKER_LINK_FD) < 0)
		_exit(121);
	execl(path, "xvhcd-worker-models", (char *)NULL);
	_exit(122);
}

void frontend_spawn(struct frontend *frontend)
{
	int pair[2];

	/* For loops that wait for a condition and see something else happen all the time. */
	alarm(TEST_LIMIT_S);
	memset(frontend, 0, sizeof(*frontend));
	assert_return_code(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), errno);
	frontend->broker = pair[0];
	frontend->worker = fork();
	assert_return_code(frontend->worker, errno);
	if (frontend->worker == 0)
		run_worker(pair[1]);
	close(pair[1]);

	frontend->memfd = memfd_create("guest", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	assert_return_code(frontend->memfd, errno);
	assert_return_code(ftruncate(frontend->memfd, FRONTEND_PAGES * USBIF_PAGE_SIZE), errno);
	assert_return_code(fcntl(frontend->memfd, F_ADD_SEALS, F_SEAL_SHRINK), errno);
	frontend->memory = mmap(NULL, FRONTEND_PAGES * USBIF_PAGE_SIZE, PROT_READ | PROT_WRITE,
				MAP_SHARED, frontend->memfd, 0);
	assert_true(frontend->memory != MAP_FAILED);
	frontend->counters = memfd_create("counters", MFD_CLOEXEC);
	assert_return_code(frontend->counters, errno);
	assert_return_code(ftruncate(frontend->counters, COUNTERS_BYTES), errno);
	frontend->to_worker = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	frontend->from_worker = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	front_ring_init(&frontend->urb,
			ring_page_usbif(page(frontend, FRONTEND_URB_PAGE),
					sizeof(union usbif_urb_slot), USBIF_URB_RING_SLOTS));
	front_ring_init(&frontend->conn,
			ring_page_usbif(page(frontend, FRONTEND_CONN_PAGE),
					sizeof(union usbif_conn_slot), USBIF_CONN_RING_SLOTS));
}

void frontend_connect(struct frontend *frontend, const struct message_connect *connect)
{
	struct message_fds fds = {
		.fd = {frontend->memfd, frontend->to_worker, frontend->from_worker,
		       frontend->counters},
		.count = 4,
	};
	struct message message = {.type = MESSAGE_CONNECT};

	message.u.connect = *connect;
	message.u.connect.counters = 1;
	assert_int_equal(message_send(frontend->broker, &message, &fds), 0);
}

void frontend_start_with(struct frontend *frontend, struct message_connect quotas)
{
	quotas.transport = TRANSPORT_MEMFD;
	quotas.domid = 7;
	quotas.ports = FRONTEND_PORTS;
	quotas.version = 1;
	quotas.ring_pages = 1;
	quotas.ring_ref[0] = FRONTEND_URB_PAGE;
	quotas.event_ref = FRONTEND_CONN_PAGE;
	frontend_spawn(frontend);
	frontend_connect(frontend, &quotas);
	frontend_until(frontend, frontend->connected);
}

void frontend_start(struct frontend *frontend)
{
	struct message_connect none = {0};

	frontend_start_with(frontend, none);
}

struct counters frontend_counters(const struct frontend *frontend)
{
	struct counters counters;

	assert_int_equal(pread(frontend->counters, &counters, sizeof(counters), 0),
			 sizeof(counters));
	return counters;
}

static void release(struct frontend *frontend, int code)
{
	int status;

	assert_int_equal(waitpid(frontend->worker, &status, 0), frontend->worker);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), code);
	munmap(frontend->memory, FRONTEND_PAGES * USBIF_PAGE_SIZE);
	close(frontend->memfd);
	close(frontend->counters);
	close(frontend->to_worker);
	close(frontend->from_worker);
	close(frontend->broker);
	frontend->worker = 0;
}

void frontend_stop(struct frontend *frontend)
{
	shutdown(frontend->broker, SHUT_WR);
	frontend_until(frontend, frontend->ended);
	release(frontend, 0);
}

int frontend_setup(void **state)
{
	struct frontend *frontend = calloc(1, sizeof(*frontend));

	frontend_start(frontend);
	*state = frontend;
	return 0;
}

int frontend_teardown(void **state)
{
	struct frontend *frontend = *state;

	if (frontend->worker > 0)
		frontend_stop(frontend);
	free(frontend);
	return 0;
}

void frontend_expect_failure(struct frontend *frontend)
{
	frontend_until(frontend, frontend->ended);
	assert_true(frontend->failed);
	release(frontend, 1);
}

static void take_port_event(struct frontend *frontend, const struct message_port_event *event)
{
	struct told *told;

	assert_in_range(event->port, 1, USBIF_PORT_MAX);
	assert_in_range(event->event, 0, PORT_EVENTS - 1);
	assert_true(event->count > 0);
	told = &frontend->told_broker[event->port][event->event];
	told->messages++;
	told->count += event->count;
	told->endpoint = event->endpoint;
	told->type = event->type;
}

static void take_message(struct frontend *frontend)
{
	struct message message;
	struct message_fds fds;
	int got = message_receive(frontend->broker, &message, &fds);

	if (got == -EAGAIN)
		return;
	if (got <= 0) {
		frontend->ended = true;
		return;
	}
	assert_int_equal(fds.count, 0);
	switch (message.type) {
	case MESSAGE_CONNECTED:
		frontend->connected = true;
		break;
	case MESSAGE_FAILED:
		frontend->failed = true;
		memcpy(frontend->failure, message.u.failed.text, sizeof(frontend->failure));
		break;
	case MESSAGE_PORT_STATE:
		assert_in_range(message.u.port.port, 1, USBIF_PORT_MAX);
		frontend->state[message.u.port.port] = message.u.port.state;
		break;
	case MESSAGE_DETACHED:
		assert_in_range(message.u.port.port, 1, USBIF_PORT_MAX);
		frontend->detached[message.u.port.port]++;
		frontend->state[message.u.port.port] = PORT_EMPTY;
		break;
	case MESSAGE_PORT_EVENT:
		take_port_event(frontend, &message.u.port_event);
		break;
	default:
		fail_msg("the worker sent a message of type %u", message.type);
	}
}

static void take_responses(struct frontend *frontend)
{
	struct usbif_urb_response response;
	int got;

	while ((got = front_ring_take(&frontend->urb, &response, sizeof(response))) > 0) {
		assert_in_range(response.id, 0, USBIF_URB_RING_SLOTS - 1);
		assert_true(frontend->busy[response.id]);
		assert_false(frontend->done[response.id]);
		frontend->done[response.id] = true;
		frontend->response[response.id] = response;
	}
	assert_int_equal(got, 0);
}

static void take_events(struct frontend *frontend)
{
	struct usbif_conn_response event;
	int got;

	while ((got = front_ring_take(&frontend->conn, &event, sizeof(event))) > 0) {
		assert_in_range(event.portnum, 1, USBIF_PORT_MAX);
		frontend->speed[event.portnum] = event.speed;
		frontend->events[event.portnum]++;
		frontend->disconnects[event.portnum] += event.speed == USBIF_SPEED_NONE;
	}
	assert_int_equal(got, 0);
}

void frontend_listen(struct frontend *frontend, bool more)
{
	struct pollfd wait[] = {
		{.fd = frontend->from_worker, .events = POLLIN},
		{.fd = frontend->broker, .events = POLLIN},
	};
	uint64_t count;

	if (frontend->ended)
		fail_msg("the worker has ended: %s", frontend->failure);
	if (!more && poll(wait, 2, LIMIT_MS) == 0)
		fail_msg("nothing has happened for %d ms", LIMIT_MS);
	if (wait[0].revents && read(frontend->from_worker, &count, sizeof(count)) < 0)
		assert_int_equal(errno, EAGAIN);
	if (wait[1].revents)
		take_message(frontend);
}

void frontend_step(struct frontend *frontend)
{
	frontend_listen(frontend,
			front_ring_recheck(&frontend->urb) || front_ring_recheck(&frontend->conn));
	take_responses(frontend);
	take_events(frontend);
}

void frontend_notify(struct frontend *frontend)
{
	uint64_t one = 1;

	assert_int_equal(write(frontend->to_worker, &one, sizeof(one)), sizeof(one));
}

void frontend_kick(struct frontend *frontend)
{
	bool urb = front_ring_push(&frontend->urb), conn = front_ring_push(&frontend->conn);

	if (urb || conn)
		frontend_notify(frontend);
}

void frontend_post_events(struct frontend *frontend, uint32_t count)
{
	struct usbif_conn_request request = {.id = 0};

	for (; count > 0; count--, request.id++)
		front_ring_put(&frontend->conn, &request, sizeof(request));
	frontend_kick(frontend);
}

void frontend_attach_as(struct frontend *frontend, const struct message_attach *attach)
{
	struct message message = {.type = MESSAGE_ATTACH};

	message.u.attach = *attach;
	assert_int_equal(message_send(frontend->broker, &message, NULL), 0);
}

void frontend_attach(struct frontend *frontend, uint32_t port, uint32_t model, enum usb_speed speed)
{
	struct message_attach message = {.port = port, .model = model, .speed = speed};

	frontend_attach_as(frontend, &message);
}

void frontend_plug(struct frontend *frontend, uint32_t port, uint32_t model, enum usb_speed speed)
{
	frontend_plug_flags(frontend, port, model, speed, 0);
}

void frontend_plug_flags(struct frontend *frontend, uint32_t port, uint32_t model,
			 enum usb_speed speed, uint32_t flags)
{
	struct message_attach message = {
		.port = port,
		.model = model,
		.speed = speed,
		.flags = flags,
	};
	uint32_t events = frontend->events[port];

	frontend_post_events(frontend, 2);
	frontend_attach_as(frontend, &message);
	frontend_until(frontend, frontend->events[port] > events);
	assert_true(frontend->speed[port] != USBIF_SPEED_NONE);
}

void frontend_detach(struct frontend *frontend, uint32_t port)
{
	struct message message = {.type = MESSAGE_DETACH};

	message.u.port.port = port;
	assert_int_equal(message_send(frontend->broker, &message, NULL), 0);
}

uint8_t *frontend_data(struct frontend *frontend, uint32_t id)
{
	return page(frontend, DATA_PAGE(id));
}

struct usbif_isoc_packet *frontend_list(struct frontend *frontend, uint32_t id)
{
	return (struct usbif_isoc_packet *)(void *)page(frontend, DATA_PAGE(id) + 16);
}

uint16_t frontend_fill(struct frontend *frontend, struct usbif_urb_request *request, uint32_t pipe,
		       uint32_t length)
{
	uint16_t id = 0, segments = 0;
	uint32_t left;

	while (id < USBIF_URB_RING_SLOTS && frontend->busy[id])
		id++;
	assert_in_range(id, 0, USBIF_URB_RING_SLOTS - 1);
	frontend->busy[id] = true;
	frontend->done[id] = false;
	memset(request, 0, sizeof(*request));
	request->id = id;
	request->pipe = pipe;
	request->buffer_length = (uint16_t)length;
	for (left = length; left > 0; segments++) {
		uint32_t bytes = left < USBIF_PAGE_SIZE ? left : USBIF_PAGE_SIZE;

		request->seg[segments].gref = DATA_PAGE(id) + segments;
		request->seg[segments].length = (uint16_t)bytes;
		left -= bytes;
	}
	request->nr_buffer_segs = segments;
	return id;
}

void frontend_put(struct frontend *frontend, const struct usbif_urb_request *request)
{
	front_ring_put(&frontend->urb, request, sizeof(*request));
}

uint16_t frontend_submit(struct frontend *frontend, uint32_t pipe, uint32_t length)
{
	struct usbif_urb_request request;
	uint16_t id = frontend_fill(frontend, &request, pipe, length);

	frontend_put(frontend, &request);
	frontend_kick(frontend);
	return id;
}

int frontend_wait(struct frontend *frontend, uint32_t id)
{
	assert_true(frontend->busy[id]);
	frontend_until(frontend, frontend->done[id]);
	frontend->busy[id] = false;
	return frontend->response[id].status;
}

static int run(struct frontend *frontend, struct usbif_urb_request *request, void *data,
	       uint32_t length, uint32_t *actual)
{
	uint16_t id = request->id;
	int status;

	memcpy(frontend_data(frontend, id), data, length);
	frontend_put(frontend, request);
	frontend_kick(frontend);
	status = frontend_wait(frontend, id);
	memcpy(data, frontend_data(frontend, id), length);
	if (actual)
		*actual = (uint32_t)frontend->response[id].actual_length;
	return status;
}

int frontend_transfer(struct frontend *frontend, uint32_t pipe, void *data, uint32_t length,
		      uint32_t *actual)
{
	struct usbif_urb_request request;

	frontend_fill(frontend, &request, pipe, length);
	return run(frontend, &request, data, length, actual);
}

void frontend_pack_setup(uint8_t bytes[8], const struct setup_packet *setup)
{
	bytes[0] = setup->request_type;
	bytes[1] = setup->request;
	bytes[2] = (uint8_t)setup->value;
	bytes[3] = (uint8_t)(setup->value >> 8);
	bytes[4] = (uint8_t)setup->index;
	bytes[5] = (uint8_t)(setup->index >> 8);
	bytes[6] = (uint8_t)setup->length;
	bytes[7] = (uint8_t)(setup->length >> 8);
}

int frontend_control(struct frontend *frontend, uint32_t place, struct setup_packet setup,
		     void *data, uint32_t *actual)
{
	struct usbif_urb_request request;
	uint8_t nothing;

	frontend_fill(frontend, &request, place | PIPE(CONTROL, setup.request_type & 0x80),
		      setup.length);
	frontend_pack_setup(request.u.setup, &setup);
	return run(frontend, &request, data ? data : &nothing, setup.length, actual);
}

uint32_t frontend_configure(struct frontend *frontend, uint32_t port, uint32_t address,
			    uint8_t configuration)
{
	struct setup_packet set_address = {.request = 5, .value = (uint16_t)address};
	struct setup_packet set_configuration = {.request = 9, .value = configuration};
	uint32_t place = pipe_place(port, address);

	assert_int_equal(frontend_control(frontend, pipe_place(port, 0), set_address, NULL, NULL),
			 USBIF_STATUS_OK);
	assert_int_equal(frontend_control(frontend, place, set_configuration, NULL, NULL),
			 USBIF_STATUS_OK);
	return place;
}

uint16_t frontend_cancel(struct frontend *frontend, uint32_t port, uint16_t id)
{
	struct usbif_urb_request request;
	uint16_t own = frontend_fill(frontend, &request, port | USBIF_PIPE_UNLINK, 0);

	request.u.unlink.unlink_id = id;
	frontend_put(frontend, &request);
	frontend_kick(frontend);
	return own;
}
