// SPDX-License-Identifier: MIT
/*
 * The broker is not set up by broker_init(), which opens a control socket and starts threads: the
 * handling of messages needs a store, a controller, its given ports and a worker's socket.
 */
#include "broker_side.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <broker/broker.h>
#include <broker/controller.h>
#include <broker/describer.h>
#include <broker/event.h>
#include <broker/given.h>
#include <broker/worker_message.h>
#include <common/message_io.h>
#include <memory_store.h>

#define DOMID 5u
#define DEVID 1000u
#define PORTS 4u
#define PHASES (PHASE_REFUSED + 1u)

static struct broker broker;
static struct given given[2];
static struct controller *controller;
static int worker_side;
static int describer_side;
static struct usb_device device = {
	.id = {1, 2, 3},
	.name = "1-1",
	.vendor = 0x46f4,
	.product = 1,
};

static void give(struct given *one, uint32_t port, uint8_t state)
{
	memset(one, 0, sizeof(*one));
	one->device_state = state % (DEVICE_DETACHING + 1);
	one->claim[0].fd = one->claim[1].fd = -1;
	one->controller = controller;
	one->port = port;
	controller->given[port] = one;
}

/* The device is in the first port, and about to be described. */
static void describe(struct input *input)
{
	static const char filter[] = "filter = 0x03:-1:-1:-1:0|0x08:-1:-1:-1:1|-1:0x46f4:-1:-1:1\n"
				     "[guest fuzz]\nallow-dfu = yes\n";
	struct policy_fault fault;
	int pair[2];

	MUST(policy_parse(&broker.policy, filter, &fault) == 0);
	device.class = input_u8(input) % 16;
	broker.topology.devices = &device;
	broker.topology.device_count = 1;
	MUST(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
	describer_side = pair[1];
	given[0].device = device.id;
	MUST(describer_reserve(&broker, &given[0]));
	given[0].describer->running = true;
	given[0].describer->process.socket = pair[0];
	given[0].describer->process.pidfd = -1;
	given[0].describer->process.pid = INT_MAX;
}

void broker_begin(struct input *input)
{
	int pair[2];

	memset(&broker, 0, sizeof(broker));
	broker.store = memory_store_open();
	memory_store_guest(broker.store, DOMID, "fuzz");
	MUST(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
	worker_side = pair[1];
	controller = calloc(1, sizeof(*controller));
	MUST(controller);
	controller->domid = DOMID;
	controller->devid = DEVID;
	controller->ours = true;
	controller->ports = PORTS;
	controller->phase = input_u8(input) % PHASES;
	controller->worker = &broker.workers[0].process;
	broker.controllers[0] = controller;
	broker.workers[0].used = true;
	broker.workers[0].controller = controller;
	broker.workers[0].process.socket = pair[0];
	broker.workers[0].process.pidfd = -1;
	/* No process has this number: it may be killed. */
	broker.workers[0].process.pid = INT_MAX;
	broker.workers[0].counters = tally_page();
	give(&given[0], 1, input_u8(input));
	give(&given[1], PORTS, input_u8(input));
	describe(input);
}

static void send_descriptors(int socket, const struct message *message, uint32_t count)
{
	struct message_fds fds = {.count = count};
	uint32_t i;

	for (i = 0; i < count; i++)
		fds.fd[i] = open("/dev/null", O_RDWR | O_CLOEXEC);
	(void)!message_send(socket, message, &fds);
	message_fds_close(&fds);
}

static void send_somehow(int socket, const struct message *message, uint8_t how)
{
	if ((how & 15) == 15) /* of a wrong size */
		(void)!send(socket, message, how >> 4, MSG_NOSIGNAL | MSG_DONTWAIT);
	else if ((how & 15) == 14)
		shutdown(socket, SHUT_WR);
	else
		send_descriptors(socket, message, (how & 15) > 10 ? (how & 3) : 0);
}

/* Each event is one line that a terminal may show, and there are no more of them than there may. */
static void events_check(void)
{
	uint32_t count = 0;

	for (const struct event *event = event_find(&broker, 0); event; event = event->next) {
		count++;
		MUST(event->length <= XVHC_EVENT_BYTES_MAX);
		MUST(event->text[event->length - 1] == '\n');
		for (size_t i = 0; i + 1 < event->length; i++)
			MUST(event->text[i] >= ' ' && event->text[i] <= '~');
	}
	MUST(count == broker.events.count && count <= EVENT_KINDS * XVHC_EVENTS_PER_SECOND_MAX);
}

bool broker_hear(struct input *input)
{
	uint8_t how = input_u8(input);
	struct message message;

	input_take(input, &message, sizeof(message));
	message.type &= how & 0x40 ? UINT32_MAX : 15;
	message.u.port.port &= how & 0x20 ? UINT32_MAX : 7;
	if (message.type == MESSAGE_PORT_EVENT && !(how & 0x10)) {
		message.u.port_event.event &= 3;
		message.u.port_event.type &= 3;
		message.u.port_event.endpoint &= 0xff;
	}
	send_somehow(worker_side, &message, how);
	worker_readable(&broker, 0);
	MUST(controller->phase < PHASES);
	MUST(given[0].device_state <= DEVICE_DETACHING && given[0].guest_use <= PORT_CONFIGURED);
	MUST(given[1].device_state <= DEVICE_DETACHING && given[1].guest_use <= PORT_CONFIGURED);
	MUST(controller->worker || !broker.workers[0].controller);
	events_check();
	return broker.workers[0].controller != NULL && broker.workers[0].process.socket >= 0;
}

bool describer_hear(struct input *input)
{
	uint8_t how = input_u8(input);
	struct message message;

	input_take(input, &message, sizeof(message));
	message.type = how & 0x40 ? message.type : MESSAGE_DESCRIPTION;
	if (how & 0x20)
		message.u.description.kinds %= XVHC_KINDS_MAX + 2;
	if (how & 0x10) { /* what the kernel says as well */
		message.u.description.vendor = device.vendor;
		message.u.description.product = device.product;
		message.u.description.version = device.version;
		message.u.description.device.class = device.class;
		message.u.description.complete = 1;
	}
	send_somehow(describer_side, &message, how);
	describer_readable(&broker, 0);
	MUST(given[0].judgement <= JUDGEMENT_REFUSED);
	MUST(given[0].judgement != JUDGEMENT_ALLOWED || given[0].described);
	MUST(given[0].judgement != JUDGEMENT_ALLOWED || device.class != CLASS_HUB);
	MUST(strlen(given[0].refused_by) < sizeof(given[0].refused_by));
	return given[0].describer != NULL && given[0].describer->process.socket >= 0;
}

void broker_end(void)
{
	if (given[0].describer && given[0].describer->process.socket >= 0)
		close(given[0].describer->process.socket);
	close(describer_side);
	policy_fini(&broker.policy);
	events_fini(&broker);
	if (broker.workers[0].process.socket >= 0)
		close(broker.workers[0].process.socket);
	close(worker_side);
	tally_page_close(&broker.workers[0]);
	broker.store->ops->close(broker.store);
	free(controller);
}
