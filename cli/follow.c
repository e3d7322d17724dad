// SPDX-License-Identifier: MIT
#include "follow.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client.h"
#include "error.h"

#define LINE_BYTES_MAX 65536u

static void no_answer(void)
{
	error_say("xvhcd did not answer. What it writes to its standard error says more.");
}

/* Prints why not, where the answer says so. */
static bool answer_is_ok(const char *text)
{
	struct json_object *answer = json_tokener_parse(text), *member = NULL;
	bool ok;

	if (!answer || !json_object_is_type(answer, json_type_object) ||
	    !json_object_object_get_ex(answer, "ok", &member)) {
		no_answer();
		json_object_put(answer);
		return false;
	}
	ok = json_object_get_boolean(member);
	if (!ok && json_object_object_get_ex(answer, "message", &member))
		error_say("%s", json_object_get_string(member));
	json_object_put(answer);
	return ok;
}

/* Whole lines, of what comes from the socket. */
struct lines {
	int fd;
	size_t length;
	char text[LINE_BYTES_MAX];
};

/* False: there will be no more, or nobody reads what we write (*deserted). */
static bool lines_wait(struct lines *lines, bool *deserted)
{
	struct pollfd wait[] = {{.fd = lines->fd, .events = POLLIN}, {.fd = STDOUT_FILENO}};
	ssize_t got;

	if (poll(wait, 2, -1) < 0)
		return errno == EINTR;
	*deserted = (wait[1].revents & POLLERR) != 0;
	if (*deserted || lines->length == sizeof(lines->text))
		return false;
	if (wait[0].revents == 0)
		return true;
	got = recv(lines->fd, lines->text + lines->length, sizeof(lines->text) - lines->length, 0);
	lines->length += got > 0 ? (size_t)got : 0;
	return got > 0;
}

/* The next whole line, to be freed. NULL: there is none yet. */
static char *lines_take(struct lines *lines)
{
	const char *end = memchr(lines->text, '\n', lines->length);
	size_t length = end ? (size_t)(end - lines->text) : 0;
	char *line;

	if (!end)
		return NULL;
	line = strndup(lines->text, length);
	lines->length -= length + 1;
	memmove(lines->text, lines->text + length + 1, lines->length);
	return line;
}

static int lines_follow(struct lines *lines, bool (*each)(const char *line, const void *context),
			const void *context)
{
	bool first = true, deserted = false, go_on = true;
	char *line;

	do {
		while (go_on && (line = lines_take(lines))) {
			if (first && !answer_is_ok(line)) {
				free(line);
				return EXIT_FAILURE;
			}
			go_on = first || each(line, context);
			first = false;
			free(line);
		}
	} while (go_on && lines_wait(lines, &deserted));
	if (!go_on || deserted)
		return EXIT_SUCCESS;
	if (first)
		no_answer();
	else
		error_say("xvhcd has ended, or was ended. When it runs again, so can this.");
	return EXIT_FAILURE;
}

int follow(const char *socket_path, struct json_object *request,
	   bool (*each)(const char *line, const void *context), const void *context)
{
	struct lines lines = {.fd = client_connect(socket_path)};
	int code = EXIT_FAILURE;

	if (lines.fd < 0)
		return EXIT_FAILURE;
	if (client_send(lines.fd, request))
		code = lines_follow(&lines, each, context);
	else
		no_answer();
	close(lines.fd);
	return code;
}
