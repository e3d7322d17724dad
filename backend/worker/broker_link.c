// SPDX-License-Identifier: MIT
#include "broker_link.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

#include "capture.h"
#include "port.h"

/* Messages of one wake-up. */
#define BATCH 8

static bool rings_make_sense(const struct message_connect *connect)
{
	if (connect->pool_pages > XVHC_POOL_PAGES_MAX)
		return false;
	if (connect->version == 1)
		return connect->ring_pages == 1 && connect->pool_pages == 0;
	return connect->version == 2 && connect->ring_pages >= 1 &&
	       connect->ring_pages <= XVHCIF_RING_PAGES_MAX &&
	       (connect->ring_pages & (connect->ring_pages - 1)) == 0;
}

int broker_link_wait(struct worker *worker, struct message *message, struct message_fds *fds)
{
	struct pollfd wait = {.fd = worker->broker, .events = POLLIN};
	int got;

	do {
		got = poll(&wait, 1, -1) < 0 ? -errno : message_receive(wait.fd, message, fds);
	} while (got == -EINTR || got == -EAGAIN);
	if (got <= 0)
		return XVHC_ENODEV;
	if (message->type != MESSAGE_CONNECT ||
	    message->u.connect.transport != worker->transport->kind ||
	    message->u.connect.ports == 0 || message->u.connect.ports > USBIF_PORT_MAX ||
	    message->u.connect.domid > UINT16_MAX || !rings_make_sense(&message->u.connect))
		return XVHC_EPROTO;
	return quota_init(&worker->quota, &message->u.connect, loop_now_ms());
}

/* For the start and the end, where nothing else is to be done meanwhile. */
static void send_now(struct worker *worker, const struct message *message)
{
	int error = message_send(worker->broker, message, NULL);

	if (error < 0)
		log_line(LOG_LEVEL_WARNING, "the broker does not listen: %s", strerror(-error));
}

void broker_link_connected(struct worker *worker)
{
	struct message message = {.type = MESSAGE_CONNECTED};

	send_now(worker, &message);
}

void broker_link_failed(struct worker *worker, int error, const char *text)
{
	struct message message = {.type = MESSAGE_FAILED};

	message.u.failed.error = error;
	snprintf(message.u.failed.text, sizeof(message.u.failed.text), "%s", text);
	send_now(worker, &message);
}

static struct port *find_port(struct worker *worker, uint32_t number)
{
	if (number == 0 || number > worker->ports)
		return NULL;
	return &worker->port[number - 1];
}

static void attach(struct worker *worker, const struct message *message, struct message_fds *fds)
{
	const struct message_attach *attach = &message->u.attach;
	struct port *port = find_port(worker, attach->port);
	uint32_t wanted = attach->model == 0 ? 1 : 0;

	if (!port || fds->count != wanted ||
	    port_attach(port, attach, wanted ? fds->fd[0] : -1) != XVHC_OK) {
		log_line(LOG_LEVEL_ERROR, "cannot attach a device to port %u", attach->port);
		/* The broker waits for an answer. A device that is there has its own to come. */
		if (port && port->phase == PHASE_EMPTY)
			broker_link_detached(port);
		return;
	}
	fds->count = 0;
}

static void detach(struct worker *worker, const struct message *message, struct message_fds *fds)
{
	struct port *port = find_port(worker, message->u.port.port);

	(void)fds;
	if (!port)
		return;
	port_close(port);
	port_advance(port);
}

static void capture(struct worker *worker, const struct message *message, struct message_fds *fds)
{
	capture_set(worker, &message->u.capture, fds);
}

static const struct {
	uint32_t type;
	void (*handle)(struct worker *worker, const struct message *message,
		       struct message_fds *fds);
} handlers[] = {
	{MESSAGE_ATTACH, attach},
	{MESSAGE_DETACH, detach},
	{MESSAGE_CAPTURE, capture},
};

static void dispatch(struct worker *worker, const struct message *message, struct message_fds *fds)
{
	size_t i;

	for (i = 0; i < sizeof(handlers) / sizeof(handlers[0]); i++) {
		if (handlers[i].type == message->type) {
			handlers[i].handle(worker, message, fds);
			return;
		}
	}
	log_line(LOG_LEVEL_ERROR, "the broker sent a message of type %u", message->type);
}

