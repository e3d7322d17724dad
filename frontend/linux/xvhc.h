/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * xvhc.ko, the Xen Virtual Host Controller for Linux: a USB host controller whose ports are given
 * by a backend in another domain.
 *
 * The path of a transfer, by file:
 *
 *	submit.c	takes an URB from the USB core, and starts what can be started
 *	buffer.c	copies data between URBs and granted pages
 *	usbif.c		writes a request of version 1 of the wire
 *	link.c		has the shared pages, their grants and the event channel
 *	complete.c	takes responses and port events from the backend, and gives URBs back
 *	roothub.c	plays the ports of the root hub
 *	controller.c	is the host controller as the USB core sees it
 *	xenbus.c	agrees with the backend on connecting and disconnecting
 *
 * What lives how long:
 *
 *	struct frontend		from probe to remove of the xenbus device.
 *	struct controller	from the first time that a backend is ready to remove. It stays
 *				registered while the backend is away, with empty ports.
 *	struct link		one connection. A backend that comes back gets a new one.
 *	struct transfer		one URB, from urb_enqueue to its giveback.
 *
 * All data goes through pages of our own, which are granted when the link is made and stay granted
 * until it is gone. A copy within the guest costs less than granting, mapping, unmapping and
 * revoking for each transfer, and it buys three things. A backend that keeps a page mapped after
 * its response, or dies with it, holds a page of ours, which is freed when Xen lets go of it, and
 * never the memory of an URB that was given back; so an URB can be given back at any time. What
 * else lies on the page of an URB's buffer is never shared. And every kind of buffer is alike on
 * the wire, whether it is vmalloc memory, unaligned, or a list of fragments: its segments are whole
 * pages, in order. The price is 1 MiB for each controller.
 *
 * The pages of a slot are used again and again, so a backend can see in them what it has seen
 * before, and one that says that it wrote more than it did has the guest read that once more, for
 * another device it may be. Where the backend is not trusted (parameter "trusted"), pages are
 * zeroed before each part.
 *
 * Locks: frontend->mutex serialises connecting and disconnecting, and is held while sleeping.
 * controller->lock (taken with interrupts off) guards transfers, ports, and the rings and slots of
 * the link. The second is taken inside the first. usb_hcd_giveback_urb() is called under
 * controller->lock: with HCD_BH it only queues the URB, and completion functions run elsewhere.
 */
#ifndef XVHC_H
#define XVHC_H

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/usb.h>
#include <linux/usb/hcd.h>
#include <linux/workqueue.h>
#include <xen/grant_table.h>
#include <xen/xenbus.h>

#include <xvhc/limits.h>
#include <xvhc/usbif.h>

#include "error.h"
#include "ring.h"

/* Pages of one request. The last one has the packet list where the request is isochronous. */
#define SLOT_PAGES USBIF_SEGMENTS_MAX
#define SLOT_LIST_PAGE (SLOT_PAGES - 1)

/*
 * Data of one request, in bytes. An URB with more is sent in parts. A part is a whole number of
 * packets of any endpoint, so that no packet but the last can be short. Control transfers, which
 * cannot be parted, use the last page too: that is as much as a setup packet can ask for.
 */
#define PART_BYTES_MAX (SLOT_LIST_PAGE * USBIF_PAGE_SIZE)

/*
 * A full ring must not keep anyone from cancelling, or a device from answering control requests:
 * so many request ids are left free by others.
 */
#define IDS_FOR_CANCEL 1
#define IDS_FOR_CONTROL 1

/*
 * An endpoint that has a request under way gets another one only where so many ids are free.
 * Otherwise the idle network adapter, which waits on sixty URBs, would have the ring for itself.
 */
#define IDS_FOR_OTHERS 6

/* A backend that does not answer a cancelled request in this time has failed. */
#define CANCEL_LIMIT (30 * HZ)

/* A page of ours that the backend may access. */
struct shared_page {
	struct page *page; /* NULL: none */
	grant_ref_t ref;   /* of the page, while there is one */
};

