/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * xvhc.ko, the Xen Virtual Host Controller for Linux: a USB host controller whose ports are given
 * by a backend in another domain.
 *
 * The path of a transfer, by file:
 *
 *	submit.c	takes an URB from the USB core, and starts what can be started
 *	buffer.c	copies data between URBs and granted pages
 *	usbif.c		writes and reads version 1 of the wire
 *	xvhcif.c	writes and reads version 2
 *	link.c		has the shared pages, their grants and the event channel
 *	pool.c		has those of them that are for data
 *	complete.c	takes responses and port events from the backend, and gives URBs back
 *	port.c		is a port, as the backend tells of it and is asked about it
 *	keep.c		keeps ports and their devices while the backend is away
 *	roothub.c	plays the root hub for devices up to high speed
 *	roothub_super.c	plays the one for SuperSpeed
 *	streams.c	has streams allocated and freed
 *	controller.c	is the host controller as the USB core sees it
 *	xenbus.c	agrees with the backend on connecting and disconnecting
 *
 * What lives how long:
 *
 *	struct frontend		from probe to remove of the xenbus device.
 *	struct controller	from the first time that a backend is ready to remove. It stays
 *				registered while the backend is away, with empty ports on version 1
 *				of the wire, and with their devices on version 2. It has one
 *				struct usb_hcd, and with version 2 of the wire a second one, for
 *				SuperSpeed: a port of the backend is a port of both root hubs.
 *	struct link		one connection. A backend that comes back gets a new one.
 *	struct transfer		one URB, from urb_enqueue to its giveback.
 *
 * All data goes through pages of our own, the pool, which are granted when the link is made and
 * stay granted until it is gone. A backend of version 2 that can maps them all, and is then told
 * where in the pool a request's data lies; another one is told their grants. A copy within the
 * guest costs less than granting, mapping, unmapping and revoking for each transfer, and it buys
 * three things. A backend that keeps a page mapped after its response, or dies with it, holds a
 * page of ours, which is freed when Xen lets go of it, and never the memory of an URB that was
 * given back; so an URB can be given back at any time. What else lies on the page of an URB's
 * buffer is never shared. And every kind of buffer is alike on the wire, whether it is vmalloc
 * memory, unaligned, or a list of fragments: it is whole pages, in order. The price is 1 MiB for
 * each controller, or 4 MiB with version 2 (parameter "pool").
 *
 * The pages are used again and again, so a backend can see in them what it has seen before, and one
 * that says that it wrote more than it did has the guest read that once more, for another device it
 * may be. Where the backend is not trusted (parameter "trusted"), pages are zeroed before each
 * part.
 *
 * Locks: frontend->mutex serialises connecting and disconnecting, and is held while sleeping.
 * controller->lock (taken with interrupts off) guards transfers, ports, and the rings and slots of
 * the link. The second is taken inside the first. usb_hcd_giveback_urb() is called under
 * controller->lock: with HCD_BH it only queues the URB, and completion functions run elsewhere.
 */
#ifndef XVHC_H
#define XVHC_H

#include <linux/completion.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/usb.h>
#include <linux/usb/ch11.h>
#include <linux/usb/hcd.h>
#include <linux/workqueue.h>
#include <xen/grant_table.h>
#include <xen/xenbus.h>

#include <xvhc/limits.h>
#include <xvhc/usbif.h>
#include <xvhc/xvhcif.h>

#include "error.h"
#include "ring.h"
#include "xvhcif_response.h"

/* The request ring of version 2 that we ask for: 2 pages, 128 requests. */
#define RING_ORDER 1
#define RING_PAGES 2 /* 1 << RING_ORDER */

/* Requests under way, whatever the version. */
#define SLOTS_MAX (RING_PAGES * XVHCIF_SLOTS_OF_A_PAGE)

/* Pages for the data of one request. */
#define SLOT_PAGES_MAX (XVHCIF_LENGTH_MAX / XVHCIF_PAGE_SIZE)

/* Pages for data of all requests. Version 2: by the parameter "pool", but no fewer. */
#define POOL_PAGES_1 (USBIF_URB_RING_SLOTS * USBIF_SEGMENTS_MAX)
#define POOL_PAGES_2 1024
#define POOL_PAGES_MIN 512

/* So many of them are left for control transfers, and for what is small... */
#define POOL_PAGES_FOR_OTHERS 32
/* ...and so many by bulk transfers for those that must not wait. */
#define POOL_PAGES_FOR_PERIODIC 96

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

