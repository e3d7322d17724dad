/* SPDX-License-Identifier: MIT */
/* What the guest believes of its devices, and requests that follow from it. */
#ifndef XVHC_TESTS_SIM_VIEW_H
#define XVHC_TESTS_SIM_VIEW_H

#include <message.h>

#include "request.h"
#include "rings.h"

/* A new worker: no devices. */
void views_reset(void);

/* Fills in a request for a device. Returns false where there is no memory for it. */
bool view_fill(struct sim_request *request);

/* A request was answered. */
void view_answered(const struct sim_request *request, uint32_t status);

/* An event came. */
void view_event(const struct sim_event *event);

/* The state of the device is not known for sure until its next reset. */
void view_doubt(uint32_t port);

/* The device will go, or is gone; or there is another one. */
void view_lost(uint32_t port);
void view_given(uint32_t port, const struct message_attach *attach);

bool view_connected(uint32_t port);

/* Whether this request's change is the only one of its device since it was submitted. */
bool view_changes_nothing_else(const struct sim_request *request);

/* The kind of the device that was given last, and whether it is presented as high speed. */
uint32_t view_kind(uint32_t port);
bool view_presented(uint32_t port);

#endif
