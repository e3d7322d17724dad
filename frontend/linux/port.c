// SPDX-License-Identifier: GPL-2.0-only
/*
 * A port of the backend's has two sides, one in each root hub: what is of high speed or less shows
 * on one, what is of SuperSpeed on the other. How the states of a side look to the hub driver is
 * for roothub.c and roothub_super.c.
 *
 * Version 1 of the wire tells when a device comes and goes, and nothing else. There a reset and a
 * resumption are played: they take the time that they take on a bus, and succeed when the hub
 * driver next asks. The backend learns of a reset by a request to address 0. With version 2 the
 * backend is asked, and a reset ends when it answers. One such request is under way for each side
 * at a time.
 *
 * Where a link goes, the ports of version 2 that have a device are kept: keep.c.
 */
#include "xvhc.h"

#include <linux/jiffies.h>
#include <linux/pm_wakeup.h>

/* USB 2.0, 7.1.7.5 (TDRSTR) and 7.1.7.7 (TDRSMDN). */
#define RESET_TIME_MS 50
#define RESUME_TIME_MS 20

static const struct side_ops *ops_of(const struct port *port)
{
	return port->side == SIDE_SUPER ? &roothub_super_ops : &roothub_ops;
}

static bool goes_by_time(const struct port *port)
{
	return port->controller->version == 1;
}

void ports_init(struct controller *controller)
{
	int side, i;

	for (side = 0; side < SIDES; side++)
		for (i = 0; i < XVHCIF_PORT_MAX; i++) {
			struct port *port = &controller->ports[side][i];

			port->controller = controller;
			port->side = side;
			port->number = i + 1;
		}
}

static void ask(struct port *port, u8 operation)
{
	struct link *link = port->controller->link;

	port->wanted = operation;
	if (link)
		transfers_start(link);
}

/* A device that is kept knows nothing of what it was asked before, and is reset anyway. */
static bool may_ask(const struct port *port)
{
	return !goes_by_time(port) && port->keep == KEEP_NONE;
}

static void phase_start(struct port *port, enum port_phase phase, unsigned int time_ms,
			u8 operation)
{
	port->phase = phase;
	port->phase_end = jiffies + msecs_to_jiffies(time_ms);
	if (may_ask(port) || operation == XVHCIF_PORT_RESET)
		ask(port, operation);
}

static void phase_finish(struct port *port)
{
	if (port->phase == PORT_RESETTING)
		ops_of(port)->reset_end(port);
	else if (port->phase == PORT_RESUMING)
		ops_of(port)->resume_end(port);
	port->phase = PORT_STEADY;
}

void port_reset(struct port *port, bool warm)
{
	lockdep_assert_held(&port->controller->lock);

	port->warm = warm;
	/* The hub driver asks again where it takes long. */
	if (port->phase != PORT_RESETTING || goes_by_time(port))
		phase_start(port, PORT_RESETTING, RESET_TIME_MS, XVHCIF_PORT_RESET);
}

void port_resume(struct port *port)
{
	lockdep_assert_held(&port->controller->lock);

	if (port->phase == PORT_STEADY)
		phase_start(port, PORT_RESUMING, RESUME_TIME_MS, XVHCIF_PORT_RESUME);
}

void port_suspend(struct port *port)
{
	lockdep_assert_held(&port->controller->lock);

	if (may_ask(port))
		ask(port, XVHCIF_PORT_SUSPEND);
}

/*
 * Nobody need wait for a backend that is away. The hub driver does not wait for a resumption,
 * either, but looks once. So that ends by time in any case: the backend keeps later requests behind
 * it.
 */
void port_look(struct port *port)
{
	bool waits = port->phase == PORT_RESETTING && port->controller->link && !goes_by_time(port);

	lockdep_assert_held(&port->controller->lock);

	if (port->phase != PORT_STEADY && !waits && time_after_eq(jiffies, port->phase_end))
		phase_finish(port);
}

static void port_disable(struct port *port)
{
	port->phase = PORT_STEADY;
	port->wanted = 0;
	port_keep_end(port, -ESHUTDOWN);
	ops_of(port)->disable(port);
}

void port_power(struct port *port, bool on)
{
	lockdep_assert_held(&port->controller->lock);

	if (on == port->powered)
		return;
	port->powered = on;
	if (port->keep == KEEP_AWAY)
		port->speed = XVHCIF_SPEED_NONE;
	port_disable(port);
	if (on && port->speed != XVHCIF_SPEED_NONE)
		ops_of(port)->connect(port);
}

void port_change(struct port *port, u8 speed)
{
	lockdep_assert_held(&port->controller->lock);

	port->speed = speed;
	port->next_speed = XVHCIF_SPEED_NONE;
	port_disable(port);
	if (!port->powered)
		return;
	if (speed != XVHCIF_SPEED_NONE)
		ops_of(port)->connect(port);
	port->change |= USB_PORT_STAT_C_CONNECTION;
}

