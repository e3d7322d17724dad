// SPDX-License-Identifier: MIT
#include "loop.h"

#include <errno.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#define EVENTS_AT_ONCE 32

static_assert((int)LOOP_KINDS <= 64, "a set of kinds fits into 64 bits");

int loop_init(struct loop *loop)
{
	loop->epoll = epoll_create1(EPOLL_CLOEXEC);
	return loop->epoll < 0 ? -errno : 0;
}

void loop_fini(struct loop *loop)
{
	if (loop->epoll >= 0)
		close(loop->epoll);
	loop->epoll = -1;
}

int loop_add(struct loop *loop, int fd, uint32_t events, enum loop_kind kind)
{
	struct epoll_event event = {.events = events, .data.u32 = (uint32_t)kind};

	return epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

void loop_change(struct loop *loop, int fd, uint32_t events, enum loop_kind kind)
{
	struct epoll_event event = {.events = events, .data.u32 = (uint32_t)kind};

	(void)epoll_ctl(loop->epoll, EPOLL_CTL_MOD, fd, &event);
}

void loop_remove(struct loop *loop, int fd)
{
	(void)epoll_ctl(loop->epoll, EPOLL_CTL_DEL, fd, NULL);
}

uint64_t loop_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

uint64_t loop_wait(struct loop *loop, int timeout_ms)
{
	struct epoll_event events[EVENTS_AT_ONCE];
	uint64_t ready = 0;
	int count, i;

	count = epoll_wait(loop->epoll, events, EVENTS_AT_ONCE, timeout_ms);
	for (i = 0; i < count; i++) {
		if (events[i].data.u32 < LOOP_KINDS)
			ready |= 1ull << events[i].data.u32;
	}
	return ready;
}
