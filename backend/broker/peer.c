// SPDX-License-Identifier: MIT
#include <broker/peer.h>

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <common/log.h>

/* Someone in more groups than this is told by the first of them. */
#define PEER_GROUPS_MAX 256u

static bool is_member(int fd, gid_t wanted)
{
	gid_t groups[PEER_GROUPS_MAX];
	socklen_t length = sizeof(groups);
	size_t i;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &length) != 0)
		return false;
	for (i = 0; i < length / sizeof(groups[0]); i++) {
		if (groups[i] == wanted)
			return true;
	}
	return false;
}

bool peer_may(int fd, gid_t group)
{
	struct ucred peer;
	socklen_t length = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0 ||
	    length != sizeof(peer)) {
		log_line(LOG_LEVEL_WARNING, "the kernel does not say who is on the socket: %s",
			 strerror(errno));
		return false;
	}
	if (peer.uid == 0 || peer.uid == geteuid())
		return true;
	if (group != 0 && (peer.gid == group || is_member(fd, group)))
		return true;
	log_line(LOG_LEVEL_WARNING,
		 "process %d of user %u may not use the socket: neither root nor in the group %s",
		 (int)peer.pid, (unsigned int)peer.uid, PEER_GROUP);
	return false;
}
