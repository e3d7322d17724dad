// SPDX-License-Identifier: MIT
#include <broker/command_run.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <broker/command_capture.h>
#include <broker/command_counters.h>
#include <broker/command_doctor.h>
#include <broker/command_list.h>
#include <broker/command_monitor.h>
#include <broker/command_show.h>
#include <broker/control_socket.h>
#include <broker/given.h>
#include <broker/given_hub.h>
#include <broker/given_identity.h>
#include <broker/guest.h>
#include <broker/ports_follow.h>

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

	/* One of another machine is nowhere by this name, and so goes by its place. */
	if (connector)
		short_name_format(&connector->side[connector->side[0] ? 0 : 1]->name, text);
	else
		place_format(&given->place, text);
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
		answer(broker, client, false,
		       "Port %s is being given to %s just now. Try again in a moment.", names,
		       given->guest);
	else if (given->by_toolstack)
		answer(broker, client, false,
		       "Port %s is given to %s already, by xl. Take it back with xl usbdev-detach.",
		       names, given->guest);
	else if (guest_same(broker, given->guest, command->guest))
		answer(broker, client, true, "Port %s is already given to %s.", names,
		       given->guest);
	else
		answer(broker, client, false,
		       "Port %s is given to %s already. Take it back first: xvhc take %s", names,
		       given->guest, given->parent ? outer : command->port);
}

/* Begins to give a port of another machine. */
static void run_give_remote(struct broker *broker, struct client_ref client,
			    const struct command *command, const struct place *place)
{
	struct given *given = given_find_place(broker, place);

	if (given) {
		give_again(broker, client, given, command);
		return;
	}
	given = given_add(broker, place, command->guest);
	if (given)
		given->waiter = client;
	else
		answer(broker, client, false,
		       "No more than %u ports can be given. Take one back first: xvhc take PORT",
		       XVHC_GIVEN_PORTS_MAX);
}

/*
 * A port that is given because of the device in it, or lies before or behind such a one, is given
 * by its place: that is written down, and comes about when the other one has ended.
 */
static void give_over_device(struct broker *broker, struct client_ref client, struct given *given,
			     const struct place *place, const struct command *command)
{
	char names[XVHC_PLACE_MAX];

	given_names(broker, given, names, sizeof(names));
	if (ports_file_add(&broker->file, place, command->guest) != 0 || ports_save(broker) != 0) {
		ports_file_remove(&broker->file, place);
		answer(broker, client, false,
		       "Port %s is not given: that could not be written down. The log of xvhcd "
		       "says why.",
		       command->port);
		return;
	}
	if (place_equal(&given->place, place) && guest_same(broker, given->guest, command->guest)) {
		given->by_device = false;
		given->in_file = true;
		answer(broker, client, true, "Port %s is given to %s.", names, given->guest);
		return;
	}
	answer(broker, client, true,
	       "Port %s is given to %s, as soon as %s has given back the device in port %s.",
	       command->port, command->guest, given->guest, names);
	given_return(broker, given);
}

static void run_give_port(struct broker *broker, struct client_ref client,
			  const struct command *command)
{
	const struct connector *connector = topology_find_name(&broker->topology, command->port);
	struct given *around;
	char names[XVHC_PLACE_MAX], name[XVHC_PLACE_MAX];
	struct given *given;
	struct place place;

	if (!connector && place_parse(command->port, &place) && place_is_remote(&place)) {
		run_give_remote(broker, client, command, &place);
		return;
	}
	if (!connector) {
		answer(broker, client, false,
		       "There is no port %s here. xvhc list shows the ports that there are.",
		       command->port);
		return;
	}
	given = given_find(broker, connector);
	around = given ? NULL : given_around(broker, connector);
	if ((given && given->by_device) || (around && around->by_device)) {
		give_over_device(broker, client, given ? given : around, connector_place(connector),
				 command);
		return;
	}
	if (given) {
		give_again(broker, client, given, command);
		return;
	}
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
		       "Port %s is not given to %s: no more than %u ports can be given. Take one "
		       "back first: xvhc take PORT",
		       command->port, command->guest, XVHC_GIVEN_PORTS_MAX);
		return;
	}
	given->waiter = client;
}

