// SPDX-License-Identifier: MIT
#include <broker/service.h>

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <broker/broker.h>

#define SEND_AGAIN_MS 100u

/* Returns 0 or -errno. Does not wait. */
static int datagram_send(const char *path, const char *text)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t length = strlen(path);
	int fd, result = 0;

	if ((path[0] != '/' && path[0] != '@') || length >= sizeof(address.sun_path))
		return -EINVAL;
	memcpy(address.sun_path, path, length);
	if (path[0] == '@')
		address.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (sendto(fd, text, strlen(text), MSG_NOSIGNAL, (const struct sockaddr *)&address,
		   (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)) < 0)
		result = -errno;
	close(fd);
	return result;
}

/* Sends what was not the last thing to be sent. What finds no room is sent a little later. */
static void tell(struct broker *broker, const char *text)
{
	struct service *service = &broker->service;
	int result;

	if (strcmp(service->told, text) == 0)
		return;
	result = datagram_send(service->socket, text);
	if (result == -EAGAIN) {
		broker_wake_at(broker, clock_ms() + SEND_AGAIN_MS);
		return;
	}
	if (result != 0) {
		log_line(LOG_LEVEL_WARNING, "the service manager at %s cannot be told: %s",
			 service->socket, strerror(-result));
		service->socket = NULL;
		return;
	}
	snprintf(service->told, sizeof(service->told), "%s", text);
}

/* A port is claimed, cannot be, or is not there. */
static bool claims_are_settled(const struct broker *broker)
{
	for (const struct given *given = broker->given; given; given = given->next)
		if (given->claim_state == CLAIM_NONE &&
		    topology_find_place(&broker->topology, &given->at))
			return false;
	return true;
}

/* Ports behind a hub are given with the port that the hub is in, and not counted. */
static uint32_t ports_given(const struct broker *broker)
{
	uint32_t count = 0;

	for (const struct given *given = broker->given; given; given = given->next)
		count += !given->parent;
	return count;
}

static uint32_t controllers_connected(const struct broker *broker)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < XVHC_CONTROLLERS_MAX; i++)
		count += broker->controllers[i] && broker->controllers[i]->phase == PHASE_CONNECTED;
	return count;
}

void service_begin(struct broker *broker, const char *socket)
{
	broker->service.socket = socket;
	broker->service.ready_by_ms = clock_ms() + SERVICE_READY_LIMIT_MS;
}

void service_step(struct broker *broker)
{
	struct service *service = &broker->service;
	char text[SERVICE_TEXT_MAX];

	if (!service->socket)
		return;
	if (broker->stopping) {
		tell(broker, "STOPPING=1\nSTATUS=Closing the connections; ports stay given.");
		return;
	}
	if (!service->ready && !claims_are_settled(broker) &&
	    broker->now_ms < service->ready_by_ms) {
		broker_wake_at(broker, service->ready_by_ms);
		return;
	}
	service->ready = true;
	snprintf(text, sizeof(text), "READY=1\nSTATUS=Ports given: %u. Guests' controllers: %u.%s",
		 ports_given(broker), controllers_connected(broker),
		 service->refused ? " The configuration has a fault, and the one from before is "
				    "in force: see the log."
				  : "");
	tell(broker, text);
}

void service_reload_begin(struct broker *broker)
{
	char text[SERVICE_TEXT_MAX];

	if (!broker->service.socket)
		return;
	snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%llu",
		 (unsigned long long)clock_ms() * 1000);
	tell(broker, text);
}

void service_reload_end(struct broker *broker, bool in_force)
{
	broker->service.refused = !in_force;
	/* That it is ready again is told when it has settled. */
	broker->again = true;
}
