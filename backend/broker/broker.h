/* SPDX-License-Identifier: MIT */
/*
 * The broker's state, which its parts share.
 *
 * One loop waits for events: XenStore watches, udev, finished jobs, workers, clients, signals. A
 * handler does not act on what happened; it marks what may have changed. Then broker_settle()
 * compares what is with what should be, and takes the next step for each thing that is marked. So a
 * burst of events costs one look, however many they are, and a step that is lost is taken the next
 * time.
 *
 *   given port (given.c)      claim on the hub's ports, the device in it, which guest it is for
 *   controller (controller.c) one virtual host controller of a guest: its XenStore nodes, worker
 *   guest (guest.c)           a domain that runs
 *
 * A given port of a running guest is bound to a port number of one of the guest's controllers.
 */
#ifndef XVHC_BROKER_BROKER_H
#define XVHC_BROKER_BROKER_H

#include <sys/types.h>

#include <xvhc/limits.h>
#include <xvhc/usbif.h>

#include <broker/command.h>
#include <broker/guest_name.h>
#include <broker/identity.h>
#include <broker/job.h>
#include <broker/place.h>
#include <broker/policy.h>
#include <broker/ports_file.h>
#include <broker/service.h>
#include <broker/tally.h>
#include <broker/topology.h>
#include <broker/worker_process.h>
#include <broker/xenstore.h>
#include <common/log.h>
#include <common/rate.h>

struct controller;
struct event;
struct given;
struct plug;
struct worker_slot;
struct udev_monitor;

/* A client of the control socket that waits for an answer. serial 0: nobody. */
struct client_ref {
	uint32_t slot;
	uint32_t serial;
};

enum device_state {
	DEVICE_NONE = 0,
	DEVICE_PRESENT,   /* plugged in, claimed, not in use */
	DEVICE_HUB,       /* plugged in; its ports are given, and it is not (given_hub.c) */
	DEVICE_IN_DOM0,   /* was there before, and dom0 uses it: given.text says for what */
	DEVICE_FAILED,    /* it could not be opened: given.text says why */
	DEVICE_ATTACHED,  /* a worker has it */
	DEVICE_DETACHING, /* the worker is asked to give it back */
};

enum claim_state {
	CLAIM_NONE = 0, /* there is no such connector now, or not yet looked at */
	CLAIM_HELD,
	CLAIM_FAILED, /* given.text says why */
};

/*
 * One side's claim: the open hub. It is void where the port's directory in sysfs is another one by
 * now, which is so when the hub was replugged, but also when its driver, or the host controller's,
 * was started anew.
 */
struct claim {
	uint64_t instance; /* of the claimed port */
	int fd;            /* -1: none */
};

/* A hub in a given port that dom0's hub driver drives, with claims on all of its ports. */
struct hub {
	struct device_id id;
	uint64_t ports_instance; /* of one of its ports: they are made anew with its driver */
	int fd;                  /* holds the claims; -1: it is not open */
};

enum judgement {
	JUDGEMENT_NONE = 0, /* not yet, or being described */
	JUDGEMENT_ALLOWED,
	JUDGEMENT_REFUSED, /* given.refused_by says why */
};

#define CHANGED_TEXT_MAX 96u /* bytes of what a device was, with the NUL */

struct given {
	struct given *next;
	struct given *parent; /* of a port behind a hub: the port that the hub is in; else NULL */
	struct place place;   /* its name */
	struct place at; /* where it is: its place, or a port of vhci_hcd's (remote.c), or "" */
	char guest[XVHC_GUEST_NAME_MAX]; /* name or UUID; of a toolstack's port: for the log */
	bool by_toolstack;               /* through port/<n> of a controller that xl made */
	bool by_device;                  /* because of what is in it (given_identity.c) */
	bool in_file;                    /* a line of the file gives it */
	struct identity identity;        /* of by_device: which line gives it */
	uint64_t away_until_ms; /* of by_device: the device is away, and its port held; 0: no */
	uint64_t undecided_until_ms; /* the same: it may be another device; 0: no */
	bool confirmed;              /* the first claim went through */
	bool taking;                 /* on its way back to dom0 */
	struct client_ref waiter;

	uint8_t vhci_port; /* of a port of another machine that is attached */
	uint32_t remote_failures;
	uint64_t remote_retry_ms;

	struct job *job; /* the one that runs for this port; it refers to this struct */
	char mark[2][PLACE_SHORT_MAX]; /* by side: the file that tells udev (mark.h); or empty */
	enum claim_state claim_state;
	struct claim claim[2];
	struct hub hub[2];      /* by side */
	uint64_t hubs_until_ms; /* what opening hubs here has cost, given_hub.c */

	struct device_id device;
	enum device_state device_state;
	bool evict_due;   /* it may have been there before the claim */
	bool needs_reset; /* a guest had it */
	uint32_t opens_failed;
	enum port_state guest_use;
	bool attached_told; /* an event has told that the guest knows of it */