void port_empty(struct port *port)
{
	port->next_speed = XVHCIF_SPEED_NONE;
	if (port->speed != XVHCIF_SPEED_NONE)
		port_change(port, XVHCIF_SPEED_NONE);
}

/*
 * While the hub driver brings a device back, a change of the connection alone would not tell it
 * that there is another one: it is to see the port empty first.
 */
static void port_replace(struct port *port, u8 speed)
{
	port_change(port, port->powered ? XVHCIF_SPEED_NONE : speed);
	if (port->powered)
		port->next_speed = speed;
}

void port_change_seen(struct port *port)
{
	u8 speed = port->next_speed;

	lockdep_assert_held(&port->controller->lock);

	port->change &= ~USB_PORT_STAT_C_CONNECTION;
	if (speed != XVHCIF_SPEED_NONE)
		port_change(port, speed);
}

static void port_connect(struct controller *controller, const struct port_event *event)
{
	enum side side = event->speed >= XVHCIF_SPEED_SUPER ? SIDE_SUPER : SIDE_HIGH;
	struct port *port = &controller->ports[side][event->port - 1];
	/* Some backends tell twice of a device that was there when they connected. */
	bool same = port->speed == event->speed && port->device == event->device;

	port_empty(&controller->ports[!side][event->port - 1]);
	port->device = event->device;
	if (same && port->keep == KEEP_AWAY)
		port_return(port);
	else if (!same && port->keep != KEEP_NONE)
		port_replace(port, event->speed);
	else if (!same)
		port_change(port, event->speed);
}

/*
 * Where the whole guest sleeps, it is woken up, too, as a physical host controller would. Which
 * devices may do so is for the USB core, which tells them when it suspends them.
 */
static void port_wake(struct port *port)
{
	if (ops_of(port)->wake(port))
		pm_wakeup_hard_event(&port->controller->frontend->dev->dev);
}

void port_event_handle(struct controller *controller, const struct port_event *event)
{
	int side;

	lockdep_assert_held(&controller->lock);

	if (event->event == XVHCIF_EVENT_CONNECT) {
		port_connect(controller, event);
		return;
	}
	for (side = 0; side < SIDES; side++) {
		struct port *port = &controller->ports[side][event->port - 1];

		if (event->event == XVHCIF_EVENT_DISCONNECT)
			port_empty(port);
		else if (event->event == XVHCIF_EVENT_WAKEUP)
			port_wake(port);
		else if (port->powered)
			ops_of(port)->overcurrent(port);
	}
}

void ports_empty(struct controller *controller)
{
	int side, i;

	lockdep_assert_held(&controller->lock);

	for (side = 0; side < SIDES; side++)
		for (i = 0; i < controller->port_count; i++) {
			controller->ports[side][i].asked = 0;
			port_empty(&controller->ports[side][i]);
		}
}

void ports_keep(struct controller *controller)
{
	int side, i;

	lockdep_assert_held(&controller->lock);

	for (side = 0; side < SIDES; side++)
		for (i = 0; i < controller->port_count; i++) {
			struct port *port = &controller->ports[side][i];

			port->asked = 0;
			port->wanted = 0;
			/* A reset that is under way is asked for anew, and waits then. */
			if (port->phase == PORT_RESUMING)
				phase_finish(port);
			port->phase = PORT_STEADY;
			if (port->speed != XVHCIF_SPEED_NONE)
				port_keep(port);
		}
}

static void port_send(struct link *link, struct port *port)
{
	u16 id = id_take(link, SLOT_PORT);
	struct slot *slot = &link->slots[id];

	slot->port = port;
	slot->portnum = port->number;
	slot->address = 0;
	slot->operation = port->wanted;
	port->asked = port->wanted;
	port->wanted = 0;
	link->wire->put(link, id);
}

void ports_send(struct link *link)
{
	struct controller *controller = link->controller;
	int side, i;

	lockdep_assert_held(&controller->lock);

	for (side = 0; side < SIDES; side++)
		for (i = 0; i < controller->port_count; i++) {
			struct port *port = &controller->ports[side][i];

			if (port->wanted && !port->asked &&
			    link->ids_free_count > IDS_FOR_CANCEL)
				port_send(link, port);
		}
}

/* A later wish may be waiting: then this answer is not the one that the hub driver waits for. */
void port_answered(struct slot *slot)
{
	struct port *port = slot->port;
	u8 asked = port->asked;

	lockdep_assert_held(&port->controller->lock);

	port->asked = 0;
	if (port->wanted)
		return;
	if (asked == XVHCIF_PORT_RESET)
		port_keep_end(port, -EPROTO);
	if (asked == XVHCIF_PORT_RESET && port->phase == PORT_RESETTING)
		phase_finish(port);
}
