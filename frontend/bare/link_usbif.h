/* SPDX-License-Identifier: MIT */
/* Version 1 of the wire. Attacks use its parts. */
#ifndef BARE_LINK_USBIF_H
#define BARE_LINK_USBIF_H

#include "link.h"

extern const struct link_wire link_wire_usbif;

/* Writes the nodes that the backend looks at, and the state. */
void usbif_offer(const struct link *link, uint32_t urb, uint32_t conn, uint32_t event,
		 enum link_state state);

/* Begins a request: all of it but the data. */
void usbif_request_begin(struct usbif_urb_request *request, const struct link_request *asked);

/* Names length bytes of link_data, from the start of a page on, as a request's data. */
void usbif_set_data(const struct link *link, struct usbif_urb_request *request, uint32_t page,
		    uint32_t length);

#endif