/* A backend that does not answer what somebody waits for in this time has failed. */
#define ANSWER_LIMIT (30 * HZ)

/* The two sides of a port: the index of a root hub. */
enum side {
	SIDE_HIGH,  /* up to high speed */
	SIDE_SUPER, /* SuperSpeed; version 2 alone */
	SIDES,
};

/* A page of ours that the backend may access. */
struct shared_page {
	struct page *page; /* NULL: none */
	grant_ref_t ref;   /* of the page, while there is one */
};

/* Pages for data. They outlive their link where the backend is slow to let go of them. */
struct pool {
	struct shared_page pages[XVHC_POOL_PAGES_MAX];
	struct shared_page directory[XVHCIF_POOL_DIRECTORY_MAX]; /* of a pool that is mapped */
	bool mapped; /* the backend maps it: requests may name places in it */
	u16 count; /* of pages */
	u16 free_count;
	DECLARE_BITMAP(used, XVHC_POOL_PAGES_MAX);
	struct work_struct release;
};

enum slot_use {
	SLOT_FREE,
	SLOT_TRANSFER, /* a part of a transfer */
	SLOT_CANCEL,   /* the cancellation of another slot */
	SLOT_PORT,     /* something that a port does */
	SLOT_STREAMS,  /* streams are allocated or freed */
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
	u8 portnum;
	u8 address;
	bool cancelled;	      /* its cancellation was asked for */
	bool cancel_open;     /* its cancellation waits, or is under way */
	unsigned long expiry; /* jiffies: awaited (submit.c), and answered by then, or it failed */
	u16 target;	      /* SLOT_CANCEL: id of the request to cancel */
	u8 operation;	      /* SLOT_PORT and SLOT_STREAMS: XVHCIF_... */
	struct port *port;    /* SLOT_PORT */
	struct streams *streams; /* SLOT_STREAMS: NULL where nobody waits any more */
	/* Places in the pool. */
	bool in_pool; /* they lie side by side, and the backend has them mapped */
	u16 page_count;
	u16 pages[SLOT_PAGES_MAX];
	bool has_list; /* isochronous: the packet list */
	u16 list;
	bool has_indirect; /* version 2: the segments */
	u16 indirect;
};

/* A request for streams, and what became of it. */
struct streams {
	struct completion done;
	u32 endpoints;
	u16 count;
	int error; /* enum xvhc_error */
	u32 actual;
};

/* One connection to a backend. */
struct link {
	struct controller *controller;
	struct xenbus_device *dev;
	const struct wire_ops *wire;
	struct shared_page ring_pages[RING_PAGES]; /* version 1: the first is the URB ring */
	unsigned long ring_memory;		   /* of all of them; 0: none */
	struct shared_page event_page; /* version 1: connection ring; 2: head page */
	struct front_ring requests;
	struct front_ring events;
	struct pool *pool;
	struct slot *slots;
	u16 slot_count;
	DECLARE_BITMAP(ids_free, SLOTS_MAX);
	u16 ids_free_count;
	DECLARE_BITMAP(cancels_wanted, SLOTS_MAX); /* slots whose cancellation was not sent yet */
	evtchn_port_t evtchn;
	int irq;
	bool taken;  /* the interrupt's handler has taken a response */
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
	u32 bytes_sent;	  /* not isochronous */
	u32 parts_sent;	  /* not isochronous */
	u32 empty_parts;  /* to send behind the data */
	u32 packets_sent; /* isochronous */
	u32 in_flight;	  /* parts that are not answered */
};

enum port_phase {
	PORT_STEADY,
	PORT_RESETTING,
	PORT_RESUMING,
};

/* What becomes of a port when the link goes: see keep.c. */
enum port_keep {
	KEEP_NONE,
	KEEP_AWAY,
	KEEP_BACK,
};