	/* Whether the guest may have it: judge.c. */
	struct describer *describer; /* NULL: none runs, or is about to */
	enum judgement judgement;
	bool described;
	bool allow_dfu;
	struct message_description description;
	char refused_by[POLICY_TEXT_MAX];
	bool had_now; /* the guest has, or had, this device */
	bool had_any; /* it had one before this */
	struct message_description had;
	uint64_t had_until_ms;
	uint64_t came_at_ms;
	char changed_from[CHANGED_TEXT_MAX]; /* what the guest had; empty: nothing else */

	struct worker_slot *holder; /* may have a descriptor of it; NULL: nobody (held.c) */
	dev_t node;                 /* of that descriptor */
	uint64_t retry_at_ms;       /* of IN_DOM0, FAILED, and of a claim that failed; 0: never */
	uint64_t detach_until_ms;   /* of DETACHING */
	char text[IN_USE_TEXT_MAX];

	struct controller *controller; /* NULL: bound to none */
	uint32_t port;                 /* of that controller */
	struct tally tally;
};

struct guest {
	uint32_t domid;
	char name[XVHC_GUEST_NAME_MAX];
	char uuid[UUID_TEXT_BYTES];
};

/* States of a XenBus device, as its nodes `state` have them. */
enum xenbus_state {
	XENBUS_UNKNOWN = 0,
	XENBUS_INITIALISING,
	XENBUS_INIT_WAIT,
	XENBUS_INITIALISED,
	XENBUS_CONNECTED,
	XENBUS_CLOSING,
	XENBUS_CLOSED,
	XENBUS_STATE_MAX = 8,
};

enum controller_phase {
	PHASE_NEW = 0,    /* not yet looked at */
	PHASE_WAITING,    /* for the frontend to publish its rings */
	PHASE_CONNECTING, /* the worker maps them */
	PHASE_CONNECTED,
	PHASE_CLOSING, /* for the frontend to close */
	PHASE_CLOSED,  /* by the guest: until its driver comes back */
	PHASE_PAUSING, /* before the next attempt to connect */
	PHASE_REMOVED, /* its frontend directory is away, to make the guest look anew */
	PHASE_OFFLINE, /* closed for good: the toolstack removes the nodes */
	PHASE_REFUSED, /* the frontend asks for what we do not have; it must close first */
};

/* What comes after PHASE_CLOSING. */
enum closing_aim {
	AIM_RECONNECT,
	AIM_CLOSED,  /* the guest closed it */
	AIM_OFFLINE, /* the toolstack, or the end of xvhcd, closed it */
	AIM_REMOVE,  /* ours, and no longer needed */
};

struct controller {
	uint32_t domid;
	uint32_t devid;
	uint32_t slot; /* of broker.controllers */
	bool ours;     /* made by us and not by a toolstack */
	bool dirty;
	bool ports_dirty; /* a toolstack changed port/<n> */
	uint32_t ports;
	uint32_t usb_version;  /* 1: up to full speed, 2: up to high speed */
	uint32_t wire_version; /* of the connection that there is, or was */
	enum controller_phase phase;
	enum closing_aim aim;
	uint64_t until_ms; /* of the phase; 0: no limit */
	uint64_t connected_at_ms;
	uint64_t connect_at_ms; /* not before this, however often the guest comes and goes */
	uint32_t attempts;      /* to reconnect since it last worked for a while */
	struct rate changes;    /* of its frontend's state that we look at */
	uint64_t look_at_ms;    /* there were more: look at it then; 0: there were not */
	uint32_t reprobes;      /* of these, by rewriting the frontend directory */
	bool stock_revived; /* the frontend directory was rewritten and nothing came of it yet */
	struct log_limit log_limit;
	struct worker_process *worker;           /* NULL: none */
	uint64_t connections;                    /* workers that were started for it */
	uint64_t failures;                       /* of them, those that ended for another reason
						  * than that the guest or xvhcd closed */
	struct counters_connection kept;         /* of workers that have ended: tally.h */
	struct given *given[USBIF_PORT_MAX + 1]; /* by port number, from 1 */
};

/* Somebody who captures what crosses the rings (capture.c). */
struct capture {
	uint32_t serial; /* of this one alone; 0: there is none */
	int fd;          /* the socket that records go to */
	uint32_t data_max;
	bool by_port;
	struct place place;              /* by_port: of the port */
	char guest[XVHC_GUEST_NAME_MAX]; /* else: of the guest */
};

/* What a worker was told about one of them. */
struct capture_told {
	uint32_t serial;
	uint32_t ports;
	uint32_t named; /* ports whose names the reader knows */
};

/* Workers that run, or end. */
struct worker_slot {
	struct worker_process process;
	struct controller *controller; /* NULL: nobody waits for it any more */
	bool used;
	uint64_t kill_at_ms; /* 0: never */
	bool looking;        /* it is being stopped, to see what it holds (held.c) */
	uint64_t look_until_ms;
	uint64_t stop_at_ms; /* it runs on until then, and is looked at again; 0: it does not */
	uint32_t domid;
	uint32_t bytes_share;     /* of usbfs' memory */
	uint32_t transfers_share; /* of its guest's transfers in flight */
	int counters;             /* the page that it counts in; -1: none */
	uint64_t started_at_ms;
	struct message_connect connect; /* as it was told */
	char name[32];
	struct capture_told told[XVHC_CAPTURES_MAX];
};