enum slot_use {
	SLOT_FREE,
	SLOT_TRANSFER, /* a part of a transfer */
	SLOT_CANCEL,   /* the cancellation of another slot */
};

/*
 * A request under way; its index is its id on the wire. A slot is free again when its request is
 * answered, and so is the cancellation that may have been sent for it: only then can no response
 * that is still to come be mistaken for one to the next user.
 */
struct slot {
	enum slot_use use;
	struct transfer *transfer; /* SLOT_TRANSFER: NULL as soon as it is answered */
	u32 offset;		   /* of the part in the URB's data, bytes; not isochronous */
	u32 length;		   /* of the part, bytes */
	u32 packet_first;	   /* isochronous */
	u32 packet_count;
	u32 pipe;	      /* of the wire */
	bool cancelled;	      /* its cancellation was asked for */
	bool cancel_open;     /* its cancellation waits, or is under way */
	unsigned long expiry; /* jiffies: cancelled, and answered by then, or the backend failed */
	u16 target;	      /* SLOT_CANCEL: id of the request to cancel */
	struct shared_page pages[SLOT_PAGES];
};

/* One connection to a backend. */
struct link {
	struct controller *controller;
	struct xenbus_device *dev;
	struct shared_page urb_page;
	struct shared_page conn_page;
	struct front_ring urb_ring;
	struct front_ring conn_ring;
	struct slot slots[USBIF_URB_RING_SLOTS];
	unsigned long ids_free;	      /* a bit for each slot */
	unsigned long cancels_wanted; /* a bit for each slot whose cancellation was not sent yet */
	evtchn_port_t evtchn;
	int irq;
	bool broken; /* the backend broke the protocol; to be closed */
};

/* One URB under way: urb->hcpriv. */
struct transfer {
	struct list_head all;	  /* in controller->transfers */
	struct list_head waiting; /* in controller->waiting while there is something to send */
	struct controller *controller;
	struct urb *urb;
	u8 port;	  /* of the root hub */
	bool ended;	  /* nothing more will be sent */
	int status;	  /* for the URB, once it ended */
	u32 parts;	  /* to send in all; not isochronous */
	u32 parts_sent;
	u32 packets_sent; /* isochronous */
	u32 in_flight;	  /* parts that are not answered */
};

enum port_phase {
	PORT_STEADY,
	PORT_RESETTING,
	PORT_RESUMING,
};

/* A port of the root hub. */
struct port {
	u8 speed;   /* USBIF_SPEED_...: what the backend last told */
	u16 status; /* wPortStatus */
	u16 change; /* wPortChange */
	enum port_phase phase;
	unsigned long phase_end; /* jiffies */
};

/* The host controller: private data of a struct usb_hcd. */
struct controller {
	struct frontend *frontend;
	spinlock_t lock; /* of all below, and of the link's rings and slots */
	struct link *link; /* NULL: no backend */
	struct list_head transfers;
	struct list_head waiting; /* those with something to send, first come first served */
	u8 port_count;
	u8 speed_max; /* USBIF_SPEED_... */
	struct port ports[USBIF_PORT_MAX];
};

/* A xenbus device. */
struct frontend {
	struct xenbus_device *dev;
	struct mutex mutex; /* of connecting and disconnecting */
	struct usb_hcd *hcd; /* NULL until a backend was ready for the first time */
	struct link *link;   /* NULL: no backend */
	unsigned long link_since; /* jiffies: when the link was made, or tried */
	bool link_failed; /* none could be made, for want of memory it may be */
	unsigned long restart_delay; /* of the next restart, jiffies; 0: none was needed yet */
	struct work_struct failure;
	struct work_struct closing;
	struct delayed_work restart;
	struct delayed_work watchdog;
};

static inline struct controller *hcd_controller(struct usb_hcd *hcd)
{
	return (struct controller *)hcd->hcd_priv;
}

static inline struct usb_hcd *controller_hcd(struct controller *controller)
{
	return container_of((void *)controller, struct usb_hcd, hcd_priv);
}

/* main.c: the module's parameter "trusted" */

extern bool xvhc_trusted;

/* xenbus.c */

