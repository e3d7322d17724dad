// SPDX-License-Identifier: MIT
/*
 * One port: the object that `list` has for it, with more members (docs/json.md). All of it is known
 * already: showing a port asks no device and waits for nobody.
 */
#include <broker/command_show.h>

#include <stdio.h>
#include <stdlib.h>

#include <json-c/json.h>

#include <broker/command_list.h>
#include <broker/control_socket.h>
#include <broker/counters_json.h>
#include <broker/event.h>
#include <broker/given.h>
#include <broker/guest.h>
#include <broker/judge.h>

#define EVENTS_SHOWN 10u

static struct json_object *side_json(const struct kernel_port *side)
{
	struct json_object *object = json_object_new_object();
	char text[XVHC_PLACE_MAX];

	short_name_format(&side->name, text);
	json_object_object_add(object, "name", json_object_new_string(text));
	place_format(&side->place, text);
	json_object_object_add(object, "place", json_object_new_string(text));
	json_object_object_add(object, "superspeed", json_object_new_boolean(side->place.super));
	json_object_object_add(object, "hub", json_object_new_string(side->hub));
	json_object_object_add(object, "hub-port", json_object_new_int(side->number));
	return object;
}

static struct json_object *sides_json(const struct connector *connector)
{
	struct json_object *sides = json_object_new_array();

	for (int side = 0; connector && side < 2; side++)
		if (connector->side[side])
			json_object_array_add(sides, side_json(connector->side[side]));
	return sides;
}

static struct json_object *kind_json(const struct message_kind *kind)
{
	struct json_object *object = json_object_new_object();

	json_object_object_add(object, "class", json_object_new_int(kind->class));
	json_object_object_add(object, "subclass", json_object_new_int(kind->subclass));
	json_object_object_add(object, "protocol", json_object_new_int(kind->protocol));
	return object;
}

/* What the device's describer said of its interfaces. NULL: it was not described. */
static struct json_object *kinds_json(const struct given *given)
{
	struct json_object *kinds;

	if (!given || !given->described)
		return NULL;
	kinds = json_object_new_array();
	for (uint32_t i = 0; i < given->description.kinds && i < XVHC_KINDS_MAX; i++)
		json_object_array_add(kinds, kind_json(&given->description.kind[i]));
	return kinds;
}

static struct json_object *version_json(const struct usb_device *device)
{
	char text[8];

	if (!device)
		return NULL;
	snprintf(text, sizeof(text), "%x.%02x", device->version >> 8, device->version & 0xff);
	return json_object_new_string(text);
}

/* The guest that it is given to, whether it runs or not. NULL: dom0 has it. */
static struct json_object *guest_json(const struct broker *broker, const struct given *given)
{
	struct json_object *object;
	const struct guest *guest;

	if (!given)
		return NULL;
	guest = given->controller ? guest_find_domid(broker, given->controller->domid)
				  : guest_find(broker, given->guest);
	object = json_object_new_object();
	json_object_object_add(
		object, "name",
		json_object_new_string(guest && guest->name[0] ? guest->name : given->guest));
	json_object_object_add(object, "runs", json_object_new_boolean(guest != NULL));
	json_object_object_add(object, "domain",
			       guest ? json_object_new_int((int32_t)guest->domid) : NULL);
	json_object_object_add(object, "uuid",
			       guest && guest->uuid[0] ? json_object_new_string(guest->uuid)
						       : NULL);
	return object;
}

static struct json_object *filters_json(const struct policy *policy,
					const struct policy_subject *subject)
{
	struct json_object *filters = json_object_new_array(), *filter;
	char where[POLICY_TEXT_MAX], *rules;
	uint32_t section = 0;

	while ((rules = policy_filter_next(policy, subject, &section, where))) {
		filter = json_object_new_object();
		json_object_object_add(filter, "scope", json_object_new_string(where));
		json_object_object_add(filter, "rules", json_object_new_string(rules));
		json_object_array_add(filters, filter);
		free(rules);
	}
	return filters;
}

static struct json_object *policy_json(const struct broker *broker, const struct given *given)
{
	static const char *const words[] = {
		[JUDGEMENT_NONE] = "none",
		[JUDGEMENT_ALLOWED] = "allowed",
		[JUDGEMENT_REFUSED] = "refused",
	};
	struct policy_subject subject = judge_subject(broker, given);
	struct json_object *object = json_object_new_object();

	json_object_object_add(object, "judgement",
			       json_object_new_string(words[given->judgement]));
	json_object_object_add(object, "filters", filters_json(&broker->policy, &subject));
	json_object_object_add(
		object, "allow-dfu",
		json_object_new_boolean(policy_allows_dfu(&broker->policy, &subject)));
	return object;
}

/* Each by its key in the configuration. */
static struct json_object *quotas_json(const struct broker *broker, const struct given *given)
{
	struct policy_subject subject = judge_subject(broker, given);
	struct json_object *object = json_object_new_object();

	for (enum policy_quota quota = 0; quota < QUOTAS; quota++)
		json_object_object_add(
			object, policy_quota_key(quota),
			json_object_new_uint64(policy_quota(&broker->policy, &subject, quota)));
	return object;
}

static void given_add_json(struct broker *broker, struct json_object *port,
			   const struct given *given)
{
	json_object_object_add(port, "condition",
			       json_object_new_string(port_condition(broker, given)));
	json_object_object_add(port, "policy", policy_json(broker, given));
	json_object_object_add(port, "quotas", quotas_json(broker, given));
	json_object_object_add(port, "connection",
			       given->controller ? controller_json(broker, given->controller)
						 : NULL);
	json_object_object_add(port, "counters", port_counters_json(broker, given));
}

void command_show(struct broker *broker, struct client_ref client, const struct command *command)
{
	const struct connector *connector = topology_find_name(&broker->topology, command->port);
	const struct given *given = connector ? given_find(broker, connector) : NULL;
	struct json_object *whole, *port, *device;
	char text[COMMAND_TEXT_MAX];
	struct place place;

	if (!connector && place_parse(command->port, &place))
		given = given_find_place(broker, &place);
	if (!connector && !given) {
		snprintf(text, sizeof(text),
			 "There is no port %s here. xvhc list shows the ports that there are.",
			 command->port);
		client_answer(broker, client, false, text);
		return;
	}
	port = port_json(broker, connector ? connector_place(connector) : &given->place, connector,
			 given);
	json_object_object_add(port, "sides", sides_json(connector));
	if (json_object_object_get_ex(port, "device", &device) && device) {
		json_object_object_add(device, "version",
				       version_json(connector_device(connector)));
		json_object_object_add(device, "interfaces", kinds_json(given));
	}
	json_object_object_add(port, "owner", guest_json(broker, given));
	json_object_object_add(
		port, "events",
		event_last_json(broker, connector ? connector_place(connector) : &given->place,
				EVENTS_SHOWN));
	if (given)
		given_add_json(broker, port, given);
	whole = json_object_new_object();
	json_object_object_add(whole, "ok", json_object_new_boolean(true));
	json_object_object_add(whole, "port", port);
	client_answer_json(broker, client,
			   json_object_to_json_string_ext(whole, JSON_C_TO_STRING_PLAIN));
	json_object_put(whole);
}
