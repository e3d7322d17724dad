/* SPDX-License-Identifier: MIT */
/*
 * What the worker waits for: an epoll set whose entries say by whom they are to be handled. The
 * handlers stand in a table in serve.c.
 */
#ifndef XVHC_WORKER_LOOP_H
#define XVHC_WORKER_LOOP_H

#include <xvhc/types.h>
#include <xvhc/usbif.h>

enum loop_kind {
	LOOP_BROKER = 0, /* a message from the broker, or room for one to it */
	LOOP_GUEST,      /* the guest notified us */
	LOOP_SOURCE,     /* devices: transfers ended */
	LOOP_OPERATIONS, /* devices: operations ended, where the source tells them apart */
	LOOP_DEVICES,    /* one device: the first of as many kinds as there are ports */
	LOOP_KINDS = LOOP_DEVICES + USBIF_PORT_MAX,
};

struct loop {
	int epoll;
};

/* Returns 0 or -errno. */
XVHC_MUST_CHECK int loop_init(struct loop *loop);

/* Closes it, where loop_init() was called. */
void loop_fini(struct loop *loop);

/*
 * Adds or removes a descriptor; events are those of epoll. May be called from any thread. Adding
 * returns 0 or -errno.
 */
XVHC_MUST_CHECK int loop_add(struct loop *loop, int fd, uint32_t events, enum loop_kind kind);
void loop_change(struct loop *loop, int fd, uint32_t events, enum loop_kind kind);
void loop_remove(struct loop *loop, int fd);

/* CLOCK_MONOTONIC. */
uint64_t loop_now_ms(void);

/*
 * Waits, at most timeout_ms (-1: without end), and tells by a set of 1 << enum loop_kind who has
 * something to do.
 */
uint64_t loop_wait(struct loop *loop, int timeout_ms);

#endif
