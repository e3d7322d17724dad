// SPDX-License-Identifier: MIT
/*
 * The common part: a device on a socket, in the usbredir protocol.
 *
 * QEMU connects, both say hello, and the device is announced: its endpoints first, then itself.
 * From then on QEMU sends what the host asks of the device, and each request is answered where it
 * arrives, but for reads of bulk endpoints, which wait until the model has something. QEMU asks
 * once for isochronous and interrupt endpoints, and then takes whatever comes, whenever it comes:
 * it keeps up to 120 ms of isochronous packets, and drops half of them when they become more.
 */
#include "redir.h"

#include "endpoints.h"
#include "standard.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <usbredirparser.h>

#define ENDPOINTS 16
#define READS_MAX 64 /* of one bulk endpoint at once */

/* Reads of a bulk endpoint that wait, the oldest first. */
struct reads {
	size_t count;
	struct {
		uint64_t id;
		struct usb_redir_bulk_packet_header header;
	} at[READS_MAX];
};

struct device {
	const struct model *model;
	const struct look *look; /* NULL: it is not in the port */
	struct usbredirparser *parser;
	int socket;
	bool greeted;
	bool ended; /* QEMU has gone */
	uint64_t wake_us;
	uint8_t configuration;
	uint8_t settings[DEVICE_INTERFACES_MAX];
	struct reads reads[ENDPOINTS];
};

uint64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

void device_say(const char *format, ...)
{
	va_list list;

	va_start(list, format);
	vprintf(format, list);
	va_end(list);
	putchar('\n');
	fflush(stdout);
}

static int read_socket(void *priv, uint8_t *data, int count)
{
	struct device *device = priv;
	ssize_t got = recv(device->socket, data, (size_t)count, MSG_DONTWAIT);

	if (got > 0)
		return (int)got;
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	device->ended = true;
	return -1;
}

/* QEMU reads all the time: this does not block for long. */
static int write_socket(void *priv, uint8_t *data, int count)
{
	struct device *device = priv;
	ssize_t put = send(device->socket, data, (size_t)count, MSG_NOSIGNAL);

	if (put > 0)
		return (int)put;
	if (put < 0 && errno == EINTR)
		return 0;
	device->ended = true;
	return -1;
}

static void log_line(void *priv, int level, const char *text)
{
	(void)priv;
	if (level <= usbredirparser_warning)
		device_say("usbredir: %s", text);
}

static void flush(struct device *device)
{
	while (!device->ended && usbredirparser_has_data_to_write(device->parser))
		usbredirparser_do_write(device->parser);
}

static void send_endpoints(struct device *device)
{
	struct usb_redir_interface_info_header interfaces;
	struct usb_redir_ep_info_header endpoints;

	endpoints_describe(device->look, device->settings, &endpoints, &interfaces);
	usbredirparser_send_interface_info(device->parser, &interfaces);
	usbredirparser_send_ep_info(device->parser, &endpoints);
}

static void announce(struct device *device)
{
	const uint8_t *it = device->look->device;
	struct usb_redir_device_connect_header connect = {
		.speed = (uint8_t)device->look->speed,
		.device_class = it[4],
		.device_subclass = it[5],
		.device_protocol = it[6],
		.vendor_id = (uint16_t)(it[8] | it[9] << 8),
		.product_id = (uint16_t)(it[10] | it[11] << 8),
		.device_version_bcd = (uint16_t)(it[12] | it[13] << 8),
	};

	memset(device->settings, 0, sizeof(device->settings));
	device->configuration = 0;
	send_endpoints(device);
	usbredirparser_send_device_connect(device->parser, &connect);
	flush(device);
}

void device_leave(struct device *device)
{
	size_t i;

	device->look = NULL;
	for (i = 0; i < ENDPOINTS; i++)
		device->reads[i].count = 0;
	usbredirparser_send_device_disconnect(device->parser);
	flush(device);
}

void device_come(struct device *device, const struct look *look)
{
	device->look = look;
	if (device->greeted)
		announce(device);
}

