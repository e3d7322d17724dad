// SPDX-License-Identifier: MIT
#include "setup.h"

#include <string.h>

#include <control.h>
#include <present.h>

#include "broker_link.h"
#include "buffer.h"
#include "counted.h"
#include "port.h"
#include "request.h"

#define ADDRESS_MAX 127u

static void pass(struct slot *slot, const struct control_setup *setup)
{
	(void)setup;
	request_submit(slot);
}

/* What a device does with a request that it does not know. */
static void stall(struct slot *slot, const char *verdict)
{
	request_refuse(slot, XVHC_ESTALL, verdict);
}

static void refuse(struct slot *slot, const struct control_setup *setup)
{
	(void)setup;
	stall(slot, "a test mode, which only a loss of power ends");
}

/* The USB core behind us has given the device an address; the guest's is one for this wire only. */
static void set_address(struct slot *slot, const struct control_setup *setup)
{
	struct port *port = slot->port;

	if (setup->value > ADDRESS_MAX || setup->length != 0) {
		stall(slot, "no address that a device can have");
		return;
	}
	port->state.address = (uint8_t)setup->value;
	broker_link_report(port, setup->value ? PORT_ADDRESSED : PORT_ATTACHED);
	request_answer(slot, XVHC_OK, 0);
}

static void set_configuration(struct slot *slot, const struct control_setup *setup)
{
	struct port *port = slot->port;
	uint8_t value = (uint8_t)setup->value;
	struct source_operation operation = {.kind = SOURCE_SET_CONFIGURATION, .value = value};

	if (setup->length != 0 || slot->request.address == 0 ||
	    !device_state_has_configuration(&port->state, value)) {
		stall(slot, "the device has no such configuration");
		return;
	}
	if (value != 0)
		operation.interfaces = descriptor_interfaces(
			&port->descriptors,
			descriptor_find_configuration(&port->descriptors, value));
	port_operate(port, &operation, slot);
}

static void set_interface(struct slot *slot, const struct control_setup *setup)
{
	struct port *port = slot->port;
	struct source_operation operation = {
		.kind = SOURCE_SET_INTERFACE,
		.interface = (uint8_t)setup->index,
		.altsetting = (uint8_t)setup->value,
	};

	if (setup->length != 0 || setup->index > UINT8_MAX || setup->value > UINT8_MAX ||
	    !device_state_altsetting(&port->state, operation.interface, operation.altsetting)) {
		stall(slot, "the device has no such interface or setting");
		return;
	}
	port_operate(port, &operation, slot);
}

static void clear_halt(struct slot *slot, const struct control_setup *setup)
{
	struct port *port = slot->port;
	struct source_operation operation = {
		.kind = SOURCE_CLEAR_HALT,
		.endpoint = (uint8_t)(setup->index & 0x8f),
	};

	if (setup->length != 0 || setup->index != operation.endpoint ||
	    !device_state_endpoint(&port->state, operation.endpoint)) {
		stall(slot, "the active setting has no such endpoint");
		return;
	}
	port_operate(port, &operation, slot);
}

/*
 * Whether the guest gets our copy of a descriptor: the kernel's, by which the device was judged. A
 * device that tells the guest something else than it told us would be another than the one that the
 * policy has let pass, and than the one by which we vet. Where descriptors were rewritten, each
 * part has to fit the others.
 */
static bool is_answered_from_copy(const struct port *port, uint8_t type)
{
	return type == DESCRIPTOR_DEVICE || type == DESCRIPTOR_CONFIGURATION ||
	       (type == DESCRIPTOR_BOS && port->presented);
}

static void get_descriptor(struct slot *slot, const struct control_setup *setup)
{
	struct port *port = slot->port;
	uint8_t type = (uint8_t)(setup->value >> 8), index = (uint8_t)setup->value;
	const uint8_t *found;
	size_t length;

	if (!is_answered_from_copy(port, type)) {
		pass(slot, setup);
		return;
	}
	length = present_find(port->device.descriptors, port->device.descriptors_length, type,
			      index, &found);
	if (length == 0) {
		stall(slot, "the device has no such descriptor");
		return;
	}
	if (length > setup->length)
		length = setup->length;
	memcpy(slot->data, found, length);
	slot->transfer.actual = (uint32_t)length;
	if (length > 0 && buffer_store(port->worker, slot) != XVHC_OK) {
		request_refuse(slot, XVHC_EINVAL, "its data cannot be copied to the guest");
	} else {
		request_answer(slot, XVHC_OK, (uint32_t)length);
	}
}

static void (*const runs[])(struct slot *slot, const struct control_setup *setup) = {
	[CONTROL_PASS] = pass,
	[CONTROL_SET_ADDRESS] = set_address,
	[CONTROL_SET_CONFIGURATION] = set_configuration,
	[CONTROL_SET_INTERFACE] = set_interface,
	[CONTROL_CLEAR_HALT] = clear_halt,
	[CONTROL_GET_DESCRIPTOR] = get_descriptor,
	[CONTROL_REFUSE] = refuse,
};

void setup_run(struct slot *slot)
{
	struct control_setup setup;

	control_parse(slot->request.setup, &setup);
	runs[control_classify(&setup)](slot, &setup);
}

/* The device is in a configuration, or in an unknown one where that failed: none, for us. */
static void configured(struct port *port, uint8_t value, int error)
{
	if (error != XVHC_OK)
		value = 0;
	error = device_state_configure(&port->state, value);
	assert(error == XVHC_OK); /* set_configuration() has looked */
	broker_link_report(port, value ? PORT_CONFIGURED : PORT_ADDRESSED);
}

static void altsetting_set(struct port *port, const struct source_operation *operation)
{
	int error = device_state_set_interface(&port->state, operation->interface,
					       operation->altsetting);

	assert(error == XVHC_OK); /* set_interface() has looked */
}

void setup_operation_done(struct port *port, int error)
{
	const struct source_operation *operation = &port->operation;

	if (operation->kind == SOURCE_SET_CONFIGURATION)
		configured(port, operation->value, error);
	else if (operation->kind == SOURCE_SET_INTERFACE && error == XVHC_OK)
		altsetting_set(port, operation);
}
