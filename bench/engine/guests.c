// SPDX-License-Identifier: MIT
/*
 * Many guests at once. Each has a worker process of its own, as below xvhcd; this process plays all
 * the frontends. Prints one JSON object. Options: --guests, --requests (of all together), --rounds,
 * and those of a guest (speed.c).
 *
 * The cost of a request is the processor's time of all workers, by their own clocks. That of the
 * frontends is not in it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"
#include "process.h"

#define GUESTS_MAX 1024u
#define EVENTS 64

/* A guest's requests of one round, at least. */
#define REQUESTS_MIN 64u

static struct {
	struct guest guest;
	pid_t process;
	clockid_t clock;
	uint64_t left;
} * members;
static uint32_t count;
static int epoll;

static void member_start(uint32_t i, const struct guest_plan *plan)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u32 = i};
	struct guest *guest = &members[i].guest;

	members[i].process = process_start(guest, plan, "worker", NULL);
	bench_must(clock_getcpuclockid(members[i].process, &members[i].clock) == 0,
		   "the worker has a clock");
	guest_configure(guest);
	bench_must(epoll_ctl(epoll, EPOLL_CTL_ADD, guest->from_worker, &event) == 0,
		   "a guest can be waited for");
}

static uint64_t workers_ns(void)
{
	uint64_t sum = 0;
	uint32_t i;

	for (i = 0; i < count; i++)
		sum += bench_now_ns(members[i].clock);
	return sum;
}

static void guest_is_ready(uint32_t i, uint64_t *answered)
{
	struct guest *guest = &members[i].guest;
	uint64_t times;
	ssize_t got = read(guest->from_worker, &times, sizeof(times));

	(void)got;
	*answered += guest_turn(guest, &members[i].left);
}

static void run(uint64_t each)
{
	uint64_t answered = 0;
	uint32_t i;

	for (i = 0; i < count; i++) {
		members[i].left = each;
		answered += guest_turn(&members[i].guest, &members[i].left);
	}
	while (answered < each * count) {
		struct epoll_event events[EVENTS];
		int ready = epoll_wait(epoll, events, EVENTS, 60000), n;

		bench_must(ready > 0, "the workers go on");
		for (n = 0; n < ready; n++)
			guest_is_ready(events[n].data.u32, &answered);
	}
}

int main(int argc, char **argv)
{
	struct guest_plan plan = guest_plan_read(argc, argv);
	uint64_t requests = bench_option(argc, argv, "requests", 1000000), each, i;
	uint64_t rounds = bench_option(argc, argv, "rounds", 5), wall, ns;

	count = (uint32_t)bench_option(argc, argv, "guests", 1);
	bench_must(count >= 1 && count <= GUESTS_MAX, "there are 1 to 1024 guests");
	each = requests / count > REQUESTS_MIN ? requests / count : REQUESTS_MIN;
	bench_raise_limits();
	members = calloc(count, sizeof(*members));
	epoll = epoll_create1(EPOLL_CLOEXEC);
	bench_must(members && epoll >= 0, "there is room for the guests");
	for (i = 0; i < count; i++)
		member_start((uint32_t)i, &plan);
	run(REQUESTS_MIN);
	printf("{\"guests\": %u, \"depth\": %u, \"requests\": %" PRIu64 ", \"rounds\": [", count,
	       members[0].guest.plan.depth, each * count);
	for (i = 0; i < rounds; i++) {
		wall = bench_now_ns(CLOCK_MONOTONIC);
		ns = workers_ns();
		run(each);
		printf("%s{\"ns\": %" PRIu64 ", \"wall_ns\": %" PRIu64 "}", i ? ", " : "",
		       workers_ns() - ns, bench_now_ns(CLOCK_MONOTONIC) - wall);
	}
	printf("]}\n");
	for (i = 0; i < count; i++)
		process_end(&members[i].guest, members[i].process);
	free(members);
	return 0;
}
