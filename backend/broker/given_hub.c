// SPDX-License-Identifier: MIT
/*
 * A hub never goes to a guest as a hub. It stays with dom0's hub driver, and each port of it is
 * given to the same guest: a struct given whose parent is the one of the port that the hub is in.
 * It differs from one that a person gave in this:
 *
 *   - it is in no file, and is not given or taken by itself
 *   - it has no claim of its own; the hub's open descriptor holds those of all of the hub's ports
 *   - it ends when the hub goes, or when the port that the hub is in is taken back
 *
 * A hub of USB 3 is two hubs to the kernel, one on each side of the connector; a port behind
 * it is one connector again, with one side behind each. A hub behind a hub is as any.
 *
 * While a hub is opened, dom0 probes no driver for any USB device. A device that plays a hub, and
 * unplugs itself or does not answer, could have that go on for good. So each port that a person
 * gave pays for its hubs, and for those behind them, by waiting: COST_FACTOR times as long as that
 * took, and COST_MIN_MS at least. COST_CREDIT_MS of it need not be waited for: a desk full of hubs
 * that comes at once costs less.
 */
#include <broker/given_hub.h>

#include <stdio.h>
#include <string.h>

#include <broker/event.h>
#include <broker/given.h>

#define COST_FACTOR 10u
#define COST_MIN_MS 1000u
#define COST_CREDIT_MS 30000u

static const struct usb_device *hub_in(const struct connector *connector, int side)
{
	const struct kernel_port *port = connector ? connector->side[side] : NULL;

	return port && port->device && port->device->class == CLASS_HUB ? port->device : NULL;
}

/* The instance of any port of this hub. 0: it has none, so no driver has it. */
static uint64_t ports_instance(const struct broker *broker, struct device_id hub)
{
	const struct topology *topology = &broker->topology;

	for (uint32_t i = 0; i < topology->port_count; i++)
		if (device_id_equal(topology->ports[i].hub_id, hub))
			return topology->ports[i].instance;
	return 0;
}

static void hub_drop(struct broker *broker, struct hub *hub)
{
	/* By the thread that uses it: a job that waits there may have it. */
	jobs_close_fd(broker->device_jobs, hub->fd);
	hub->fd = -1;
}

void hubs_drop(struct broker *broker, struct given *given)
{
	for (int side = 0; side < 2; side++)
		if (given->hub[side].fd >= 0)
			hub_drop(broker, &given->hub[side]);
}

void hubs_follow(struct broker *broker, struct given *given, const struct connector *connector)
{
	for (int side = 0; side < 2; side++) {
		const struct usb_device *device = hub_in(connector, side);
		struct hub *hub = &given->hub[side];

		if (hub->fd >= 0 && (!device || !device_id_equal(device->id, hub->id) ||
				     ports_instance(broker, hub->id) != hub->ports_instance))
			hub_drop(broker, hub);
	}
}

int given_claim_fd(const struct given *given, int side)
{
	return given->parent ? given->parent->hub[side].fd : given->claim[side].fd;
}

static struct job *job_for_hub(struct given *given, const struct connector *connector, int side)
{
	const struct kernel_port *port = connector->side[side];
	struct job *job = job_new(JOB_HUB, given);

	if (!job)
		return NULL;
	job->device = port->device->id;
	memcpy(job->device_name, port->device->name, sizeof(job->device_name));
	job->side[side].hub = port->hub_id;
	job->side[side].port = port->number;
	job->side[side].fd = given_claim_fd(given, side);
	return job;
}

/*
 * Whether a connector is one of an open hub's in this port. It is not, for as long as there is a
 * device on a side of it that is not claimed.
 */
static bool is_behind(const struct given *given, const struct connector *connector)
{
	bool behind = false;

	for (int side = 0; side < 2; side++) {
		const struct hub *hub = &given->hub[side];
		const struct kernel_port *port = connector->side[side];

		if (!port)
			continue;
		if (hub->fd >= 0 && device_id_equal(port->hub_id, hub->id))
			behind = true;
		else if (port->device)
			return false;
	}
	return behind;
}

static uint32_t ports_count(const struct broker *broker, const struct given *outermost)
{
	uint32_t count = 0;

	for (const struct given *given = broker->given; given; given = given->next)
		count += given->parent && given_outermost(given) == outermost;
	return count;
}

static void ports_add(struct broker *broker, struct given *parent)
{
	const struct given *outermost = given_outermost(parent);
	char names[XVHC_PLACE_MAX];

	for (uint32_t i = 0; i < broker->topology.connector_count; i++) {
		const struct connector *connector = &broker->topology.connectors[i];
		struct given *given;

		if (!is_behind(parent, connector) || given_find(broker, connector))
			continue;
		given = ports_count(broker, outermost) < XVHC_HUB_PORTS_MAX
				? given_add(broker, connector_place(connector), parent->guest)
				: NULL;
		if (!given) {
			given_names(broker, outermost, names, sizeof(names));
			log_limited(&broker->given_limit, LOG_LEVEL_ERROR,
				    "port %s: not each port behind its hub is given to %s: no more "
				    "than %u ports can be given, and %u behind one port",
				    names, parent->guest, XVHC_GIVEN_PORTS_MAX, XVHC_HUB_PORTS_MAX);
			return;
		}
		given->parent = parent;
		given->confirmed = true;
		given->claim_state = CLAIM_HELD;
		event_tell(broker, EVENT_GIVEN, (struct event_about){.given = given},
			   "the port is given to %s with the hub that it belongs to", given->guest);
	}
}

