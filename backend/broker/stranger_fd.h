/* SPDX-License-Identifier: MIT */
/* Descriptors that a client has sent. To close one may take as long as its owner likes. */
#ifndef XVHC_BROKER_STRANGER_FD_H
#define XVHC_BROKER_STRANGER_FD_H

#include <xvhc/types.h>

/*
 * Closes it without making the caller wait: a file of a file system that a client serves itself is
 * flushed by that client. One that is no Unix socket is closed by a thread of its own.
 */
void stranger_fd_close(int fd);

/* Whether such a thread still waits. Until it ends no more descriptors are to be received. */
XVHC_MUST_CHECK bool stranger_fd_hangs(void);

#endif
