/* SPDX-License-Identifier: MIT */
/*
 * A request on the control socket: one line of JSON, such as
 * {"command": "give", "port": "1-2", "guest": "web"}, or with "device": "0951:1666" instead of the
 * port. An answer is one line as well:
 * {"ok": true, "message": "..."}, or {"ok": false, "message": "why not, and what to do"}.
 */
#ifndef XVHC_BROKER_COMMAND_H
#define XVHC_BROKER_COMMAND_H

#include <broker/identity.h>
#include <broker/place.h>
#include <xvhc/limits.h>

enum command_type {
	COMMAND_LIST,
	COMMAND_GIVE,
	COMMAND_TAKE,
	COMMAND_DOCTOR,
	COMMAND_MONITOR,
	COMMAND_SHOW,
	COMMAND_COUNTERS,
	COMMAND_CAPTURE,
	COMMANDS,
};

struct command {
	enum command_type type;
	char port[XVHC_PLACE_MAX]; /* one of the forms that port_name_is_valid() accepts */
	bool by_device;            /* it names a device, and no port */
	struct identity device;
	char guest[XVHC_GUEST_NAME_MAX]; /* guest_name_fault() found none */
	/* Of MONITOR: events from before that are asked for; each word is a port or a guest. */
	uint32_t last;
	uint32_t word_count;
	char words[XVHC_MONITOR_WORDS_MAX][XVHC_GUEST_NAME_MAX];
	uint32_t data_max; /* CAPTURE: bytes of one request's data */
};

#define COMMAND_TEXT_MAX 1024u /* bytes of the message in an answer */

/*
 * Reads one request. False where it is none; then text has the sentence for the answer.
 */
XVHC_MUST_CHECK bool command_parse(const char *line, struct command *command,
				   char text[COMMAND_TEXT_MAX]);

#endif
