// SPDX-License-Identifier: MIT
/*
 * The guest through Xen. The pages of the rings, and of the data pool where the guest has one, are
 * mapped by their grants, for as long as the process lives. A grant that is mapped cannot be
 * revoked, so no access to them can fault. Data elsewhere is only copied, by the hypervisor: a
 * grant that the guest revoked fails one copy and nothing else.
 *
 * An event channel is masked from when its event was read to when it is unmasked. We unmask after
 * the work was done, so that a guest that notifies without end costs one wake-up for each round.
 */
#include "transport.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <xenevtchn.h>
#include <xengnttab.h>

#include <byte_order.h>
#include <common/log.h>
#include <error.h>

static xengnttab_handle *gnttab;
static xenevtchn_handle *evtchn;
static evtchn_port_t local_port;
static bool unmask_due;
static uint16_t guest;

static int xen_open(void)
{
	gnttab = xengnttab_open(NULL, 0);
	if (!gnttab) {
		log_line(LOG_LEVEL_ERROR, "cannot open the grant device: %s (is xen-gntdev there?)",
			 strerror(errno));
		return -errno;
	}
	evtchn = xenevtchn_open(NULL, 0);
	if (!evtchn) {
		log_line(LOG_LEVEL_ERROR, "cannot open the event channel device: %s",
			 strerror(errno));
		return -errno;
	}
	return 0;
}

static int fail(const char **problem, const char *text)
{
	*problem = text;
	return XVHC_EPROTO;
}

static void fill(xengnttab_grant_copy_segment_t *segment, const struct transport_copy *copy,
		 enum transport_direction direction)
{
	bool to_guest = direction == TRANSPORT_TO_GUEST;
	union xengnttab_copy_ptr *foreign = to_guest ? &segment->dest : &segment->source;
	union xengnttab_copy_ptr *local = to_guest ? &segment->source : &segment->dest;

	memset(segment, 0, sizeof(*segment));
	foreign->foreign.ref = copy->gref;
	foreign->foreign.offset = copy->offset;
	foreign->foreign.domid = guest;
	local->virt = copy->local;
	segment->len = copy->length;
	segment->flags = to_guest ? GNTCOPY_dest_gref : GNTCOPY_source_gref;
}

static int xen_copy(const struct transport_copy *copies, uint32_t count,
		    enum transport_direction direction)
{
	static xengnttab_grant_copy_segment_t segments[TRANSPORT_COPIES_MAX];
	uint32_t i;

	for (i = 0; i < count; i++)
		fill(&segments[i], &copies[i], direction);
	if (xengnttab_grant_copy(gnttab, count, segments) < 0)
		return XVHC_EINVAL;
	for (i = 0; i < count; i++) {
		if (segments[i].status != GNTST_okay)
			return XVHC_EINVAL;
	}
	return XVHC_OK;
}

/* The directory of the pool is copied once, and what it says is mapped. */
static int map_pool(const struct message_connect *connect, struct transport_rings *rings,
		    const char **problem)
{
	static uint32_t refs[XVHCIF_POOL_DIRECTORY_MAX * XVHCIF_POOL_REFS_OF_A_PAGE];
	struct transport_copy copies[XVHCIF_POOL_DIRECTORY_MAX];
	uint32_t i, count = 0;

	for (i = 0; i < connect->pool_pages; i += XVHCIF_POOL_REFS_OF_A_PAGE) {
		copies[count].gref = connect->pool_ref[count];
		copies[count].offset = 0;
		copies[count].length = XVHCIF_PAGE_SIZE;
		copies[count++].local = &refs[i];
	}
	if (xen_copy(copies, count, TRANSPORT_FROM_GUEST) != XVHC_OK)
		return fail(problem, "cannot read the pool's directory: a grant is not good");
	for (i = 0; i < connect->pool_pages; i++)
		refs[i] = le32(refs[i]);
	rings->pool = xengnttab_map_domain_grant_refs(gnttab, connect->pool_pages, connect->domid,
						      refs, PROT_READ | PROT_WRITE);
	if (!rings->pool)
		return fail(problem, "cannot map the pool: a grant in its directory is not good");
	rings->pool_bytes = connect->pool_pages * XVHCIF_PAGE_SIZE;
	return XVHC_OK;
}

static int map_rings(const struct message_connect *connect, struct transport_rings *rings,
		     const char **problem)
{
	uint32_t refs[XVHCIF_RING_PAGES_MAX];

	memcpy(refs, connect->ring_ref, sizeof(refs));
	rings->requests = xengnttab_map_domain_grant_refs(
		gnttab, connect->ring_pages, connect->domid, refs, PROT_READ | PROT_WRITE);
	if (!rings->requests)
		return fail(problem, "cannot map the request ring: its grant is not good");
	rings->events = xengnttab_map_grant_ref(gnttab, connect->domid, connect->event_ref,
						PROT_READ | PROT_WRITE);
	if (!rings->events)
		return fail(problem, "cannot map the ring of events: its grant is not good");
	return XVHC_OK;
}

static int xen_connect(const struct message_connect *connect, struct message_fds *fds,
		       struct transport_rings *rings, const char **problem)
{
	int error, port;

	(void)fds;
	guest = (uint16_t)connect->domid;
	error = map_rings(connect, rings, problem);
	if (error == XVHC_OK && connect->pool_pages > 0)
		error = map_pool(connect, rings, problem);
	if (error != XVHC_OK)
		return error;
	/* From here on this descriptor is good for this guest alone. Linux before 4.15 cannot. */
	if (xenevtchn_restrict(evtchn, guest) < 0)
		log_line(LOG_LEVEL_WARNING, "event channels are not restricted: %s",
			 strerror(errno));
	port = xenevtchn_bind_interdomain(evtchn, connect->domid, connect->event_channel);
	if (port < 0)
		return fail(problem, "cannot bind the event channel");
	local_port = (evtchn_port_t)port;
	rings->event = xenevtchn_fd(evtchn);
	return XVHC_OK;
}

static void xen_notify(void)
{
	(void)xenevtchn_notify(evtchn, local_port);
}

static void xen_accept(void)
{
	if (xenevtchn_pending(evtchn) >= 0)
		unmask_due = true;
}

static void xen_rearm(void)
{
	if (unmask_due)
		(void)xenevtchn_unmask(evtchn, local_port);
	unmask_due = false;
}

const struct transport_ops transport_xen = {
	.kind = TRANSPORT_XEN,
	.open = xen_open,
	.connect = xen_connect,
	.copy = xen_copy,
	.notify = xen_notify,
	.accept = xen_accept,
	.rearm = xen_rearm,
};
