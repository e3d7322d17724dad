/* SPDX-License-Identifier: MIT */
/* The jobs that attach and detach ports of other machines, with Debian's program usbip. */
#ifndef XVHC_BROKER_USBIP_JOB_H
#define XVHC_BROKER_USBIP_JOB_H

#include <broker/job.h>

/* JOB_IMPORT and JOB_DETACH, for real. */
void usbip_job_run(struct job *job, const struct job_paths *paths);

/*
 * The part of JOB_IMPORT that asks the other machine: runs `usbip attach`, and says in job->error
 * and job->text what went wrong.
 */
void usbip_attach(struct job *job, const struct job_paths *paths);

/* Whether nothing is attached to this port of vhci_hcd, by the number that usbip has for it. */
bool vhci_port_is_free(const char *sysfs, uint8_t vhci_port);

/* The place of a port of vhci_hcd. */
void vhci_place(bool super, uint8_t port, struct place *place);

#endif
