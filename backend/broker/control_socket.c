// SPDX-License-Identifier: MIT
#include <broker/control_socket.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <json-c/json.h>

#include <broker/command_run.h>
#include <broker/monitor.h>
#include <broker/peer.h>
#include <broker/stranger_fd.h>
#include <broker/sysfs.h>

#define CLIENT_LIMIT_MS 10000u /* for a whole request to arrive, and for an answer to be read */

struct client {
	int fd;          /* -1: a free slot */
	uint32_t serial; /* tells this client from the next in the same slot */
	bool may;        /* give commands: see peer.h */
	bool busy;       /* its request is being worked on */
	int sent_fd;     /* a descriptor that it has sent; -1: none */
	uint64_t until_ms;
	char request[XVHC_COMMAND_BYTES_MAX];
	size_t request_bytes;
	char *answer; /* NULL: none is on its way */
	size_t answer_bytes, answer_sent;
	struct monitor *monitor; /* NULL: it does not follow events */
	bool blocked;            /* its socket is full of them */
};

/* Takes the lock that the one broker of this socket holds until it ends. */
static int lock_take(const char *socket_path)
{
	char path[PATH_MAX];
	int fd;

	if (!path_format(path, "%s.lock", socket_path))
		return -ENAMETOOLONG;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0) {
		log_line(LOG_LEVEL_ERROR, "%s cannot be opened: %s. Run xvhcd as root", path,
			 strerror(errno));
		return -errno;
	}
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		log_line(LOG_LEVEL_ERROR,
			 "another xvhcd runs already, with the socket %s. End it first, or name "
			 "another by --socket",
			 socket_path);
		close(fd);
		return -EBUSY;
	}
	return 0; /* the descriptor stays open, and the lock with it */
}

static int socket_bind(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	mode_t mask;
	int fd, result;

	if (snprintf(address.sun_path, sizeof(address.sun_path), "%s", path) >=
	    (int)sizeof(address.sun_path))
		return -ENAMETOOLONG;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	unlink(path); /* of a broker that did not end in order: we have the lock */
	mask = umask(0117);
	result = bind(fd, (const struct sockaddr *)&address, sizeof(address));
	umask(mask);
	if (result != 0 || listen(fd, (int)CLIENTS_MAX) != 0) {
		result = -errno;
		close(fd);
		return result;
	}
	return fd;
}

int control_socket_open(struct broker *broker)
{
	const char *path = broker->options->socket;
	struct group *group;
	char copy[PATH_MAX];
	int result;

	if (!path_format(copy, "%s", path))
		return -ENAMETOOLONG;
	/* Whatever the umask: members of the group come through here. */
	if (mkdir(dirname(copy), 0755) == 0)
		(void)chmod(copy, 0755);
	broker->clients = calloc(CLIENTS_MAX, sizeof(*broker->clients));
	if (!broker->clients)
		return -ENOMEM;
	for (uint32_t i = 0; i < CLIENTS_MAX; i++)
		broker->clients[i].fd = -1;
	result = lock_take(path);
	if (result != 0)
		return result;
	broker->listener = socket_bind(path);
	if (broker->listener < 0) {
		log_line(LOG_LEVEL_ERROR,
			 "the socket %s cannot be made: %s. Name another place by --socket", path,
			 strerror(-broker->listener));
		return broker->listener;
	}
	group = getgrnam(PEER_GROUP);
	broker->peer_gid = group ? group->gr_gid : 0;
	if (group && chown(path, (uid_t)-1, group->gr_gid) != 0)
		log_line(LOG_LEVEL_WARNING,
			 "%s cannot be given to the group %s: %s. Only root can use xvhc", path,
			 PEER_GROUP, strerror(errno));
	return broker_follow(broker, broker->listener, EPOLLIN, SOURCE_LISTENER, 0);
}

/* Closes the descriptor that the client has sent, if nobody has taken it. */
static void sent_fd_drop(struct client *client)
{
	if (client->sent_fd >= 0)
		stranger_fd_close(client->sent_fd);
	client->sent_fd = -1;
}

int client_take_fd(struct broker *broker, struct client_ref ref)
{
	struct client *client = &broker->clients[ref.slot];
	int fd = -1;

	if (ref.serial != 0 && client->serial == ref.serial) {
		fd = client->sent_fd;
		client->sent_fd = -1;
	}
	return fd;
}

static void client_close(struct client *client)
{
	sent_fd_drop(client);
	close(client->fd);
	client->fd = -1;
	client->serial = 0;
	free(client->answer);
	client->answer = NULL;
	free(client->monitor);
	client->monitor = NULL;
}

