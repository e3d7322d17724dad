/* SPDX-License-Identifier: MIT */
/*
 * Every limit of xvhc, in one place. A value from a guest, a device, a worker or a command is
 * compared with one of these before it is used.
 */
#ifndef XVHC_LIMITS_H
#define XVHC_LIMITS_H

/* One controller. The wire allows 31 ports (USBIF_PORT_MAX). */
#define XVHC_PORTS_DEFAULT 8u      /* ports of a controller that xvhcd makes */
#define XVHC_TRANSFER_MAX 65535u   /* bytes of one control transfer: wLength has 16 bits */
#define XVHC_ISOC_PACKETS_MAX 128u /* packets of one transfer: usbfs takes no more */

/* One device, as its descriptors describe it. */
#define XVHC_CONFIG_BYTES_MAX 4096u /* one configuration with all that belongs to it */
#define XVHC_CONFIGS_MAX 8u
#define XVHC_INTERFACES_MAX 32u
#define XVHC_ALTSETTINGS_MAX 128u /* of all interfaces together */
#define XVHC_ENDPOINTS_MAX 256u   /* of all alternate settings together */

/* Host-wide. */
#define XVHC_CONTROLLERS_MAX 1024u
#define XVHC_GIVEN_PORTS_MAX 1024u
#define XVHC_PORT_CHAIN_MAX 6u       /* hubs between a root port and a device, at most (USB: 5) */
#define XVHC_PLACE_MAX 96u           /* bytes of a port's name, with its NUL */
#define XVHC_GUEST_NAME_MAX 256u     /* bytes of a guest's name, with its NUL */
#define XVHC_COMMAND_BYTES_MAX 4096u /* one request on the control socket */

#endif
