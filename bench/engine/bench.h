/* SPDX-License-Identifier: MIT */
/* What all benchmarks use. */
#ifndef XVHC_BENCH_BENCH_H
#define XVHC_BENCH_BENCH_H

#include <xvhc/types.h>

/* Ends the program with a sentence where something does not hold that always should. */
void bench_must(bool holds, const char *what);

/* The number that stands behind "--name", or otherwise. */
uint64_t bench_option(int argc, char **argv, const char *name, uint64_t otherwise);

/* The clock's time in nanoseconds. */
uint64_t bench_now_ns(int clock);

/* Lets this process open as many descriptors as it may. */
void bench_raise_limits(void);

#endif
