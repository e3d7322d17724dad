/* SPDX-License-Identifier: MIT */
/* Who is at the other end of the control socket. */
#ifndef XVHC_BROKER_PEER_H
#define XVHC_BROKER_PEER_H

#include <stdbool.h>
#include <sys/types.h>

/* Members of this group may use xvhc; it need not exist. */
#define PEER_GROUP "xvhc"

/*
 * Whether the process that connected this Unix socket may give commands: root, the user that the
 * broker runs as, and members of the group, as the kernel tells them. The mode of the socket's file
 * says the same; this holds where that was changed, or where the file's folder is shared. Where
 * not, who it is goes to the log. group is the group's number, which was looked up when the socket
 * was made: that may ask a server; 0 where there is none.
 */
bool peer_may(int fd, gid_t group);

#endif
