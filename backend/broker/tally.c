// SPDX-License-Identifier: MIT
#include <broker/tally.h>

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <broker/broker.h>
#include <broker/controller.h>
#include <common/counters.h>

int tally_page(void)
{
	int fd = memfd_create("xvhc-counters", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return -1;
	/* A worker that was taken over shall not be able to make us pay for more than this. */
	if (ftruncate(fd, (off_t)COUNTERS_BYTES) != 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

void tally_page_close(struct worker_slot *slot)
{
	if (slot->counters >= 0)
		close(slot->counters);
	slot->counters = -1;
}

/* Copies a part of the page; zeros where there is none. */
static void page_read(const struct worker_slot *slot, void *part, size_t size, size_t offset)
{
	if (!slot || slot->counters < 0 ||
	    pread(slot->counters, part, size, (off_t)offset) != (ssize_t)size)
		memset(part, 0, size);
}

static void port_read(const struct worker_slot *slot, uint32_t port, struct counters_port *read)
{
	page_read(slot, read, sizeof(*read),
		  offsetof(struct counters, port) + (port - 1) * sizeof(*read));
}

static void connection_read(const struct worker_slot *slot, struct counters_connection *read)
{
	page_read(slot, read, sizeof(*read), offsetof(struct counters, connection));
}

/* What the worker in this place has counted for a port since it was bound to it. */
static void since_bound(const struct worker_slot *slot, const struct given *given,
			struct counters_port *read)
{
	port_read(slot, given->port, read);
	counters_sums_subtract(&read->sums, &given->tally.base);
}

static void port_keep(const struct worker_slot *slot, struct given *given)
{
	struct counters_port read;

	since_bound(slot, given, &read);
	counters_sums_add(&given->tally.kept, &read.sums);
	memset(&given->tally.base, 0, sizeof(given->tally.base));
}

void tally_worker_ended(struct controller *controller, struct worker_slot *slot)
{
	struct counters_connection read;

	for (uint32_t port = 1; port <= controller->ports; port++)
		if (controller->given[port])
			port_keep(slot, controller->given[port]);
	connection_read(slot, &read);
	counters_connection_add(&controller->kept, &read);
	tally_page_close(slot);
}

/* The worker of a controller. NULL: it has none. */
static struct worker_slot *slot_of(struct broker *broker, const struct controller *controller)
{
	return controller && controller->worker ? worker_slot_of(broker, controller) : NULL;
}

void tally_bound(struct broker *broker, struct given *given)
{
	struct counters_port read;

	port_read(slot_of(broker, given->controller), given->port, &read);
	given->tally.base = read.sums;
}

void tally_unbind(struct broker *broker, struct given *given)
{
	port_keep(slot_of(broker, given->controller), given);
}

void tally_port(struct broker *broker, const struct given *given, struct counters_port *port)
{
	memset(port, 0, sizeof(*port));
	if (given->controller)
		since_bound(slot_of(broker, given->controller), given, port);
	counters_sums_add(&port->sums, &given->tally.kept);
}

void tally_controller(struct broker *broker, const struct controller *controller,
		      struct counters_connection *connection)
{
	connection_read(slot_of(broker, controller), connection);
	counters_connection_add(connection, &controller->kept);
}
