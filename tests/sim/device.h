/* SPDX-License-Identifier: MIT */
/* The devices: a source that does nothing by itself, and everything on command. */
#ifndef XVHC_TESTS_SIM_DEVICE_H
#define XVHC_TESTS_SIM_DEVICE_H

#include <worker/source.h>

extern const struct source_ops sim_source;

/*
 * One of the transfers under way comes to an end, well or badly, not necessarily the oldest.
 * Returns false where there is none; where cancelled is set: none that was cancelled.
 */
bool device_finish_transfer(bool cancelled);

/* An operation comes to its end. Returns false where there is none. */
bool device_finish_operation(void);

/* The device of this port is unplugged without notice: it answers no more but with ENODEV. */
void device_vanish(uint32_t port);

/* A device that sleeps wakes up by itself. Returns false where there is none. */
bool device_wake_up(void);

/* Whether the device of this port sleeps; whether its last reset failed. */
bool device_sleeps(uint32_t port);
bool device_lacks_a_reset(uint32_t port);

/* How many streams a device has of so many that are asked for. */
uint32_t device_streams_of(uint32_t wanted);

/* Calm: operations and cancelled transfers end by themselves. */
void device_calm(bool calm);

/* Whether the device of this port is open, as the source knows it. */
bool device_is_open(uint32_t port);

/* Transfers that the worker has given to devices and not yet got back. */
uint32_t device_transfers(void);

/* What may be under way at a time; 0: as much as there are slots. */
void device_quota(uint32_t transfers_max, uint32_t bytes_max);

/* The worker has died: forgets everything. */
void device_forget(void);

#endif
