/* SPDX-License-Identifier: MIT */
/*
 * The simulation: one worker, its guest, its broker and its devices, in one thread of one process.
 * All that happens follows from a seed. README.md tells what is checked.
 */
#ifndef XVHC_TESTS_SIM_H
#define XVHC_TESTS_SIM_H

#include <xvhc/usbif.h>
#include <xvhc/xvhcif.h>

#define SIM_PORTS 3u

/* Version of the wire that this run speaks. */
extern uint32_t sim_version;

/* The seed and the step that are under way, for whoever has to say so. */
struct sim_position {
	uint64_t seed;
	uint64_t step;
	const char *event;
};
extern struct sim_position sim_position;

/* Says what is wrong, where, and how to see it again, and ends the program. */
_Noreturn void sim_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

#define SIM_CHECK(condition, ...)                                                                  \
	do {                                                                                       \
		if (!(condition))                                                                  \
			sim_fail(__VA_ARGS__);                                                     \
	} while (0)

/* Random numbers. All come from one state, so the order of calls is part of a seed's meaning. */
void random_seed(uint64_t seed);
uint64_t random_u64(void);

/* A number below limit, which is not 0. */
uint32_t random_below(uint32_t limit);

/* True in one of n cases. */
bool random_one_in(uint32_t n);

void random_fill(void *to, size_t size);

#endif
