// SPDX-License-Identifier: MIT
#include <broker/command_capture.h>

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include <broker/capture.h>
#include <broker/control_socket.h>
#include <broker/given.h>
#include <broker/guest.h>
#include <broker/stranger_fd.h>

/* What the capture finds at first, for a person. */
static void state_text(const struct broker *broker, const char *guest, const struct given *given,
		       char *text, size_t size)
{
	const struct guest *running = guest_find(broker, guest);
	bool connected = false;

	for (uint32_t i = 0; running && i < XVHC_CONTROLLERS_MAX; i++) {
		const struct controller *controller = broker->controllers[i];

		if (controller && controller->domid == running->domid && controller->worker &&
		    (!given || given->controller == controller))
			connected = true;
	}
	if (!running)
		snprintf(text, size, "%s does not run: waiting for it.", guest);
	else if (!connected)
		snprintf(text, size, "Waiting for the driver in %s.", guest);
	else
		snprintf(text, size, "Ctrl-C ends it.");
}

static void begin(struct broker *broker, struct client_ref client, const struct capture_wish *wish,
		  int fd, const struct given *given)
{
	char text[COMMAND_TEXT_MAX], what[XVHC_GUEST_NAME_MAX + XVHC_PLACE_MAX + 16];
	char state[XVHC_GUEST_NAME_MAX + 64], names[XVHC_PLACE_MAX];
	int result = capture_add(broker, wish, fd);

	if (result == -EMFILE) {
		snprintf(text, sizeof(text), "There are %u captures already. End one of them.",
			 XVHC_CAPTURES_MAX);
	} else if (result != 0) {
		snprintf(text, sizeof(text), "That is no socket to capture with.");
	} else {
		snprintf(what, sizeof(what), "guest %s", wish->guest);
		if (given) {
			given_names(broker, given, names, sizeof(names));
			snprintf(what, sizeof(what), "port %s of %s", names, given->guest);
		}
		state_text(broker, given ? given->guest : wish->guest, given, state, sizeof(state));
		snprintf(text, sizeof(text), "Capturing %s. %s", what, state);
	}
	client_answer(broker, client, result == 0, text);
}

void command_capture(struct broker *broker, struct client_ref client, const struct command *command)
{
	const struct connector *connector =
		command->port[0] ? topology_find_name(&broker->topology, command->port) : NULL;
	struct capture_wish wish = {.guest = command->guest, .data_max = command->data_max};
	const struct given *given = connector ? given_find(broker, connector) : NULL;
	int fd = client_take_fd(broker, client);
	char text[COMMAND_TEXT_MAX];
	struct place place;

	if (!given && !connector && command->port[0] && place_parse(command->port, &place))
		given = given_find_place(broker, &place);
	if (given)
		wish.place = &given->place;
	if (fd < 0)
		client_answer(broker, client, false, "A capture needs a socket.");
	else if (given ||
		 (command->guest[0] && (!command->port[0] || guest_find(broker, command->guest))))
		begin(broker, client, &wish, fd, given);
	else {
		stranger_fd_close(fd);
		if (connector)
			snprintf(
				text, sizeof(text),
				"Port %s is not given to a guest: nothing of it crosses a ring. To "
				"see what dom0 does with it, capture usbmon.",
				command->port);
		else
			snprintf(text, sizeof(text),
				 "There is no port %s here, and no guest of this name runs. xvhc "
				 "list shows the ports that there are.",
				 command->port);
		client_answer(broker, client, false, text);
	}
}
