/* SPDX-License-Identifier: MIT */
/* Requests of version 2 that are for a port or for endpoints, and carry no data. */
#ifndef XVHC_WORKER_PORT_REQUEST_H
#define XVHC_WORKER_PORT_REQUEST_H

#include "worker.h"

/* Carries one out, or answers it. */
void port_request_run(struct slot *slot);

/* The port's operation, one that port_request_run() began, has ended: the device's state follows.
 */
void port_request_done(struct port *port, int error);

#endif
