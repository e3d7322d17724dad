// SPDX-License-Identifier: GPL-2.0-only
/*
 * Connecting and disconnecting (docs/protocol.md, "States" and "Reconnection").
 *
 * The backend's state decides. In InitWait it is ready: a link is made, told in XenStore, and the
 * frontend is Initialised. When the backend is Connected, so is the frontend. When the backend
 * closes, or its directory vanishes, the link is closed and the frontend is Closed, but the host
 * controller stays registered. To the guest its devices were unplugged, or, with version 2, they
 * are slow for a while (keep.c), but where the backend has gone for good: its directory says
 * that it is not online, or is not there. When the backend is in InitWait again, all this starts
 * anew.
 *
 * The frontend closes by itself where the backend broke the protocol, and when it is removed. In
 * the first case it takes three steps. frontend->failure gives the URBs back at once; it must not
 * wait for frontend->mutex, because someone may hold that mutex and wait for those URBs.
 * frontend->closing tells the backend. The link is freed when the backend has closed, and some time
 * later frontend->restart asks for a new one, so that a fault of the backend does not cost the
 * guest its devices for good. That time grows where it happens again and again. So it goes as well
 * where no link can be made, since there may be memory for one later.
 */
#include "xvhc.h"

#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/module.h>
#include <linux/pm_wakeup.h>
#include <linux/slab.h>

/* How long a backend may take to let go of a frontend that is being removed. */
#define DISMISS_LIMIT_MS 2000
#define DISMISS_POLL_MS 10

/* How long a guest that was restored waits for its backend, with all else that is in it. */
#define RESUME_LIMIT_MS 5000
#define RESUME_POLL_MS 20

/* After the backend broke the protocol: the time to a new connection, which doubles each time... */
#define RESTART_DELAY_MIN (1 * HZ)
#define RESTART_DELAY_MAX (64 * HZ)
/* ...until a connection has lasted as long as this. */
#define RESTART_CALM (60 * HZ)

static int nodes_write(const struct link *link, struct xenbus_transaction transaction)
{
	const char *dir = link->dev->nodename;
	int rc;

	rc = link->wire->nodes_write(link, transaction);
	if (!rc)
		rc = xenbus_printf(transaction, dir, "wire-version", "%u", link->wire->version);
	if (!rc)
		rc = xenbus_printf(transaction, dir, "event-channel", "%u", link->evtchn);
	if (!rc)
		rc = xenbus_printf(transaction, dir, "feature-reconnect", "%u", 1);
	return rc;
}