/* One side of a port of the backend's. */
struct port {
	struct controller *controller;
	enum side side;
	u8 number; /* from 1 */
	u8 speed;  /* XVHCIF_SPEED_...: what the backend last told */
	u64 device; /* the same. Version 1: 0 */
	u8 next_speed; /* of what is shown once the port was seen to be empty */
	bool powered;
	u16 status; /* wPortStatus */
	u16 change; /* wPortChange */
	enum port_phase phase;
	bool warm;		 /* the reset under way is a warm one */
	unsigned long phase_end; /* jiffies: when it ends by itself */
	/* Version 2: what the backend is to do, and is doing: XVHCIF_PORT_..., or 0. */
	u8 wanted;
	u8 asked;
	enum port_keep keep;
	unsigned long return_end;  /* jiffies; KEEP_AWAY: its device counts as unplugged then */
	unsigned long returned_at; /* jiffies; KEEP_BACK: since when */
	unsigned long revive_at;   /* jiffies; KEEP_BACK: is reset by us then */
	bool was_busy;		   /* KEEP_BACK: URBs ended with an error */
};

/*
 * How the states of one side look to the hub driver. All set the port's status and change, and need
 * controller->lock.
 */
struct side_ops {
	void (*disable)(struct port *port); /* powered or not, and without a device */
	void (*connect)(struct port *port);
	void (*reset_end)(struct port *port);
	void (*resume_end)(struct port *port);
	bool (*wake)(struct port *port); /* its device did. Returns whether it slept */
	void (*overcurrent)(struct port *port);
};

/* A root hub: private data of a struct usb_hcd. */
struct root_hub {
	struct controller *controller;
	enum side side;
};

/* The host controller. */
struct controller {
	struct frontend *frontend;
	struct usb_hcd *hcds[SIDES]; /* SIDE_SUPER: NULL with version 1 */
	spinlock_t lock; /* of all below, and of the link's rings and slots */
	struct link *link; /* NULL: no backend */
	struct list_head transfers;
	struct list_head waiting; /* those with something to send, first come first served */
	u8 port_count;
	u8 speed_max; /* XVHCIF_SPEED_... */
	u8 version;   /* of the wire */
	bool leaving; /* it is being unregistered: nothing is kept any more */
	wait_queue_head_t returned; /* for ports that are KEEP_AWAY no more */
	struct delayed_work absence;
	struct delayed_work revival;
	struct port ports[SIDES][XVHCIF_PORT_MAX];
};

/* A xenbus device. */
struct frontend {
	struct xenbus_device *dev;
	struct mutex mutex; /* of connecting and disconnecting */
	struct controller *controller; /* NULL until a backend was ready for the first time */
	struct link *link;   /* NULL: no backend */
	unsigned long link_since; /* jiffies: when the link was made, or tried */
	bool link_failed; /* none could be made, for want of memory it may be */
	unsigned long restart_delay; /* of the next restart, jiffies; 0: none was needed yet */
	struct work_struct failure;
	struct work_struct closing;
	struct delayed_work restart;
	struct delayed_work watchdog;
	struct xenbus_watch backend_watch; /* rebind.c; node NULL: there is none */
};

/* What is particular to a version of the wire. All need controller->lock but the first two. */
struct wire_ops {
	u8 version;
	u16 slots;
	/*
	 * Data of one request, in bytes. An URB with more is sent in parts. A part is a whole
	 * number of packets of any endpoint, so that no packet but the last can be short.
	 */
	u32 part_bytes_max;
	bool has_zero_packet; /* it is a flag of the request that it follows */
	/* Lays out both rings in the zeroed pages of the link. */
	void (*rings_init)(struct link *link);
	/* Writes what is its own into XenStore. Returns 0 or an errno. */
	int (*nodes_write)(const struct link *link, struct xenbus_transaction transaction);
	/* Puts a request: what the slot is in use for. */
	void (*put)(struct link *link, u16 id);
	/* Takes a response. Returns 1; 0 where there is none; XVHC_EPROTO, after link_fail(). */
	int (*take)(struct link *link, struct response *response);
	/* Reads one entry of the slot's packet list, once. XVHC_EPROTO: it exceeds length. */
	int (*packet_read)(struct link *link, const struct slot *slot, u32 index, u32 length,
			   struct response *packet);
	/* Takes a port event and makes room for another one. As take(). */
	int (*event_take)(struct link *link, struct port_event *event);
};

extern const struct wire_ops wire_usbif;
extern const struct wire_ops wire_xvhcif;

static inline const struct wire_ops *wire_of(const struct controller *controller)
{
	return controller->version == 1 ? &wire_usbif : &wire_xvhcif;
}

/* Whether the data comes from the device. The USB core's function takes no const URB in 6.1. */
static inline bool urb_is_in(const struct urb *urb)
{
	return (urb->transfer_flags & URB_DIR_MASK) == URB_DIR_IN;
}

