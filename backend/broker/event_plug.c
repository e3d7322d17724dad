// SPDX-License-Identifier: MIT
#include <broker/event_plug.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <broker/event.h>

/* A device that is, or was, plugged in. */
struct plug {
	struct device_id id;
	uint64_t tell_at_ms; /* 0: it was told */
	bool there;
	struct event_facts facts;
};

static void device_text(const struct plug *plug, char *text, size_t size)
{
	const struct event_facts *facts = &plug->facts;

	snprintf(text, size, "%04x:%04x%s%s", facts->vendor, facts->product,
		 facts->label[0] ? " " : "", facts->label);
}

static void guest_follow(struct broker *broker, struct plug *plug)
{
	const struct given *given;
	struct place place;

	given = place_parse(plug->facts.place, &place) ? event_given_at(broker, &place) : NULL;
	snprintf(plug->facts.guest, sizeof(plug->facts.guest), "%s", given ? given->guest : "");
	plug->facts.domid_known = given && given->controller;
	plug->facts.domid = plug->facts.domid_known ? given->controller->domid : 0;
}

static void plug_tell(struct broker *broker, struct plug *plug, enum event_kind kind)
{
	char device[DEVICE_LABEL_MAX + 16], message[sizeof(device) + 32];

	plug->tell_at_ms = 0;
	guest_follow(broker, plug);
	device_text(plug, device, sizeof(device));
	snprintf(message, sizeof(message), "%s is %s", device,
		 kind == EVENT_PLUGGED ? "plugged in" : "unplugged");
	event_put(broker, kind, &plug->facts, message);
}

void plugs_tell(struct broker *broker, const char *place)
{
	for (uint32_t i = 0; i < broker->events.plug_count; i++) {
		struct plug *plug = &broker->events.plugs[i];

		if (plug->tell_at_ms != 0 && strcmp(plug->facts.place, place) == 0)
			plug_tell(broker, plug, EVENT_PLUGGED);
	}
}

static struct plug *plug_find(const struct broker *broker, struct device_id id)
{
	for (uint32_t i = 0; i < broker->events.plug_count; i++)
		if (device_id_equal(broker->events.plugs[i].id, id))
			return &broker->events.plugs[i];
	return NULL;
}

static void plug_add(struct broker *broker, const struct connector *connector,
		     const struct usb_device *device)
{
	struct events *events = &broker->events;
	struct plug *grown, *plug;

	grown = realloc(events->plugs, (events->plug_count + 1) * sizeof(*grown));
	if (!grown)
		return;
	events->plugs = grown;
	plug = &grown[events->plug_count++];
	memset(plug, 0, sizeof(*plug));
	plug->id = device->id;
	plug->there = true;
	event_facts_of_connector(broker, connector, &plug->facts);
	plug->facts.device_known = true;
	plug->facts.vendor = device->vendor;
	plug->facts.product = device->product;
	memcpy(plug->facts.label, device->label, sizeof(plug->facts.label));
	if (events->plugs_known)
		plug->tell_at_ms = broker->now_ms + XVHC_PLUG_NAME_MS;
}

/* Those that are gone: told, and forgotten. */
static void gone_tell(struct broker *broker)
{
	struct events *events = &broker->events;
	uint32_t kept = 0;

	for (uint32_t i = 0; i < events->plug_count; i++) {
		struct plug *plug = &events->plugs[i];

		if (plug->there)
			continue;
		plugs_tell(broker, plug->facts.place);
		plug_tell(broker, plug, EVENT_UNPLUGGED);
	}
	for (uint32_t i = 0; i < events->plug_count; i++)
		if (events->plugs[i].there)
			events->plugs[kept++] = events->plugs[i];
	events->plug_count = kept;
}

static void compare(struct broker *broker)
{
	const struct topology *topology = &broker->topology;
	struct plug *plug;

	for (uint32_t i = 0; i < broker->events.plug_count; i++)
		broker->events.plugs[i].there = false;
	for (uint32_t i = 0; i < topology->device_count; i++) {
		plug = plug_find(broker, topology->devices[i].id);
		if (plug)
			plug->there = true;
	}
	gone_tell(broker);
	for (uint32_t i = 0; i < 2 * topology->connector_count; i++) {
		const struct connector *connector = &topology->connectors[i / 2];
		const struct kernel_port *port = connector->side[i % 2];

		if (port && port->device && !plug_find(broker, port->device->id))
			plug_add(broker, connector, port->device);
	}
	broker->events.plugs_known = true;
}

void plugs_follow(struct broker *broker)
{
	struct events *events = &broker->events;

	if (events->scans != broker->topology.scans) {
		events->scans = broker->topology.scans;
		compare(broker);
	}
	for (uint32_t i = 0; i < events->plug_count; i++) {
		struct plug *plug = &events->plugs[i];

		if (plug->tell_at_ms != 0 && broker->now_ms >= plug->tell_at_ms)
			plug_tell(broker, plug, EVENT_PLUGGED);
		broker_wake_at(broker, plug->tell_at_ms);
	}
}

void plug_named(struct broker *broker, const struct usb_device *device)
{
	struct plug *plug = plug_find(broker, device->id);

	if (!plug)
		return;
	memcpy(plug->facts.label, device->label, sizeof(plug->facts.label));
	if (plug->tell_at_ms != 0)
		plug_tell(broker, plug, EVENT_PLUGGED);
}

void plugs_fini(struct broker *broker)
{
	free(broker->events.plugs);
	broker->events.plugs = NULL;
	broker->events.plug_count = 0;
}
