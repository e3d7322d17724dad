/* SPDX-License-Identifier: MIT */
/*
 * Control requests that are not simply sent: those that the USB core behind us must carry out, and
 * those that the device must not see.
 */
#ifndef XVHC_WORKER_SETUP_H
#define XVHC_WORKER_SETUP_H

#include "worker.h"

/* Carries out a vetted control request, sends it, or answers it. */
void setup_run(struct slot *slot);

/* The port's operation, one that setup_run() began, has ended: the device's state follows. */
void setup_operation_done(struct port *port, int error);

#endif