void device_wake_at(struct device *device, uint64_t time_us)
{
	device->wake_us = time_us;
}

static void on_hello(void *priv, struct usb_redir_hello_header *hello)
{
	struct device *device = priv;

	(void)hello;
	device->greeted = true;
	if (device->look)
		announce(device);
}

static void on_reset(void *priv)
{
	struct device *device = priv;

	memset(device->settings, 0, sizeof(device->settings));
	device->configuration = 0;
	if (device->look)
		send_endpoints(device);
}

static void on_set_configuration(void *priv, uint64_t id,
				 struct usb_redir_set_configuration_header *set)
{
	struct device *device = priv;
	struct usb_redir_configuration_status_header status = {
		.status = usb_redir_success,
		.configuration = set->configuration,
	};

	device->configuration = set->configuration;
	memset(device->settings, 0, sizeof(device->settings));
	if (device->look)
		send_endpoints(device);
	usbredirparser_send_configuration_status(device->parser, id, &status);
}

static void on_get_configuration(void *priv, uint64_t id)
{
	struct device *device = priv;
	struct usb_redir_configuration_status_header status = {
		.status = usb_redir_success,
		.configuration = device->configuration,
	};

	usbredirparser_send_configuration_status(device->parser, id, &status);
}

static void send_setting(struct device *device, uint64_t id, uint8_t interface)
{
	struct usb_redir_alt_setting_status_header status = {
		.status = usb_redir_stall,
		.interface = interface,
	};

	if (interface < DEVICE_INTERFACES_MAX) {
		status.status = usb_redir_success;
		status.alt = device->settings[interface];
	}
	usbredirparser_send_alt_setting_status(device->parser, id, &status);
}

static void on_set_setting(void *priv, uint64_t id, struct usb_redir_set_alt_setting_header *set)
{
	struct device *device = priv;

	if (set->interface < DEVICE_INTERFACES_MAX && device->look) {
		device->settings[set->interface] = set->alt;
		send_endpoints(device);
		if (device->model->set)
			device->model->set(device, set->interface, set->alt);
	}
	send_setting(device, id, set->interface);
}

static void on_get_setting(void *priv, uint64_t id, struct usb_redir_get_alt_setting_header *get)
{
	send_setting(priv, id, get->interface);
}

static void stream(struct device *device, uint64_t id, uint8_t endpoint, bool on)
{
	struct usb_redir_iso_stream_status_header status = {
		.status = usb_redir_success,
		.endpoint = endpoint,
	};

	usbredirparser_send_iso_stream_status(device->parser, id, &status);
	if (device->model->stream)
		device->model->stream(device, endpoint, on);
}

static void on_start_stream(void *priv, uint64_t id,
			    struct usb_redir_start_iso_stream_header *start)
{
	stream(priv, id, start->endpoint, true);
}

static void on_stop_stream(void *priv, uint64_t id, struct usb_redir_stop_iso_stream_header *stop)
{
	stream(priv, id, stop->endpoint, false);
}

static void interrupts(struct device *device, uint64_t id, uint8_t endpoint, bool on)
{
	struct usb_redir_interrupt_receiving_status_header status = {
		.status = usb_redir_success,
		.endpoint = endpoint,
	};

	usbredirparser_send_interrupt_receiving_status(device->parser, id, &status);
	if (device->model->stream)
		device->model->stream(device, endpoint, on);
}

static void on_start_interrupts(void *priv, uint64_t id,
				struct usb_redir_start_interrupt_receiving_header *start)
{
	interrupts(priv, id, start->endpoint, true);
}

static void on_stop_interrupts(void *priv, uint64_t id,
			       struct usb_redir_stop_interrupt_receiving_header *stop)
{
	interrupts(priv, id, stop->endpoint, false);
}

static int control_answer(struct device *device, const struct setup *setup, uint8_t *data)
{
	int count = STALL;
	bool standard = (setup->type & 0x60) == 0;

	if (!device->look)
		return STALL;
	if (device->model->control && (!standard || (setup->type & 0x1f) == 1))
		count = device->model->control(device, setup, data);
	if (count == STALL && standard)
		count = standard_request(device->look, setup, data);
	return count;
}

