/* SPDX-License-Identifier: MIT */
/*
 * Sending and receiving of struct message, with descriptors, over a SOCK_SEQPACKET socket. What is
 * received has the right size and its descriptors are ours; nothing else of it is checked.
 */
#ifndef XVHC_BACKEND_MESSAGE_IO_H
#define XVHC_BACKEND_MESSAGE_IO_H

#include <message.h>

/* Descriptors of one message, at most. */
#define MESSAGE_FDS_MAX 4u

struct message_fds {
	int fd[MESSAGE_FDS_MAX];
	uint32_t count;
};

/*
 * Sends one message with the descriptors of fds (may be NULL), which stay the caller's. Does not
 * wait. Returns 0, or -errno: -EAGAIN where the peer does not read, -EPIPE where it is gone.
 */
XVHC_MUST_CHECK int message_send(int socket, const struct message *message,
				 const struct message_fds *fds);

/*
 * Receives one message. Its descriptors become the caller's, with close-on-exec. Does not wait.
 * Returns 1; 0 at the end of file; -errno: -EAGAIN where there is none, -EPROTO where it had the
 * wrong size or too many descriptors, which are closed then.
 */
XVHC_MUST_CHECK int message_receive(int socket, struct message *message, struct message_fds *fds);

/* Closes the descriptors and empties the list. */
void message_fds_close(struct message_fds *fds);

#endif
