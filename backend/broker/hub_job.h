/* SPDX-License-Identifier: MIT */
#ifndef XVHC_BROKER_HUB_JOB_H
#define XVHC_BROKER_HUB_JOB_H

#include <broker/job.h>

/*
 * Has dom0's hub driver drive the hub in a given port, with a claim on each of the hub's ports.
 * job->device is the hub, job->side[] the port that it is in. The claims belong to job->fd.
 */
void hub_job_run(struct job *job, const struct job_paths *paths);

/*
 * Lets the kernel probe drivers again where xvhcd was ended while it did not. To be called before
 * the first job, and after the last.
 */
void hub_job_recover(const struct job_paths *paths);

#endif
