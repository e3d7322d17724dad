// SPDX-License-Identifier: GPL-2.0-only
#include "xvhc.h"

#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/scatterlist.h>

static int controller_reset(struct usb_hcd *hcd)
{
	struct controller *controller = hcd_controller(hcd);

	hcd->self.sg_tablesize = SG_MAX_SEGMENTS;
	hcd->self.no_sg_constraint = 1;
	/* An URB that ends short holds up none of those behind it: they are with the backend. */
	hcd->self.no_stop_on_short = 1;
	/* Version 1 of the wire has no remote wake-up, so nobody may wait for one. */
	hcd->cant_recv_wakeups = 1;
	if (controller->speed_max < USBIF_SPEED_HIGH) {
		hcd->speed = HCD_USB11;
		/* The USB core has set it before it came here. */
		hcd->self.root_hub->speed = USB_SPEED_FULL;
	} else {
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

/* All devices are gone, and every URB with them. */
static void controller_stop(struct usb_hcd *hcd)
{
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
	.hcd_priv_size = sizeof(struct controller),
	.flags = HCD_USB2 | HCD_BH,

	.reset = controller_reset,
	.start = controller_start,
	.stop = controller_stop,

	.urb_enqueue = transfer_enqueue,
	.urb_dequeue = transfer_dequeue,
	.get_frame_number = frame_number,

	.hub_status_data = roothub_status,
	.hub_control = roothub_control,
	.bus_suspend = roothub_suspend,
	.bus_resume = roothub_resume,
};

struct usb_hcd *controller_create(struct frontend *frontend, u8 port_count, u8 speed_max)
{
	struct device *dev = &frontend->dev->dev;
	struct controller *controller;
	struct usb_hcd *hcd;
	int rc;

	hcd = usb_create_hcd(&controller_driver, dev, dev_name(dev));
	if (!hcd)
		return ERR_PTR(-ENOMEM);
	/* The USB core has taken this for itself, and does not use it. */
	dev_set_drvdata(dev, frontend);
	controller = hcd_controller(hcd);
	controller->frontend = frontend;
	spin_lock_init(&controller->lock);
	INIT_LIST_HEAD(&controller->transfers);
	INIT_LIST_HEAD(&controller->waiting);
	controller->port_count = port_count;
	controller->speed_max = speed_max;

	rc = usb_add_hcd(hcd, 0, 0);
	if (rc) {
		usb_put_hcd(hcd);
		return ERR_PTR(rc);
	}
	return hcd;
}

void controller_unregister(struct usb_hcd *hcd)
{
	usb_remove_hcd(hcd);
}

void controller_put(struct usb_hcd *hcd)
{
	struct frontend *frontend = hcd_controller(hcd)->frontend;

	WARN_ON(hcd_controller(hcd)->link);
	/* Both are only started with a link, and both use the controller. */
	cancel_work_sync(&frontend->failure);
	cancel_delayed_work_sync(&frontend->watchdog);
	usb_put_hcd(hcd);
}
