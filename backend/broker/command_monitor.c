// SPDX-License-Identifier: MIT
#include <broker/command_monitor.h>

#include <stdio.h>

#include <broker/control_socket.h>
#include <broker/monitor.h>

void command_monitor(struct broker *broker, struct client_ref client, const struct command *command)
{
	struct monitor_filter filter;
	struct monitor *monitor;
	char text[COMMAND_TEXT_MAX];

	if (!monitor_filter_read(broker, command, &filter, text)) {
		client_answer(broker, client, false, text);
		return;
	}
	if (clients_that_follow(broker) >= XVHC_MONITORS_MAX) {
		snprintf(text, sizeof(text),
			 "No more than %u can follow events at once. End another xvhc monitor "
			 "first.",
			 XVHC_MONITORS_MAX);
		client_answer(broker, client, false, text);
		return;
	}
	monitor = monitor_new(broker, &filter, command->last);
	if (!monitor)
		client_answer(broker, client, false, "xvhcd has no memory for this now.");
	else
		client_follow(broker, client, monitor);
}
