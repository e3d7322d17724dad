// SPDX-License-Identifier: GPL-2.0-only
/*
 * A device stays registered while the backend is away (version 2; docs/protocol.md,
 * "Reconnection").
 *
 * When a link goes, the ports that have a device are kept. Such a port goes two steps:
 *
 *	KEEP_AWAY	No backend has told of the device yet. The port still shows it, but as not
 *			enabled, as a port does that has lost its power for a moment. A reset of the
 *			port waits.
 *	KEEP_BACK	A new backend has told of the same device, by number. The device is in the
 *			default state, and the guest does not know it yet. A reset ends this, after
 *			which the USB core sets the configuration and the settings as they were.
 *
 * In both the URBs that were under way, and those that come, are held: their drivers wait, as for a
 * slow device, and can cancel. In the second step those from the first one end with EPROTO, which
 * stands for a fault of the bus. Drivers take that for what it is: usb-storage resets its device,
 * and has its commands done again; usbhid tries again, and resets after a second. ESHUTDOWN would
 * stop them for good, and an error while there is no device to be reset would have them give up, or
 * try again without a pause.
 *
 * Who did not reset the device by himself soon after, has it reset by us. Drivers that do not know
 * of resets (cameras, sound) are bound anew by the USB core. A device that sleeps is resumed for
 * it: the USB core finds the port not enabled, and resets.
 *
 * Where another device is told of, or none in time, the port is empty. Its URBs end with ESHUTDOWN,
 * and all goes on as when somebody unplugs a device. The time is counted from the loss of a device
 * that had been reset: a backend that comes and goes cannot prolong it.
 *
 * Contexts: ports are looked at under controller->lock. Whoever resets a port waits in
 * port_await(), in process context, with the locks of the hub driver (of the device, of the port,
 * and of address 0 of the bus), and with none of ours. Both works take controller->lock, and
 * revival_work() those of the USB core; neither takes frontend->mutex, under which they are waited
 * for.
 */
#include "xvhc.h"

#include <linux/jiffies.h>
#include <linux/pm_runtime.h>
#include <linux/usb/storage.h>

/* So long a device may be away before it counts as unplugged. SCSI waits longer for a command. */
#define RETURN_LIMIT (20 * HZ)

/* So long its driver may take to reset it by himself... */
#define REVIVE_AFTER (HZ / 4)
/* ...but with UAS, where an error on the bus is a command that SCSI waits for in vain. */
#define REVIVE_UAS_AFTER (35 * HZ)
/* To try again where somebody else has a lock of the USB core's. */
#define REVIVE_AGAIN (HZ / 10)

static struct port *transfer_port(const struct transfer *transfer)
{
	struct usb_hcd *hcd = bus_to_hcd(transfer->urb->dev->bus);

	return &transfer->controller->ports[hcd_root_hub(hcd)->side][transfer->port - 1];
}

bool transfer_is_held(const struct transfer *transfer)
{
	lockdep_assert_held(&transfer->controller->lock);

	return transfer_port(transfer)->keep != KEEP_NONE;
}

void transfer_hold(struct transfer *transfer)
{
	lockdep_assert_held(&transfer->controller->lock);

	list_del_init(&transfer->waiting);
	transfer->in_flight = 0;
	transfer->ended = true;
	transfer->status = -EPROTO;
}

/* Of a kept port: none of them is with a backend. Returns whether there were any. */
static bool transfers_end(struct port *port, int status)
{
	struct transfer *transfer, *next;
	bool any = false;

	list_for_each_entry_safe(transfer, next, &port->controller->transfers, all)
		if (transfer_port(transfer) == port) {
			transfer_finish(port->controller, transfer, status);
			any = true;
		}
	return any;
}

void port_keep(struct port *port)
{
	lockdep_assert_held(&port->controller->lock);

	if (port->keep == KEEP_NONE)
		port->return_end = jiffies + RETURN_LIMIT;
	port->keep = KEEP_AWAY;
	port->status &= ~USB_PORT_STAT_ENABLE;
	queue_delayed_work(system_freezable_wq, &port->controller->absence, RETURN_LIMIT);
}

void port_keep_end(struct port *port, int status)
{
	lockdep_assert_held(&port->controller->lock);

	if (port->keep == KEEP_NONE)
		return;
	port->keep = KEEP_NONE;
	(void)transfers_end(port, status);
	wake_up_all(&port->controller->returned);
}

void port_return(struct port *port)
{
	struct controller *controller = port->controller;

	lockdep_assert_held(&controller->lock);

	port->keep = KEEP_BACK;
	port->was_busy = transfers_end(port, -EPROTO);
	port->returned_at = jiffies;
	port->revive_at = jiffies + REVIVE_AFTER;
	wake_up_all(&controller->returned);
	if (!controller->leaving)
		mod_delayed_work(system_freezable_wq, &controller->revival, REVIVE_AFTER);
}

/* Returns whether the port is still to be waited for; empties it where that took too long. */
static bool is_away(struct port *port)
{
	struct controller *controller = port->controller;
	unsigned long flags;
	bool away;

	spin_lock_irqsave(&controller->lock, flags);
	if (port->keep == KEEP_AWAY && time_after_eq(jiffies, port->return_end))
		port_empty(port);
	away = port->keep == KEEP_AWAY;
	spin_unlock_irqrestore(&controller->lock, flags);
	return away;
}

