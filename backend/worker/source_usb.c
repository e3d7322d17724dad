// SPDX-License-Identifier: MIT
/*
 * Devices through usbfs, each on a descriptor that the broker opened. libusb looks for no devices
 * of its own; operations that block go through it, by helpers (source_usb_blocking.c). Transfers
 * are usbfs' own (source_usb_transfer.c).
 *
 * A device's descriptor is in the worker's loop from when it was opened until it is to be closed,
 * or until the device has gone.
 */
#include "source_usb.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <common/log.h>
#include <error.h>

libusb_context *source_usb_context;
struct usb_device_place source_usb_places[USBIF_PORT_MAX];

static struct loop *loop;
static const struct source_calls *calls;
static int event = -1; /* a helper is done */
static uint32_t places;

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

static int usb_init(struct loop *worker_loop, const struct source_calls *worker_calls)
{
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
	event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (event < 0)
		return -errno;
	return loop_add(loop, event, EPOLLIN, LOOP_OPERATIONS);
}

static int usb_start(uint32_t ports)
{
	int error = source_usb_helpers_start(ports, event);

	places = ports;
	if (error < 0)
		log_line(LOG_LEVEL_ERROR, "cannot start threads: %s", strerror(-error));
	return error;
}

static void watch(struct usb_device_place *place, uint32_t number)
{
	int error = loop_add(loop, place->fd, EPOLLOUT, LOOP_DEVICES + number);

	place->watched = error == 0;
	if (error < 0)
		log_line(LOG_LEVEL_ERROR, "cannot wait for a device: %s", strerror(-error));
}

static void watch_no_more(struct usb_device_place *place)
{
	if (place->watched)
		loop_remove(loop, place->fd);
	place->watched = false;
}

static void usb_handle_operations(void)
{
	struct usb_device_place *place;
	uint64_t count;
	uint32_t i;
	int error;

	if (read(event, &count, sizeof(count)) < 0)
		return;
	for (i = 0; i < places; i++) {
		place = &source_usb_places[i];
		if (source_usb_helper_done(place, &error)) {
			if (place->operation.kind == SOURCE_OPEN && error == XVHC_OK)
				watch(place, i);
			calls->operation_done(place->device, error);
		}
		if (source_usb_sleeper_woke(place))
			calls->device_woke(place->device);
	}
}

static void usb_handle_device(uint32_t number)
{
	struct usb_device_place *place = &source_usb_places[number];

	/* It may have been ready when it was given up, in this same round. */
	if (!place->watched)
		return;
	/* A descriptor of a device that has gone is ready for ever. */
	if (!source_usb_reap(place, calls))
		watch_no_more(place);
}

static void usb_operate(struct source_device *device, const struct source_operation *operation)
{
	struct usb_device_place *place = &source_usb_places[device->port - 1];

	place->device = device;
	if (operation->kind == SOURCE_CLOSE)
		watch_no_more(place);
	source_usb_helper_begin(place, operation);
}

const struct source_ops source_usb = {
	.init = usb_init,
	.start = usb_start,
	.handle_operations = usb_handle_operations,
	.handle_device = usb_handle_device,
	.operate = usb_operate,
	.submit = source_usb_submit,
	.cancel = source_usb_cancel,
};
