// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest that is restored may run before the backend's domain has made the nodes of its
 * controllers. XenBus then finds no backend, gives up before it tells the driver, and does not look
 * again. So each frontend watches its own node `backend`: where that comes, and XenBus knows of no
 * backend, the driver is bound to the device anew. To the guest all devices were unplugged then,
 * and are plugged in again.
 *
 * Contexts: watches are told by one thread, which is also the one that resumes the guest. So
 * dev->otherend does not change while backend_appeared() looks at it, unless a device is being
 * bound, and then nothing is to be done. The driver is bound in a work, with the device's lock, and
 * with the frontend gone in the middle of it: therefore the work belongs to nobody but itself.
 */
#include "xvhc.h"

#include <linux/slab.h>

struct rebind {
	struct work_struct work;
	struct xenbus_device *dev; /* with a reference */
};

static struct workqueue_struct *rebinds;

static void rebind_work(struct work_struct *work)
{
	struct rebind *rebind = container_of(work, struct rebind, work);
	struct xenbus_device *dev = rebind->dev;

	/* Twice told, it is bound already. */
	if (!READ_ONCE(dev->otherend) && device_reprobe(&dev->dev))
		dev_err(&dev->dev, "no driver could be bound after the guest was restored\n");
	put_device(&dev->dev);
	kfree(rebind);
}

static void backend_appeared(struct xenbus_watch *watch, const char *path, const char *token)
{
	struct frontend *frontend = container_of(watch, struct frontend, backend_watch);
	struct xenbus_device *dev = frontend->dev;
	struct rebind *rebind;

	if (READ_ONCE(dev->otherend) || !xenbus_exists(XBT_NIL, dev->nodename, "backend"))
		return;
	rebind = kzalloc(sizeof(*rebind), GFP_KERNEL);
	if (!rebind)
		return;
	dev_info(&dev->dev, "the backend has come late: devices are plugged in anew\n");
	get_device(&dev->dev);
	rebind->dev = dev;
	INIT_WORK(&rebind->work, rebind_work);
	queue_work(rebinds, &rebind->work);
}

void backend_watch_begin(struct frontend *frontend)
{
	struct xenbus_device *dev = frontend->dev;

	/* Without it all goes well, but for the case above. */
	if (xenbus_watch_pathfmt(dev, &frontend->backend_watch, NULL, backend_appeared,
				 "%s/backend", dev->nodename))
		frontend->backend_watch.node = NULL;
}

void backend_watch_end(struct frontend *frontend)
{
	if (!frontend->backend_watch.node)
		return;
	unregister_xenbus_watch(&frontend->backend_watch);
	kfree(frontend->backend_watch.node);
	frontend->backend_watch.node = NULL;
}

int rebind_init(void)
{
	rebinds = alloc_workqueue("xvhc-rebind", WQ_FREEZABLE, 0);
	return rebinds ? 0 : -ENOMEM;
}

void rebind_fini(void)
{
	destroy_workqueue(rebinds);
}