void control_socket_accept(struct broker *broker)
{
	int fd = accept4(broker->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct client *client = NULL;
	uint32_t slot;

	if (fd < 0)
		return;
	for (slot = 0; slot < CLIENTS_MAX && !client; slot++)
		if (broker->clients[slot].fd < 0)
			client = &broker->clients[slot];
	if (!client || broker_follow(broker, fd, EPOLLIN, SOURCE_CLIENT, slot - 1) != 0) {
		close(fd);
		return;
	}
	memset(client, 0, sizeof(*client));
	client->fd = fd;
	client->sent_fd = -1;
	client->may = peer_may(fd, broker->peer_gid);
	if (++broker->client_serial == 0)
		broker->client_serial = 1;
	client->serial = broker->client_serial;
	client->until_ms = clock_ms() + CLIENT_LIMIT_MS;
}

static void interest_set(struct broker *broker, uint32_t slot, uint32_t events)
{
	struct epoll_event event = {
		.events = events,
		.data.u64 = ((uint64_t)SOURCE_CLIENT << 32) | slot,
	};

	(void)epoll_ctl(broker->epoll, EPOLL_CTL_MOD, broker->clients[slot].fd, &event);
}

static void answer_send(struct broker *broker, uint32_t slot)
{
	struct client *client = &broker->clients[slot];
	ssize_t sent;

	while (client->answer_sent < client->answer_bytes) {
		sent = send(client->fd, client->answer + client->answer_sent,
			    client->answer_bytes - client->answer_sent, MSG_NOSIGNAL);
		if (sent < 0 && errno == EAGAIN) {
			interest_set(broker, slot, EPOLLOUT);
			return;
		}
		if (sent <= 0) {
			client_close(client);
			return;
		}
		client->answer_sent += (size_t)sent;
	}
	free(client->answer);
	client->answer = NULL;
	client->until_ms = clock_ms() + CLIENT_LIMIT_MS;
	interest_set(broker, slot, EPOLLIN);
}

void client_answer_json(struct broker *broker, struct client_ref ref, const char *json)
{
	struct client *client = &broker->clients[ref.slot];
	size_t length = strlen(json);

	if (ref.serial == 0 || client->serial != ref.serial || !client->busy)
		return;
	client->busy = false;
	client->answer = malloc(length + 1);
	if (!client->answer) {
		client_close(client);
		return;
	}
	memcpy(client->answer, json, length);
	client->answer[length] = '\n';
	client->answer_bytes = length + 1;
	client->answer_sent = 0;
	client->until_ms = clock_ms() + CLIENT_LIMIT_MS;
	answer_send(broker, ref.slot);
}

void client_answer(struct broker *broker, struct client_ref ref, bool ok, const char *text)
{
	struct json_object *answer = json_object_new_object();

	json_object_object_add(answer, "ok", json_object_new_boolean(ok));
	json_object_object_add(answer, "message", json_object_new_string(text));
	client_answer_json(broker, ref,
			   json_object_to_json_string_ext(answer, JSON_C_TO_STRING_PLAIN));
	json_object_put(answer);
}

uint32_t clients_that_follow(const struct broker *broker)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < CLIENTS_MAX; i++)
		count += broker->clients[i].monitor != NULL;
	return count;
}

void client_follow(struct broker *broker, struct client_ref ref, struct monitor *monitor)
{
	struct client *client = &broker->clients[ref.slot];

	client_answer_json(broker, ref, "{\"ok\":true}");
	if (ref.serial == 0 || client->serial != ref.serial) {
		free(monitor);
		return;
	}
	client->monitor = monitor;
	client->blocked = false;
	client->request_bytes = 0;
}

static void client_tell(struct broker *broker, uint32_t slot)
{
	struct client *client = &broker->clients[slot];
	int result;

	if (!client->monitor || client->answer || client->blocked)
		return;
	result = monitor_send(broker, client->monitor, client->fd);
	if (result == -EAGAIN) {
		client->blocked = true;
		interest_set(broker, slot, EPOLLIN | EPOLLOUT);
	} else if (result != 0) {
		client_close(client);
	}
}

void clients_tell(struct broker *broker)
{
	for (uint32_t i = 0; broker->clients && i < CLIENTS_MAX; i++)
		client_tell(broker, i);
}

