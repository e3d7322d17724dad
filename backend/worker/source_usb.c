// SPDX-License-Identifier: MIT
/*
 * Devices through libusb, each on a usbfs descriptor that the broker opened. libusb looks for no
 * devices of its own.
 *
 * Transfers are libusb's asynchronous ones, one structure for each slot, made at the start with
 * room for the most isochronous packets. libusb's descriptors are in the worker's loop: the
 * process' own, and one for each open device, which come and go by call back, also on a helper
 * thread. Operations that block are done by helpers (source_usb_blocking.c).
 *
 * libusb calls back from within handle_events() only, and a transfer that was submitted is always
 * called back for: also where it was cancelled, or where the device has gone.
 */
#include "source_usb.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <common/log.h>
#include <error.h>

/* Events of epoll and of poll are the same bits. */
static_assert(EPOLLIN == POLLIN && EPOLLOUT == POLLOUT, "events");

libusb_context *source_usb_context;
struct usb_device_place source_usb_places[USBIF_PORT_MAX];

static struct loop *loop;
static const struct source_calls *calls;
static int event = -1; /* a helper is done */
static uint32_t places;

/* One for each slot. */
struct usb_transfer {
	struct libusb_transfer *libusb;
	struct source_device *device;
	struct source_transfer *transfer;
};

static struct usb_transfer transfers[SOURCE_SLOTS];

int source_usb_error(int libusb_error)
{
	switch (libusb_error) {
	case LIBUSB_SUCCESS:
		return XVHC_OK;
	case LIBUSB_ERROR_NO_DEVICE:
		return XVHC_ENODEV;
	case LIBUSB_ERROR_PIPE:
	case LIBUSB_ERROR_NOT_FOUND:
		return XVHC_ESTALL;
	case LIBUSB_ERROR_INVALID_PARAM:
		return XVHC_EINVAL;
	case LIBUSB_ERROR_OVERFLOW:
		return XVHC_EBABBLE;
	case LIBUSB_ERROR_NO_MEM:
		return XVHC_ELIMIT;
	default:
		return XVHC_EIO;
	}
}

static int transfer_error(enum libusb_transfer_status status)
{
	switch (status) {
	case LIBUSB_TRANSFER_COMPLETED:
		return XVHC_OK;
	case LIBUSB_TRANSFER_CANCELLED:
		return XVHC_ECANCEL;
	case LIBUSB_TRANSFER_STALL:
		return XVHC_ESTALL;
	case LIBUSB_TRANSFER_NO_DEVICE:
		return XVHC_ENODEV;
	case LIBUSB_TRANSFER_OVERFLOW:
		return XVHC_EBABBLE;
	default:
		return XVHC_EIO;
	}
}

static void fd_added(int fd, short events, void *unused)
{
	(void)unused;
	if (loop_add(loop, fd, (uint32_t)events, LOOP_SOURCE) < 0)
		log_line(LOG_LEVEL_ERROR, "cannot wait for a device: %s", strerror(errno));
}

static void fd_removed(int fd, void *unused)
{
	(void)unused;
	loop_remove(loop, fd);
}

static int watch_descriptors(void)
{
	const struct libusb_pollfd **list = libusb_get_pollfds(source_usb_context), **at;

	if (!list)
		return -ENOMEM;
	for (at = list; *at; at++)
		fd_added((*at)->fd, (*at)->events, NULL);
	libusb_free_pollfds(list);
	libusb_set_pollfd_notifiers(source_usb_context, fd_added, fd_removed, NULL);
	event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (event < 0)
		return -errno;
	return loop_add(loop, event, EPOLLIN, LOOP_OPERATIONS);
}

static int usb_init(struct loop *worker_loop, const struct source_calls *worker_calls)
{
	uint32_t i;
	int error;

	loop = worker_loop;
	calls = worker_calls;
	(void)libusb_set_option(NULL, LIBUSB_OPTION_NO_DEVICE_DISCOVERY);
	error = libusb_init(&source_usb_context);
	if (error < 0) {
		log_line(LOG_LEVEL_ERROR, "libusb does not start: %s (is usbfs in /dev/bus/usb?)",
			 libusb_error_name(error));
		return -EIO;
	}
	for (i = 0; i < SOURCE_SLOTS; i++) {
		transfers[i].libusb = libusb_alloc_transfer((int)XVHC_ISOC_PACKETS_MAX);
		if (!transfers[i].libusb)
			return -ENOMEM;
	}
	return watch_descriptors();
}

static int usb_start(uint32_t ports)
{
	int error = source_usb_helpers_start(ports, event);

	places = ports;
	if (error < 0)
		log_line(LOG_LEVEL_ERROR, "cannot start threads: %s", strerror(-error));
	return error;
}

