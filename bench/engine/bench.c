// SPDX-License-Identifier: MIT
#include "bench.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

void bench_must(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "the benchmark fails: %s (last error: %s)\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

uint64_t bench_option(int argc, char **argv, const char *name, uint64_t otherwise)
{
	int i;

	for (i = 1; i + 1 < argc; i += 2) {
		if (strncmp(argv[i], "--", 2) == 0 && strcmp(argv[i] + 2, name) == 0)
			return strtoull(argv[i + 1], NULL, 10);
	}
	return otherwise;
}

uint64_t bench_now_ns(int clock)
{
	struct timespec now;

	bench_must(clock_gettime(clock, &now) == 0, "the clock can be read");
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void bench_raise_limits(void)
{
	struct rlimit limit;

	bench_must(getrlimit(RLIMIT_NOFILE, &limit) == 0, "the limit of descriptors is known");
	limit.rlim_cur = limit.rlim_max;
	bench_must(setrlimit(RLIMIT_NOFILE, &limit) == 0, "the limit of descriptors is raised");
}