int frontend_register(void);
void frontend_unregister(void);

/* link.c */

/*
 * Makes shared pages and an event channel, fills the connection ring, and makes it the controller's
 * link. Returns the link or an error pointer; on errors nothing is left behind. Needs
 * frontend->mutex, and sleeps.
 */
struct link *link_open(struct xenbus_device *dev, struct controller *controller);

/*
 * Ends the connection: gives back the controller's URBs, empties its ports, revokes the pages, and
 * frees the link. Pages that the backend still has mapped are freed when it lets go. Needs
 * frontend->mutex, and sleeps.
 */
void link_close(struct link *link);

/*
 * The backend broke the protocol: nothing more is sent or taken, and frontend->failure follows.
 * Needs controller->lock.
 */
void link_fail(struct link *link, const char *why);

/* Whether link_fail() was called. Not under controller->lock. */
bool link_is_broken(struct link *link);

/*
 * Ends transfers and empties ports where the controller's link failed, which remains to be closed.
 * Returns whether it had failed. Not under any lock.
 */
bool link_abandon(struct controller *controller);

/* Publishes what was put on the URB ring. Needs controller->lock. */
void link_push(struct link *link);

/* controller.c */

/*
 * Creates and registers a host controller with so many ports, for devices of up to speed_max. May
 * sleep. Returns it or an error pointer.
 */
struct usb_hcd *controller_create(struct frontend *frontend, u8 port_count, u8 speed_max);

/* Disconnects all devices and unregisters, with or without a link. Sleeps. */
void controller_unregister(struct usb_hcd *hcd);

/* Frees what is unregistered and has no link any more. Sleeps. */
void controller_put(struct usb_hcd *hcd);

/* roothub.c */

/* A device came or went. Needs controller->lock; roothub_notify() is to follow. */
void port_change(struct controller *controller, u8 portnum, u8 speed);

/* Has the USB core look at the ports. Not under controller->lock. */
void roothub_notify(struct controller *controller);

int roothub_control(struct usb_hcd *hcd, u16 type_request, u16 value, u16 index, char *buffer,
		    u16 length);
int roothub_status(struct usb_hcd *hcd, char *buffer);
int roothub_suspend(struct usb_hcd *hcd);
int roothub_resume(struct usb_hcd *hcd);

/* submit.c */

int transfer_enqueue(struct usb_hcd *hcd, struct urb *urb, gfp_t mem_flags);
int transfer_dequeue(struct usb_hcd *hcd, struct urb *urb, int status);

/* Whether all parts of it were sent, or are never to be. Needs controller->lock. */
bool transfer_is_sent(const struct transfer *transfer);

/* Sends cancellations, then parts, as many as there is room for. Needs controller->lock. */
void transfers_start(struct link *link);

/* Fails the link where the backend did not answer a cancelled request in time. Not under a lock. */
void transfers_check(struct controller *controller);

/* buffer.c: both copy between the pages of a slot, from byte at on, and an URB's data. */

/* Zeroes the pages that length bytes of data lie in. */
void buffer_clear(struct slot *slot, u32 length);

void buffer_take(struct slot *slot, u32 at, const struct urb *urb, u32 offset, u32 length);
void buffer_give(const struct slot *slot, u32 at, struct urb *urb, u32 offset, u32 length);

/*
 * usbif.c: all that is particular to version 1 of the wire in a request. Another version would have
 * its own pair of these, and its own limits in place of SLOT_PAGES and PART_BYTES_MAX.
 */

/* A request for the part that the slot describes. Fills the packet list too. */
void usbif_submit_encode(struct slot *slot, u16 id, struct usbif_urb_request *request);

/* A request that cancels the target of the slot. */
void usbif_cancel_encode(const struct slot *slot, u16 id, struct usbif_urb_request *request);

/* complete.c */

/* The handler of the link's event channel, in a thread. */
irqreturn_t link_interrupt(int irq, void *link);

/* Gives an URB back and frees its transfer. Needs controller->lock. */
void transfer_finish(struct controller *controller, struct transfer *transfer, int status);

#endif
