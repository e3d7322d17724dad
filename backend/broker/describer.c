// SPDX-License-Identifier: MIT
/*
 * One slot for each describer that may run at a time. A slot is reserved while the device is being
 * opened, runs a process from then on, and is free again when that process has been reaped. It
 * belongs to a port until there is an answer, or until the port no longer wants one:
 *
 *   free -> reserved -> running -> (answered, failed, late, unwanted) -> ending -> free
 */
#include <broker/describer.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

#include <broker/given.h>
#include <common/message_io.h>

static void slot_free(struct broker *broker, struct describer *describer)
{
	memset(describer, 0, sizeof(*describer));
	/* Ports wait for a free one. */
	broker->again = true;
}

bool describer_reserve(struct broker *broker, struct given *given)
{
	for (uint32_t i = 0; i < XVHC_DESCRIBERS_MAX; i++) {
		struct describer *describer = &broker->describers[i];

		if (describer->used)
			continue;
		describer->used = true;
		describer->given = given;
		given->describer = describer;
		return true;
	}
	return false;
}

static void process_end(struct describer *describer)
{
	worker_process_hang_up(&describer->process);
	worker_process_kill(&describer->process);
}

void describer_release(struct broker *broker, struct given *given)
{
	struct describer *describer = given->describer;

	if (!describer)
		return;
	given->describer = NULL;
	describer->given = NULL;
	if (describer->running)
		process_end(describer);
	else
		slot_free(broker, describer);
}

int describer_start(struct broker *broker, struct given *given, int fd)
{
	const struct message describe = {.type = MESSAGE_DESCRIBE};
	struct message_fds fds = {.fd = {fd}, .count = 1};
	struct describer *describer = given->describer;
	uint32_t index = (uint32_t)(describer - broker->describers);
	int result;

	result = worker_process_start(&describer->process, broker->options->worker, "describer");
	if (result == 0) {
		result = broker_follow(broker, describer->process.pidfd, EPOLLIN,
				       SOURCE_DESCRIBER_EXIT, index);
		/* Nobody would notice its end. */
		if (result != 0)
			worker_process_abort(&describer->process);
	}
	if (result == 0) {
		describer->running = true;
		describer->until_ms = clock_ms() + XVHC_DESCRIBE_LIMIT_MS;
	}
	if (result == 0)
		result = broker_follow(broker, describer->process.socket, EPOLLIN, SOURCE_DESCRIBER,
				       index);
	if (result == 0)
		result = message_send(describer->process.socket, &describe, &fds);
	if (result != 0)
		describer_release(broker, given);
	return result;
}

/* There is an answer, or there will be none. */
static void finish(struct broker *broker, struct describer *describer,
		   const struct message_description *description, const char *why)
{
	struct given *given = describer->given;

	describer_release(broker, given);
	given_described(broker, given, description, why);
}

static void handle_description(struct broker *broker, struct describer *describer,
			       const struct message *message)
{
	finish(broker, describer, &message->u.description, "");
}

static void handle_failed(struct broker *broker, struct describer *describer,
			  const struct message *message)
{
	char why[sizeof(message->u.failed.text) + 1];

	snprintf(why, sizeof(why), "%.*s", (int)sizeof(message->u.failed.text),
		 message->u.failed.text);
	/* It ends in a sentence on a terminal. */
	for (char *at = why; *at; at++)
		if (*at < ' ' || *at > '~')
			*at = '?';
	finish(broker, describer, NULL, why);
}

/* All that a describer can say. */
static const struct {
	enum message_type type;
	void (*handle)(struct broker *broker, struct describer *describer,
		       const struct message *message);
} messages[] = {
	{MESSAGE_DESCRIPTION, handle_description},
	{MESSAGE_FAILED, handle_failed},
};

static bool message_handle(struct broker *broker, struct describer *describer,
			   const struct message *message)
{
	for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
		if (messages[i].type != message->type)
			continue;
		messages[i].handle(broker, describer, message);
		return true;
	}
	return false;
}

void describer_readable(struct broker *broker, uint32_t index)
{
	struct describer *describer = &broker->describers[index];
	struct message message;
	struct message_fds fds;
	int result;

	if (!describer->running || !describer->given || describer->process.socket < 0)
		return;
	result = message_receive(describer->process.socket, &message, &fds);
	if (result == -EAGAIN)
		return;
	if (result == 0 || result == -ECONNRESET) {
		/* How it ended is told when it is reaped, or else it is late. */
		worker_process_hang_up(&describer->process);
		return;
	}
	if (result == 1 && fds.count == 0 && message_handle(broker, describer, &message))
		return;
	if (result == 1)
		message_fds_close(&fds);
	finish(broker, describer, NULL, "its describer broke the protocol");
}

void describer_ended(struct broker *broker, uint32_t index)
{
	struct describer *describer = &broker->describers[index];
	char how[64], why[80];

	if (!describer->running)
		return;
	/* It may have answered before. */
	describer_readable(broker, index);
	if (!worker_process_reap(&describer->process, how, sizeof(how)))
		return;
	describer->running = false;
	if (describer->given) {
		snprintf(why, sizeof(why), "its describer %s", how);
		finish(broker, describer, NULL, why);
	} else {
		slot_free(broker, describer);
	}
}

void describers_step(struct broker *broker)
{
	for (uint32_t i = 0; i < XVHC_DESCRIBERS_MAX; i++) {
		struct describer *describer = &broker->describers[i];

		if (!describer->running || !describer->given)
			continue;
		if (broker->now_ms >= describer->until_ms)
			finish(broker, describer, NULL, "its descriptors take too long to read");
		else
			broker_wake_at(broker, describer->until_ms);
	}
}

void describers_fini(struct broker *broker)
{
	for (uint32_t i = 0; i < XVHC_DESCRIBERS_MAX; i++) {
		struct describer *describer = &broker->describers[i];

		if (!describer->running)
			continue;
		worker_process_abort(&describer->process);
		describer->running = false;
	}
}
