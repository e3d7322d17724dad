// SPDX-License-Identifier: MIT
/*
 * How fast one worker is: the guest, the worker and its devices take turns on one thread. Prints
 * one JSON object. Options, each with a number: --wire, --length, --depth, --ports, --pool,
 * --quotas, --requests (of each round), --rounds.
 *
 * The guest's turns are timed each by themselves. All else is the worker, with the devices.
 */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include <common/log.h>
#include <worker/serve.h>

#include "bench.h"
#include "device.h"
#include "guest.h"

#define WARM_UP 2000u

static struct worker worker;
static struct guest guest;

struct round {
	uint64_t ns;       /* of the processor's time */
	uint64_t guest_ns; /* of these */
};

static void worker_round(struct guest *unused)
{
	(void)unused;
	bench_must(serve_round(&worker, 0) == XVHC_OK, "the worker goes on");
}

static struct round run(uint64_t requests)
{
	uint64_t left = requests, until = guest.answered + requests;
	struct round round = {.ns = bench_now_ns(CLOCK_PROCESS_CPUTIME_ID)};

	while (guest.answered < until) {
		uint64_t since = bench_now_ns(CLOCK_MONOTONIC);

		(void)guest_turn(&guest, &left);
		round.guest_ns += bench_now_ns(CLOCK_MONOTONIC) - since;
		worker_round(&guest);
	}
	round.ns = bench_now_ns(CLOCK_PROCESS_CPUTIME_ID) - round.ns;
	return round;
}

/* System calls of the worker, as far as they are its own. */
static uint64_t calls(void)
{
	const struct counters_connection *counts = &worker.counters->connection;

	return counts->rounds + counts->woken + counts->notified + device_calls;
}

int main(int argc, char **argv)
{
	struct guest_plan plan = guest_plan_read(argc, argv);
	uint64_t requests = bench_option(argc, argv, "requests", 100000);
	uint64_t rounds = bench_option(argc, argv, "rounds", 5), before, i;
	int socket;

	log_init("bench", LOG_LEVEL_WARNING);
	socket = guest_init(&guest, &plan);
	worker.transport = &transport_memfd;
	worker.source = &source_at_once;
	bench_must(serve_begin(&worker, socket) == 0, "the worker starts");
	guest.wait = worker_round;
	guest_configure(&guest);
	(void)run(WARM_UP);
	before = calls();
	printf("{\"depth\": %u, \"requests\": %" PRIu64 ", \"rounds\": [", guest.plan.depth,
	       requests);
	for (i = 0; i < rounds; i++) {
		struct round round = run(requests);

		printf("%s{\"ns\": %" PRIu64 ", \"guest_ns\": %" PRIu64 "}", i ? ", " : "",
		       round.ns, round.guest_ns);
	}
	before = calls() - before;
	printf("], \"worker_calls\": %" PRIu64 "}\n", before);
	return 0;
}