void port_await(struct port *port)
{
	might_sleep();
	/* At the end of each second it is looked at anyway. */
	while (!wait_event_timeout(port->controller->returned, !is_away(port), HZ))
		;
}

static void absence_work(struct work_struct *work)
{
	struct controller *controller =
		container_of(to_delayed_work(work), struct controller, absence);
	unsigned long now = jiffies;
	unsigned long next = 0; /* jiffies from now to the first of those that are left; 0: none */
	int side, i;

	for (side = 0; side < SIDES; side++)
		for (i = 0; i < controller->port_count; i++) {
			struct port *port = &controller->ports[side][i];
			unsigned long left;

			if (!is_away(port))
				continue;
			left = max_t(long, port->return_end - now, 1);
			if (!next || left < next)
				next = left;
		}
	roothubs_notify(controller);
	spin_lock_irq(&controller->lock);
	if (next && !controller->leaving)
		queue_delayed_work(system_freezable_wq, &controller->absence, next);
	spin_unlock_irq(&controller->lock);
}

static bool is_uas(const struct usb_device *device)
{
	const struct usb_host_config *config = device->actconfig;
	int i;

	for (i = 0; config && i < config->desc.bNumInterfaces; i++) {
		const struct usb_interface_descriptor *desc =
			&config->interface[i]->cur_altsetting->desc;

		if (desc->bInterfaceClass == USB_CLASS_MASS_STORAGE &&
		    desc->bInterfaceProtocol == USB_PR_UAS)
			return true;
	}
	return false;
}

/* With the device locked. Returns whether it is to be reset now. */
static bool is_due(struct port *port, const struct usb_device *device)
{
	struct controller *controller = port->controller;
	bool due;

	spin_lock_irq(&controller->lock);
	if (port->was_busy && is_uas(device))
		port->revive_at = port->returned_at + REVIVE_UAS_AFTER;
	due = port->keep == KEEP_BACK && time_after_eq(jiffies, port->revive_at);
	spin_unlock_irq(&controller->lock);
	return due;
}

/* The device on a port, with a reference; NULL: none; an error where the hub driver is at work. */
static struct usb_device *device_get(struct port *port)
{
	struct usb_device *hub = port->controller->hcds[port->side]->self.root_hub;
	struct usb_device *device;

	if (!usb_trylock_device(hub))
		return ERR_PTR(-EBUSY);
	device = usb_get_dev(usb_hub_find_child(hub, port->number));
	usb_unlock_device(hub);
	return device;
}

/* The hub driver had given up: it is told of what is on the port as of something new. */
static void device_tell(struct port *port)
{
	struct controller *controller = port->controller;

	spin_lock_irq(&controller->lock);
	if (port->keep == KEEP_BACK)
		port_change(port, port->speed);
	spin_unlock_irq(&controller->lock);
	roothubs_notify(controller);
}

/* Nobody else resets it meanwhile: that takes the device's lock. A failure ends in its removal. */
static void device_reset(struct port *port, struct usb_device *device)
{
	if (!is_due(port, device))
		return;
	/* One that sleeps is reset by this. */
	(void)pm_runtime_get_sync(&device->dev);
	if (is_due(port, device))
		(void)usb_reset_device(device);
	pm_runtime_put(&device->dev);
}

static void port_revive(struct port *port)
{
	struct usb_device *device = device_get(port);

	if (IS_ERR(device))
		return;
	if (!device) {
		device_tell(port);
		return;
	}
	if (usb_trylock_device(device)) {
		device_reset(port, device);
		usb_unlock_device(device);
	}
	usb_put_dev(device);
}

/* One port at a time; those that are not done by then are looked at again. */
static void revival_work(struct work_struct *work)
{
	struct controller *controller =
		container_of(to_delayed_work(work), struct controller, revival);
	bool again = false;
	int side, i;

	for (side = 0; side < SIDES; side++)
		for (i = 0; i < controller->port_count; i++) {
			struct port *port = &controller->ports[side][i];

			/* Without the lock: what is missed here comes with a work of its own. */
			if (READ_ONCE(port->keep) != KEEP_BACK)
				continue;
			if (time_after_eq(jiffies, READ_ONCE(port->revive_at)))
				port_revive(port);
			again = true;
		}
	spin_lock_irq(&controller->lock);
	if (again && !controller->leaving)
		queue_delayed_work(system_freezable_wq, &controller->revival, REVIVE_AGAIN);
	spin_unlock_irq(&controller->lock);
}

void keep_init(struct controller *controller)
{
	init_waitqueue_head(&controller->returned);
	INIT_DELAYED_WORK(&controller->absence, absence_work);
	INIT_DELAYED_WORK(&controller->revival, revival_work);
}

void keep_fini(struct controller *controller)
{
	int side, i;

	spin_lock_irq(&controller->lock);
	controller->leaving = true;
	for (side = 0; side < SIDES; side++)
		for (i = 0; i < controller->port_count; i++)
			if (controller->ports[side][i].keep == KEEP_AWAY)
				port_empty(&controller->ports[side][i]);
	spin_unlock_irq(&controller->lock);
	cancel_delayed_work_sync(&controller->revival);
	cancel_delayed_work_sync(&controller->absence);
}
