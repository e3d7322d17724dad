// SPDX-License-Identifier: GPL-2.0-only
/* The module: its host controller, its queue of transfers, its parameters. */
#include "hsbus.h"

#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/slab.h>

struct pending {
	struct list_head list;
	struct urb *urb;
	unsigned long since; /* jiffies */
};

struct bus bus;
static struct platform_device *platform;

void played_reset(struct played *played)
{
	played->address = 0;
	played->configuration = 0;
}

void bus_serve(void)
{
	mod_delayed_work(system_highpri_wq, &bus.serve, 0);
}

/* Who has an address, or answers to address 0 because its port was reset last. */
static struct played *find_address(unsigned int address)
{
	int i;

	if (!(bus.root.status & USB_PORT_STAT_ENABLE))
		return NULL;
	if (hub.address == address)
		return &hub;
	for (i = 0; i < HUB_PORTS; i++)
		if ((bus.behind[i].status & USB_PORT_STAT_ENABLE) &&
		    played_behind(i)->address == address)
			return played_behind(i);
	return NULL;
}

/* The kernel must know of the device what a host controller has to be told of it. */
static bool is_addressed_rightly(const struct played *played, const struct urb *urb)
{
	const struct usb_device *dev = urb->dev;

	if (dev->speed != played->speed)
		return false;
	return played == &hub || (dev->tt && dev->tt->hub && dev->tt->hub->devnum == hub.address);
}

static int answer(u8 *buffer, u16 room, const void *data, u16 length)
{
	length = min(length, room);
	memcpy(buffer, data, length);
	return length;
}

/* Standard requests that each device has. -EPIPE: the device's own are asked next. */
static int control_standard(struct played *played, const struct usb_ctrlrequest *setup, u8 *buffer)
{
	static const u8 zeroes[2];
	u16 value = le16_to_cpu(setup->wValue), length = le16_to_cpu(setup->wLength);

	if ((setup->bRequestType & USB_TYPE_MASK) != USB_TYPE_STANDARD)
		return -EPIPE;
	switch (setup->bRequest) {
	case USB_REQ_GET_DESCRIPTOR:
		if (value == USB_DT_DEVICE << 8)
			return answer(buffer, length, played->device, USB_DT_DEVICE_SIZE);
		if (value == USB_DT_CONFIG << 8)
			return answer(buffer, length, played->config, played->config_bytes);
		return -EPIPE;
	case USB_REQ_SET_ADDRESS:
		played->address = value;
		return 0;
	case USB_REQ_SET_CONFIGURATION:
		played->configuration = value;
		return 0;
	case USB_REQ_GET_CONFIGURATION:
		return answer(buffer, length, &played->configuration, 1);
	case USB_REQ_GET_STATUS:
		return answer(buffer, length, zeroes, 2);
	case USB_REQ_GET_INTERFACE:
		return answer(buffer, length, zeroes, 1);
	case USB_REQ_SET_INTERFACE:
	case USB_REQ_CLEAR_FEATURE:
		return 0;
	default:
		return -EPIPE;
	}
}

static int control(struct played *played, struct urb *urb)
{
	const struct usb_ctrlrequest *setup = (void *)urb->setup_packet;
	int result;

	if (le16_to_cpu(setup->wLength) > urb->transfer_buffer_length)
		return -EPIPE;
	/* A hub has requests of its own with the standard ones' numbers, but of another type. */
	result = control_standard(played, setup, urb->transfer_buffer);
	if (result == -EPIPE)
		result = played->control(setup, urb->transfer_buffer);
	if (result == 0 && !(setup->bRequestType & USB_DIR_IN))
		result = urb->transfer_buffer_length;
	return result;
}

/* Does a transfer. Returns its bytes, -EAGAIN, or its status. */
static int transfer(struct urb *urb)
{
	struct played *played = find_address(usb_pipedevice(urb->pipe));

	if (!played || !is_addressed_rightly(played, urb))
		return -EPROTO;
	if (usb_pipecontrol(urb->pipe))
		return control(played, urb);
	return played->configuration ? played->transfer(urb) : -EPIPE;
}

/* Gives a transfer back; the lock is let go meanwhile. */
static void give_back(struct pending *pending, int status)
{
	struct urb *urb = pending->urb;

	list_del(&pending->list);
	kfree(pending);
	usb_hcd_unlink_urb_from_ep(bus.hcd, urb);
	spin_unlock_irq(&bus.lock);
	usb_hcd_giveback_urb(bus.hcd, urb, status);
	spin_lock_irq(&bus.lock);
}

/* Whoever has a periodic transfer answered asks again at once: a bus would let it wait. */
static int transfer_in_time(const struct pending *pending)
{
	if (pending->urb->unlinked)
		return -ECONNRESET;
	if (usb_pipeint(pending->urb->pipe) && !time_after(jiffies, pending->since)) {
		queue_delayed_work(system_highpri_wq, &bus.serve, 1);
		return -EAGAIN;
	}
	return transfer(pending->urb);
}

static bool serve_one(void)
{
	struct pending *pending;
	int result;

	list_for_each_entry(pending, &bus.urbs, list) {
		result = transfer_in_time(pending);
		if (result == -EAGAIN)
			continue;
		if (result > 0)
			pending->urb->actual_length = result;
		give_back(pending, min(result, 0));
		return true;
	}
	return false;
}