static void run_take_port(struct broker *broker, struct client_ref client,
			  const struct command *command)
{
	const struct connector *connector = topology_find_name(&broker->topology, command->port);
	struct given *given = connector ? given_find(broker, connector) : NULL;
	char names[XVHC_PLACE_MAX], name[XVHC_PLACE_MAX], device[IDENTITY_TEXT_MAX];
	struct place place;

	if (!connector && place_parse(command->port, &place))
		given = given_find_place(broker, &place);
	if (!given && !connector && place_parse(command->port, &place) && place_is_remote(&place))
		answer(broker, client, false, "Port %s is not given to a guest.", command->port);
	else if (!given && !connector)
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
	else if (given->by_device) {
		identity_format(&given->identity, device);
		answer(broker, client, false,
		       "Port %s is given to %s because the device %s is in it. Take the device "
		       "back, or unplug it: xvhc take --device %s",
		       command->port, given->guest, device, device);
	} else if (given->parent) {
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

/* Writes in which ports a given device is, for a sentence; an empty text: in none. */
static void device_ports(const struct broker *broker, const struct identity *identity,
			 char text[COMMAND_TEXT_MAX / 2])
{
	char names[XVHC_PLACE_MAX];
	const struct given *given = NULL;
	size_t at = 0;

	text[0] = '\0';
	while ((given = identity_given(broker, identity, given)) &&
	       at < COMMAND_TEXT_MAX / 2 - XVHC_PLACE_MAX - 3) {
		given_names(broker, given, names, sizeof(names));
		at += (size_t)snprintf(text + at, COMMAND_TEXT_MAX / 2 - at, "%s%s", at ? ", " : "",
				       names);
	}
}

static void run_give_device(struct broker *broker, struct client_ref client,
			    const struct command *command)
{
	const struct ports_line *line = ports_file_find_device(&broker->file, &command->device);
	char device[IDENTITY_TEXT_MAX], ports[COMMAND_TEXT_MAX / 2];

	identity_format(&command->device, device);
	if (line) {
		bool same = guest_same(broker, line->guest, command->guest);

		answer(broker, client, same,
		       same ? "The device %s is already given to %s."
			    : "The device %s is given to %s already. Take it back first: xvhc take "
			      "--device %s",
		       device, line->guest, device);
		return;
	}
	if (ports_file_add_device(&broker->file, &command->device, command->guest) != 0) {
		answer(broker, client, false,
		       "No more than %u devices can be given. Take one back first: xvhc take "
		       "--device DEVICE",
		       XVHC_GIVEN_DEVICES_MAX);
		return;
	}
	if (ports_save(broker) != 0) {
		ports_file_remove_device(&broker->file, &command->device);
		answer(broker, client, false,
		       "The device %s is not given: that could not be written down. The log of "
		       "xvhcd says why.",
		       device);
		return;
	}
	identities_step(broker);
	device_ports(broker, &command->device, ports);
	log_line(LOG_LEVEL_INFO, "the device %s is given to %s", device, command->guest);
	answer(broker, client, true, "The device %s is given to %s, in whichever port it is.%s%s%s",
	       device, command->guest, ports[0] ? " It is in " : " It is not there now.", ports,
	       ports[0] ? " now: xvhc list shows what it does." : "");
}

static void run_take_device(struct broker *broker, struct client_ref client,
			    const struct command *command)
{
	const struct ports_line *line = ports_file_find_device(&broker->file, &command->device);
	struct given *given = identity_given(broker, &command->device, NULL);
	char device[IDENTITY_TEXT_MAX];
	const char *guest;

	identity_format(&command->device, device);
	if (line)
		guest = line->guest;
	else if (given)
		guest = given->guest;
	else {
		answer(broker, client, false,
		       "The device %s is not given to a guest, not by this name. xvhc list shows "
		       "what is.",
		       device);
		return;
	}
	log_line(LOG_LEVEL_INFO, "the device %s is taken from %s", device, guest);
	if (!given)
		answer(broker, client, true, "The device %s is taken from %s.", device, guest);
	else if (given->waiter.serial == 0)
		given->waiter = client;
	else
		answer(broker, client, false,
		       "The device %s is just being taken. Try again in a moment.", device);
	ports_file_remove_device(&broker->file, &command->device);
	broker->file_dirty = true;
	for (; given; given = identity_given(broker, &command->device, given))
		if (!given->taking)
			given_return(broker, given);
}

static void run_give(struct broker *broker, struct client_ref client, const struct command *command)
{
	if (command->by_device)
		run_give_device(broker, client, command);
	else
		run_give_port(broker, client, command);
}

static void run_take(struct broker *broker, struct client_ref client, const struct command *command)
{
	if (command->by_device)
		run_take_device(broker, client, command);
	else
		run_take_port(broker, client, command);
}

static void (*const runs[COMMANDS])(struct broker *broker, struct client_ref client,
				    const struct command *command) = {
	[COMMAND_LIST] = command_list,
	[COMMAND_GIVE] = run_give,
	[COMMAND_TAKE] = run_take,
	[COMMAND_DOCTOR] = command_doctor,
	[COMMAND_MONITOR] = command_monitor,
	[COMMAND_SHOW] = command_show,
	[COMMAND_COUNTERS] = command_counters,
	[COMMAND_CAPTURE] = command_capture,
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
	if (command->type != COMMAND_LIST && !ports_sync(broker)) {
		answer(broker, client, false,
		       "Somebody writes %s just now. Try again when that is saved.",
		       broker->options->ports_file);
		return;
	}
	runs[command->type](broker, client, command);
}
