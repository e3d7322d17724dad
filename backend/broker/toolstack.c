// SPDX-License-Identifier: MIT
#include <broker/toolstack.h>

#include <stdio.h>
#include <string.h>

#include <broker/controller_nodes.h>
#include <broker/controller_text.h>
#include <broker/given.h>
#include <broker/guest.h>

void toolstack_adopt(struct broker *broker, struct controller *controller)
{
	const struct guest *guest = guest_find_domid(broker, controller->domid);
	char value[XVHC_PLACE_MAX];
	struct given *given;
	struct place place;

	if (!controller->ours || !guest)
		return;
	for (uint32_t port = 1; port <= controller->ports; port++) {
		port_node_read(broker, controller, port, value);
		if (value[0] == '\0' || controller->given[port])
			continue;
		given = place_parse(value, &place) ? given_find_place(broker, &place) : NULL;
		if (given && !given->controller && !given->by_toolstack &&
		    guest_find(broker, given->guest) == guest) {
			given->controller = controller;
			given->port = port;
			controller->given[port] = given;
			tally_bound(broker, given);
		} else {
			port_node_write(broker, controller, port, "");
		}
	}
}

static void port_give(struct broker *broker, struct controller *controller, uint32_t port,
		      const char *device)
{
	const struct guest *guest = guest_find_domid(broker, controller->domid);
	const struct connector *connector = topology_find_name(&broker->topology, device);
	char name[XVHC_GUEST_NAME_MAX], text[CONTROLLER_TEXT_MAX];
	struct given *given;

	controller_text(broker, controller, text);
	if (!connector) {
		log_limited(&controller->log_limit, LOG_LEVEL_WARNING,
			    "%s: the toolstack gives the device %s, and there is no such port. "
			    "Detach it: xl usbdev-detach",
			    text, device);
		return;
	}
	given = given_find(broker, connector);
	if (given) {
		log_limited(
			&controller->log_limit, LOG_LEVEL_WARNING,
			"%s: the toolstack gives the device %s, whose port is given to %s "
			"already: nothing is changed. Take it from there first: xvhc take PORT, "
			"or xl usbdev-detach",
			text, device, given->guest);
		return;
	}
	if (guest && guest->name[0])
		snprintf(name, sizeof(name), "%s", guest->name);
	else
		snprintf(name, sizeof(name), "domain %u", controller->domid);
	given = given_add(broker, connector_place(connector), name);
	if (!given)
		return;
	given->by_toolstack = true;
	given->controller = controller;
	given->port = port;
	controller->given[port] = given;
	tally_bound(broker, given);
}

/* Whether a given port is the one in which this device would be. */
static bool is_port_of(const struct broker *broker, const struct given *given, const char *device)
{
	const struct connector *connector = topology_find_name(&broker->topology, device);

	return connector && given_find(broker, connector) == given;
}

void toolstack_ports_follow(struct broker *broker, struct controller *controller)
{
	char value[XVHC_PLACE_MAX];
	struct given *given;

	for (uint32_t port = 1; port <= controller->ports; port++) {
		port_node_read(broker, controller, port, value);
		given = controller->given[port];
		if (given && (value[0] == '\0' || !is_port_of(broker, given, value)))
			given_take(broker, given);
		else if (!given && value[0] != '\0')
			port_give(broker, controller, port, value);
	}
}
