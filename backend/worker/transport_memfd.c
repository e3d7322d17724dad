// SPDX-License-Identifier: MIT
/*
 * A guest's memory that is a memfd, for tests, fuzzing and benchmarks: a grant reference is the
 * number of a page in it. The memfd must be sealed against shrinking, so that no access to it can
 * fault later. Descriptors, in this order: the memfd, the eventfd that notifies us, the eventfd
 * that notifies the guest.
 */
#include "transport.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <byte_order.h>
#include <error.h>
#include <xvhc/usbif.h>

static uint8_t *memory;
static uint8_t *pool;
static size_t pool_bytes;
static uint32_t pages;
static int from_guest = -1;
static int to_guest = -1;

static int memfd_open(void)
{
	return 0;
}

static int fail(const char **problem, const char *text)
{
	*problem = text;
	return XVHC_EPROTO;
}

static int map_memory(int fd, const char **problem)
{
	struct stat status;
	int seals = fcntl(fd, F_GET_SEALS);

	if (seals < 0 || (seals & F_SEAL_SHRINK) == 0)
		return fail(problem, "the guest's memory can shrink");
	if (fstat(fd, &status) < 0 || status.st_size < USBIF_PAGE_SIZE ||
	    status.st_size / USBIF_PAGE_SIZE > UINT32_MAX)
		return fail(problem, "the guest's memory has no good size");
	pages = (uint32_t)(status.st_size / USBIF_PAGE_SIZE);
	memory = mmap(NULL, (size_t)pages * USBIF_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		      0);
	if (memory == MAP_FAILED) {
		memory = NULL;
		return fail(problem, "cannot map the guest's memory");
	}
	return XVHC_OK;
}

/* The pages of a ring lie one behind the other here, since they are mapped with all else. */
static bool lie_in_memory(const struct message_connect *connect)
{
	uint32_t i;

	for (i = 0; i < connect->ring_pages; i++) {
		if (connect->ring_ref[i] >= pages ||
		    connect->ring_ref[i] - connect->ring_ref[0] != i)
			return false;
	}
	return connect->event_ref < pages;
}

/* Maps the pool's pages once more, one behind the other. Returns whether they are all there. */
static bool map_pool_pages(const struct message_connect *connect, int fd)
{
	uint32_t i;

	for (i = 0; i < connect->pool_pages; i++) {
		uint32_t directory = connect->pool_ref[i / XVHCIF_POOL_REFS_OF_A_PAGE], ref;

		if (directory >= pages)
			return false;
		memcpy(&ref,
		       memory + (size_t)directory * XVHCIF_PAGE_SIZE +
			       (size_t)(i % XVHCIF_POOL_REFS_OF_A_PAGE) * sizeof(ref),
		       sizeof(ref));
		ref = le32(ref);
		if (ref >= pages || mmap(pool + (size_t)i * XVHCIF_PAGE_SIZE, XVHCIF_PAGE_SIZE,
					 PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd,
					 (off_t)ref * XVHCIF_PAGE_SIZE) == MAP_FAILED)
			return false;
	}
	return true;
}

static int map_pool(const struct message_connect *connect, int fd, struct transport_rings *rings,
		    const char **problem)
{
	if (connect->pool_pages == 0)
		return XVHC_OK;
	pool_bytes = (size_t)connect->pool_pages * XVHCIF_PAGE_SIZE;
	pool = mmap(NULL, pool_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (pool == MAP_FAILED) {
		pool = NULL;
		return fail(problem, "no room for the pool");
	}
	if (!map_pool_pages(connect, fd))
		return fail(problem, "the pool lies outside of the guest's memory");
	rings->pool = pool;
	rings->pool_bytes = (uint32_t)pool_bytes;
	return XVHC_OK;
}

static int memfd_connect(const struct message_connect *connect, struct message_fds *fds,
			 struct transport_rings *rings, const char **problem)
{
	int error;

	if (fds->count != 3)
		return fail(problem, "this transport takes three descriptors");
	error = map_memory(fds->fd[0], problem);
	if (error != XVHC_OK)
		return error;
	if (!lie_in_memory(connect))
		return fail(problem, "a ring lies outside of the guest's memory");
	error = map_pool(connect, fds->fd[0], rings, problem);
	if (error != XVHC_OK)
		return error;
	rings->requests = memory + (size_t)connect->ring_ref[0] * USBIF_PAGE_SIZE;
	rings->events = memory + (size_t)connect->event_ref * USBIF_PAGE_SIZE;
	from_guest = fds->fd[1];
	to_guest = fds->fd[2];
	close(fds->fd[0]);
	fds->count = 0;
	rings->event = from_guest;
	return XVHC_OK;
}

static int memfd_copy(const struct transport_copy *copies, uint32_t count,
		      enum transport_direction direction)
{
	uint32_t i;

	for (i = 0; i < count; i++) {
		uint8_t *guest;

		if (copies[i].gref >= pages || copies[i].length > USBIF_PAGE_SIZE ||
		    copies[i].offset > USBIF_PAGE_SIZE - copies[i].length)
			return XVHC_EINVAL;
		guest = memory + (size_t)copies[i].gref * USBIF_PAGE_SIZE + copies[i].offset;
		if (direction == TRANSPORT_TO_GUEST)
			memcpy(guest, copies[i].local, copies[i].length);
		else
			memcpy(copies[i].local, guest, copies[i].length);
	}
	return XVHC_OK;
}

static void memfd_notify(void)
{
	uint64_t one = 1;
	ssize_t written = write(to_guest, &one, sizeof(one));

	(void)written;
}

static void memfd_accept(void)
{
	uint64_t count;
	ssize_t got = read(from_guest, &count, sizeof(count));

	(void)got;
}

static void memfd_rearm(void)
{
}

void transport_memfd_disconnect(void)
{
	if (memory)
		munmap(memory, (size_t)pages * USBIF_PAGE_SIZE);
	if (pool)
		munmap(pool, pool_bytes);
	if (from_guest >= 0) {
		close(from_guest);
		close(to_guest);
	}
	memory = pool = NULL;
	pages = 0;
	from_guest = to_guest = -1;
}

const struct transport_ops transport_memfd = {
	.kind = TRANSPORT_MEMFD,
	.open = memfd_open,
	.connect = memfd_connect,
	.copy = memfd_copy,
	.notify = memfd_notify,
	.accept = memfd_accept,
	.rearm = memfd_rearm,
};
