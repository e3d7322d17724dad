// SPDX-License-Identifier: MIT
#include "ring.h"

#include "barrier.h"
#include "byte_order.h"
#include "error.h"

/* The indices in shared memory. */

static uint32_t in_order(const struct ring_page *page, uint32_t index)
{
	return page->little_endian ? le32(index) : index;
}

static uint32_t index_read(const struct ring_page *page, const uint32_t *index)
{
	return in_order(page, shared_read(index));
}

static uint32_t index_read_acquire(const struct ring_page *page, const uint32_t *index)
{
	return in_order(page, shared_read_acquire(index));
}

static void index_write(const struct ring_page *page, uint32_t *index, uint32_t value)
{
	shared_write(index, in_order(page, value));
}

static void index_write_release(const struct ring_page *page, uint32_t *index, uint32_t value)
{
	shared_write_release(index, in_order(page, value));
}

static uint8_t *slot_at(const struct ring_page *page, uint32_t index)
{
	return page->slots + (size_t)(index & (page->slot_count - 1)) * page->slot_size;
}

static void slot_write(const struct ring_page *page, uint32_t index, const void *entry,
		       uint32_t size)
{
	uint8_t *slot = slot_at(page, index);

	shared_copy(slot, entry, size);
	if (size < page->slot_size)
		memset(slot + size, 0, page->slot_size - size);
}

/*
 * The event index tells from which index on the other side wants to be notified. It does where that
 * index lies in what was published just now, (old, new].
 */
static bool wants_event(uint32_t event, uint32_t old, uint32_t new)
{
	return new - event < new - old;
}

int back_ring_init(struct back_ring *ring, struct ring_page page)
{
	uint32_t req_prod, rsp_prod;

	ring->page = page;
	req_prod = index_read_acquire(&ring->page, &ring->page.head->req_prod);
	rsp_prod = index_read(&ring->page, &ring->page.head->rsp_prod);
	if (req_prod - rsp_prod > page.slot_count)
		return XVHC_EPROTO;
	ring->req_cons = rsp_prod;
	ring->rsp_prod_pvt = rsp_prod;
	ring->rsp_prod_pub = rsp_prod;
	return XVHC_OK;
}

int back_ring_take(struct back_ring *ring, void *request, uint32_t size)
{
	uint32_t req_prod = index_read_acquire(&ring->page, &ring->page.head->req_prod);

	if (req_prod - ring->rsp_prod_pvt > ring->page.slot_count)
		return XVHC_EPROTO;
	if (req_prod == ring->req_cons)
		return 0;
	/* An index that went back would make the distance wrap: it was bounded by rsp_prod above.
	 */
	if (req_prod - ring->req_cons > ring->page.slot_count)
		return XVHC_EPROTO;
	shared_copy(request, slot_at(&ring->page, ring->req_cons), size);
	ring->req_cons++;
	return 1;
}

bool back_ring_owes_response(const struct back_ring *ring)
{
	return ring->rsp_prod_pvt != ring->req_cons;
}

void back_ring_put(struct back_ring *ring, const void *response, uint32_t size)
{
	slot_write(&ring->page, ring->rsp_prod_pvt, response, size);
	ring->rsp_prod_pvt++;
}

bool back_ring_push(struct back_ring *ring)
{
	struct usbif_ring_head *head = ring->page.head;
	uint32_t old = ring->rsp_prod_pub;

	ring->rsp_prod_pub = ring->rsp_prod_pvt;
	index_write_release(&ring->page, &head->rsp_prod, ring->rsp_prod_pvt);
	shared_fence();
	return wants_event(index_read(&ring->page, &head->rsp_event), old, ring->rsp_prod_pvt);
}

bool back_ring_recheck(struct back_ring *ring)
{
	struct usbif_ring_head *head = ring->page.head;

	if (index_read(&ring->page, &head->req_prod) != ring->req_cons)
		return true;
	index_write(&ring->page, &head->req_event, ring->req_cons + 1);
	shared_fence();
	return index_read(&ring->page, &head->req_prod) != ring->req_cons;
}

void front_ring_init(struct front_ring *ring, struct ring_page page)
{
	ring->page = page;
	index_write(&ring->page, &ring->page.head->req_event, 1);
	index_write(&ring->page, &ring->page.head->rsp_event, 1);
	ring->req_prod_pvt = 0;
	ring->req_prod_pub = 0;
	ring->rsp_cons = 0;
}

uint32_t front_ring_free(const struct front_ring *ring)
{
	return ring->page.slot_count - (ring->req_prod_pvt - ring->rsp_cons);
}

void front_ring_put(struct front_ring *ring, const void *request, uint32_t size)
{
	slot_write(&ring->page, ring->req_prod_pvt, request, size);
	ring->req_prod_pvt++;
}

bool front_ring_push(struct front_ring *ring)
{
	struct usbif_ring_head *head = ring->page.head;
	uint32_t old = ring->req_prod_pub;

	ring->req_prod_pub = ring->req_prod_pvt;
	index_write_release(&ring->page, &head->req_prod, ring->req_prod_pvt);
	shared_fence();
	return wants_event(index_read(&ring->page, &head->req_event), old, ring->req_prod_pvt);
}

int front_ring_take(struct front_ring *ring, void *response, uint32_t size)
{
	uint32_t rsp_prod = index_read_acquire(&ring->page, &ring->page.head->rsp_prod);

	if (rsp_prod == ring->rsp_cons)
		return 0;
	if (rsp_prod - ring->rsp_cons > ring->req_prod_pub - ring->rsp_cons)
		return XVHC_EPROTO;
	shared_copy(response, slot_at(&ring->page, ring->rsp_cons), size);
	ring->rsp_cons++;
	return 1;
}

bool front_ring_recheck(struct front_ring *ring)
{
	struct usbif_ring_head *head = ring->page.head;

	if (index_read(&ring->page, &head->rsp_prod) != ring->rsp_cons)
		return true;
	index_write(&ring->page, &head->rsp_event, ring->rsp_cons + 1);
	shared_fence();
	return index_read(&ring->page, &head->rsp_prod) != ring->rsp_cons;
}
