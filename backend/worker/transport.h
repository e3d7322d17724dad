/* SPDX-License-Identifier: MIT */
/*
 * How the worker reaches a guest: the pages of its rings, copies of its memory, and notifications.
 * There are two transports: grants and an event channel of Xen, and a memfd with eventfds.
 *
 * The calls come in stages: open() once, before anything is known of the guest; connect() once;
 * then the others. A transport has static storage: a worker serves one guest.
 */
#ifndef XVHC_WORKER_TRANSPORT_H
#define XVHC_WORKER_TRANSPORT_H

#include <common/message_io.h>
#include <xvhc/types.h>

/* Segments of one copy(), at most. */
#define TRANSPORT_COPIES_MAX 512u

/* A part of one page of the guest, and where it goes to or comes from. */
struct transport_copy {
	uint32_t gref;
	uint16_t offset; /* bytes; offset + length lie in the page */
	uint16_t length; /* bytes */
	void *local;
};

enum transport_direction {
	TRANSPORT_FROM_GUEST,
	TRANSPORT_TO_GUEST,
};

/* What connect() found. */
struct transport_rings {
	/*
	 * Shared with the guest until the process ends: the request ring's pages, one behind the
	 * other, and the page of the connection ring, or the head page of version 2.
	 */
	void *requests;
	void *events;
	int event; /* becomes readable when the guest notifies us */
	/* The guest's data pool, mapped for as long as the process lives. */
	uint8_t *pool;
	uint32_t pool_bytes; /* 0: there is none */
};

struct transport_ops {
	uint32_t kind; /* enum message_transport */
	/* Opens what needs a privilege. Returns 0, or -errno after a line in the log. */
	int (*open)(void);
	/*
	 * Connects to the guest. Takes the descriptors that it wants out of fds. Returns an
	 * enum xvhc_error, and sets *problem to a sentence where that is an error.
	 */
	int (*connect)(const struct message_connect *connect, struct message_fds *fds,
		       struct transport_rings *rings, const char **problem);
	/*
	 * Copies count segments, at most TRANSPORT_COPIES_MAX. Returns XVHC_EINVAL where one of
	 * them could not be copied: the others may have been.
	 */
	int (*copy)(const struct transport_copy *copies, uint32_t count,
		    enum transport_direction direction);
	/* Notifies the guest. */
	void (*notify)(void);
	/* Takes note of a notification; after rearm(), the next one makes event readable again. */
	void (*accept)(void);
	void (*rearm)(void);
};

extern const struct transport_ops transport_xen;
extern const struct transport_ops transport_memfd;

/*
 * Unmaps the guest's memory and closes the descriptors that connect() took, so that it can be
 * called again: for programs that play one worker after another.
 */
void transport_memfd_disconnect(void);

#endif
