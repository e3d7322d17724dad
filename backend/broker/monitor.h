/* SPDX-License-Identifier: MIT */
/*
 * One client that follows events. It is handed the events that are kept (event.h) one after the
 * other, from a number on; so it needs no memory of its own but for the one that is being sent. A
 * client that does not read does not hold up anything: events that were displaced before it came to
 * them are lost to it, and it is told how many.
 */
#ifndef XVHC_BROKER_MONITOR_H
#define XVHC_BROKER_MONITOR_H

#include <broker/broker.h>

/* What is followed: all, where there is no word. */
struct monitor_filter {
	uint32_t count;
	struct {
		bool is_port;
		struct place place;
		char guest[XVHC_GUEST_NAME_MAX];
	} word[XVHC_MONITOR_WORDS_MAX];
};

struct monitor;

/*
 * Reads a command's words. False where one is neither a port nor a guest's name; then text has the
 * sentence for the answer.
 */
XVHC_MUST_CHECK bool monitor_filter_read(const struct broker *broker, const struct command *command,
					 struct monitor_filter *filter,
					 char text[COMMAND_TEXT_MAX]);

/* One that begins with the last events that fit the filter. NULL: no memory. */
struct monitor *monitor_new(const struct broker *broker, const struct monitor_filter *filter,
			    uint32_t last);

/* Sends what is new. Returns 0; -EAGAIN where the socket takes no more now; or another -errno. */
XVHC_MUST_CHECK int monitor_send(const struct broker *broker, struct monitor *monitor, int fd);

#endif