static inline struct root_hub *hcd_root_hub(struct usb_hcd *hcd)
{
	return (struct root_hub *)hcd->hcd_priv;
}

static inline struct controller *hcd_controller(struct usb_hcd *hcd)
{
	return hcd_root_hub(hcd)->controller;
}

/* main.c: the module's parameters "trusted", "wire" and "pool" */

extern bool xvhc_trusted;
extern unsigned int xvhc_wire_max;
extern unsigned int xvhc_pool_mib;

/* xenbus.c */

int frontend_register(void);
void frontend_unregister(void);

/* rebind.c */

int rebind_init(void);
void rebind_fini(void);
/* Watches for a backend that comes after the guest was restored. In process context. */
void backend_watch_begin(struct frontend *frontend);
void backend_watch_end(struct frontend *frontend);

/* link.c */

/*
 * Makes shared pages and an event channel, fills the event ring, and makes it the controller's
 * link. The backend maps a pool of up to pool_pages_max pages. Returns the link or an error
 * pointer; on errors nothing is left behind. Needs frontend->mutex, and sleeps.
 */
struct link *link_open(struct xenbus_device *dev, struct controller *controller,
		       unsigned int pool_pages_max);

/*
 * Ends the connection: gives back the controller's URBs and empties its ports, or keeps both where
 * the version can; revokes the pages, and frees the link. Pages that the backend still has mapped
 * are freed when it lets go. Needs frontend->mutex, and sleeps.
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
 * The same for URBs and ports, where the controller's link failed, which remains to be closed.
 * Returns whether it had failed. Not under any lock.
 */
bool link_abandon(struct controller *controller);

/* Publishes what was put on the request ring. Needs controller->lock. */
void link_push(struct link *link);

/* Shares a page of ours with the backend, by one of the references in refs. */
void page_share(struct link *link, struct shared_page *shared, struct page *page,
		grant_ref_t *refs);

/* Revokes and frees it: later, where the backend still has it mapped. */
void page_unshare(struct shared_page *shared);

/* Takes an id, of which there must be a free one, for a use. And frees it, with its pages. */
u16 id_take(struct link *link, enum slot_use use);
void id_release(struct link *link, u16 id);

/* pool.c: all but the first four need controller->lock */

/* For the module. Stopping waits for backends to let go of pages, for some seconds at most. */
int pools_start(void);
void pools_stop(void);

/*
 * Allocates and shares count pages, and where the backend is to map them their directory. Returns 0
 * or an errno; pool_fini() frees in any case, or has that done later.
 */
int pool_init(struct link *link, u16 count, bool mapped, grant_ref_t *refs);
void pool_fini(struct link *link);

/* Takes a page, of which there must be a free one. Returns its place. */
u16 pool_take(struct pool *pool);
void pool_give(struct pool *pool, u16 place);

static inline void *pool_address(const struct pool *pool, u16 place)
{
	return page_address(pool->pages[place].page);
}

/* Takes as many pages for the slot's data as length bytes need: side by side where it can. */
void slot_pages_take(struct link *link, struct slot *slot, u32 length);

/* Gives all pages of the slot back. */
void slot_pages_give(struct link *link, struct slot *slot);

/* controller.c */

/*
 * Creates and registers a host controller with so many ports, for devices of up to speed_max, on
 * this version of the wire. May sleep. Returns it or an error pointer.
 */
struct controller *controller_create(struct frontend *frontend, u8 port_count, u8 speed_max,
				     u8 version);

/* Disconnects all devices and unregisters, with or without a link. Sleeps. */
void controller_unregister(struct controller *controller);

/* Frees what is unregistered and has no link any more. Sleeps. */
void controller_put(struct controller *controller);

/* port.c: all but roothubs_notify() need controller->lock */

void ports_init(struct controller *controller);

/* A device came or went, or woke up. roothubs_notify() is to follow. */
void port_event_handle(struct controller *controller, const struct port_event *event);

/* Nothing is connected any more. roothubs_notify() is to follow. */
void ports_empty(struct controller *controller);
void port_empty(struct port *port);

/* What is connected is another device, or none: XVHCIF_SPEED_NONE. roothubs_notify() follows. */
void port_change(struct port *port, u8 speed);

/* The hub driver clears the change of the connection. usb_hcd_poll_rh_status() is to follow. */
void port_change_seen(struct port *port);

