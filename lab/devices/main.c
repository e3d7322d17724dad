// SPDX-License-Identifier: MIT
/*
 * lab-device MODEL SOCKET: plays a USB device for QEMU's usb-redir, which connects to the socket.
 * Says on the standard output what happens to the device. Ends when QEMU unplugs it.
 */
#include "redir.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static const struct model *const models[] = {
	&camera_model,       &changeling_model, &disk_model,       &keyboard_model,
	&keyboard_low_model, &meter_model,      &microphone_model, &sourcesink_model,
};

static const struct model *find_model(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(models) / sizeof(models[0]); i++)
		if (strcmp(models[i]->name, name) == 0)
			return models[i];
	return NULL;
}

/* The name appears once somebody listens there, so that whoever waits for it can connect. */
static int listen_on(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int count = snprintf(address.sun_path, sizeof(address.sun_path), "%s.new", path);

	if (listener < 0 || count < 0 || (size_t)count >= sizeof(address.sun_path))
		return -1;
	if (bind(listener, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(listener, 1) < 0 || rename(address.sun_path, path) < 0)
		return -1;
	return listener;
}

static int wait_qemu(const char *path)
{
	int listener = listen_on(path);
	int connection;

	if (listener < 0)
		return -1;
	connection = accept(listener, NULL, NULL);
	close(listener);
	return connection;
}

static int catch_pokes(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

static void play(struct device *device, int connection, int pokes)
{
	struct pollfd polled[] = {
		{.fd = connection, .events = POLLIN},
		{.fd = pokes, .events = POLLIN},
	};
	struct signalfd_siginfo poke;
	bool there = true;

	while (there) {
		int64_t wait_us = redir_wait_us(device);
		struct timespec wait = {.tv_sec = wait_us / 1000000,
					.tv_nsec = wait_us % 1000000 * 1000};

		if (ppoll(polled, 2, wait_us < 0 ? NULL : &wait, NULL) < 0 && errno != EINTR)
			break;
		if (polled[0].revents)
			there = redir_read(device);
		if (there && polled[1].revents && read(pokes, &poke, sizeof(poke)) > 0)
			there = redir_poke(device);
		if (there)
			there = redir_wake(device);
	}
}

int main(int argc, char **argv)
{
	const struct model *model = argc == 3 ? find_model(argv[1]) : NULL;
	struct device *device;
	int connection;
	int pokes;

	if (!model) {
		fprintf(stderr, "lab-device MODEL SOCKET; the models are in lab/README.md\n");
		return 2;
	}
	pokes = catch_pokes();
	connection = wait_qemu(argv[2]);
	device = connection < 0 || pokes < 0 ? NULL : redir_open(model, connection);
	if (!device) {
		fprintf(stderr, "lab-device: %s: %s\n", argv[2], strerror(errno));
		return 1;
	}
	play(device, connection, pokes);
	redir_close(device);
	return 0;
}