static void request_handle(struct broker *broker, uint32_t slot, const char *line)
{
	struct client_ref ref = {.slot = slot, .serial = broker->clients[slot].serial};
	char text[COMMAND_TEXT_MAX];
	struct command command;

	broker->clients[slot].busy = true;
	if (!broker->clients[slot].may)
		client_answer(
			broker, ref, false,
			"You may not do this. Use sudo, or become a member of the group " PEER_GROUP
			".");
	else if (command_parse(line, &command, text))
		command_run(broker, ref, &command);
	else
		client_answer(broker, ref, false, text);
	/* Where the answer closed the client, that is done, and the slot is free. */
	if (broker->clients[slot].serial == ref.serial)
		sent_fd_drop(&broker->clients[slot]);
}

/* Handles the first whole line, if there is one and nothing is on its way. */
static void request_take(struct broker *broker, uint32_t slot)
{
	struct client *client = &broker->clients[slot];
	char line[XVHC_COMMAND_BYTES_MAX];
	char *end = memchr(client->request, '\n', client->request_bytes);
	char text[COMMAND_TEXT_MAX];
	size_t length;

	if (client->busy || client->answer)
		return;
	if (!end) {
		if (client->request_bytes == sizeof(client->request)) {
			client->busy = true;
			client->request_bytes = 0;
			snprintf(text, sizeof(text),
				 "The request is too long: a line has fewer than %u bytes.",
				 XVHC_COMMAND_BYTES_MAX);
			client_answer(broker,
				      (struct client_ref){.slot = slot, .serial = client->serial},
				      false, text);
		}
		return;
	}
	length = (size_t)(end - client->request);
	memcpy(line, client->request, length);
	line[length] = '\0';
	client->request_bytes -= length + 1;
	memmove(client->request, end + 1, client->request_bytes);
	request_handle(broker, slot, line);
}

/* Keeps the one descriptor that may come with a request. */
static void sent_fd_take(struct client *client, struct msghdr *header)
{
	for (struct cmsghdr *at = CMSG_FIRSTHDR(header); at; at = CMSG_NXTHDR(header, at)) {
		size_t count = (at->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (at->cmsg_level != SOL_SOCKET || at->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < count; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(at) + i * sizeof(int), sizeof(fd));
			client->sent_fd = fd;
		}
	}
}

static ssize_t client_receive(struct client *client)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec data = {
		.iov_base = client->request + client->request_bytes,
		.iov_len = sizeof(client->request) - client->request_bytes,
	};
	/* Room for one descriptor: the kernel closes what is beyond that. */
	struct msghdr header = {
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = CMSG_LEN(sizeof(int)),
	};
	ssize_t got;

	/* Without room the kernel drops what was sent, and nobody waits for it to be closed. */
	if (!client->may || client->sent_fd >= 0 || stranger_fd_hangs()) {
		header.msg_control = NULL;
		header.msg_controllen = 0;
	}
	got = recvmsg(client->fd, &header, MSG_CMSG_CLOEXEC);
	if (got >= 0)
		sent_fd_take(client, &header);
	return got;
}

void client_ready(struct broker *broker, uint32_t slot, uint32_t events)
{
	struct client *client = &broker->clients[slot];
	ssize_t got;

	if (client->fd < 0)
		return;
	if ((events & EPOLLOUT) && client->answer) {
		answer_send(broker, slot);
	} else if ((events & EPOLLOUT) && client->blocked) {
		client->blocked = false;
		interest_set(broker, slot, EPOLLIN);
		client_tell(broker, slot);
	}
	if (client->fd < 0 || !(events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
		return;
	got = client_receive(client);
	if (got < 0 && errno == EAGAIN)
		return;
	/*
	 * Nothing but a hang-up, or more than one request while we work on the first; or one who
	 * follows events and has nothing to say.
	 */
	if (got <= 0 || client->monitor) {
		client_close(client);
		return;
	}
	client->request_bytes += (size_t)got;
	request_take(broker, slot);
}

void clients_step(struct broker *broker)
{
	for (uint32_t i = 0; i < CLIENTS_MAX; i++) {
		struct client *client = &broker->clients[i];

		if (client->fd < 0 || client->busy || client->monitor)
			continue;
		if (client->request_bytes > 0)
			request_take(broker, i);
		if (client->fd < 0 || client->busy || client->monitor)
			continue;
		if (broker->now_ms >= client->until_ms)
			client_close(client);
		else
			broker_wake_at(broker, client->until_ms);
	}
}

void control_socket_close(struct broker *broker)
{
	if (broker->clients)
		for (uint32_t i = 0; i < CLIENTS_MAX; i++)
			if (broker->clients[i].fd >= 0)
				client_close(&broker->clients[i]);
	free(broker->clients);
	broker->clients = NULL;
	if (broker->listener >= 0) {
		unlink(broker->options->socket);
		close(broker->listener);
		broker->listener = -1;
	}
}