/* Keeps the ports that have a device. */
void ports_keep(struct controller *controller);

/* What the hub driver asks of a port. */
void port_power(struct port *port, bool on);
void port_reset(struct port *port, bool warm);
void port_resume(struct port *port);
void port_suspend(struct port *port);

/* What goes by time ends where its time has come. */
void port_look(struct port *port);

/* Asks the backend for what ports are to do, as far as there are ids. */
void ports_send(struct link *link);

/* The backend has done it, or could not. */
void port_answered(struct slot *slot);

/* keep.c: all but the last three need controller->lock */

/* Whether an URB must wait, because its port is kept. */
bool transfer_is_held(const struct transfer *transfer);

/* Has an URB wait of which the backend, if it is still there, may know something. */
void transfer_hold(struct transfer *transfer);

void port_keep(struct port *port);

/* The device of a port that was kept is there again. */
void port_return(struct port *port);

/* A port is kept no more, where it was: its URBs end with this status. */
void port_keep_end(struct port *port, int status);

/* Waits for the device of a port that is kept, for a limited time. Sleeps. */
void port_await(struct port *port);

void keep_init(struct controller *controller);

/* Nobody waits any more, nor will: for a controller that is to be unregistered. Sleeps. */
void keep_fini(struct controller *controller);

/* roothub.c: the root hub up to high speed, and what both have in common */

extern const struct side_ops roothub_ops;

int roothub_control(struct usb_hcd *hcd, u16 type_request, u16 value, u16 index, char *buffer,
		    u16 length);
int roothub_status(struct usb_hcd *hcd, char *buffer);
int roothub_suspend(struct usb_hcd *hcd);
int roothub_resume(struct usb_hcd *hcd);

/* Has the USB core look at the ports. Not under controller->lock. */
void roothubs_notify(struct controller *controller);

/* Writes what GetPortStatus answers. Needs controller->lock. */
void roothub_port_status(struct port *port, char *buffer);

/* roothub_super.c: the root hub for SuperSpeed. The last one needs controller->lock. */

extern const struct side_ops roothub_super_ops;

int roothub_super_describe(const struct controller *controller, u16 value, char *buffer);
int roothub_super_capabilities(u16 value, char *buffer, u16 length);
int roothub_super_port_control(struct port *port, u16 type_request, u16 value, u8 parameter,
			       char *buffer);

/* streams.c */

int streams_allocate(struct usb_hcd *hcd, struct usb_device *device,
		     struct usb_host_endpoint **endpoints, unsigned int endpoint_count,
		     unsigned int stream_count, gfp_t mem_flags);
int streams_free(struct usb_hcd *hcd, struct usb_device *device,
		 struct usb_host_endpoint **endpoints, unsigned int endpoint_count,
		 gfp_t mem_flags);

/* Whoever waits for streams is told, by an error where the link goes. Needs controller->lock. */
void streams_answered(struct slot *slot, int error, u32 actual);

/* submit.c */

int transfer_enqueue(struct usb_hcd *hcd, struct urb *urb, gfp_t mem_flags);
int transfer_dequeue(struct usb_hcd *hcd, struct urb *urb, int status);

/* The port of the root hub that the device is behind, whatever number of hubs is between. */
u8 root_port(const struct usb_device *device);

/* Whether all parts of it were sent, or are never to be. Needs controller->lock. */
bool transfer_is_sent(const struct transfer *transfer);

/* Sends cancellations, then parts, as many as there is room for. Needs controller->lock. */
void transfers_start(struct link *link);

/* Fails the link where the backend did not answer in time what is awaited. Not under a lock. */
void transfers_check(struct controller *controller);

/* buffer.c: copy between the pages of a slot, from byte at on, and an URB's data. */

/* Zeroes the pages that the slot's data lies in. */
void buffer_clear(struct link *link, struct slot *slot);

void buffer_take(struct link *link, struct slot *slot, u32 at, const struct urb *urb, u32 offset,
		 u32 length);
void buffer_give(struct link *link, const struct slot *slot, u32 at, struct urb *urb, u32 offset,
		 u32 length);

/* complete.c */

/* The handler of the link's event channel, and its thread. */
irqreturn_t link_interrupt(int irq, void *link);
irqreturn_t link_thread(int irq, void *link);

/* Gives an URB back and frees its transfer. Needs controller->lock. */
void transfer_finish(struct controller *controller, struct transfer *transfer, int status);

#endif
