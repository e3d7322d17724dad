// SPDX-License-Identifier: MIT
#include <broker/command_run.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <broker/command_list.h>
#include <broker/command_monitor.h>
#include <broker/control_socket.h>
#include <broker/given.h>
#include <broker/given_hub.h>
#include <broker/guest.h>

static void answer(struct broker *broker, struct client_ref client, bool ok, const char *format,
		   ...) __attribute__((format(printf, 4, 5)));
static void answer(struct broker *broker, struct client_ref client, bool ok, const char *format,
		   ...)
{
	char text[COMMAND_TEXT_MAX];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	client_answer(broker, client, ok, text);
}

/* One name of a given port, to be typed. Its names for a sentence may be two. */
static void given_name(const struct broker *broker, const struct given *given,
		       char text[XVHC_PLACE_MAX])
{
	const struct connector *connector = topology_find_place(&broker->topology, &given->place);

	if (connector)
		short_name_format(&connector->side[connector->side[0] ? 0 : 1]->name, text);
	else
		place_format(&given->place, text);
}

/* A given port that lies in front of or behind this connector. NULL: none. */
static const struct given *given_around(const struct broker *broker,
					const struct connector *connector)
{
	for (const struct given *given = broker->given; given; given = given->next) {
		for (int side = 0; side < 2; side++) {
			if (!connector->side[side])
				continue;
			if (place_is_behind(&given->place, &connector->side[side]->place) ||
			    place_is_behind(&connector->side[side]->place, &given->place))
				return given;
		}
	}
	return NULL;
}

/* Answers for a port that is given already. */
static void give_again(struct broker *broker, struct client_ref client, const struct given *given,
		       const struct command *command)
{
	char names[XVHC_PLACE_MAX], outer[XVHC_PLACE_MAX];

	given_names(broker, given, names, sizeof(names));
	given_name(broker, given_outermost(given), outer);
	if (given->taking)
		answer(broker, client, false,
		       "Port %s is on its way back from %s to dom0. Try again in a moment.", names,
		       given->guest);
	else if (!given->confirmed)
		answer(broker, client, false, "Port %s is being given to %s just now.", names,
		       given->guest);
	else if (given->by_toolstack)
		answer(broker, client, false,
		       "Port %s is given to %s already, by xl. Detach it first: xl usbdev-detach.",
		       names, given->guest);
	else if (guest_same(broker, given->guest, command->guest))
		answer(broker, client, true, "Port %s is already given to %s.", names,
		       given->guest);
	else
		answer(broker, client, false,
		       "Port %s is given to %s already. Take it back first: xvhc take %s", names,
		       given->guest, given->parent ? outer : command->port);
}

static void run_give(struct broker *broker, struct client_ref client, const struct command *command)
{
	const struct connector *connector = topology_find_name(&broker->topology, command->port);
	const struct given *around;
	char names[XVHC_PLACE_MAX], name[XVHC_PLACE_MAX];
	struct given *given;

	if (!connector) {
		answer(broker, client, false,
		       "There is no port %s here. xvhc list shows the ports that there are.",
		       command->port);
		return;
	}
	given = given_find(broker, connector);
	if (given) {
		give_again(broker, client, given, command);
		return;
	}
	around = given_around(broker, connector);
	if (around) {
		given_names(broker, around, names, sizeof(names));
		given_name(broker, around, name);
		answer(broker, client, false,
		       "Port %s and port %s, which is given to %s, are one behind the other. Take "
		       "that one back first: xvhc take %s",
		       command->port, names, around->guest, name);
		return;
	}
	given = given_add(broker, connector_place(connector), command->guest);
	if (!given) {
		answer(broker, client, false,
		       "No more than %u ports can be given. Take one back first: xvhc take PORT",
		       XVHC_GIVEN_PORTS_MAX);
		return;
	}
	given->waiter = client;
}

static void run_take(struct broker *broker, struct client_ref client, const struct command *command)
{
	const struct connector *connector = topology_find_name(&broker->topology, command->port);
	struct given *given = connector ? given_find(broker, connector) : NULL;
	char names[XVHC_PLACE_MAX], name[XVHC_PLACE_MAX];
	struct place place;

	if (!connector && place_parse(command->port, &place))
		given = given_find_place(broker, &place);
	if (!given && !connector)
		answer(broker, client, false,
		       "There is no port %s here. xvhc list shows the ports that there are.",
		       command->port);
	else if (!given)
		answer(broker, client, false, "Port %s is not given to a guest: dom0 has it.",
		       command->port);
	else if (given->taking || given->waiter.serial != 0)
		answer(broker, client, false,
		       "Port %s is just being given or taken. Try again in a moment.",
		       command->port);
	else if (given->parent) {
		given_names(broker, given_outermost(given), names, sizeof(names));
		given_name(broker, given_outermost(given), name);
		answer(broker, client, false,
		       "Port %s is behind the hub in port %s, and is given with that one: xvhc "
		       "take %s",
		       command->port, names, name);
	} else if (given->by_toolstack)
		answer(broker, client, false,
		       "Port %s was given to %s by xl. Take it back with xl usbdev-detach.",
		       command->port, given->guest);
	else {
		given->waiter = client;
		given_take(broker, given);
	}
}

static void (*const runs[COMMANDS])(struct broker *broker, struct client_ref client,
				    const struct command *command) = {
	[COMMAND_LIST] = command_list,
	[COMMAND_GIVE] = run_give,
	[COMMAND_TAKE] = run_take,
	[COMMAND_MONITOR] = command_monitor,
};

void command_run(struct broker *broker, struct client_ref client, const struct command *command)
{
	if (broker->stopping) {
		answer(broker, client, false,
		       "xvhcd is about to end. Start it again, and then try again.");
		return;
	}
	/* Somebody who plugged something in a moment ago means what is there now. */
	if (topology_scan(&broker->topology, broker->options->sysfs) != 0)
		broker->topology_dirty = true;
	broker->again = true;
	runs[command->type](broker, client, command);
}