static void usb_handle_operations(void)
{
	uint64_t count;
	uint32_t i;
	int error;

	if (read(event, &count, sizeof(count)) < 0)
		return;
	for (i = 0; i < places; i++) {
		if (source_usb_helper_done(&source_usb_places[i], &error))
			calls->operation_done(source_usb_places[i].device, error);
		if (source_usb_sleeper_woke(&source_usb_places[i]))
			calls->device_woke(source_usb_places[i].device);
	}
}

static void usb_handle_events(void)
{
	struct timeval now = {0};

	(void)libusb_handle_events_timeout_completed(source_usb_context, &now, NULL);
}

static void usb_operate(struct source_device *device, const struct source_operation *operation)
{
	struct usb_device_place *place = &source_usb_places[device->port - 1];

	place->device = device;
	source_usb_helper_begin(place, operation);
}

static void take_packets(const struct libusb_transfer *libusb, struct source_transfer *transfer)
{
	uint32_t i;

	for (i = 0; i < transfer->packets; i++) {
		transfer->packet[i].actual = libusb->iso_packet_desc[i].actual_length;
		transfer->packet[i].result = transfer_error(libusb->iso_packet_desc[i].status);
	}
}

static void LIBUSB_CALL completed(struct libusb_transfer *libusb)
{
	struct usb_transfer *own = libusb->user_data;
	struct source_transfer *transfer = own->transfer;

	transfer->error = transfer_error(libusb->status);
	transfer->actual = (uint32_t)libusb->actual_length;
	if (transfer->type == TRANSFER_ISOC)
		take_packets(libusb, transfer);
	own->transfer = NULL;
	calls->transfer_done(own->device, transfer);
}

static void fill(struct libusb_transfer *libusb, const struct source_transfer *transfer)
{
	static const uint8_t types[] = {
		[TRANSFER_CONTROL] = LIBUSB_TRANSFER_TYPE_CONTROL,
		[TRANSFER_ISOC] = LIBUSB_TRANSFER_TYPE_ISOCHRONOUS,
		[TRANSFER_BULK] = LIBUSB_TRANSFER_TYPE_BULK,
		[TRANSFER_INTERRUPT] = LIBUSB_TRANSFER_TYPE_INTERRUPT,
	};
	uint32_t i;

	libusb->type = types[transfer->type];
	libusb->endpoint = transfer->endpoint;
	libusb->buffer = transfer->buffer;
	libusb->length = (int)transfer->length;
	libusb->num_iso_packets = (int)transfer->packets;
	libusb->flags = transfer->zero_packet ? LIBUSB_TRANSFER_ADD_ZERO_PACKET : 0;
	libusb->timeout = 0;
	libusb->callback = completed;
	libusb->user_data = &transfers[transfer->slot];
	if (transfer->stream != 0) {
		libusb->type = LIBUSB_TRANSFER_TYPE_BULK_STREAM;
		libusb_transfer_set_stream_id(libusb, transfer->stream);
	}
	if (transfer->type == TRANSFER_CONTROL)
		libusb->length += (int)SOURCE_SETUP_BYTES;
	/* Of packets that it never got to, libusb leaves what stands here. */
	for (i = 0; i < transfer->packets; i++) {
		libusb->iso_packet_desc[i].length = transfer->packet[i].length;
		libusb->iso_packet_desc[i].actual_length = 0;
		libusb->iso_packet_desc[i].status = LIBUSB_TRANSFER_ERROR;
	}
}

static int usb_submit(struct source_device *device, struct source_transfer *transfer)
{
	struct usb_device_place *place = &source_usb_places[device->port - 1];
	struct usb_transfer *own = &transfers[transfer->slot];
	int error;

	if (!place->handle)
		return XVHC_ENODEV;
	fill(own->libusb, transfer);
	own->libusb->dev_handle = place->handle;
	own->device = device;
	own->transfer = transfer;
	error = libusb_submit_transfer(own->libusb);
	if (error < 0)
		own->transfer = NULL;
	return source_usb_error(error);
}

static void usb_cancel(struct source_device *device, struct source_transfer *transfer)
{
	(void)device;
	/* NOT_FOUND: it has ended, and will be called back for. */
	(void)libusb_cancel_transfer(transfers[transfer->slot].libusb);
}

const struct source_ops source_usb = {
	.init = usb_init,
	.start = usb_start,
	.handle_events = usb_handle_events,
	.handle_operations = usb_handle_operations,
	.operate = usb_operate,
	.submit = usb_submit,
	.cancel = usb_cancel,
};
