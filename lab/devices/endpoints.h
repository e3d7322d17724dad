// SPDX-License-Identifier: MIT
/* What usb-redir is told of interfaces and endpoints, as it stands in the descriptors. */
#ifndef LAB_DEVICES_ENDPOINTS_H
#define LAB_DEVICES_ENDPOINTS_H

#include "device.h"

#include <usbredirproto.h>

/* The endpoints of the settings that are chosen, by interface; of none without a configuration. */
void endpoints_describe(const struct look *look, const uint8_t *settings,
			struct usb_redir_ep_info_header *endpoints,
			struct usb_redir_interface_info_header *interfaces);

#endif
