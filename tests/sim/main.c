// SPDX-License-Identifier: MIT
/*
 * sim [--seed N] [--steps M] [--seeds K] [--wire V]: K runs of M steps each, from seed N on; a
 * random one where none is given. Even seeds speak version 1 of the wire and odd ones version 2,
 * where V does not tell. The outcome of a run depends on its seed and its version alone.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"
#include "world.h"

struct sim_position sim_position;
uint32_t sim_version;

_Noreturn void sim_fail(const char *format, ...)
{
	va_list args;

	fflush(stdout);
	fprintf(stderr, "step %" PRIu64 " (%s): ", sim_position.step, sim_position.event);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "\nagain: build/san/sim --wire %u --seed %" PRIu64 " --steps %" PRIu64 "\n",
		sim_version, sim_position.seed, sim_position.step);
	abort();
}

/* A process of its own for each seed, so that nothing is left from the last. */
static bool run(uint64_t seed, uint64_t steps, uint64_t version)
{
	int status = 0;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (child == 0) {
		sim_position = (struct sim_position){.seed = seed, .event = "begin"};
		sim_version = version ? (uint32_t)version : 1 + (uint32_t)(seed & 1);
		random_seed(seed);
		world_begin();
		while (sim_position.step++ < steps)
			world_step();
		world_end();
		printf("PASS sim: seed %" PRIu64 ", version %u: %" PRIu64 " steps, %" PRIu64
		       " answers, of them %" PRIu64 " OK\n",
		       seed, sim_version, steps, guest_answers, guest_good_answers);
		exit(0);
	}
	if (child > 0 && waitpid(child, &status, 0) == child && status == 0)
		return true;
	printf("FAIL sim: seed %" PRIu64 "\n", seed);
	return false;
}

static uint64_t random_start(void)
{
	uint32_t seed = 0;

	if (getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
		fprintf(stderr, "no random seed\n");
	return seed;
}

int main(int argc, char **argv)
{
	uint64_t seed = random_start(), steps = 100000, seeds = 1, version = 0;
	bool good = true;
	int i;

	for (i = 1; i + 1 < argc; i += 2) {
		uint64_t value = strtoull(argv[i + 1], NULL, 10);

		if (strcmp(argv[i], "--seed") == 0)
			seed = value;
		else if (strcmp(argv[i], "--steps") == 0)
			steps = value;
		else if (strcmp(argv[i], "--seeds") == 0)
			seeds = value;
		else if (strcmp(argv[i], "--wire") == 0 && (value == 1 || value == 2))
			version = value;
		else
			break;
	}
	if (i != argc) {
		fprintf(stderr, "usage: sim [--seed N] [--steps M] [--seeds K] [--wire 1|2]\n");
		return 2;
	}
	for (; seeds > 0; seeds--, seed++)
		good &= run(seed, steps, version);
	return good ? 0 : 1;
}
