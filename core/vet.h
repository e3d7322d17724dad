/* SPDX-License-Identifier: MIT */
/*
 * Vetting: whether a request may reach the device, given what the device is and in which state the
 * guest has put it. The tables come from the descriptors that the guest is shown.
 */
#ifndef XVHC_CORE_VET_H
#define XVHC_CORE_VET_H

#include "descriptor.h"
#include "transfer.h"

/* A device as the guest has addressed and configured it (USB 2.0, 9.1). */
struct device_state {
	const struct descriptor_table *descriptors; /* the caller's, outlives this */
	uint8_t address;                            /* 0: default state */
	uint8_t configuration;                      /* its value; 0: none */
	bool firmware_allowed;                      /* downloads of firmware (DFU) may pass */
	uint8_t altsetting[XVHC_INTERFACES_MAX];    /* active one of each interface */
	/* Endpoints of the active settings, by number and direction: index in the table + 1. */
	uint16_t endpoint[2][16];
	uint16_t streams[2][16]; /* of the same: how many are allocated; 0: none are */
};

/* The state after a reset: address 0, no configuration, no downloads of firmware. */
void device_state_init(struct device_state *state, const struct descriptor_table *descriptors);

/*
 * Whether the state points into its table alone. Each of the functions below relies on it, and
 * keeps it so; they rely on descriptor_table_is_valid() as well.
 */
bool device_state_is_valid(const struct device_state *state);

/*
 * Selects a configuration, with altsetting 0 of each interface; 0 selects none. Returns XVHC_EINVAL
 * and changes nothing where the device has no such configuration.
 */
XVHC_MUST_CHECK int device_state_configure(struct device_state *state, uint8_t value);

/*
 * Selects an altsetting. Returns XVHC_EINVAL and changes nothing where the active configuration has
 * no such interface or altsetting.
 */
XVHC_MUST_CHECK int device_state_set_interface(struct device_state *state, uint8_t interface,
					       uint8_t altsetting);

/* Whether the configuration can be selected: the device has it, or it is 0. */
bool device_state_has_configuration(const struct device_state *state, uint8_t value);

/* The altsetting of the active configuration, or NULL. */
const struct descriptor_altsetting *device_state_altsetting(const struct device_state *state,
							    uint8_t interface, uint8_t altsetting);

/* The endpoint of the active settings with this bEndpointAddress, or NULL. */
const struct descriptor_endpoint *device_state_endpoint(const struct device_state *state,
							uint8_t address);

/*
 * Whether each of these endpoints (bit n, and 16 + n for those to the host; at least one) is an
 * active bulk endpoint.
 */
bool device_state_can_stream(const struct device_state *state, uint32_t endpoints);

/* Notes that these endpoints have so many streams each; 0: none. */
void device_state_set_streams(struct device_state *state, uint32_t endpoints, uint16_t streams);

/* Whether the endpoint is one of this interface's active altsetting. */
bool device_state_owns(const struct device_state *state, uint8_t interface, uint8_t address);

/*
 * Judges a request; packets is its decoded packet list where it is isochronous. Returns XVHC_OK,
 * XVHC_ENODEV where nobody has that address, XVHC_EINVAL where it may not pass, XVHC_ESTALL where
 * the device shall seem not to know it.
 */
XVHC_MUST_CHECK int vet_request(const struct device_state *state,
				const struct transfer_request *request,
				const struct transfer_packet *packets);

/* Why vet_request() refuses this request, in words for a person; NULL: it does not. */
const char *vet_verdict(const struct device_state *state, const struct transfer_request *request,
			const struct transfer_packet *packets);

#endif
