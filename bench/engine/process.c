// SPDX-License-Identifier: MIT
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <worker/broker_link.h>

#include "bench.h"

#define CONNECT_MS 60000

static void run(const char *name, const char *argument, int socket)
{
	char self[4096], path[4200];
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);

	bench_must(length > 0, "this program has a path");
	self[length] = '\0';
	snprintf(path, sizeof(path), "%s/%s", dirname(self), name);
	if (socket == BROKER_LINK_FD)
		fcntl(socket, F_SETFD, 0);
	else
		bench_must(dup2(socket, BROKER_LINK_FD) >= 0, "the worker gets its socket");
	execl(path, name, argument, (char *)NULL);
	bench_must(false, path);
}

static void expect_connected(struct guest *guest)
{
	struct pollfd wait = {.fd = guest->broker, .events = POLLIN};
	struct message message;
	struct message_fds fds;

	bench_must(poll(&wait, 1, CONNECT_MS) == 1, "the worker answers");
	bench_must(message_receive(guest->broker, &message, &fds) == 1, "the worker speaks");
	if (message.type == MESSAGE_FAILED)
		fprintf(stderr, "the worker says: %.*s\n", (int)sizeof(message.u.failed.text),
			message.u.failed.text);
	bench_must(message.type == MESSAGE_CONNECTED, "the worker is connected");
}

pid_t process_start(struct guest *guest, const struct guest_plan *plan, const char *name,
		    const char *argument)
{
	int socket = guest_init(guest, plan);
	pid_t process = fork();

	bench_must(process >= 0, "there is a process for the worker");
	if (process == 0)
		run(name, argument, socket);
	close(socket);
	guest->wait = guest_wait_for_process;
	expect_connected(guest);
	guest_connected(guest);
	return process;
}

void process_end(struct guest *guest, pid_t process)
{
	struct message message;
	struct message_fds fds;
	int status;

	shutdown(guest->broker, SHUT_WR);
	bench_must(waitpid(process, &status, 0) == process, "the worker ends");
	bench_must(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the worker ends in good order");
	while (message_receive(guest->broker, &message, &fds) == 1)
		continue;
	guest_fini(guest);
}
