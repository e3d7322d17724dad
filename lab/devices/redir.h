// SPDX-License-Identifier: MIT
/* A device on a socket to QEMU's usb-redir: what main() does with it. */
#ifndef LAB_DEVICES_REDIR_H
#define LAB_DEVICES_REDIR_H

#include "device.h"

/* Takes the socket over. NULL: no memory. */
struct device *redir_open(const struct model *model, int socket);
void redir_close(struct device *device);

/*
 * The socket can be read; the time of redir_wait_us() has passed; somebody has poked. Each returns
 * false once QEMU has gone.
 */
bool redir_read(struct device *device);
bool redir_wake(struct device *device);
bool redir_poke(struct device *device);

/* How long until redir_wake() has something to do, in microseconds; -1: for ever. */
int64_t redir_wait_us(const struct device *device);

#endif
