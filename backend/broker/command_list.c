// SPDX-License-Identifier: MIT
#include <broker/command_list.h>

#include <stdio.h>

#include <json-c/json.h>

#include <broker/control_socket.h>
#include <broker/given.h>
#include <broker/given_hub.h>
#include <broker/given_identity.h>
#include <broker/given_reason.h>

/* Adds a member that is text; NULL or an empty one: null. */
static void text_add(struct json_object *object, const char *name, const char *text)
{
	json_object_object_add(object, name, text && text[0] ? json_object_new_string(text) : NULL);
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
	text_add(object, "serial", device->serial);
	json_object_object_add(object, "class", json_object_new_int(device->class));
	json_object_object_add(object, "speed", json_object_new_string(speed_text(device->speed)));
	json_object_object_add(object, "bus", json_object_new_int(device->id.bus));
	json_object_object_add(object, "address", json_object_new_int(device->id.device));
	return object;
}

/* Why it is given: by whom, or with what. */
static void origin_add(struct json_object *object, const struct given *given)
{
	char text[IDENTITY_TEXT_MAX > XVHC_PLACE_MAX ? IDENTITY_TEXT_MAX : XVHC_PLACE_MAX];

	text_add(object, "given-by",
		 !given                ? NULL
		 : given->parent       ? "hub"
		 : given->by_toolstack ? "xl"
		 : given->by_device    ? "device"
				       : "port");
	if (given && given->by_device) {
		identity_format(&given->identity, text);
		text_add(object, "given-device", text);
	}
	if (given && given->parent) {
		place_format(&given_outermost(given)->place, text);
		text_add(object, "given-with", text);
	}
}

static void state_add(const struct broker *broker, struct json_object *object,
		      const struct given *given, const struct usb_device *device)
{
	const char *topic = NULL;
	char text[IN_USE_TEXT_MAX + XVHC_GUEST_NAME_MAX];

	if (given)
		given_state_text(broker, given, text, IN_USE_TEXT_MAX);
	else
		snprintf(text, sizeof(text), "%s",
			 !device                      ? "empty"
			 : device->class == CLASS_HUB ? "hub, in dom0"
						      : "in dom0");
	text_add(object, "state", text);
	text[0] = '\0';
	if (given)
		given_reason(broker, given, text, sizeof(text), &topic);
	text_add(object, "reason", text);
	text_add(object, "see", topic);
	text_add(object, "refused-by",
		 given && given->judgement == JUDGEMENT_REFUSED ? given->refused_by : NULL);
	text_add(object, "changed-from", given ? given->changed_from : NULL);
}

struct json_object *port_json(const struct broker *broker, const struct place *place,
			      const struct connector *connector, const struct given *given)
{
	const struct usb_device *device = connector ? connector_device(connector) : NULL;
	struct json_object *object = json_object_new_object();
	struct json_object *names = json_object_new_array();
	bool remote = given && place_is_remote(&given->place);
	char text[XVHC_PLACE_MAX];

	/* The kernel's name of what another machine's port is attached to changes each time. */
	for (int side = 0; connector && !remote && side < 2; side++) {
		if (!connector->side[side])
			continue;
		short_name_format(&connector->side[side]->name, text);
		json_object_array_add(names, json_object_new_string(text));
	}
	place_format(remote ? &given->place : place, text);
	if (remote)
		json_object_array_add(names, json_object_new_string(text));
	json_object_object_add(object, "port",
			       json_object_array_length(names)
				       ? json_object_get(json_object_array_get_idx(names, 0))
				       : json_object_new_string(text));
	json_object_object_add(object, "names", names);
	json_object_object_add(object, "place", json_object_new_string(text));
	json_object_object_add(object, "device", device_json(device));
	text_add(object, "guest", given ? given->guest : NULL);
	origin_add(object, given);
	if (given && given->controller)
		json_object_object_add(object, "controller",
				       json_object_new_int((int32_t)given->controller->devid));
	if (given && given->controller)
		json_object_object_add(object, "controller-port",
				       json_object_new_int((int32_t)given->port));
	state_add(broker, object, given, device);
	return object;
}

/* What is given by what it is, and where it is now. */
static struct json_object *devices_json(const struct broker *broker)
{
	struct json_object *devices = json_object_new_array();

	for (uint32_t i = 0; i < broker->file.count; i++) {
		const struct ports_line *line = &broker->file.lines[i];
		struct json_object *object, *places;
		const struct given *given = NULL;
		char text[IDENTITY_TEXT_MAX > XVHC_PLACE_MAX ? IDENTITY_TEXT_MAX : XVHC_PLACE_MAX];

		if (!line->entry || !line->by_device)
			continue;
		object = json_object_new_object();
		places = json_object_new_array();
		identity_format(&line->identity, text);
		text_add(object, "device", text);
		text_add(object, "guest", line->guest);
		while ((given = identity_given(broker, &line->identity, given))) {
			place_format(&given->place, text);
			json_object_array_add(places, json_object_new_string(text));
		}
		json_object_object_add(object, "places", places);
		json_object_array_add(devices, object);
	}
	return devices;
}

void command_list(struct broker *broker, struct client_ref client, const struct command *command)
{
	struct json_object *whole = json_object_new_object();
	struct json_object *ports = json_object_new_array();

	(void)command;
	for (uint32_t i = 0; i < broker->topology.connector_count; i++) {
		const struct connector *connector = &broker->topology.connectors[i];
		const struct given *given = given_find(broker, connector);

		/* Nothing can be plugged in there, and there may be hundreds. */
		if (!given && !connector_device(connector) &&
		    place_is_vhci(connector_place(connector)))
			continue;
		json_object_array_add(
			ports, port_json(broker, connector_place(connector), connector, given));
	}
	for (const struct given *given = broker->given; given; given = given->next)
		if (!topology_find_place(&broker->topology, &given->at))
			json_object_array_add(ports, port_json(broker, &given->place, NULL, given));
	json_object_object_add(whole, "ok", json_object_new_boolean(true));
	json_object_object_add(whole, "ports", ports);
	json_object_object_add(whole, "devices", devices_json(broker));
	client_answer_json(broker, client,
			   json_object_to_json_string_ext(whole, JSON_C_TO_STRING_PLAIN));
	json_object_put(whole);
}