/* A describer that runs, ends, or is about to run. */
struct describer {
	bool used;
	bool running;
	struct given *given; /* NULL: nobody waits for it any more */
	struct worker_process process;
	uint64_t until_ms;
};

struct broker_options {
	const char *sysfs;
	const char *ports_file;
	const char *socket;
	const char *config;   /* NULL: none */
	bool config_required; /* it has to be there */
	const char *worker;
	const struct job_paths *paths;
	void (*run_job)(struct job *job, const struct job_paths *paths);
	bool hotplug;              /* follow the kernel's USB events */
	const char *marks;         /* directory for marks of given ports (mark.h); NULL: none */
	const char *notify_socket; /* of a service manager (service.h); NULL: none */
};

struct client;

/* What has happened of late: event.c. */
struct events {
	struct event *first; /* the oldest */
	uint32_t count;
	uint64_t last_number; /* 0: there was none yet */
	struct plug *plugs;   /* devices that are there: event_plug.c */
	uint32_t plug_count;
	bool plugs_known; /* they were looked at before */
	uint64_t scans;   /* of the topology: the last one that was looked at */
};

struct broker {
	const struct broker_options *options;
	struct xenstore *store;
	struct jobs *hub_jobs;    /* CLAIM: must not wait for a device that does not answer */
	struct jobs *label_jobs;  /* LABEL: only a name for a person depends on it */
	struct jobs *remote_jobs; /* IMPORT, DETACH: wait for other machines */
	struct jobs *device_jobs; /* all others */
	struct udev_monitor *udev;
	int epoll;
	int signals;
	int listener;
	int ports_watch; /* inotify, of the ports file's directory; -1: it is not followed */
	uint32_t own_domid;

	/* What may have changed since it was looked at. */
	bool topology_dirty;
	bool file_dirty;
	bool ports_again; /* lines of the file, or ports that are in their way */
	bool guests_dirty;
	bool controllers_dirty; /* some came or went */
	bool wishes_dirty;      /* given ports did: wishes.c */

	bool again; /* this round of settling changed something */
	bool stopping;
	uint64_t stop_until_ms;
	uint64_t now_ms; /* at the start of this round */
	uint64_t started_at_ms;
	uint64_t wake_at_ms; /* the next time that something is due; 0: never */

	struct topology topology;
	struct ports_file file;
	bool ports_written;        /* somebody is in the middle of writing it */
	bool ports_follows;        /* what has no line in it any more is taken */
	uint64_t ports_read_at_ms; /* it has changed; 0: it has not */
	struct policy policy;
	struct events events;
	struct given *given;
	struct guest *guests;
	struct client *clients;
	gid_t peer_gid; /* whose members may give commands (peer.h); 0: nobody's */
	uint32_t given_count;
	struct log_limit given_limit; /* of there being too many */
	struct log_limit mark_limit;
	uint32_t guest_count;
	uint32_t client_serial;
	uint64_t boot; /* of this boot of the machine alone; 0: unknown */

	struct controller *controllers[XVHC_CONTROLLERS_MAX];
	struct worker_slot workers[XVHC_CONTROLLERS_MAX];
	struct describer describers[XVHC_DESCRIBERS_MAX];
	struct service service;

	struct capture captures[XVHC_CAPTURES_MAX];
	uint32_t capture_count;
	uint32_t capture_serial;
};

/* What an epoll event belongs to; the index is in the lower half of its data. */
enum event_source {
	SOURCE_XENSTORE,
	SOURCE_UDEV,
	SOURCE_JOBS,
	SOURCE_SIGNALS,
	SOURCE_LISTENER,
	SOURCE_CLIENT,
	SOURCE_WORKER,      /* its socket */
	SOURCE_WORKER_EXIT, /* its pidfd */
	SOURCE_DESCRIBER,
	SOURCE_DESCRIBER_EXIT,
	SOURCE_PORTS_FILE,
	SOURCE_CAPTURE, /* its reader's end */
};

/*
 * Connects the parts. store becomes the broker's, also on failure. Returns 0, or -errno after a
 * sentence in the log.
 */
XVHC_MUST_CHECK int broker_init(struct broker *broker, const struct broker_options *options,
				struct xenstore *store);

/* Runs until SIGTERM or SIGINT, and ends in order. */
void broker_run(struct broker *broker);

/*
 * One round: takes all steps that are due, waits for events, for limit_ms at most (-1: as long as
 * it takes), and handles them. False when the broker has ended.
 */
bool broker_turn(struct broker *broker, int limit_ms);

void broker_fini(struct broker *broker);

/* Has epoll report a descriptor. Returns 0 or -errno. */
XVHC_MUST_CHECK int broker_follow(struct broker *broker, int fd, uint32_t events,
				  enum event_source source, uint32_t index);

/* Sees to it that broker_settle() runs at this time at the latest. 0: does nothing. */
void broker_wake_at(struct broker *broker, uint64_t time_ms);

/* CLOCK_MONOTONIC. */
uint64_t clock_ms(void);

#endif
