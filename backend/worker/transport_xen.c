// SPDX-License-Identifier: MIT
/*
 * The guest through Xen. The two ring pages are mapped by their grants, for as long as the process
 * lives. Data is never mapped, only copied, by the hypervisor: a grant that the guest revoked
 * fails one copy and nothing else.
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

static int xen_connect(const struct message_connect *connect, struct message_fds *fds,
		       struct transport_rings *rings, const char **problem)
{
	int port;

	(void)fds;
	guest = (uint16_t)connect->domid;
	rings->urb = xengnttab_map_grant_ref(gnttab, connect->domid, connect->urb_ring_ref,
					     PROT_READ | PROT_WRITE);
	if (!rings->urb)
		return fail(problem, "cannot map the URB ring: its grant is not good");
	rings->conn = xengnttab_map_grant_ref(gnttab, connect->domid, connect->conn_ring_ref,
					      PROT_READ | PROT_WRITE);
	if (!rings->conn)
		return fail(problem, "cannot map the connection ring: its grant is not good");
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
	xengnttab_grant_copy_segment_t segments[TRANSPORT_COPIES_MAX];
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
