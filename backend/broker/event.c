// SPDX-License-Identifier: MIT
#include <broker/event.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <json-c/json.h>

#include <broker/event_plug.h>
#include <broker/given.h>
#include <broker/guest.h>

#define MESSAGE_TEXT_MAX 512u
#define SECOND_MS 1000u
#define TIME_TEXT_MAX 32u
#define EVENT_JSON_FLAGS (JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)

static const char *const kind_names[EVENT_KINDS] = {
	[EVENT_STARTED] = "started",
	[EVENT_ENDING] = "ending",
	[EVENT_RELOADED] = "reloaded",
	[EVENT_PLUGGED] = "plugged",
	[EVENT_UNPLUGGED] = "unplugged",
	[EVENT_GIVEN] = "given",
	[EVENT_TAKEN] = "taken",
	[EVENT_CONNECTED] = "connected",
	[EVENT_DISCONNECTED] = "disconnected",
	[EVENT_ATTACHED] = "attached",
	[EVENT_CONFIGURED] = "configured",
	[EVENT_DETACHED] = "detached",
	[EVENT_REFUSED] = "refused",
	[EVENT_CHANGED] = "changed",
	[EVENT_RESET] = "reset",
	[EVENT_BLOCKED] = "blocked",
	[EVENT_ERROR] = "error",
	[EVENT_RESTARTING] = "restarting",
	[EVENT_LOST] = "lost",
};

const char *event_kind_name(enum event_kind kind)
{
	assert(kind < EVENT_KINDS);
	return kind_names[kind];
}

static void printable_make(char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			*text = '?';
}

/* ISO 8601, of UTC, with milliseconds. */
static void time_write(char text[TIME_TEXT_MAX])
{
	struct timespec now;
	struct tm parts;
	size_t length;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &parts);
	length = strftime(text, TIME_TEXT_MAX, "%Y-%m-%dT%H:%M:%S", &parts);
	snprintf(text + length, TIME_TEXT_MAX - length, ".%03dZ", (int)(now.tv_nsec / 1000000));
}

static void text_add(struct json_object *object, const char *name, const char *text)
{
	json_object_object_add(object, name, text && text[0] ? json_object_new_string(text) : NULL);
}

static struct json_object *device_json(const struct event_facts *facts)
{
	struct json_object *device;
	char number[8];

	if (!facts->device_known)
		return NULL;
	device = json_object_new_object();
	snprintf(number, sizeof(number), "%04x", facts->vendor);
	json_object_object_add(device, "vendor", json_object_new_string(number));
	snprintf(number, sizeof(number), "%04x", facts->product);
	json_object_object_add(device, "product", json_object_new_string(number));
	json_object_object_add(device, "name", json_object_new_string(facts->label));
	return device;
}

static void port_add(struct json_object *object, const struct event_facts *facts)
{
	struct json_object *names = json_object_new_array();

	for (int side = 0; side < 2; side++)
		if (facts->names[side][0])
			json_object_array_add(names, json_object_new_string(facts->names[side]));
	text_add(object, "port",
		 facts->names[0][0]   ? facts->names[0]
		 : facts->names[1][0] ? facts->names[1]
				      : facts->place);
	json_object_object_add(object, "names", names);
	text_add(object, "place", facts->place);
}

struct json_object *event_json(uint64_t number, enum event_kind kind, uint32_t left_out,
			       const struct event_facts *facts, const char *message)
{
	struct json_object *object = json_object_new_object();
	char time[TIME_TEXT_MAX];

	time_write(time);
	text_add(object, "time", time);
	json_object_object_add(object, "number", json_object_new_int64((int64_t)number));
	text_add(object, "kind", event_kind_name(kind));
	port_add(object, facts);
	text_add(object, "guest", facts->guest);
	json_object_object_add(object, "domain",
			       facts->domid_known ? json_object_new_int((int32_t)facts->domid)
						  : NULL);
	json_object_object_add(object, "device", device_json(facts));
	text_add(object, "message", message);
	if (facts->rule)
		text_add(object, "rule", facts->rule);
	if (facts->from)
		text_add(object, "from", facts->from);
	if (facts->count)
		json_object_object_add(object, "count", json_object_new_int64(facts->count));
	if (facts->pause_ms)
		json_object_object_add(object, "pause-ms", json_object_new_int64(facts->pause_ms));
	if (left_out)
		json_object_object_add(object, "left-out", json_object_new_int64(left_out));
	return object;
}

