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
#define XVHC_STREAMS_MAX 256u      /* of one bulk endpoint */
#define XVHC_POOL_PAGES_MAX 4096u  /* of a guest's, for data, that a worker maps: 16 MiB */

/* One device, as its descriptors describe it. */
#define XVHC_CONFIG_BYTES_MAX 4096u /* one configuration with all that belongs to it */
#define XVHC_CONFIGS_MAX 8u
#define XVHC_INTERFACES_MAX 32u
#define XVHC_ALTSETTINGS_MAX 128u /* of all interfaces together */
#define XVHC_ENDPOINTS_MAX 256u   /* of all alternate settings together */

#define XVHC_KINDS_MAX 32u /* different classes of interfaces: more are refused */

/* One guest's quotas. Each has a key in the configuration (docs/policy.md). */
#define XVHC_TRANSFERS_IN_FLIGHT_MIN 4u
#define XVHC_TRANSFERS_IN_FLIGHT_DEFAULT 256u
#define XVHC_TRANSFERS_IN_FLIGHT_MAX 65536u
#define XVHC_BYTES_IN_FLIGHT_MIN 1114112u
#define XVHC_BYTES_IN_FLIGHT_DEFAULT 4194304u
#define XVHC_BYTES_IN_FLIGHT_MAX 1073741824u
/* Of one worker at least, by the version of its wire: the largest transfer must fit. */
#define XVHC_WORKER_BYTES_MIN_1 262144u
#define XVHC_WORKER_BYTES_MIN_2 1114112u
#define XVHC_SMALL_BYTES 4096u         /* a transfer of at most this is small */
#define XVHC_BYTES_FOR_SMALL 65536u    /* version 2: what is large leaves this to what is small */
#define XVHC_WORKER_BYTES_MAX 2162688u /* the share of one controller */
#define XVHC_WORKER_TRANSFERS_MAX 128u /* the same, for transfers in flight */
#define XVHC_TRANSFER_OVERHEAD 2048u   /* bytes that usbfs counts beside a transfer's data */
#define XVHC_USBFS_MEMORY_MB 16u       /* usbfs' own default for the whole host */
#define XVHC_HOST_FULL_PAUSE_MS 20u    /* until a transfer is tried again that had no room there */
#define XVHC_CONTROL_RATE_MIN 50u      /* control requests in a second */
#define XVHC_CONTROL_RATE_DEFAULT 2000u
#define XVHC_CONTROL_RATE_MAX 1000000u
#define XVHC_RECONNECT_PAUSE_MIN_MS 100u /* after the first failure; doubled each time */
#define XVHC_RECONNECT_PAUSE_S_MIN 1u    /* the longest pause, in seconds */
#define XVHC_RECONNECT_PAUSE_S_DEFAULT 30u
#define XVHC_RECONNECT_PAUSE_S_MAX 3600u
#define XVHC_REPROBES_MAX 5u          /* of a frontend that does not reconnect by itself */
#define XVHC_XENSTORE_CHANGES_MIN 10u /* changes of a frontend's state in a second */
#define XVHC_XENSTORE_CHANGES_DEFAULT 100u
#define XVHC_XENSTORE_CHANGES_MAX 100000u

/* Judging devices. */
#define XVHC_DESCRIBERS_MAX 4u       /* at once */
#define XVHC_DESCRIBE_LIMIT_MS 5000u /* to read a device's descriptors */
#define XVHC_CHANGE_WINDOW_MS 15000u /* a device that comes this soon after another replaces it */
#define XVHC_POLICY_SECTIONS_MAX 2048u
#define XVHC_POLICY_RULES_MAX 1024u    /* of one filter */
#define XVHC_POLICY_BYTES_MAX 1048576u /* of the configuration */

/* Captures of what crosses the rings. */
#define XVHC_CAPTURES_MAX 4u               /* at once */
#define XVHC_CAPTURE_DATA_MAX 262144u      /* bytes of one request's data */
#define XVHC_CAPTURE_DATA_DEFAULT 65536u   /* the same, where nobody says how many */
#define XVHC_CAPTURE_INTERFACES_MAX 256u   /* ports in one file */
#define XVHC_CAPTURE_CONTROLLERS_MAX 1024u /* the same */

/* Host-wide. */
#define XVHC_CONTROLLERS_MAX 1024u
#define XVHC_GIVEN_PORTS_MAX 1024u
#define XVHC_HUB_PORTS_MAX 64u        /* ports behind hubs in one given port, at any depth */
#define XVHC_PORT_CHAIN_MAX 6u        /* hubs between a root port and a device, at most (USB: 5) */
#define XVHC_PLACE_MAX 96u            /* bytes of a port's name, with its NUL */
#define XVHC_GUEST_NAME_MAX 256u      /* bytes of a guest's name, with its NUL */
#define XVHC_GIVEN_DEVICES_MAX 256u   /* devices that are given by what they are */
#define XVHC_SERIAL_MAX 128u          /* bytes of a serial number as it is written, with its NUL */
#define XVHC_SERIAL_LIMIT_MS 5000u    /* for a new device's serial number, in a port that is held */
#define XVHC_DEVICE_AWAY_MS 3000u     /* for which the port of a given device is held for it */
#define XVHC_PORTS_FILE_QUIET_MS 300u /* without a change, before the file is read again */
#define XVHC_COMMAND_BYTES_MAX 4096u  /* one request on the control socket */

/* Events, which xvhcd tells and keeps for a while. */
#define XVHC_EVENTS_MAX 2048u           /* that are kept */
#define XVHC_EVENTS_OF_A_GUEST_MAX 256u /* of one guest; of no guest; all kinds */
#define XVHC_EVENTS_OF_A_KIND_MAX 16u   /* of one kind, about one port */
#define XVHC_EVENTS_PER_SECOND_MAX 8u   /* of one kind, about one port: the others are counted */
#define XVHC_EVENT_BYTES_MAX 4096u      /* of one, as a line of JSON */
#define XVHC_PORT_EVENT_PAUSE_MS 1000u  /* between two of a kind that a worker sends of a port */
#define XVHC_PLUG_NAME_MS 300u          /* until a device is told of whose name does not come */
#define XVHC_MONITORS_MAX 8u            /* clients that follow events, at once */
#define XVHC_MONITOR_WORDS_MAX 8u       /* ports and guests that one of them follows */

#endif
