// SPDX-License-Identifier: MIT
#include <broker/command_run.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

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

static struct json_object *device_json(const struct usb_device *device)
{
	struct json_object *object;
	char number[8];

	if (!device)
		return NULL;
	object = json_object_new_object();
	snprintf(number, sizeof(number), "%04x", device->vendor);
	json_object_object_add(object, "vendor", json_object_new_string(number));
	snprintf(number, sizeof(number), "%04x", device->product);
	json_object_object_add(object, "product", json_object_new_string(number));
	json_object_object_add(object, "name", json_object_new_string(device->label));
	json_object_object_add(object, "class", json_object_new_int(device->class));
	json_object_object_add(object, "speed", json_object_new_string(speed_text(device->speed)));
	json_object_object_add(object, "bus", json_object_new_int(device->id.bus));
	json_object_object_add(object, "address", json_object_new_int(device->id.device));
	return object;
}

static struct json_object *port_json(const struct broker *broker, const struct place *place,
				     const struct connector *connector, const struct given *given)
{
	const struct usb_device *device = connector ? connector_device(connector) : NULL;
	struct json_object *object = json_object_new_object();
	struct json_object *names = json_object_new_array();
	char text[IN_USE_TEXT_MAX];

	for (int side = 0; connector && side < 2; side++) {
		if (!connector->side[side])
			continue;
		short_name_format(&connector->side[side]->name, text);
		json_object_array_add(names, json_object_new_string(text));
	}
	place_format(place, text);
	json_object_object_add(object, "port",
			       json_object_array_length(names)
				       ? json_object_get(json_object_array_get_idx(names, 0))
				       : json_object_new_string(text));
	json_object_object_add(object, "names", names);
	json_object_object_add(object, "place", json_object_new_string(text));
	json_object_object_add(object, "device", device_json(device));
	json_object_object_add(object, "guest",
			       given ? json_object_new_string(given->guest) : NULL);
	if (given && given->parent) {
		place_format(&given_outermost(given)->place, text);
		json_object_object_add(object, "given-with", json_object_new_string(text));
	}
	if (given && given->controller)
		json_object_object_add(object, "controller",
				       json_object_new_int((int32_t)given->controller->devid));
	if (given && given->controller)
		json_object_object_add(object, "controller-port",
				       json_object_new_int((int32_t)given->port));
	if (given)
		given_state_text(broker, given, text, sizeof(text));
	else
		snprintf(text, sizeof(text), "%s",
			 !device                      ? "empty"
			 : device->class == CLASS_HUB ? "hub, in dom0"
						      : "in dom0");
	json_object_object_add(object, "state", json_object_new_string(text));
	json_object_object_add(object, "refused-by",
			       given && given->judgement == JUDGEMENT_REFUSED
				       ? json_object_new_string(given->refused_by)
				       : NULL);
	json_object_object_add(object, "changed-from",
			       given && given->changed_from[0] != '\0'
				       ? json_object_new_string(given->changed_from)
				       : NULL);
	return object;
}

static void run_list(struct broker *broker, struct client_ref client)
{
	struct json_object *whole = json_object_new_object();
	struct json_object *ports = json_object_new_array();

	for (uint32_t i = 0; i < broker->topology.connector_count; i++) {
		const struct connector *connector = &broker->topology.connectors[i];

		json_object_array_add(ports, port_json(broker, connector_place(connector),
						       connector, given_find(broker, connector)));
	}
	for (const struct given *given = broker->given; given; given = given->next)
		if (!topology_find_place(&broker->topology, &given->place))
			json_object_array_add(ports, port_json(broker, &given->place, NULL, given));
	json_object_object_add(whole, "ok", json_object_new_boolean(true));
	json_object_object_add(whole, "ports", ports);
	client_answer_json(broker, client,
			   json_object_to_json_string_ext(whole, JSON_C_TO_STRING_PLAIN));
	json_object_put(whole);
}

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
	switch (command->type) {
	case COMMAND_LIST:
		run_list(broker, client);
		break;
	case COMMAND_GIVE:
		run_give(broker, client, command);
		break;
	case COMMAND_TAKE:
		run_take(broker, client, command);
		break;
	}
}