/* What another driver, which would come next, does not write, and would not mean. */
static void nodes_remove(const struct xenbus_device *dev)
{
	static const char *const names[] = {
		"wire-version", "ring-page-order", "head-ref", "ring-ref0", "ring-ref1",
		"feature-reconnect", "pool-pages", "pool-ref0", "pool-ref1", "pool-ref2",
		"pool-ref3",
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (xenbus_exists(XBT_NIL, dev->nodename, names[i]))
			xenbus_rm(XBT_NIL, dev->nodename, names[i]);
}

static int link_publish(const struct link *link)
{
	struct xenbus_transaction transaction;
	int rc;

	do {
		rc = xenbus_transaction_start(&transaction);
		if (rc)
			return rc;
		rc = nodes_write(link, transaction);
		if (rc) {
			xenbus_transaction_end(transaction, 1);
			return rc;
		}
		rc = xenbus_transaction_end(transaction, 0);
	} while (rc == -EAGAIN);
	return rc;
}

/* What a backend offers. */
struct offer {
	u8 port_count;
	u8 speed_max;
	u8 version;
	unsigned int pool_pages_max; /* that it maps */
};

/* It must be known, or nothing can be made of it. */
static int offer_read(struct xenbus_device *dev, struct offer *offer)
{
	unsigned int ports = xenbus_read_unsigned(dev->otherend, "num-ports", 0);
	unsigned int usb = xenbus_read_unsigned(dev->otherend, "usb-ver", 2);
	unsigned int wire = xenbus_read_unsigned(dev->otherend, "max-wire-version", 1);
	unsigned int order = xenbus_read_unsigned(dev->otherend, "max-ring-page-order", 0);

	if (ports < 1 || ports > USBIF_PORT_MAX || usb < 1 || usb > 2)
		return -EINVAL;
	offer->pool_pages_max = xenbus_read_unsigned(dev->otherend, "max-pool-pages", 0);
	offer->port_count = ports;
	offer->version = xvhc_wire_max >= 2 && wire >= 2 && order >= RING_ORDER ? 2 : 1;
	if (usb == 1)
		offer->speed_max = XVHCIF_SPEED_FULL;
	else
		offer->speed_max = offer->version == 1 ? XVHCIF_SPEED_HIGH : XVHCIF_SPEED_SUPER;
	return 0;
}

/* Has a controller with these properties: that of last time, if it was alike. */
static int controller_provide(struct frontend *frontend, const struct offer *offer)
{
	struct controller *controller = frontend->controller;

	if (controller && controller->port_count == offer->port_count &&
	    controller->speed_max == offer->speed_max && controller->version == offer->version)
		return 0;
	if (controller) {
		controller_unregister(controller);
		controller_put(controller);
	}
	frontend->controller = NULL;
	controller = controller_create(frontend, offer->port_count, offer->speed_max,
				       offer->version);
	if (IS_ERR(controller))
		return PTR_ERR(controller);
	frontend->controller = controller;
	return 0;
}

static void link_drop(struct frontend *frontend)
{
	if (frontend->link)
		link_close(frontend->link);
	frontend->link = NULL;
}

static int link_make(struct frontend *frontend)
{
	struct xenbus_device *dev = frontend->dev;
	struct offer offer;
	struct link *link;
	int rc;

	rc = offer_read(dev, &offer);
	if (rc)
		return rc;
	rc = controller_provide(frontend, &offer);
	if (rc)
		return rc;
	link = link_open(dev, frontend->controller, offer.pool_pages_max);
	if (IS_ERR(link))
		return PTR_ERR(link);
	frontend->link = link;
	rc = link_publish(link);
	if (rc)
		link_drop(frontend);
	return rc;
}

static void backend_ready(struct frontend *frontend)
{
	struct xenbus_device *dev = frontend->dev;
	int rc;

	/* It has not looked at what is there for it yet. */
	if (frontend->link && dev->state == XenbusStateInitialised)
		return;
	link_drop(frontend);
	xenbus_switch_state(dev, XenbusStateInitialising);
	frontend->link_since = jiffies;
	rc = link_make(frontend);
	frontend->link_failed = rc != 0;
	if (rc)
		xenbus_dev_fatal(dev, rc, "connecting to the backend");
	else
		xenbus_switch_state(dev, XenbusStateInitialised);
}

static void restart_plan(struct frontend *frontend)
{
	unsigned long delay = frontend->restart_delay;

	if (!delay || time_after(jiffies, frontend->link_since + RESTART_CALM))
		delay = RESTART_DELAY_MIN;
	frontend->restart_delay = min_t(unsigned long, 2 * delay, RESTART_DELAY_MAX);
	schedule_delayed_work(&frontend->restart, delay);
}

/* Whether devices are kept for it (keep.c). */
static bool backend_may_return(const struct xenbus_device *dev, enum xenbus_state state)
{
	return state != XenbusStateUnknown && xenbus_read_unsigned(dev->otherend, "online", 1);
}

static void ports_forget(struct controller *controller)
{
	spin_lock_irq(&controller->lock);
	ports_empty(controller);
	spin_unlock_irq(&controller->lock);
	roothubs_notify(controller);
}

static void backend_closed(struct frontend *frontend)
{
	bool broken = frontend->link ? link_is_broken(frontend->link) : frontend->link_failed;

	link_drop(frontend);
	frontend->link_failed = false;
	xenbus_frontend_closed(frontend->dev);
	if (broken)
		restart_plan(frontend);
}

static void backend_changed(struct xenbus_device *dev, enum xenbus_state state)
{
	struct frontend *frontend = dev_get_drvdata(&dev->dev);

	mutex_lock(&frontend->mutex);
	switch (state) {
	case XenbusStateInitWait:
		backend_ready(frontend);
		break;
	case XenbusStateConnected:
		if (dev->state == XenbusStateInitialised)
			xenbus_switch_state(dev, XenbusStateConnected);
		break;
	case XenbusStateClosing:
		backend_closed(frontend);
		if (frontend->controller && !backend_may_return(dev, state))
			ports_forget(frontend->controller);
		break;
	case XenbusStateClosed:
	case XenbusStateUnknown:
		/* Without a link this is how things were left by a driver before us. */
		if (frontend->link || frontend->link_failed)
			backend_closed(frontend);
		if (frontend->controller && !backend_may_return(dev, state))
			ports_forget(frontend->controller);
		break;
	default:
		break;
	}
	mutex_unlock(&frontend->mutex);
}

static void failure_work(struct work_struct *work)
{
	struct frontend *frontend = container_of(work, struct frontend, failure);

	if (link_abandon(frontend->controller))
		schedule_work(&frontend->closing);
}

/* By now the backend may have closed by itself, and there may even be a new link. */
static void closing_work(struct work_struct *work)
{
	struct frontend *frontend = container_of(work, struct frontend, closing);

	mutex_lock(&frontend->mutex);
	if (frontend->link && link_is_broken(frontend->link))
		xenbus_switch_state(frontend->dev, XenbusStateClosing);
	mutex_unlock(&frontend->mutex);
}

/* What a backend that is closed waits for. */
static void restart_work(struct work_struct *work)
{
	struct frontend *frontend = container_of(to_delayed_work(work), struct frontend, restart);

	mutex_lock(&frontend->mutex);
	if (!frontend->link && frontend->dev->state == XenbusStateClosed)
		xenbus_switch_state(frontend->dev, XenbusStateInitialising);
	mutex_unlock(&frontend->mutex);
}

static void watchdog_work(struct work_struct *work)
{
	struct frontend *frontend = container_of(to_delayed_work(work), struct frontend, watchdog);

	transfers_check(frontend->controller);
}

static int frontend_probe(struct xenbus_device *dev, const struct xenbus_device_id *id)
{
	struct frontend *frontend;
	int rc;

	/* USB drivers allocate memory on the controller's device; any memory will do. */
	rc = dma_coerce_mask_and_coherent(&dev->dev, DMA_BIT_MASK(64));
	if (rc)
		return rc;
	frontend = kzalloc(sizeof(*frontend), GFP_KERNEL);
	if (!frontend)
		return -ENOMEM;
	frontend->dev = dev;
	mutex_init(&frontend->mutex);
	INIT_WORK(&frontend->failure, failure_work);
	INIT_WORK(&frontend->closing, closing_work);
	INIT_DELAYED_WORK(&frontend->restart, restart_work);
	INIT_DELAYED_WORK(&frontend->watchdog, watchdog_work);
	dev_set_drvdata(&dev->dev, frontend);
	/* Of those that sleep in it, the whole guest may be woken up by those that may do so. */
	device_init_wakeup(&dev->dev, true);
	/* After another driver, or an earlier load of this one, a backend waits for this. */
	xenbus_switch_state(dev, XenbusStateInitialising);
	backend_watch_begin(frontend);
	return 0;
}

/*
 * Waits until the backend has closed, so that it has unmapped what is revoked next. There is no
 * watch any more at this time, hence the polling.
 */
static void backend_dismiss(struct xenbus_device *dev)
{
	unsigned int waited_ms;

	xenbus_switch_state(dev, XenbusStateClosing);
	for (waited_ms = 0; waited_ms < DISMISS_LIMIT_MS; waited_ms += DISMISS_POLL_MS) {
		enum xenbus_state state = xenbus_read_driver_state(dev->otherend);

		if (state != XenbusStateInitialised && state != XenbusStateConnected)
			return;
		msleep(DISMISS_POLL_MS);
	}
}

/* Devices are disconnected while the backend is still there: their drivers may tell them. */
static void frontend_remove(struct xenbus_device *dev)
{
	struct frontend *frontend = dev_get_drvdata(&dev->dev);

	backend_watch_end(frontend);
	mutex_lock(&frontend->mutex);
	/* Nobody answers on it: rebind.c. */
	if (!dev->otherend)
		link_drop(frontend);
	if (frontend->controller)
		controller_unregister(frontend->controller);
	if (frontend->link)
		backend_dismiss(dev);
	link_drop(frontend);
	nodes_remove(dev);
	if (frontend->controller)
		controller_put(frontend->controller);
	mutex_unlock(&frontend->mutex);

	/* Both take the mutex, and find no link. Nobody starts them any more. */
	cancel_work_sync(&frontend->closing);
	cancel_delayed_work_sync(&frontend->restart);
	device_init_wakeup(&dev->dev, false);
	dev_set_drvdata(&dev->dev, NULL);
	mutex_destroy(&frontend->mutex);
	kfree(frontend);
}

/* As backend_dismiss(): nobody tells of the backend's state at this time. */
static void backend_await(struct frontend *frontend)
{
	struct xenbus_device *dev = frontend->dev;
	unsigned int waited_ms;

	for (waited_ms = 0; waited_ms < RESUME_LIMIT_MS; waited_ms += RESUME_POLL_MS) {
		if (xenbus_read_driver_state(dev->otherend) == XenbusStateInitWait) {
			backend_ready(frontend);
			return;
		}
		msleep(RESUME_POLL_MS);
	}
	dev_warn(&dev->dev, "the backend is not there yet\n");
}

/*
 * The guest was saved, and wakes up in another domain, with a backend that knows nothing of it.
 * Its grants and its event channel are no more. (One that was only suspended, or whose saving
 * failed, does not come here.)
 *
 * Next the USB core resumes what is on the ports, which are kept and not enabled: so it resets each
 * device. For that there must be a link. It is made here, since the thread that tells of the
 * backend's state is the one that resumes the guest. Without one those resets wait in vain.
 */
static int frontend_resume(struct xenbus_device *dev)
{
	struct frontend *frontend = dev_get_drvdata(&dev->dev);

	mutex_lock(&frontend->mutex);
	link_drop(frontend);
	if (frontend->controller)
		backend_await(frontend);
	mutex_unlock(&frontend->mutex);
	return 0;
}

static const struct xenbus_device_id frontend_ids[] = {
	{ "vusb" },
	{ "" },
};

static struct xenbus_driver frontend_driver = {
	.name = KBUILD_MODNAME,
	.ids = frontend_ids,
	.probe = frontend_probe,
	.remove = frontend_remove,
	.resume = frontend_resume,
	.otherend_changed = backend_changed,
	.not_essential = true,
	/* Or XenBus would say Closed for it between unbinding and binding: rebind.c. */
	.allow_rebind = true,
};

int frontend_register(void)
{
	int rc = rebind_init();

	if (rc)
		return rc;
	rc = xenbus_register_frontend(&frontend_driver);
	if (rc)
		rebind_fini();
	return rc;
}

void frontend_unregister(void)
{
	xenbus_unregister_driver(&frontend_driver);
	rebind_fini();
}
