// SPDX-License-Identifier: MIT
#include "message_io.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

/* Room for the descriptors, aligned as a control message must be. */
union control_buffer {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(sizeof(int) * MESSAGE_FDS_MAX)];
};

/* A worker has no other way to send: it cannot attach a descriptor (isolate.c). */
static int send_plain(int socket, const struct message *message)
{
	ssize_t sent;

	do {
		sent = send(socket, message, sizeof(*message), MSG_DONTWAIT | MSG_NOSIGNAL);
	} while (sent < 0 && errno == EINTR);
	return sent < 0 ? -errno : 0;
}

int message_send(int socket, const struct message *message, const struct message_fds *fds)
{
	struct message copy = *message; /* an iovec cannot be const */
	struct iovec iov = {.iov_base = &copy, .iov_len = sizeof(copy)};
	struct msghdr header = {.msg_iov = &iov, .msg_iovlen = 1};
	union control_buffer control;
	struct cmsghdr *cmsg;
	size_t bytes;
	ssize_t sent;

	if (!fds || fds->count == 0)
		return send_plain(socket, message);
	if (fds->count > MESSAGE_FDS_MAX)
		return -EINVAL;
	bytes = sizeof(int) * fds->count;
	memset(&control, 0, sizeof(control));
	header.msg_control = &control;
	header.msg_controllen = CMSG_SPACE(bytes);
	cmsg = CMSG_FIRSTHDR(&header);
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(bytes);
	memcpy(CMSG_DATA(cmsg), fds->fd, bytes);
	do {
		sent = sendmsg(socket, &header, MSG_DONTWAIT | MSG_NOSIGNAL);
	} while (sent < 0 && errno == EINTR);
	return sent < 0 ? -errno : 0;
}

static void take_fds(struct msghdr *header, struct message_fds *fds)
{
	struct cmsghdr *cmsg;

	for (cmsg = CMSG_FIRSTHDR(header); cmsg; cmsg = CMSG_NXTHDR(header, cmsg)) {
		size_t count, i;

		if (cmsg->cmsg_level != SOL_SOCKET || cmsg->cmsg_type != SCM_RIGHTS)
			continue;
		count = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (i = 0; i < count; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(cmsg) + i * sizeof(int), sizeof(fd));
			if (fds->count < MESSAGE_FDS_MAX)
				fds->fd[fds->count++] = fd;
			else
				close(fd);
		}
	}
}

int message_receive(int socket, struct message *message, struct message_fds *fds)
{
	struct iovec iov = {.iov_base = message, .iov_len = sizeof(*message)};
	union control_buffer control;
	struct msghdr header = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t received;

	fds->count = 0;
	do {
		received = recvmsg(socket, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	} while (received < 0 && errno == EINTR);
	if (received < 0)
		return -errno;
	take_fds(&header, fds);
	if (received == 0 && fds->count == 0)
		return 0;
	if (received != (ssize_t)sizeof(*message) ||
	    (header.msg_flags & (MSG_TRUNC | MSG_CTRUNC))) {
		message_fds_close(fds);
		return -EPROTO;
	}
	return 1;
}

void message_fds_close(struct message_fds *fds)
{
	uint32_t i;

	for (i = 0; i < fds->count; i++)
		close(fds->fd[i]);
	fds->count = 0;
}