static void on_control(void *priv, uint64_t id, struct usb_redir_control_packet_header *header,
		       uint8_t *data, int bytes)
{
	struct device *device = priv;
	struct setup setup = {
		.type = header->requesttype,
		.request = header->request,
		.value = header->value,
		.index = header->index,
		.length = header->length,
	};
	uint8_t buffer[DEVICE_CONTROL_MAX];
	bool in = setup.type & 0x80;
	int count = STALL;

	if (setup.length <= sizeof(buffer)) {
		memset(buffer, 0, sizeof(buffer));
		if (!in && bytes > 0)
			memcpy(buffer, data, (size_t)bytes);
		count = control_answer(device, &setup, buffer);
	}
	usbredirparser_free_packet_data(device->parser, data);
	header->status = count == STALL ? usb_redir_stall : usb_redir_success;
	if (count == STALL)
		count = 0;
	header->length = in ? (uint16_t)count : setup.length;
	usbredirparser_send_control_packet(device->parser, id, header, in ? buffer : NULL,
					   in ? count : 0);
}

static void take_out(struct device *device, uint8_t endpoint, uint8_t *data, int bytes)
{
	if (device->look && device->model->out)
		device->model->out(device, endpoint, data, (size_t)bytes);
	usbredirparser_free_packet_data(device->parser, data);
}

/* QEMU wants no answer to these. */
static void on_isoc(void *priv, uint64_t id, struct usb_redir_iso_packet_header *header,
		    uint8_t *data, int bytes)
{
	(void)id;
	take_out(priv, header->endpoint, data, bytes);
}

static void on_interrupt(void *priv, uint64_t id, struct usb_redir_interrupt_packet_header *header,
			 uint8_t *data, int bytes)
{
	struct device *device = priv;

	take_out(device, header->endpoint, data, bytes);
	header->status = usb_redir_success;
	usbredirparser_send_interrupt_packet(device->parser, id, header, NULL, 0);
}

static void on_bulk(void *priv, uint64_t id, struct usb_redir_bulk_packet_header *header,
		    uint8_t *data, int bytes)
{
	struct device *device = priv;
	struct reads *reads = &device->reads[header->endpoint & 0x0f];

	if (!(header->endpoint & 0x80)) {
		take_out(device, header->endpoint, data, bytes);
		header->status = usb_redir_success;
		usbredirparser_send_bulk_packet(device->parser, id, header, NULL, 0);
		return;
	}
	assert(reads->count < READS_MAX);
	reads->at[reads->count].id = id;
	reads->at[reads->count].header = *header;
	reads->count++;
	if (device->look && device->model->read)
		device->model->read(device, header->endpoint);
}

static void end_read(struct device *device, struct reads *reads, size_t i, uint8_t status,
		     const uint8_t *data, size_t bytes)
{
	struct usb_redir_bulk_packet_header header = reads->at[i].header;
	uint64_t id = reads->at[i].id;

	reads->count--;
	memmove(&reads->at[i], &reads->at[i + 1], (reads->count - i) * sizeof(reads->at[0]));
	header.status = status;
	header.length = (uint16_t)bytes;
	header.length_high = (uint16_t)(bytes >> 16);
	usbredirparser_send_bulk_packet(device->parser, id, &header, (uint8_t *)data, (int)bytes);
}

static void on_cancel(void *priv, uint64_t id)
{
	struct device *device = priv;
	size_t endpoint;
	size_t i;

	for (endpoint = 0; endpoint < ENDPOINTS; endpoint++) {
		struct reads *reads = &device->reads[endpoint];

		for (i = 0; i < reads->count; i++) {
			if (reads->at[i].id != id)
				continue;
			end_read(device, reads, i, usb_redir_cancelled, NULL, 0);
			return;
		}
	}
}

size_t device_bulk_wanted(const struct device *device, uint8_t endpoint)
{
	const struct reads *reads = &device->reads[endpoint & 0x0f];

	if (reads->count == 0)
		return 0;
	return reads->at[0].header.length | (size_t)reads->at[0].header.length_high << 16;
}