/* What is kept of the same kind and subject as a new event, and of the same guest. */
struct kin {
	struct event *newest;
	struct event **oldest;       /* of its kind and subject: what points to it */
	struct event **guest_oldest; /* of the guest */
	uint32_t count, in_a_second, of_guest;
};

static struct kin kin_find(struct broker *broker, enum event_kind kind,
			   const struct event_facts *facts, uint64_t now_ms)
{
	struct kin kin = {0};

	for (struct event **at = &broker->events.first; *at; at = &(*at)->next) {
		struct event *event = *at;

		if (strcmp(event->guest, facts->guest) != 0)
			continue;
		kin.of_guest++;
		if (!kin.guest_oldest)
			kin.guest_oldest = at;
		if (event->kind != kind || strcmp(event->place, facts->place) != 0)
			continue;
		kin.count++;
		kin.in_a_second += event->told_ms + SECOND_MS > now_ms;
		kin.newest = event;
		if (!kin.oldest)
			kin.oldest = at;
	}
	return kin;
}

static void event_drop(struct broker *broker, struct event **at)
{
	struct event *event = *at;

	assert(event);
	*at = event->next;
	broker->events.count--;
	free(event);
}

static void room_make(struct broker *broker, const struct kin *kin)
{
	if (kin->count >= XVHC_EVENTS_OF_A_KIND_MAX)
		event_drop(broker, kin->oldest);
	else if (kin->of_guest >= XVHC_EVENTS_OF_A_GUEST_MAX)
		event_drop(broker, kin->guest_oldest);
	else if (broker->events.count >= XVHC_EVENTS_MAX)
		event_drop(broker, &broker->events.first);
}

static void event_append(struct broker *broker, struct event *event)
{
	struct event **end = &broker->events.first;

	while (*end)
		end = &(*end)->next;
	*end = event;
	broker->events.count++;
	broker->events.last_number = event->number;
}

void event_put(struct broker *broker, enum event_kind kind, const struct event_facts *facts,
	       const char *message)
{
	uint64_t now_ms = clock_ms(), number;
	struct json_object *object;
	struct event *event;
	struct kin kin;
	const char *text;
	size_t length;

	/* The order matters to whoever reads it. */
	plugs_tell(broker, facts->place);
	number = broker->events.last_number + 1;
	kin = kin_find(broker, kind, facts, now_ms);
	if (kin.in_a_second >= XVHC_EVENTS_PER_SECOND_MAX) {
		kin.newest->left_out += kin.newest->left_out < UINT32_MAX;
		return;
	}
	object = event_json(number, kind, kin.newest ? kin.newest->left_out : 0, facts, message);
	text = json_object_to_json_string_length(object, EVENT_JSON_FLAGS, &length);
	event = text && length < XVHC_EVENT_BYTES_MAX ? calloc(1, sizeof(*event) + length + 2)
						      : NULL;
	if (event) {
		event->number = number;
		event->told_ms = now_ms;
		event->kind = kind;
		memcpy(event->place, facts->place, sizeof(event->place));
		memcpy(event->guest, facts->guest, sizeof(event->guest));
		memcpy(event->text, text, length);
		event->text[length] = '\n';
		event->length = length + 1;
		room_make(broker, &kin);
		event_append(broker, event);
	}
	json_object_put(object);
}

static void guest_fill(const struct broker *broker, const struct event_about *about,
		       struct event_facts *facts)
{
	const struct controller *controller =
		about->given ? about->given->controller : about->controller;
	const struct guest *guest = controller ? guest_find_domid(broker, controller->domid) : NULL;
	const struct given *port = NULL;

