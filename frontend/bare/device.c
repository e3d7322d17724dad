// SPDX-License-Identifier: MIT
#include "device.h"

#include <error.h>
#include <string.h>
#include <transfer.h>

#define GET_DESCRIPTOR 6u
#define SET_ADDRESS 5u
#define SET_CONFIGURATION 9u
#define CLEAR_FEATURE 1u
#define TO_ENDPOINT 0x02u

void setup_write(const struct setup *setup, uint8_t bytes[8])
{
	bytes[0] = setup->request_type;
	bytes[1] = setup->request;
	bytes[2] = (uint8_t)setup->value;
	bytes[3] = (uint8_t)(setup->value >> 8);
	bytes[4] = (uint8_t)setup->index;
	bytes[5] = (uint8_t)(setup->index >> 8);
	bytes[6] = (uint8_t)setup->length;
	bytes[7] = (uint8_t)(setup->length >> 8);
}

/* Sends a request with data by way of the link's data pages. */
static int exchange(struct device *device, const struct link_request *request, void *data)
{
	bool in = (request->endpoint & 0x80) != 0;
	int result;

	if (request->length > device->link->wire->length_max)
		return LINK_WRONG;
	if (!in)
		memcpy(link_data, data, request->length);
	result = link_exchange(device->link, request);
	if (in && result > 0)
		memcpy(data, link_data, (size_t)result);
	return result;
}

int device_control(struct device *device, const struct setup *setup, void *data)
{
	struct link_request request = {
		.port = device->port,
		.address = device->address,
		.endpoint = setup->request_type & CONTROL_IN,
		.type = TRANSFER_CONTROL,
		.length = setup->length,
	};

	setup_write(setup, request.setup);
	return exchange(device, &request, data);
}

int device_bulk(struct device *device, uint8_t endpoint, void *data, uint32_t length)
{
	const struct link_request request = {
		.port = device->port,
		.address = device->address,
		.endpoint = endpoint,
		.type = TRANSFER_BULK,
		.length = length,
	};

	return exchange(device, &request, data);
}

int device_clear_halt(struct device *device, uint8_t endpoint)
{
	const struct setup setup = {TO_ENDPOINT, CLEAR_FEATURE, 0, endpoint, 0};

	return device_control(device, &setup, NULL);
}

static int get_descriptor(struct device *device, uint8_t type, uint8_t *data, uint16_t length)
{
	const struct setup setup = {CONTROL_IN, GET_DESCRIPTOR, (uint16_t)(type << 8), 0, length};

	return device_control(device, &setup, data);
}

int device_enumerate(struct device *device, struct link *link, uint8_t port)
{
	static uint8_t bytes[DESCRIPTOR_DEVICE_BYTES + XVHC_CONFIG_BYTES_MAX];
	uint8_t *configuration = bytes + DESCRIPTOR_DEVICE_BYTES;
	struct setup setup = {0, SET_ADDRESS, port, 0, 0};
	uint16_t total;
	int result;

	memset(device, 0, sizeof(*device));
	device->link = link;
	device->port = port;
	result = link_reset(link, port);
	if (result >= 0)
		result = get_descriptor(device, DESCRIPTOR_DEVICE, bytes, 8);
	if (result >= 0)
		result = device_control(device, &setup, NULL);
	if (result < 0)
		return result;
	device->address = port;
	result = get_descriptor(device, DESCRIPTOR_DEVICE, bytes, DESCRIPTOR_DEVICE_BYTES);
	if (result >= 0)
		result = get_descriptor(device, DESCRIPTOR_CONFIGURATION, configuration,
					DESCRIPTOR_CONFIGURATION_BYTES);
	if (result < 0)
		return result;
	total = descriptor_u16(configuration + 2);
	if (total > XVHC_CONFIG_BYTES_MAX)
		total = XVHC_CONFIG_BYTES_MAX;
	result = get_descriptor(device, DESCRIPTOR_CONFIGURATION, configuration, total);
	if (result < 0)
		return result;
	if (descriptor_parse(&device->descriptors, bytes,
			     DESCRIPTOR_DEVICE_BYTES + (size_t)result) != XVHC_OK ||
	    device->descriptors.configurations == 0)
		return LINK_WRONG;
	setup = (struct setup){0, SET_CONFIGURATION, device->descriptors.configuration[0].value, 0,
			       0};
	return device_control(device, &setup, NULL);
}

const struct descriptor_endpoint *device_find_endpoint(const struct device *device, uint8_t type,
						       bool in)
{
	const struct descriptor_table *table = &device->descriptors;
	uint32_t i, j;

	for (i = 0; i < table->configuration[0].altsetting_end; i++) {
		const struct descriptor_altsetting *altsetting = &table->altsetting[i];

		for (j = altsetting->endpoint; j < altsetting->endpoint_end; j++) {
			const struct descriptor_endpoint *endpoint = &table->endpoint[j];

			if (altsetting->number == 0 && endpoint->type == type &&
			    ((endpoint->address & 0x80) != 0) == in)
				return endpoint;
		}
	}
	return NULL;
}
