// SPDX-License-Identifier: MIT
#include "counted.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <error.h>

static struct counters own; /* where the broker gave no page */

void counted_init(struct worker *worker)
{
	worker->counters = &own;
}

int counted_open(struct worker *worker, const struct message_connect *connect,
		 struct message_fds *fds)
{
	struct stat status;
	void *page = MAP_FAILED;
	int fd;

	if (connect->counters == 0)
		return XVHC_OK;
	if (connect->counters != 1 || fds->count == 0)
		return XVHC_EPROTO;
	fd = fds->fd[--fds->count];
	if (fstat(fd, &status) == 0 && status.st_size == (off_t)COUNTERS_BYTES)
		page = mmap(NULL, COUNTERS_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (page == MAP_FAILED)
		return XVHC_EPROTO;
	worker->counters = page;
	return XVHC_OK;
}

void counted_close(struct worker *worker)
{
	if (worker->counters && worker->counters != &own)
		(void)munmap(worker->counters, COUNTERS_BYTES);
	worker->counters = NULL;
	own = (struct counters){0};
}

void counted_refused(struct worker *worker, const struct port *port)
{
	counter_add(&worker->counters->connection.refused, 1);
	if (port)
		counter_add(&port_sums(port)->refused, 1);
}

static enum counters_error kind_of(int error)
{
	switch (error) {
	case XVHC_ESTALL:
		return COUNTERS_STALL;
	case XVHC_EIO:
		return COUNTERS_IO;
	case XVHC_EBABBLE:
		return COUNTERS_BABBLE;
	case XVHC_ECANCEL:
		return COUNTERS_CANCELLED;
	case XVHC_ENODEV:
		return COUNTERS_GONE;
	default:
		return COUNTERS_OTHER;
	}
}

void counted_failed(const struct port *port, int error)
{
	counter_add(&port_sums(port)->errors[kind_of(error)], 1);
}

void counted_ended(const struct slot *slot, int error, uint32_t failed)
{
	struct counters_port *counters = port_counters(slot->port);
	uint32_t type = slot->request.type, in = slot->request.in;

	counter_add(&counters->in_flight, UINT64_MAX); /* one less */
	counter_add(&counters->sums.transfers[type][in], 1);
	counter_add(&counters->sums.bytes[type][in], slot->transfer.actual);
	if (error != XVHC_OK)
		counted_failed(slot->port, error);
	else if (type == TRANSFER_ISOC) {
		counter_add(&counters->sums.packets, slot->request.packets);
		counter_add(&counters->sums.packets_lost, failed);
	}
}
