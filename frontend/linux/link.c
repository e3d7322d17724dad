// SPDX-License-Identifier: GPL-2.0-only
/*
 * A connection: its pages, their grants, its event channel.
 *
 * All that a link needs is allocated when it is made. On the data path nothing is allocated but
 * a small struct transfer for each URB, as other host controllers do.
 *
 * A link ends in three steps. It is taken away from its controller, under the lock, together with
 * every transfer: from then on nobody finds it but its own event handler, which checks under the
 * lock whether it is still the controller's link. Then the event channel is unbound, which waits
 * for that handler. Then the pages are revoked and freed; where the backend still has one mapped,
 * the kernel's grant code keeps the page until it is not.
 */
#include "xvhc.h"

#include <linux/interrupt.h>
#include <linux/slab.h>
#include <xen/events.h>
#include <xen/page.h>

static int page_share(struct link *link, struct shared_page *shared, grant_ref_t *refs)
{
	shared->page = alloc_page(GFP_NOIO | __GFP_ZERO);
	if (!shared->page)
		return -ENOMEM;
	shared->ref = gnttab_claim_grant_reference(refs);
	gnttab_page_grant_foreign_access_ref_one(shared->ref, link->dev->otherend_id, shared->page,
						 0);
	return 0;
}

static void page_unshare(struct shared_page *shared)
{
	if (shared->page)
		gnttab_end_foreign_access(shared->ref, shared->page);
	shared->page = NULL;
}

static void pages_unshare(struct link *link)
{
	unsigned int i, j;

	for (i = 0; i < USBIF_URB_RING_SLOTS; i++)
		for (j = 0; j < SLOT_PAGES; j++)
			page_unshare(&link->slots[i].pages[j]);
	page_unshare(&link->conn_page);
	page_unshare(&link->urb_page);
}

static int pages_share(struct link *link)
{
	grant_ref_t refs;
	unsigned int i, j;
	int rc;

	rc = gnttab_alloc_grant_references(2 + USBIF_URB_RING_SLOTS * SLOT_PAGES, &refs);
	if (rc)
		return rc;
	rc = page_share(link, &link->urb_page, &refs);
	if (!rc)
		rc = page_share(link, &link->conn_page, &refs);
	for (i = 0; i < USBIF_URB_RING_SLOTS && !rc; i++)
		for (j = 0; j < SLOT_PAGES && !rc; j++)
			rc = page_share(link, &link->slots[i].pages[j], &refs);
	gnttab_free_grant_references(refs);
	if (rc)
		pages_unshare(link);
	return rc;
}

/* There is a request for each event that fits: a backend may look only for as many as it needs. */
static void rings_init(struct link *link)
{
	struct usbif_conn_request request;

	front_ring_init(&link->urb_ring, ring_page_usbif(page_address(link->urb_page.page), sizeof(union usbif_urb_slot), USBIF_URB_RING_SLOTS));
	front_ring_init(&link->conn_ring, ring_page_usbif(page_address(link->conn_page.page), sizeof(union usbif_conn_slot), USBIF_CONN_RING_SLOTS));
	link->ids_free = GENMASK(USBIF_URB_RING_SLOTS - 1, 0);
	for (request.id = 0; request.id < USBIF_CONN_RING_SLOTS; request.id++)
		front_ring_put(&link->conn_ring, &request, sizeof(request));
	/* Nobody listens yet. */
	(void)!front_ring_push(&link->conn_ring);
}

static int channel_open(struct link *link)
{
	int rc;

	rc = xenbus_alloc_evtchn(link->dev, &link->evtchn);
	if (rc)
		return rc;
	rc = bind_evtchn_to_irq_lateeoi(link->evtchn);
	if (rc < 0) {
		xenbus_free_evtchn(link->dev, link->evtchn);
		return rc;
	}
	link->irq = rc;
	rc = request_threaded_irq(link->irq, NULL, link_interrupt, IRQF_ONESHOT, "xvhc", link);
	if (rc)
		evtchn_put(link->evtchn);
	return rc;
}

struct link *link_open(struct xenbus_device *dev, struct controller *controller)
{
	struct link *link;
	int rc = -ENOMEM;

	lockdep_assert_held(&controller->frontend->mutex);

	/* What memory could be written out to may be waiting for us. */
	link = kzalloc(sizeof(*link), GFP_NOIO);
	if (!link)
		goto fail;
	link->controller = controller;
	link->dev = dev;
	rc = pages_share(link);
	if (rc)
		goto free_link;
	rings_init(link);
	rc = channel_open(link);
	if (rc)
		goto free_pages;

	spin_lock_irq(&controller->lock);
	controller->link = link;
	spin_unlock_irq(&controller->lock);
	return link;

free_pages:
	pages_unshare(link);
free_link:
	kfree(link);
fail:
	return ERR_PTR(rc);
}

/* Nobody finds the link any more, and no part of it refers to a transfer. */
static void link_detach(struct controller *controller)
{
	struct transfer *transfer, *next;
	u8 portnum;

	lockdep_assert_held(&controller->lock);

	controller->link = NULL;
	list_for_each_entry_safe(transfer, next, &controller->transfers, all)
		transfer_finish(controller, transfer, -ESHUTDOWN);
	for (portnum = 1; portnum <= controller->port_count; portnum++)
		port_change(controller, portnum, USBIF_SPEED_NONE);
}

bool link_abandon(struct controller *controller)
{
	bool failed;

	spin_lock_irq(&controller->lock);
	failed = controller->link && controller->link->broken;
	if (failed)
		link_detach(controller);
	spin_unlock_irq(&controller->lock);
	if (failed)
		roothub_notify(controller);
	return failed;
}

void link_close(struct link *link)
{
	struct controller *controller = link->controller;

	lockdep_assert_held(&controller->frontend->mutex);

	spin_lock_irq(&controller->lock);
	if (controller->link == link)
		link_detach(controller);
	spin_unlock_irq(&controller->lock);
	roothub_notify(controller);
	unbind_from_irqhandler(link->irq, link);
	pages_unshare(link);
	kfree(link);
}

void link_fail(struct link *link, const char *why)
{
	lockdep_assert_held(&link->controller->lock);

	if (link->broken)
		return;
	link->broken = true;
	dev_err(&link->dev->dev, "closing the connection: %s\n", why);
	schedule_work(&link->controller->frontend->failure);
}

bool link_is_broken(struct link *link)
{
	bool broken;

	spin_lock_irq(&link->controller->lock);
	broken = link->broken;
	spin_unlock_irq(&link->controller->lock);
	return broken;
}

void link_push(struct link *link)
{
	lockdep_assert_held(&link->controller->lock);

	if (front_ring_push(&link->urb_ring))
		notify_remote_via_irq(link->irq);
}
