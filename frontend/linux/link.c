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

#include <linux/bitmap.h>
#include <linux/interrupt.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <xen/events.h>
#include <xen/page.h>

void page_share(struct link *link, struct shared_page *shared, struct page *page,
		grant_ref_t *refs)
{
	shared->page = page;
	shared->ref = gnttab_claim_grant_reference(refs);
	gnttab_page_grant_foreign_access_ref_one(shared->ref, link->dev->otherend_id, page, 0);
}

void page_unshare(struct shared_page *shared)
{
	if (shared->page)
		gnttab_end_foreign_access(shared->ref, shared->page);
	shared->page = NULL;
}

static u16 ring_page_count(const struct link *link)
{
	return link->wire->version == 1 ? 1 : RING_PAGES;
}

static void pages_unshare(struct link *link)
{
	u16 i;

	pool_fini(link);
	page_unshare(&link->event_page);
	for (i = 0; i < RING_PAGES; i++)
		page_unshare(&link->ring_pages[i]);
}

/* The ring's pages lie side by side, but each is given up by itself. */
static int ring_share(struct link *link, grant_ref_t *refs)
{
	unsigned int order = get_order(ring_page_count(link) * XVHCIF_PAGE_SIZE);
	struct page *pages = alloc_pages(GFP_NOIO | __GFP_ZERO, order);
	u16 i;

	if (!pages)
		return -ENOMEM;
	split_page(pages, order);
	link->ring_memory = (unsigned long)page_address(pages);
	for (i = 0; i < ring_page_count(link); i++)
		page_share(link, &link->ring_pages[i], pages + i, refs);
	return 0;
}

/* How many pages the pool has; *mapped: whether the backend is to map them. */
static u16 pool_page_count(const struct link *link, unsigned int mapped_max, bool *mapped)
{
	unsigned int wanted = xvhc_pool_mib * (SZ_1M / XVHCIF_PAGE_SIZE);

	*mapped = link->wire->version != 1 && wanted && mapped_max >= POOL_PAGES_MIN;
	if (link->wire->version == 1)
		return POOL_PAGES_1;
	if (!*mapped)
		return POOL_PAGES_2;
	mapped_max = min_t(unsigned int, mapped_max, XVHC_POOL_PAGES_MAX);
	return clamp_t(unsigned int, wanted, POOL_PAGES_MIN, mapped_max);
}

static int pages_share(struct link *link, unsigned int pool_pages_max)
{
	struct page *page;
	grant_ref_t refs;
	bool mapped;
	u16 count;
	int rc;

	count = pool_page_count(link, pool_pages_max, &mapped);
	rc = gnttab_alloc_grant_references(RING_PAGES + 1 + count + XVHCIF_POOL_DIRECTORY_MAX,
					   &refs);
	if (rc)
		return rc;
	rc = ring_share(link, &refs);
	if (!rc) {
		page = alloc_page(GFP_NOIO | __GFP_ZERO);
		rc = page ? 0 : -ENOMEM;
	}
	if (!rc) {
		page_share(link, &link->event_page, page, &refs);
		rc = pool_init(link, count, mapped, &refs);
	}
	gnttab_free_grant_references(refs);
	if (rc)
		pages_unshare(link);
	return rc;
}

static int slots_alloc(struct link *link)
{
	unsigned int noio = memalloc_noio_save();

	/* What memory could be written out to may be waiting for us. */
	link->slot_count = link->wire->slots;
	link->slots = kvcalloc(link->slot_count, sizeof(*link->slots), GFP_KERNEL);
	memalloc_noio_restore(noio);
	if (!link->slots)
		return -ENOMEM;
	bitmap_fill(link->ids_free, link->slot_count);
	link->ids_free_count = link->slot_count;
	return 0;
}

u16 id_take(struct link *link, enum slot_use use)
{
	u16 id = find_first_bit(link->ids_free, link->slot_count);

	__clear_bit(id, link->ids_free);
	link->ids_free_count--;
	link->slots[id].use = use;
	link->slots[id].transfer = NULL;
	link->slots[id].cancelled = false;
	link->slots[id].cancel_open = false;
	return id;
}

void id_release(struct link *link, u16 id)
{
	slot_pages_give(link, &link->slots[id]);
	link->slots[id].use = SLOT_FREE;
	__set_bit(id, link->ids_free);
	link->ids_free_count++;
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
	/*
	 * A guest that sleeps is woken up by this interrupt (port.c). Xen's event channels cannot
	 * be told to wake up, hence it stays on all the time. The handler's thread is not frozen.
	 * While the guest sleeps it finds no URBs, and what it tells the hub driver of waits until
	 * that is back.
	 */
	/* Masked until xen_irq_lateeoi(): handler and thread take turns without IRQF_ONESHOT. */
	rc = request_threaded_irq(link->irq, link_interrupt, link_thread, IRQF_NO_SUSPEND, "xvhc",
				  link);
	if (rc)
		evtchn_put(link->evtchn);
	return rc;
}

static void link_free(struct link *link)
{
	kvfree(link->slots);
	kvfree(link);
}

static struct link *link_alloc(struct xenbus_device *dev, struct controller *controller)
{
	unsigned int noio = memalloc_noio_save();
	struct link *link = kvzalloc(sizeof(*link), GFP_KERNEL);

	memalloc_noio_restore(noio);
	if (!link)
		return NULL;
	link->controller = controller;
	link->dev = dev;
	link->wire = wire_of(controller);
	if (slots_alloc(link)) {
		link_free(link);
		return NULL;
	}
	return link;
}

struct link *link_open(struct xenbus_device *dev, struct controller *controller,
		       unsigned int pool_pages_max)
{
	struct link *link;
	int rc = -ENOMEM;

	lockdep_assert_held(&controller->frontend->mutex);

	link = link_alloc(dev, controller);
	if (!link)
		goto fail;
	rc = pages_share(link, pool_pages_max);
	if (rc)
		goto free_link;
	link->wire->rings_init(link);
	/* Nobody listens yet. */
	(void)!front_ring_push(&link->events);
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
	link_free(link);
fail:
	return ERR_PTR(rc);
}

/*
 * Nobody finds the link any more, and no part of it refers to a transfer. Where ports are kept, so
 * are their URBs, but for those that were cancelled: somebody waits for them.
 */
static void link_detach(struct controller *controller)
{
	struct link *link = controller->link;
	struct transfer *transfer, *next;
	bool keep = controller->version != 1 && !controller->leaving;
	u16 id;

	lockdep_assert_held(&controller->lock);

	controller->link = NULL;
	if (keep)
		ports_keep(controller);
	list_for_each_entry_safe(transfer, next, &controller->transfers, all)
		if (transfer_is_held(transfer) && !transfer->urb->unlinked)
			transfer_hold(transfer);
		else
			transfer_finish(controller, transfer, -ESHUTDOWN);
	for (id = 0; id < link->slot_count; id++)
		if (link->slots[id].use == SLOT_STREAMS)
			streams_answered(&link->slots[id], XVHC_ENODEV, 0);
	if (!keep)
		ports_empty(controller);
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
		roothubs_notify(controller);
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
	roothubs_notify(controller);
	unbind_from_irqhandler(link->irq, link);
	pages_unshare(link);
	link_free(link);
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

	if (front_ring_push(&link->requests))
		notify_remote_via_irq(link->irq);
}