void broker_link_handle(struct worker *worker)
{
	struct message message;
	struct message_fds fds;
	int i, got;

	if (worker->broker_blocked) {
		worker->broker_blocked = false;
		loop_change(&worker->loop, worker->broker, EPOLLIN, LOOP_BROKER);
	}
	for (i = 0; i < BATCH; i++) {
		got = message_receive(worker->broker, &message, &fds);
		if (got == -EAGAIN || got == -EINTR)
			return;
		if (got <= 0) {
			worker->ending = true;
			return;
		}
		dispatch(worker, &message, &fds);
		message_fds_close(&fds);
	}
}

void broker_link_report(struct port *port, enum port_state state)
{
	port->report_due |= port->report != state;
	port->report = state;
}

void broker_link_detached(struct port *port)
{
	port->report_due = false;
	port->detached_due = true;
}

void broker_link_event(struct port *port, enum port_event event,
		       const struct transfer_request *request)
{
	struct port_events *events = &port->events;

	events->count[event] += events->count[event] < UINT32_MAX;
	if (request) {
		events->type = request->type;
		events->endpoint = transfer_endpoint_address(request);
	}
	port->worker->events_due = true;
}

int broker_link_wait_ms(const struct worker *worker)
{
	uint64_t now_ms, soonest_ms = UINT64_MAX;
	uint32_t i, event;

	if (!worker->events_due || worker->broker_blocked)
		return -1;
	for (i = 0; i < worker->ports; i++) {
		const struct port_events *events = &worker->port[i].events;

		for (event = 0; event < PORT_EVENTS; event++) {
			if (events->count[event] > 0 && events->not_before_ms[event] < soonest_ms)
				soonest_ms = events->not_before_ms[event];
		}
	}
	assert(soonest_ms != UINT64_MAX);
	now_ms = loop_now_ms();
	return soonest_ms > now_ms ? (int)(soonest_ms - now_ms) : 0;
}

static int send_event(struct worker *worker, struct port *port, enum port_event event,
		      uint64_t now_ms)
{
	struct port_events *events = &port->events;
	struct message message = {.type = MESSAGE_PORT_EVENT};
	int sent;

	message.u.port_event.port = port->number;
	message.u.port_event.event = event;
	message.u.port_event.count = events->count[event];
	if (event == PORT_EVENT_BLOCKED) {
		message.u.port_event.type = events->type;
		message.u.port_event.endpoint = events->endpoint;
	}
	sent = message_send(worker->broker, &message, NULL);
	if (sent != -EAGAIN) {
		events->count[event] = 0;
		events->not_before_ms[event] = now_ms + XVHC_PORT_EVENT_PAUSE_MS;
	}
	return sent;
}

/* Before a device is told to be gone, all is told that was done with it. */
static int send_events(struct worker *worker, struct port *port)
{
	uint64_t now_ms = loop_now_ms();
	uint32_t event;
	int sent = 0;

	for (event = 0; event < PORT_EVENTS && sent == 0; event++) {
		if (port->events.count[event] == 0)
			continue;
		if (port->detached_due || now_ms >= port->events.not_before_ms[event])
			sent = send_event(worker, port, (enum port_event)event, now_ms);
		if (port->events.count[event] > 0)
			worker->events_due = true;
	}
	return sent;
}

static int report(struct worker *worker, struct port *port, uint32_t type)
{
	struct message message = {.type = type};

	message.u.port.port = port->number;
	message.u.port.state = type == MESSAGE_DETACHED ? PORT_EMPTY : port->report;
	return message_send(worker->broker, &message, NULL);
}

void broker_link_flush(struct worker *worker)
{
	bool events_due = worker->events_due;
	uint32_t i;
	int sent = 0;

	if (worker->broker_blocked)
		return;
	worker->events_due = false;
	for (i = 0; i < worker->ports && sent == 0; i++) {
		struct port *port = &worker->port[i];

		if (events_due)
			sent = send_events(worker, port);
		if (sent == 0 && port->detached_due) {
			sent = report(worker, port, MESSAGE_DETACHED);
			port->detached_due = sent == -EAGAIN;
		}
		if (sent == 0 && port->report_due) {
			sent = report(worker, port, MESSAGE_PORT_STATE);
			port->report_due = sent == -EAGAIN;
		}
	}
	if (sent == -EAGAIN) {
		worker->broker_blocked = true;
		worker->events_due = events_due;
		loop_change(&worker->loop, worker->broker, EPOLLIN | EPOLLOUT, LOOP_BROKER);
	}
}
