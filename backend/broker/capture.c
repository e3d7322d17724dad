// SPDX-License-Identifier: MIT
/*
 * A capture is a socket of somebody who may give commands. The broker keeps it, and hands it to the
 * worker of each controller that the capture is about, as soon as there is one. What each worker
 * was told stands with the worker; each round compares that with what it should be told, so a
 * capture outlasts workers, restarts of its guest, and a port that is taken and given again. It
 * ends with the reader: when that hangs up, or closes its sending side, which asks for what was
 * lost first.
 *
 * The socket is a stranger's: nothing is read from it, and nothing waits for it. A worker can send
 * bytes to it and never a descriptor (isolate.c).
 */
#include <broker/capture.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <broker/controller_worker.h>
#include <broker/given.h>
#include <broker/given_hub.h>
#include <broker/guest.h>
#include <broker/stranger_fd.h>
#include <capture_record.h>

#define RETRY_MS 100u /* where a worker did not read its messages */
#define ALL_PORTS UINT32_MAX
#define NAME_BYTES_MAX (XVHC_GUEST_NAME_MAX + XVHC_PLACE_MAX + 16u)

/* One without a peer would never end. */
static bool is_capture_socket(int fd)
{
	int domain = 0, type = 0;
	struct sockaddr_un peer;
	socklen_t length = sizeof(int), peer_length = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &length) == 0 && domain == AF_UNIX &&
	       getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) == 0 && type == SOCK_SEQPACKET &&
	       getpeername(fd, (struct sockaddr *)&peer, &peer_length) == 0;
}

int capture_add(struct broker *broker, const struct capture_wish *wish, int fd)
{
	struct capture *capture = NULL;
	uint32_t index;

	for (index = 0; index < XVHC_CAPTURES_MAX && !capture; index++)
		if (broker->captures[index].serial == 0)
			capture = &broker->captures[index];
	if (!capture || !is_capture_socket(fd) ||
	    broker_follow(broker, fd, EPOLLRDHUP, SOURCE_CAPTURE, index - 1) != 0) {
		stranger_fd_close(fd);
		return capture ? -EINVAL : -EMFILE;
	}
	if (++broker->capture_serial == 0)
		broker->capture_serial = 1;
	memset(capture, 0, sizeof(*capture));
	capture->serial = broker->capture_serial;
	capture->fd = fd;
	capture->data_max = wish->data_max;
	capture->by_port = wish->place != NULL;
	if (wish->place)
		capture->place = *wish->place;
	else
		snprintf(capture->guest, sizeof(capture->guest), "%s", wish->guest);
	broker->capture_count++;
	broker->again = true;
	return 0;
}

/* Which ports of a controller the capture is about; those that a given port is bound to: *bound. */
static uint32_t ports_wanted(const struct broker *broker, const struct capture *capture,
			     const struct controller *controller, uint32_t *bound)
{
	const struct guest *guest = NULL;
	uint32_t ports = 0;

	*bound = 0;
	if (!capture->by_port) {
		guest = guest_find(broker, capture->guest);
		if (!guest || guest->domid != controller->domid)
			return 0;
	}
	for (uint32_t port = 1; port <= controller->ports; port++) {
		const struct given *given = controller->given[port];

		if (!given)
			continue;
		if (guest || place_equal(&given->place, &capture->place) ||
		    place_equal(&given_outermost(given)->place, &capture->place))
			ports |= 1u << port;
	}
	*bound = ports;
	return guest ? ALL_PORTS : ports;
}

/* Tells the reader how a person calls a port. Where that is lost, it has a number instead. */
static void name_send(const struct broker *broker, const struct capture *capture,
		      const struct controller *controller, uint32_t port)
{
	struct {
		struct capture_record record;
		char text[NAME_BYTES_MAX];
	} name = {
		.record = {.kind = CAPTURE_NAME, .source = controller->devid, .port = port},
	};
	const struct given *given = controller->given[port];
	char names[XVHC_PLACE_MAX];
	struct timespec now;

	given_names(broker, given, names, sizeof(names));
	snprintf(name.text, sizeof(name.text), "%s port %s", given->guest, names);
	clock_gettime(CLOCK_REALTIME, &now);
	name.record.time_ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
	name.record.length = name.record.data = (uint32_t)strlen(name.text);
	(void)!send(capture->fd, &name, sizeof(name.record) + name.record.data,
		    MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void names_send(const struct broker *broker, const struct capture *capture,
		       const struct controller *controller, uint32_t ports)
{
	for (uint32_t port = 1; port <= controller->ports; port++)
		if (ports & 1u << port)
			name_send(broker, capture, controller, port);
}

static int worker_told(const struct worker_slot *slot, uint32_t index,
		       const struct capture *capture, uint32_t ports)
{
	const struct message message = {
		.type = MESSAGE_CAPTURE,
		.u.capture =
			{
				.index = index,
				.ports = ports,
				.data_max = capture->data_max,
				.source = slot->controller->devid,
			},
	};

	return controller_worker_tell(slot->controller, &message, ports ? capture->fd : -1);
}

static void capture_tell(struct broker *broker, uint32_t index, struct worker_slot *slot)
{
	const struct capture *capture = &broker->captures[index];
	struct capture_told *told = &slot->told[index];
	uint32_t bound, ports = ports_wanted(broker, capture, slot->controller, &bound);

	if (told->serial != capture->serial) {
		memset(told, 0, sizeof(*told));
		told->serial = capture->serial;
	}
	names_send(broker, capture, slot->controller, bound & ~told->named);
	told->named = bound;
	if (ports == told->ports)
		return;
	if (worker_told(slot, index, capture, ports) == 0)
		told->ports = ports;
	else
		broker_wake_at(broker, broker->now_ms + RETRY_MS);
}

void captures_tell_worker(struct broker *broker, struct worker_slot *slot)
{
	for (uint32_t i = 0; broker->capture_count > 0 && i < XVHC_CAPTURES_MAX; i++)
		if (broker->captures[i].serial != 0)
			capture_tell(broker, i, slot);
}

void captures_step(struct broker *broker)
{
	if (broker->capture_count == 0)
		return;
	for (uint32_t i = 0; i < XVHC_CONTROLLERS_MAX; i++)
		if (broker->workers[i].used && broker->workers[i].controller)
			captures_tell_worker(broker, &broker->workers[i]);
}

static void capture_end(struct broker *broker, uint32_t index)
{
	struct capture *capture = &broker->captures[index];

	/* A child of ours may have the socket still: closing alone would leave it in the loop. */
	(void)epoll_ctl(broker->epoll, EPOLL_CTL_DEL, capture->fd, NULL);
	close(capture->fd);
	capture->serial = 0;
	broker->capture_count--;
}

void capture_hung_up(struct broker *broker, uint32_t index)
{
	struct capture *capture = &broker->captures[index];

	if (capture->serial == 0)
		return;
	for (uint32_t i = 0; i < XVHC_CONTROLLERS_MAX; i++) {
		struct worker_slot *slot = &broker->workers[i];

		/* A worker that does not read this sees the end of the reader by itself. */
		if (slot->used && slot->controller && slot->told[index].ports != 0 &&
		    slot->told[index].serial == capture->serial)
			(void)!worker_told(slot, index, capture, 0);
	}
	capture_end(broker, index);
}

void captures_fini(struct broker *broker)
{
	for (uint32_t i = 0; i < XVHC_CAPTURES_MAX; i++)
		if (broker->captures[i].serial != 0)
			capture_end(broker, i);
}
