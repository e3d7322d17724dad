// SPDX-License-Identifier: MIT
#include <broker/command_list.h>

#include <stdio.h>

#include <json-c/json.h>

#include <broker/control_socket.h>
#include <broker/given.h>
#include <broker/given_hub.h>

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

void command_list(struct broker *broker, struct client_ref client, const struct command *command)
{
	struct json_object *whole = json_object_new_object();
	struct json_object *ports = json_object_new_array();

	(void)command;
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
