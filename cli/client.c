// SPDX-License-Identifier: MIT
#include "client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "error.h"

#define ANSWER_LIMIT_S 90
#define ANSWER_BYTES_MAX (16u << 20)

int client_connect(const char *path)
{
	const struct timeval limit = {.tv_sec = ANSWER_LIMIT_S};
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd;

	if (strlen(path) >= sizeof(address.sun_path)) {
		error_say("the path of the socket is too long; use a shorter one: %s", path);
		return -1;
	}
	memcpy(address.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		error_say("no socket can be made: %s", strerror(errno));
		return -1;
	}
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	if (errno == ENOENT || errno == ECONNREFUSED)
		error_say("the broker xvhcd does not run (nothing listens on %s). Start it, as "
			  "root: xvhcd",
			  path);
	else if (errno == EACCES || errno == EPERM)
		error_say("you may not do this. Use sudo, or become a member of the group xvhc.");
	else
		error_say("the broker cannot be reached by %s: %s. xvhc doctor may know more.",
			  path, strerror(errno));
	close(fd);
	return -1;
}

/* Ends the line, and attaches a descriptor to that. */
static bool line_end_send(int fd, int descriptor)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {.bytes = {0}};
	char end[] = "\n";
	struct iovec data = {.iov_base = end, .iov_len = 1};
	struct msghdr header = {.msg_iov = &data, .msg_iovlen = 1};

	if (descriptor >= 0) {
		header.msg_control = &control;
		header.msg_controllen = sizeof(control);
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.header), &descriptor, sizeof(int));
	}
	return sendmsg(fd, &header, MSG_NOSIGNAL) == 1;
}

static bool send_with(int fd, struct json_object *request, int descriptor)
{
	const char *text = json_object_to_json_string_ext(request, JSON_C_TO_STRING_PLAIN);
	size_t length = strlen(text), sent = 0;
	ssize_t result;

	while (sent < length) {
		result = send(fd, text + sent, length - sent, MSG_NOSIGNAL);
		if (result <= 0)
			return false;
		sent += (size_t)result;
	}
	return line_end_send(fd, descriptor);
}

bool client_send(int fd, struct json_object *request)
{
	return send_with(fd, request, -1);
}

/* Reads to the end of the line. The text is the caller's to free; NULL: it did not come. */
static char *answer_read(int fd)
{
	size_t size = 65536, length = 0;
	char *text = malloc(size), *grown, *end;
	ssize_t got;

	while (text) {
		if (length == size - 1) {
			size *= 2;
			grown = size <= ANSWER_BYTES_MAX ? realloc(text, size) : NULL;
			if (!grown)
				break;
			text = grown;
		}
		got = recv(fd, text + length, size - 1 - length, 0);
		if (got <= 0)
			break;
		end = memchr(text + length, '\n', (size_t)got);
		length += (size_t)got;
		if (end) {
			*end = '\0';
			return text;
		}
	}
	free(text);
	return NULL;
}

struct json_object *client_ask_with(const char *socket_path, struct json_object *request,
				    int descriptor)
{
	struct json_object *answer = NULL, *ok;
	int fd = client_connect(socket_path);
	char *text;

	if (fd < 0)
		return NULL;
	text = send_with(fd, request, descriptor) ? answer_read(fd) : NULL;
	close(fd);
	if (text)
		answer = json_tokener_parse(text);
	free(text);
	if (answer && json_object_is_type(answer, json_type_object) &&
	    json_object_object_get_ex(answer, "ok", &ok))
		return answer;
	error_say("xvhcd did not answer. Its log says more: journalctl -u xvhcd, or where its "
		  "standard error goes.");
	json_object_put(answer);
	return NULL;
}

struct json_object *client_ask(const char *socket_path, struct json_object *request)
{
	return client_ask_with(socket_path, request, -1);
}