/* How long this port has to wait until a hub may be opened. */
static uint64_t wait_ms(const struct broker *broker, const struct given *given)
{
	uint64_t until_ms = given_outermost(given)->hubs_until_ms;
	uint64_t free_ms = broker->now_ms + COST_CREDIT_MS;

	return until_ms > free_ms ? until_ms - free_ms : 0;
}

static bool must_wait(struct broker *broker, const struct given *given)
{
	uint64_t wait = wait_ms(broker, given);

	if (wait > 0)
		broker_wake_at(broker, broker->now_ms + wait);
	return wait > 0;
}

static void pay(struct broker *broker, struct given *given, uint32_t paused_ms)
{
	uint64_t cost = (uint64_t)paused_ms * COST_FACTOR;

	while (given->parent)
		given = given->parent;
	if (given->hubs_until_ms < broker->now_ms)
		given->hubs_until_ms = broker->now_ms;
	given->hubs_until_ms += cost > COST_MIN_MS ? cost : COST_MIN_MS;
}

/* What dom0 uses is tried for as long as it takes, and has a time for that. */
static bool is_given_up(const struct given *given)
{
	return given->opens_failed >= GIVEN_OPENS_MAX && given->retry_at_ms == 0;
}

struct job *hub_step(struct broker *broker, struct given *given, const struct connector *connector)
{
	/* Those of one side do not wait for the other. */
	ports_add(broker, given);
	if (given->retry_at_ms > broker->now_ms)
		return NULL;
	for (int side = 0; side < 2; side++)
		if (hub_in(connector, side) && given->hub[side].fd < 0 && !is_given_up(given) &&
		    !must_wait(broker, given))
			return job_for_hub(given, connector, side);
	return NULL;
}

/* The port is not claimed any more: whatever held the claim is void, and is made anew. */
static void claim_is_lost(struct broker *broker, struct given *given, int side)
{
	struct claim *claim = &given->claim[side];

	if (given->parent) {
		if (given->parent->hub[side].fd >= 0)
			hub_drop(broker, &given->parent->hub[side]);
		return;
	}
	jobs_close_fd(broker->hub_jobs, claim->fd);
	claim->fd = -1;
}

void hub_done(struct broker *broker, struct given *given, struct job *job)
{
	int side = job->side[1].hub.bus != 0;
	struct hub *hub = &given->hub[side];
	char names[XVHC_PLACE_MAX];

	/* Its ports have come with its driver, or it was pulled meanwhile, which is no failure. */
	if (topology_scan(&broker->topology, broker->options->sysfs) != 0)
		broker->topology_dirty = true;
	pay(broker, given, job->paused_ms);
	if (job->claim_lost)
		claim_is_lost(broker, given, side);
	if (job->error != 0) {
		if (topology_find_device(&broker->topology, job->device))
			given_open_failed(broker, given, job->text, job->in_use);
		return;
	}
	hub->ports_instance = ports_instance(broker, job->device);
	hub->id = job->device;
	hub->fd = job->fd;
	job->fd = -1;
	given->opens_failed = 0;
	given->text[0] = '\0';
	given_names(broker, given, names, sizeof(names));
	log_line(LOG_LEVEL_INFO, "port %s: there is a hub in it; its ports are given to %s, too",
		 names, given->guest);
}

bool hub_port_is_void(const struct broker *broker, const struct given *given,
		      const struct connector *connector)
{
	const struct given *parent = given->parent;

	if (!parent)
		return false;
	return !connector || parent->taking || !is_behind(parent, connector) ||
	       hub_port_is_void(broker, parent,
				topology_find_place(&broker->topology, &parent->at));
}

bool hub_has_given_ports(const struct broker *broker, const struct given *given)
{
	for (const struct given *other = broker->given; other; other = other->next)
		if (other->parent == given)
			return true;
	return false;
}

const struct given *given_outermost(const struct given *given)
{
	while (given->parent)
		given = given->parent;
	return given;
}

void hub_state_text(const struct broker *broker, const struct given *given, char *text, size_t size)
{
	bool open = given->hub[0].fd >= 0 || given->hub[1].fd >= 0;

	if (given->text[0] != '\0')
		snprintf(text, size, "hub, not opened: %.400s", given->text);
	else if (!open && wait_ms(broker, given) > 0)
		snprintf(text, size, "hub, to be opened in %u s: hubs come too often here",
			 (uint32_t)(wait_ms(broker, given) / 1000 + 1));
	else
		snprintf(text, size, open ? "hub, given with its ports" : "hub, being opened");
}