void device_bulk(struct device *device, uint8_t endpoint, const uint8_t *data, size_t bytes)
{
	assert(bytes <= device_bulk_wanted(device, endpoint));
	end_read(device, &device->reads[endpoint & 0x0f], 0, usb_redir_success, data, bytes);
}

void device_isoc(struct device *device, uint8_t endpoint, const uint8_t *data, size_t bytes)
{
	struct usb_redir_iso_packet_header header = {
		.endpoint = endpoint,
		.status = usb_redir_success,
		.length = (uint16_t)bytes,
	};

	usbredirparser_send_iso_packet(device->parser, 0, &header, (uint8_t *)data, (int)bytes);
}

void device_interrupt(struct device *device, uint8_t endpoint, const uint8_t *data, size_t bytes)
{
	struct usb_redir_interrupt_packet_header header = {
		.endpoint = endpoint,
		.status = usb_redir_success,
		.length = (uint16_t)bytes,
	};

	usbredirparser_send_interrupt_packet(device->parser, 0, &header, (uint8_t *)data,
					     (int)bytes);
}

static void set_callbacks(struct usbredirparser *parser)
{
	parser->log_func = log_line;
	parser->read_func = read_socket;
	parser->write_func = write_socket;
	parser->hello_func = on_hello;
	parser->reset_func = on_reset;
	parser->set_configuration_func = on_set_configuration;
	parser->get_configuration_func = on_get_configuration;
	parser->set_alt_setting_func = on_set_setting;
	parser->get_alt_setting_func = on_get_setting;
	parser->start_iso_stream_func = on_start_stream;
	parser->stop_iso_stream_func = on_stop_stream;
	parser->start_interrupt_receiving_func = on_start_interrupts;
	parser->stop_interrupt_receiving_func = on_stop_interrupts;
	parser->cancel_data_packet_func = on_cancel;
	parser->control_packet_func = on_control;
	parser->bulk_packet_func = on_bulk;
	parser->iso_packet_func = on_isoc;
	parser->interrupt_packet_func = on_interrupt;
}

struct device *redir_open(const struct model *model, int socket)
{
	uint32_t caps[USB_REDIR_CAPS_SIZE] = {0};
	struct device *device = calloc(1, sizeof(*device));

	if (!device)
		return NULL;
	device->model = model;
	device->look = model->look;
	device->socket = socket;
	device->parser = usbredirparser_create();
	if (!device->parser) {
		free(device);
		return NULL;
	}
	device->parser->priv = device;
	set_callbacks(device->parser);
	usbredirparser_caps_set_cap(caps, usb_redir_cap_connect_device_version);
	usbredirparser_caps_set_cap(caps, usb_redir_cap_ep_info_max_packet_size);
	usbredirparser_caps_set_cap(caps, usb_redir_cap_64bits_ids);
	usbredirparser_caps_set_cap(caps, usb_redir_cap_32bits_bulk_length);
	usbredirparser_init(device->parser, "xvhc lab-device", caps, USB_REDIR_CAPS_SIZE,
			    usbredirparser_fl_usb_host);
	flush(device);
	return device;
}

void redir_close(struct device *device)
{
	usbredirparser_destroy(device->parser);
	close(device->socket);
	free(device);
}

bool redir_read(struct device *device)
{
	int rc = usbredirparser_do_read(device->parser);

	flush(device);
	return rc == 0 && !device->ended;
}

bool redir_wake(struct device *device)
{
	if (device->wake_us && now_us() >= device->wake_us) {
		device->wake_us = 0;
		device->model->wake(device);
		flush(device);
	}
	return !device->ended;
}

bool redir_poke(struct device *device)
{
	if (device->model->poke)
		device->model->poke(device);
	flush(device);
	return !device->ended;
}

int64_t redir_wait_us(const struct device *device)
{
	uint64_t now = now_us();

	if (!device->wake_us)
		return -1;
	return device->wake_us > now ? (int64_t)(device->wake_us - now) : 0;
}
