/* SPDX-License-Identifier: MIT */
/*
 * Devices for benchmarks: each has one bulk endpoint in each direction, and completes a transfer as
 * soon as the worker looks. They touch no data.
 */
#ifndef XVHC_BENCH_DEVICE_H
#define XVHC_BENCH_DEVICE_H

#include <worker/source.h>

extern const struct source_ops source_at_once;

/* System calls that the devices have made, to wake the worker's loop. */
extern uint64_t device_calls;

#endif
