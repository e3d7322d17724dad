// SPDX-License-Identifier: GPL-2.0-only
#include "xvhc.h"

#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

static int controller_reset(struct usb_hcd *hcd)
{
	struct controller *controller = hcd_controller(hcd);

	hcd->self.sg_tablesize = SG_MAX_SEGMENTS;
	hcd->self.no_sg_constraint = 1;
	/* An URB that ends short holds up none of those behind it: they are with the backend. */
	hcd->self.no_stop_on_short = 1;
	/* Version 1 of the wire has no remote wake-up, so nobody may wait for one. */
	hcd->cant_recv_wakeups = controller->version == 1;
	/* The USB core has set the speed of the root hub before it came here. */
	if (hcd_root_hub(hcd)->side == SIDE_SUPER) {
		hcd->speed = HCD_USB3;
		hcd->self.root_hub->speed = USB_SPEED_SUPER;
		hcd->can_do_streams = 1;
	} else if (controller->speed_max < XVHCIF_SPEED_HIGH) {
		hcd->speed = HCD_USB11;
		hcd->self.root_hub->speed = USB_SPEED_FULL;
	} else {
		hcd->speed = HCD_USB2;
		hcd->self.root_hub->speed = USB_SPEED_HIGH;
		hcd->has_tt = 1;
	}
	return 0;
}

static int controller_start(struct usb_hcd *hcd)
{
	hcd->uses_new_polling = 1;
	hcd->state = HC_STATE_RUNNING;
	return 0;
}

/* All devices are gone, and every URB with them: of both sides, when the last one stops. */
static void controller_stop(struct usb_hcd *hcd)
{
	if (usb_hcd_is_primary_hcd(hcd))
		WARN_ON(!list_empty(&hcd_controller(hcd)->transfers));
}

/* There are no frames on this bus, but time passes. */
static int frame_number(struct usb_hcd *hcd)
{
	return ktime_to_ms(ktime_get()) & 0x7ff;
}

static const struct hc_driver controller_driver = {
	.description = KBUILD_MODNAME,
	.product_desc = "Xen Virtual Host Controller",
	.hcd_priv_size = sizeof(struct root_hub),
	.flags = HCD_USB3 | HCD_SHARED | HCD_BH,

	.reset = controller_reset,
	.start = controller_start,
	.stop = controller_stop,

	.urb_enqueue = transfer_enqueue,
	.urb_dequeue = transfer_dequeue,
	.get_frame_number = frame_number,

	.alloc_streams = streams_allocate,
	.free_streams = streams_free,

	.hub_status_data = roothub_status,
	.hub_control = roothub_control,
	.bus_suspend = roothub_suspend,
	.bus_resume = roothub_resume,
};

/* Adds the root hub of one side. The first one is the primary one for the USB core. */
static int side_add(struct controller *controller, enum side side)
{
	struct device *dev = &controller->frontend->dev->dev;
	struct usb_hcd *primary = controller->hcds[SIDE_HIGH];
	struct usb_hcd *hcd;
	int rc;

	if (primary)
		hcd = usb_create_shared_hcd(&controller_driver, dev, dev_name(dev), primary);
	else
		hcd = usb_create_hcd(&controller_driver, dev, dev_name(dev));
	if (!hcd)
		return -ENOMEM;
	/* The USB core has taken this for itself, and does not use it. */
	dev_set_drvdata(dev, controller->frontend);
	hcd_root_hub(hcd)->controller = controller;
	hcd_root_hub(hcd)->side = side;
	rc = usb_add_hcd(hcd, 0, 0);
	if (rc) {
		usb_put_hcd(hcd);
		return rc;
	}
	controller->hcds[side] = hcd;
	return 0;
}

struct controller *controller_create(struct frontend *frontend, u8 port_count, u8 speed_max,
				     u8 version)
{
	struct controller *controller;
	int rc;

	controller = kzalloc(sizeof(*controller), GFP_KERNEL);
	if (!controller)
		return ERR_PTR(-ENOMEM);
	controller->frontend = frontend;
	spin_lock_init(&controller->lock);
	INIT_LIST_HEAD(&controller->transfers);
	INIT_LIST_HEAD(&controller->waiting);
	controller->port_count = port_count;
	controller->speed_max = speed_max;
	controller->version = version;
	ports_init(controller);
	keep_init(controller);

	rc = side_add(controller, SIDE_HIGH);
	if (!rc && speed_max >= XVHCIF_SPEED_SUPER)
		rc = side_add(controller, SIDE_SUPER);
	if (rc) {
		controller_unregister(controller);
		controller_put(controller);
		return ERR_PTR(rc);
	}
	return controller;
}

void controller_unregister(struct controller *controller)
{
	int side;

	/* Whoever waits for a port has locks that are needed next. */
	keep_fini(controller);
	/* The primary one goes last. */
	for (side = SIDES - 1; side >= 0; side--)
		if (controller->hcds[side])
			usb_remove_hcd(controller->hcds[side]);
}

void controller_put(struct controller *controller)
{
	struct frontend *frontend = controller->frontend;
	int side;

	WARN_ON(controller->link);
	/* Both are only started with a link, and both use the controller. */
	cancel_work_sync(&frontend->failure);
	cancel_delayed_work_sync(&frontend->watchdog);
	for (side = SIDES - 1; side >= 0; side--)
		if (controller->hcds[side])
			usb_put_hcd(controller->hcds[side]);
	kfree(controller);
}