	/* A guest that is gone has no name any more, but for the ports that are given to it. */
	for (uint32_t i = 1; controller && i <= controller->ports && !port; i++)
		port = controller->given[i];
	if (controller) {
		facts->domid_known = true;
		facts->domid = controller->domid;
	}
	if (about->given)
		snprintf(facts->guest, sizeof(facts->guest), "%s", about->given->guest);
	else if (guest && guest->name[0])
		snprintf(facts->guest, sizeof(facts->guest), "%s", guest->name);
	else if (port)
		snprintf(facts->guest, sizeof(facts->guest), "%s", port->guest);
	else if (controller)
		snprintf(facts->guest, sizeof(facts->guest), "domain %u", controller->domid);
}

void event_facts_of_connector(const struct broker *broker, const struct connector *connector,
			      struct event_facts *facts)
{
	const struct given *given = given_find(broker, connector);

	place_format(connector_place(connector), facts->place);
	for (int side = 0; side < 2; side++)
		if (connector->side[side])
			short_name_format(&connector->side[side]->name, facts->names[side]);
	if (given)
		guest_fill(broker, &(struct event_about){.given = given}, facts);
}

static void given_fill(struct broker *broker, const struct given *given, struct event_facts *facts)
{
	const struct connector *connector = topology_find_place(&broker->topology, &given->place);
	const struct usb_device *device = topology_find_device(&broker->topology, given->device);

	place_format(&given->place, facts->place);
	for (int side = 0; connector && side < 2; side++)
		if (connector->side[side])
			short_name_format(&connector->side[side]->name, facts->names[side]);
	if (!device)
		return;
	facts->device_known = true;
	facts->vendor = device->vendor;
	facts->product = device->product;
	memcpy(facts->label, device->label, sizeof(facts->label));
}

void event_tell(struct broker *broker, enum event_kind kind, struct event_about about,
		const char *format, ...)
{
	struct event_facts facts = {
		.rule = about.rule,
		.from = about.from,
		.count = about.count,
		.pause_ms = about.pause_ms,
	};
	char message[MESSAGE_TEXT_MAX];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(message, sizeof(message), format, arguments);
	va_end(arguments);
	printable_make(message);
	if (about.given)
		given_fill(broker, about.given, &facts);
	guest_fill(broker, &about, &facts);
	printable_make(facts.guest);
	event_put(broker, kind, &facts, message);
}

const struct event *event_find(const struct broker *broker, uint64_t number)
{
	const struct event *event = broker->events.first;

	while (event && event->number < number)
		event = event->next;
	return event;
}

const struct given *event_given_at(const struct broker *broker, const struct place *place)
{
	const struct connector *connector = topology_find_place(&broker->topology, place);

	return connector ? given_find(broker, connector) : given_find_place(broker, place);
}

bool event_concerns(const struct broker *broker, const struct event *event,
		    const struct place *place)
{
	const struct connector *connector = topology_find_place(&broker->topology, place);
	const struct given *given = event_given_at(broker, place);
	char text[XVHC_PLACE_MAX];

	place_format(connector ? connector_place(connector) : place, text);
	if (event->place[0])
		return strcmp(event->place, text) == 0;
	return event->guest[0] && given && guest_same(broker, event->guest, given->guest);
}

struct json_object *event_last_json(const struct broker *broker, const struct place *place,
				    uint32_t max)
{
	struct json_object *array = json_object_new_array();
	const struct event *event;
	uint32_t found = 0;

	for (event = broker->events.first; event; event = event->next)
		found += event_concerns(broker, event, place);
	for (event = broker->events.first; event; event = event->next) {
		if (!event_concerns(broker, event, place))
			continue;
		if (found-- <= max)
			json_object_array_add(array, json_tokener_parse(event->text));
	}
	return array;
}

void events_fini(struct broker *broker)
{
	plugs_fini(broker);
	while (broker->events.first)
		event_drop(broker, &broker->events.first);
}
