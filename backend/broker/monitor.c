// SPDX-License-Identifier: MIT
#include <broker/monitor.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <json-c/json.h>

#include <broker/event.h>
#include <broker/guest.h>
#include <broker/guest_name.h>

struct monitor {
	struct monitor_filter filter;
	uint64_t next;  /* number of the next event to look at */
	uint64_t begun; /* number of the first one that cannot be missed without being told */
	char line[XVHC_EVENT_BYTES_MAX];
	size_t length, sent;
};

bool monitor_filter_read(const struct broker *broker, const struct command *command,
			 struct monitor_filter *filter, char text[COMMAND_TEXT_MAX])
{
	memset(filter, 0, sizeof(*filter));
	for (uint32_t i = 0; i < command->word_count; i++) {
		const char *word = command->words[i];
		const struct connector *connector = topology_find_name(&broker->topology, word);

		filter->word[i].is_port = port_name_is_valid(word);
		if (connector) {
			filter->word[i].place = *connector_place(connector);
		} else if (filter->word[i].is_port && !place_parse(word, &filter->word[i].place)) {
			snprintf(text, COMMAND_TEXT_MAX,
				 "There is no port %s here. xvhc list shows the ports that there "
				 "are.",
				 word);
			return false;
		}
		snprintf(filter->word[i].guest, sizeof(filter->word[i].guest), "%s", word);
	}
	filter->count = command->word_count;
	return true;
}

static bool fits(const struct broker *broker, const struct monitor *monitor,
		 const struct event *event)
{
	const struct monitor_filter *filter = &monitor->filter;

	/* What is about xvhcd is about all. */
	if (filter->count == 0 || (event->place[0] == '\0' && event->guest[0] == '\0'))
		return true;
	for (uint32_t i = 0; i < filter->count; i++) {
		if (filter->word[i].is_port ? event_concerns(broker, event, &filter->word[i].place)
					    : event->guest[0] && guest_same(broker, event->guest,
									    filter->word[i].guest))
			return true;
	}
	return false;
}

struct monitor *monitor_new(const struct broker *broker, const struct monitor_filter *filter,
			    uint32_t last)
{
	struct monitor *monitor = calloc(1, sizeof(*monitor));
	const struct event *event;
	uint32_t found = 0;

	if (!monitor)
		return NULL;
	monitor->filter = *filter;
	monitor->begun = monitor->next = broker->events.last_number + 1;
	for (event = broker->events.first; event; event = event->next)
		found += fits(broker, monitor, event);
	for (event = broker->events.first; event; event = event->next) {
		if (fits(broker, monitor, event) && found-- <= last) {
			monitor->next = event->number;
			break;
		}
	}
	return monitor;
}

static void line_set(struct monitor *monitor, const char *text, size_t length)
{
	assert(length <= sizeof(monitor->line));
	memcpy(monitor->line, text, length);
	monitor->length = length;
	monitor->sent = 0;
}

static void lost_tell(struct monitor *monitor, uint64_t from, uint64_t to)
{
	struct event_facts facts = {
		.count = to - from > UINT32_MAX ? UINT32_MAX : (uint32_t)(to - from),
	};
	struct json_object *object;
	char line[XVHC_EVENT_BYTES_MAX];
	int length;

	object = event_json(to - 1, EVENT_LOST, 0, &facts,
			    "events are lost, since they were not read in time");
	length = snprintf(line, sizeof(line), "%s\n",
			  json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN));
	json_object_put(object);
	line_set(monitor, line, (size_t)length);
}

/* Puts what is to be sent next into the line. False: there is nothing. */
static bool next_line(const struct broker *broker, struct monitor *monitor)
{
	const struct event *event;

	if (monitor->next > broker->events.last_number)
		return false;
	for (event = event_find(broker, monitor->next); event; event = event->next) {
		uint64_t expected = monitor->next > monitor->begun ? monitor->next : monitor->begun;

		/* This one is looked at again, after the gap has been told. */
		if (event->number > expected) {
			monitor->next = event->number;
			lost_tell(monitor, expected, event->number);
			return true;
		}
		monitor->next = event->number + 1;
		if (fits(broker, monitor, event)) {
			line_set(monitor, event->text, event->length);
			return true;
		}
	}
	return false;
}

int monitor_send(const struct broker *broker, struct monitor *monitor, int fd)
{
	ssize_t sent;

	for (;;) {
		if (monitor->sent == monitor->length && !next_line(broker, monitor))
			return 0;
		sent = send(fd, monitor->line + monitor->sent, monitor->length - monitor->sent,
			    MSG_NOSIGNAL | MSG_DONTWAIT);
		if (sent < 0)
			return -errno;
		monitor->sent += (size_t)sent;
	}
}
