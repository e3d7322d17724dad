// SPDX-License-Identifier: MIT
/*
 * A describer is this same program, told so by the broker's first message. It opens nothing: not
 * Xen, not libusb. Its stages are those of a worker:
 *
 *   init     takes the descriptor of one device, opened for reading alone: no transfer can be
 *            submitted on it
 *   confine  as a worker
 *   filter   as a worker. Only then the first byte of the device is read
 *   answer   one message, and the end
 *
 * A device that takes over its describer by its descriptors can say what it likes in that message.
 * It could have said so in the descriptors.
 */
#include "describe.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <common/log.h>
#include <common/message_io.h>
#include <describe.h>
#include <error.h>

/* One byte more than there can be, to see that there is too much. */
static uint8_t bytes[DESCRIPTOR_BYTES_MAX + 1];

static_assert(XVHC_KINDS_MAX <= UINT8_MAX, "a count has eight bits");

static void wait_readable(int broker)
{
	struct pollfd wait = {.fd = broker, .events = POLLIN};

	while (poll(&wait, 1, -1) < 0 && errno == EINTR)
		continue;
}

bool describe_is_wanted(int broker)
{
	uint32_t type = 0;
	ssize_t got;

	wait_readable(broker);
	got = recv(broker, &type, sizeof(type), MSG_PEEK | MSG_DONTWAIT);
	return got == (ssize_t)sizeof(type) && type == MESSAGE_DESCRIBE;
}

static int fail(int broker, int error, const char *text)
{
	struct message message = {.type = MESSAGE_FAILED};
	int sent;

	log_line(LOG_LEVEL_WARNING, "%s", text);
	message.u.failed.error = error;
	snprintf(message.u.failed.text, sizeof(message.u.failed.text), "%s", text);
	sent = message_send(broker, &message, NULL);
	(void)sent;
	return 1;
}

/* Returns how many bytes there are, or -1. */
static ssize_t read_all(int fd)
{
	size_t length = 0;
	ssize_t got = 1;

	while (length < sizeof(bytes) && got > 0) {
		got = pread(fd, bytes + length, sizeof(bytes) - length, (off_t)length);
		if (got < 0)
			return -1;
		length += (size_t)got;
	}
	return (ssize_t)length;
}

static struct message_kind kind_of(const struct describe_kind *kind)
{
	struct message_kind same = {kind->class, kind->subclass, kind->protocol};

	return same;
}

static int answer(int broker, const struct describe_result *result)
{
	struct message message = {.type = MESSAGE_DESCRIPTION};
	struct message_description *description = &message.u.description;
	uint32_t i;

	description->vendor = result->vendor;
	description->product = result->product;
	description->version = result->version;
	description->device = kind_of(&result->device);
	description->kinds = (uint8_t)result->kinds;
	description->complete = result->complete;
	for (i = 0; i < result->kinds; i++)
		description->kind[i] = kind_of(&result->kind[i]);
	return message_send(broker, &message, NULL) == 0 ? 0 : 1;
}

int describe(int broker, const struct isolation *isolation)
{
	struct describe_result result;
	struct message_fds fds;
	struct message message;
	ssize_t length;

	signal(SIGPIPE, SIG_IGN);
	log_prefix("describer");
	if (fcntl(broker, F_SETFD, FD_CLOEXEC) < 0 || message_receive(broker, &message, &fds) != 1)
		return fail(broker, XVHC_EPROTO, "no message from the broker");
	if (fds.count != 1)
		return fail(broker, XVHC_EPROTO, "the broker gave no device");
	if (isolation && (isolation->confine() < 0 || isolation->filter() < 0))
		return fail(broker, XVHC_ELIMIT, "it cannot isolate itself");
	length = read_all(fds.fd[0]);
	if (length < 0)
		return fail(broker, XVHC_ENODEV, "the device's descriptors cannot be read");
	if (describe_device(&result, bytes, (size_t)length) != XVHC_OK)
		return fail(broker, XVHC_EINVAL, "the device's descriptors make no sense");
	result.complete = result.complete && (size_t)length < sizeof(bytes);
	return answer(broker, &result);
}
