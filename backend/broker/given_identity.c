// SPDX-License-Identifier: MIT
/*
 * A device that is given by what it is, and not by where it is. When it is seen in a port that is
 * not given, that port is given: claimed, and the device taken from dom0's drivers, as for a port
 * that is given with something in it. When the device has left, the port is dom0's again.
 *
 * So dom0's drivers meet such a device first, for a moment. Claiming all free ports beforehand
 * would keep them from that; but then each of dom0's own devices would wait for us to let it go,
 * and would be dead where we do not run well. docs/architecture.md has more.
 *
 * A place wins: a port that is given by its place, or lies before or behind one that is, is left
 * alone, whatever is in it. A name with a serial number wins over one without.
 *
 * A device that leaves and comes back at once, as one does that changes its firmware, finds its
 * port still claimed. One that may be it, but whose serial number is not known yet, waits in that
 * port; neither a guest nor dom0 gets it meanwhile.
 */
#include <broker/given_identity.h>

#include <stdio.h>
#include <string.h>

#include <broker/given.h>
#include <broker/guest.h>

/* Whether a device in it may turn out to be one that is given, once its serial number is known. */
static bool is_undecided(const struct broker *broker, const struct connector *connector)
{
	for (int side = 0; side < 2; side++) {
		const struct kernel_port *port = connector->side[side];
		const struct usb_device *device = port ? port->device : NULL;

		for (uint32_t i = 0; device && !device->named && i < broker->file.count; i++) {
			const struct ports_line *line = &broker->file.lines[i];

			if (line->entry && line->by_device && line->identity.serial[0] != '\0' &&
			    line->identity.vendor == device->vendor &&
			    line->identity.product == device->product)
				return true;
		}
	}
	return false;
}

/* The line by which what is in this connector is given, and that device. NULL: there is none. */
static const struct ports_line *line_for(const struct broker *broker,
					 const struct connector *connector)
{
	const struct ports_line *found = NULL, *line;

	for (int side = 1; side >= 0; side--) {
		const struct kernel_port *port = connector->side[side];

		line = port && port->device ? ports_file_match(&broker->file, port->device) : NULL;
		if (line && (!found || line->identity.serial[0] != '\0'))
			found = line;
	}
	/* It may be another's, by its serial number. */
	return found && found->identity.serial[0] == '\0' && is_undecided(broker, connector)
		       ? NULL
		       : found;
}

static bool is_same(const struct connector *connector, const struct identity *identity)
{
	for (int side = 0; side < 2; side++)
		if (connector->side[side] && connector->side[side]->device &&
		    identity_matches(identity, connector->side[side]->device))
			return true;
	return false;
}

/* Whether a time that began when it was first asked for has passed. *until_ms: 0 before that. */
static bool has_passed(struct broker *broker, uint64_t *until_ms, uint32_t limit_ms)
{
	if (*until_ms == 0)
		*until_ms = broker->now_ms + limit_ms;
	if (broker->now_ms >= *until_ms)
		return true;
	broker_wake_at(broker, *until_ms);
	return false;
}

/* Whether a port that is given because of its device stays given. */
static bool stays(struct broker *broker, struct given *given)
{
	const struct connector *connector = topology_find_place(&broker->topology, &given->at);
	const struct ports_line *line = connector ? line_for(broker, connector) : NULL;

	if (line && guest_same(broker, line->guest, given->guest)) {
		snprintf(given->guest, sizeof(given->guest), "%s", line->guest);
		given->identity = line->identity;
		given->away_until_ms = 0;
		given->undecided_until_ms = 0;
		return true;
	}
	if (!connector || line)
		return false;
	if (!broker->ports_follows && is_same(connector, &given->identity))
		return true;
	if (is_undecided(broker, connector))
		return !has_passed(broker, &given->undecided_until_ms, XVHC_SERIAL_LIMIT_MS);
	given->undecided_until_ms = 0;
	/* Its line may be gone, too. */
	return !connector_device(connector) &&
	       (ports_file_find_device(&broker->file, &given->identity) ||
		!broker->ports_follows) &&
	       !has_passed(broker, &given->away_until_ms, XVHC_DEVICE_AWAY_MS);
}

static void device_give(struct broker *broker, const struct connector *connector)
{
	const struct ports_line *line = line_for(broker, connector);
	struct given *given;

	if (!line || given_find(broker, connector) || given_around(broker, connector))
		return;
	given = given_add(broker, connector_place(connector), line->guest);
	if (!given) {
		log_limited(&broker->given_limit, LOG_LEVEL_ERROR,
			    "no more than %u ports can be given", XVHC_GIVEN_PORTS_MAX);
		return;
	}
	given->by_device = true;
	given->identity = line->identity;
}

void identities_step(struct broker *broker)
{
	for (struct given *given = broker->given; given; given = given->next)
		if (given->by_device && !given->taking && !stays(broker, given))
			given_return(broker, given);
	for (uint32_t i = 0; i < broker->topology.connector_count; i++)
		if (connector_device(&broker->topology.connectors[i]))
			device_give(broker, &broker->topology.connectors[i]);
}

struct given *identity_given(const struct broker *broker, const struct identity *identity,
			     const struct given *after)
{
	struct given *given = after ? after->next : broker->given;

	while (given && !(given->by_device && identity_equal(&given->identity, identity)))
		given = given->next;
	return given;
}