static void serve_work(struct work_struct *work)
{
	spin_lock_irq(&bus.lock);
	while (serve_one())
		;
	spin_unlock_irq(&bus.lock);
}

static int urb_enqueue(struct usb_hcd *hcd, struct urb *urb, gfp_t flags)
{
	struct pending *pending = kzalloc(sizeof(*pending), flags);
	unsigned long saved;
	int rc;

	if (!pending)
		return -ENOMEM;
	pending->urb = urb;
	pending->since = jiffies;
	spin_lock_irqsave(&bus.lock, saved);
	rc = usb_hcd_link_urb_to_ep(hcd, urb);
	if (rc)
		kfree(pending);
	else
		list_add_tail(&pending->list, &bus.urbs);
	spin_unlock_irqrestore(&bus.lock, saved);
	if (!rc)
		bus_serve();
	return rc;
}

static int urb_dequeue(struct usb_hcd *hcd, struct urb *urb, int status)
{
	unsigned long saved;
	int rc;

	spin_lock_irqsave(&bus.lock, saved);
	rc = usb_hcd_check_unlink_urb(hcd, urb, status);
	spin_unlock_irqrestore(&bus.lock, saved);
	if (!rc)
		bus_serve();
	return rc;
}

static int bus_start(struct usb_hcd *hcd)
{
	hcd->uses_new_polling = 1;
	hcd->state = HC_STATE_RUNNING;
	return 0;
}

static void bus_stop(struct usb_hcd *hcd)
{
	cancel_delayed_work_sync(&bus.serve);
}

static int frame_number(struct usb_hcd *hcd)
{
	return jiffies_to_msecs(jiffies) & 0x7ff;
}

static const struct hc_driver bus_driver = {
	.description = "lab_hsbus",
	.product_desc = "Bus of the lab with a high-speed hub",
	.flags = HCD_USB2,
	.start = bus_start,
	.stop = bus_stop,
	.urb_enqueue = urb_enqueue,
	.urb_dequeue = urb_dequeue,
	.get_frame_number = frame_number,
	.hub_status_data = roothub_status_data,
	.hub_control = roothub_control,
};

static int plugged_set(const char *text, const struct kernel_param *param)
{
	unsigned long plugged;
	int rc = kstrtoul(text, 0, &plugged);

	if (rc)
		return rc;
	spin_lock_irq(&bus.lock);
	bus.plugged = plugged;
	roothub_follow();
	hub_follow();
	spin_unlock_irq(&bus.lock);
	bus_serve();
	usb_hcd_poll_rh_status(bus.hcd);
	return 0;
}

static int press_set(const char *text, const struct kernel_param *param)
{
	u8 usage;
	int rc = kstrtou8(text, 0, &usage);

	if (rc)
		return rc;
	spin_lock_irq(&bus.lock);
	rc = keyboard_press(usage);
	spin_unlock_irq(&bus.lock);
	bus_serve();
	return rc;
}

static const struct kernel_param_ops plugged_ops = {.set = plugged_set};
static const struct kernel_param_ops press_ops = {.set = press_set};
module_param_cb(plugged, &plugged_ops, NULL, 0200);
MODULE_PARM_DESC(plugged, "1: the hub, 2: the keyboard behind it, 4: the SourceSink behind it");
module_param_cb(press, &press_ops, NULL, 0200);
MODULE_PARM_DESC(press, "usage of a key, which is pressed and released");
module_param_named(lights, keyboard_lights, byte, 0444);
MODULE_PARM_DESC(lights, "the keyboard's lights");

/* The USB core wants the controller's device to have a driver. */
static int bus_probe(struct platform_device *device)
{
	int rc;

	bus.hcd = usb_create_hcd(&bus_driver, &device->dev, "lab_hsbus");
	if (!bus.hcd)
		return -ENOMEM;
	rc = usb_add_hcd(bus.hcd, 0, 0);
	if (rc)
		usb_put_hcd(bus.hcd);
	return rc;
}

static int bus_remove(struct platform_device *device)
{
	usb_remove_hcd(bus.hcd);
	usb_put_hcd(bus.hcd);
	return 0;
}

static struct platform_driver platform_driver = {
	.driver.name = "lab_hsbus",
	.probe = bus_probe,
	.remove = bus_remove,
};

static int __init hsbus_init(void)
{
	int rc;

	spin_lock_init(&bus.lock);
	INIT_LIST_HEAD(&bus.urbs);
	INIT_DELAYED_WORK(&bus.serve, serve_work);
	rc = platform_driver_register(&platform_driver);
	if (rc)
		return rc;
	platform = platform_device_register_simple("lab_hsbus", PLATFORM_DEVID_NONE, NULL, 0);
	if (IS_ERR(platform))
		platform_driver_unregister(&platform_driver);
	return PTR_ERR_OR_ZERO(platform);
}

static void __exit hsbus_exit(void)
{
	platform_device_unregister(platform);
	platform_driver_unregister(&platform_driver);
}

module_init(hsbus_init);
module_exit(hsbus_exit);
MODULE_DESCRIPTION("A played USB bus with a high-speed hub, for tests");
MODULE_LICENSE("GPL");
