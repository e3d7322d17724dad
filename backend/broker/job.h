/* SPDX-License-Identifier: MIT */
/*
 * What the broker has the kernel do to hubs and devices. Any of it can take seconds where a device
 * does not answer, so a helper thread does it, in order, and the broker's loop goes on. There are
 * four such threads: one for hubs, whose claims are urgent; one for the names of devices, since the
 * kernel waits for whatever else it is doing to a device before it tells its name; one for other
 * machines, which may not answer; and one for all else. So a device that hangs while it is reset or
 * opened makes those of other ports wait, for the kernel's own limits, of some 5 s for each
 * attempt. Transfers of guests are not touched by that.
 */
#ifndef XVHC_BROKER_JOB_H
#define XVHC_BROKER_JOB_H

#include <broker/mounted.h>
#include <broker/topology.h>

#define JOBS_MAX 2048u /* waiting at a time */

enum job_type {
	JOB_CLAIM,   /* claim the hub ports */
	JOB_EVICT,   /* take the device from dom0's drivers */
	JOB_OPEN,    /* open the device for a worker, or a describer */
	JOB_RESET,   /* reset the device, leave it without a configuration */
	JOB_HUB,     /* have dom0's hub driver drive the hub, and claim its ports (hub_job.h) */
	JOB_RELEASE, /* give hub ports and device back to dom0 */
	JOB_IMPORT,  /* attach a port of another machine, and keep dom0's drivers from it */
	JOB_DETACH,  /* detach it */
	JOB_LABEL,   /* read what the device calls itself, and its serial number */
	JOB_CLOSE,   /* close fd */
	JOB_QUIT,    /* end the thread */
};

/* One of the hub ports of a connector. */
struct job_side {
	struct device_id hub; /* bus 0: this connector has no such side */
	char hub_name[DEVICE_NAME_MAX];
	uint8_t port;
	int fd; /* the open hub that holds the claim; -1: none. Closed, or filled, by the job */
};

struct job {
	enum job_type type;
	void *owner; /* of the submitter's */
	struct job_side side[2];
	struct device_id device; /* bus 0: none */
	char device_name[DEVICE_NAME_MAX];
	struct device_id other; /* EVICT, RELEASE: the device on the connector's other side, as a
				 * hub of both kinds has one; bus 0: none */
	char other_name[DEVICE_NAME_MAX];
	bool first; /* EVICT: no worker of ours has had it, so who uses it through usbfs is not us
		     */
	bool describe;       /* OPEN: for reading alone, for a describer */
	struct place remote; /* IMPORT: what to attach */
	uint8_t vhci_port;   /* IMPORT: outcome; DETACH: which; as usbip counts them */
	/* Outcome */
	int error;                /* 0 or -errno */
	int fd;                   /* OPEN, HUB: the open device */
	uint32_t paused_ms;       /* HUB: for so long no driver was probed */
	bool claim_lost;          /* HUB: the claim of its port is let go, and did not come back */
	bool remote_super;        /* IMPORT: to which root hub; side[remote_super] has the claim */
	uint64_t remote_instance; /* IMPORT: of that port */
	bool in_use;              /* EVICT, OPEN, HUB: dom0 uses the device; text says for what */
	char text[IN_USE_TEXT_MAX];   /* a sentence about the error, or the label */
	char serial[XVHC_SERIAL_MAX]; /* LABEL: as identity_serial() writes it */
	struct job *next;
};

/* Where jobs find things; the tests' are elsewhere. */
struct job_paths {
	struct mounted_paths mounted;
	const char *usb_nodes;    /* "/dev/bus/usb" */
	const char *probing_note; /* a file that is there while no driver is probed */
	const char *usbip;        /* "/usr/sbin/usbip" */
	const char *usbip_notes;  /* "/run/vhci_hcd": what usbip has attached */
};

struct jobs;

/*
 * Starts the thread. run does one job; it is a parameter so that the tests can stand in for the
 * kernel. paths is kept by reference. NULL on failure.
 */
struct jobs *jobs_start(void (*run)(struct job *job, const struct job_paths *paths),
			const struct job_paths *paths);

/* Readable while a job has been done. */
int jobs_fd(const struct jobs *jobs);

/* A job with no fds in it. NULL: no memory. */
struct job *job_new(enum job_type type, void *owner);

/* Gives a job to the thread. False, and the job stays the caller's, where too many wait. */
XVHC_MUST_CHECK bool jobs_submit(struct jobs *jobs, struct job *job);

/* Takes a finished job, which is then the caller's to free. NULL: none. */
struct job *jobs_collect(struct jobs *jobs);

/* Has the thread close a descriptor of a device or a hub, which can take its time. */
void jobs_close_fd(struct jobs *jobs, int fd);

/*
 * Ends the thread, after the jobs that wait; frees what was not collected. Where the kernel does
 * not come back from one within limit_ms, gives up on it and returns.
 */
void jobs_stop(struct jobs *jobs, uint32_t limit_ms);

/* Does a job for real. */
void usb_job_run(struct job *job, const struct job_paths *paths);

#endif
