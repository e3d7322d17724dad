// SPDX-License-Identifier: MIT
/*
 * Operations that usbfs carries out while the caller waits: opening (libusb asks the device for its
 * configuration), setting configurations and interfaces, clearing halts, resets, and closing (a
 * released interface is set back to its altsetting 0). Each place has a helper thread for them, so
 * that a device that takes its time stops nobody else. The threads are made before the first
 * device and live as long as the process.
 */
#include "source_usb.h"

#include <errno.h>
#include <limits.h>
#include <linux/usbdevice_fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <common/log.h>
#include <error.h>

#define STACK_BYTES ((size_t)256 * 1024)

static int done_event = -1;

static int read_descriptors(struct source_device *device, int fd)
{
	uint32_t length = 0;
	ssize_t got = 1;

	/* usbfs leaves holes where a device sent less than it announced. */
	memset(device->descriptors, 0, sizeof(device->descriptors));
	while (length < sizeof(device->descriptors) && got > 0) {
		got = pread(fd, device->descriptors + length, sizeof(device->descriptors) - length,
			    length);
		if (got < 0)
			return errno == ENODEV ? XVHC_ENODEV : XVHC_EIO;
		length += (uint32_t)got;
	}
	device->descriptors_length = length;
	return XVHC_OK;
}

static int run_open(struct usb_device_place *place, const struct source_operation *operation)
{
	int error;

	place->fd = operation->fd;
	place->claimed = 0;
	error = read_descriptors(place->device, place->fd);
	if (error != XVHC_OK)
		return error;
	error = libusb_wrap_sys_device(source_usb_context, place->fd, &place->handle);
	if (error < 0) {
		place->handle = NULL;
		return source_usb_error(error);
	}
	return XVHC_OK;
}

static void release_interfaces(struct usb_device_place *place)
{
	int i;

	for (i = 0; i < (int)XVHC_INTERFACES_MAX; i++) {
		if (place->claimed & (1u << i))
			(void)libusb_release_interface(place->handle, i);
	}
	place->claimed = 0;
}

static int claim_interfaces(struct usb_device_place *place, uint32_t interfaces)
{
	int i, error;

	for (i = 0; i < (int)XVHC_INTERFACES_MAX; i++) {
		if ((interfaces & (1u << i)) == 0)
			continue;
		error = libusb_claim_interface(place->handle, i);
		/* The kernel does not make an interface of each descriptor that says so. */
		if (error == LIBUSB_ERROR_NOT_FOUND)
			continue;
		if (error < 0) {
			log_limited(&place->log, LOG_LEVEL_WARNING,
				    "port %u: cannot claim interface %d: %s", place->device->port,
				    i, libusb_error_name(error));
			return error;
		}
		place->claimed |= 1u << i;
	}
	return 0;
}

static int run_set_configuration(struct usb_device_place *place,
				 const struct source_operation *operation)
{
	int error;

	/* usbfs sets no configuration while an interface is claimed. */
	release_interfaces(place);
	error = libusb_set_configuration(place->handle, operation->value ? operation->value : -1);
	if (error == 0)
		error = claim_interfaces(place, operation->interfaces);
	return source_usb_error(error);
}

/*
 * The device may fall asleep from now on: nobody else keeps it awake, and the broker has told the
 * kernel that it may (power/control in sysfs). The sleeper tells when it is awake again.
 */
static int run_suspend(struct usb_device_place *place)
{
	if (ioctl(place->fd, USBDEVFS_ALLOW_SUSPEND, NULL) < 0)
		return errno == ENODEV ? XVHC_ENODEV : XVHC_EIO;
	source_usb_sleeper_begin(place);
	return XVHC_OK;
}

static int run_resume(struct usb_device_place *place)
{
	if (ioctl(place->fd, USBDEVFS_FORBID_SUSPEND, NULL) < 0)
		return errno == ENODEV ? XVHC_ENODEV : XVHC_EIO;
	return XVHC_OK;
}

static int run_reset(struct usb_device_place *place)
{
	int error;

	release_interfaces(place);
	/* It must be awake for that, and stay so. */
	(void)run_resume(place);
	error = libusb_reset_device(place->handle);
	/* The device came back as another one: this descriptor is good for nothing any more. */
	if (error == LIBUSB_ERROR_NOT_FOUND)
		error = LIBUSB_ERROR_NO_DEVICE;
	return source_usb_error(error);
}

static int list_endpoints(uint32_t endpoints, unsigned char list[32])
{
	int count = 0, i;

	for (i = 0; i < 32; i++) {
		if (endpoints & 1u << i)
			list[count++] = (unsigned char)((i & 15) | (i & 16) << 3);
	}
	return count;
}

static int run_streams_allocate(struct usb_device_place *place,
				const struct source_operation *operation)
{
	unsigned char list[32];
	int count = list_endpoints(operation->endpoints, list);
	int streams = libusb_alloc_streams(place->handle, operation->streams, list, count);

	if (streams < 0)
		return source_usb_error(streams);
	place->device->streams = (uint16_t)streams;
	return XVHC_OK;
}

static int run_streams_free(struct usb_device_place *place,
			    const struct source_operation *operation)
{
	unsigned char list[32];
	int count = list_endpoints(operation->endpoints, list);

	return source_usb_error(libusb_free_streams(place->handle, list, count));
}

static int run_close(struct usb_device_place *place)
{
	/* One that waits for the device to wake up holds the descriptor. */
	if (place->fd >= 0)
		(void)ioctl(place->fd, USBDEVFS_FORBID_SUSPEND, NULL);
	source_usb_sleeper_await(place);
	if (place->handle) {
		release_interfaces(place);
		libusb_close(place->handle);
	}
	place->handle = NULL;
	if (place->fd >= 0)
		close(place->fd);
	place->fd = -1;
	return XVHC_OK;
}

static int run(struct usb_device_place *place, const struct source_operation *operation)
{
	switch (operation->kind) {
	case SOURCE_OPEN:
		return run_open(place, operation);
	case SOURCE_SET_CONFIGURATION:
		return run_set_configuration(place, operation);
	case SOURCE_SET_INTERFACE:
		return source_usb_error(libusb_set_interface_alt_setting(
			place->handle, operation->interface, operation->altsetting));
	case SOURCE_CLEAR_HALT:
		return source_usb_error(libusb_clear_halt(place->handle, operation->endpoint));
	case SOURCE_RESET:
		return run_reset(place);
	case SOURCE_SUSPEND:
		return run_suspend(place);
	case SOURCE_RESUME:
		return run_resume(place);
	case SOURCE_STREAMS_ALLOCATE:
		return run_streams_allocate(place, operation);
	case SOURCE_STREAMS_FREE:
		return run_streams_free(place, operation);
	default:
		return run_close(place);
	}
}

static void *help(void *argument)
{
	struct usb_device_place *place = argument;
	struct source_operation operation;
	uint64_t one = 1;
	int error;

	pthread_mutex_lock(&place->lock);
	place->runs = true;
	pthread_cond_signal(&place->begun);
	pthread_mutex_unlock(&place->lock);
	for (;;) {
		pthread_mutex_lock(&place->lock);
		while (!place->due)
			pthread_cond_wait(&place->wake, &place->lock);
		place->due = false;
		operation = place->operation;
		pthread_mutex_unlock(&place->lock);

		error = run(place, &operation);

		pthread_mutex_lock(&place->lock);
		place->error = error;
		place->done = true;
		pthread_mutex_unlock(&place->lock);
		if (write(done_event, &one, sizeof(one)) < 0)
			log_line(LOG_LEVEL_ERROR, "cannot wake the worker: %s", strerror(errno));
	}
	return NULL;
}

static int start_one(struct usb_device_place *place, const pthread_attr_t *attributes)
{
	pthread_t thread;
	int error;

	place->fd = -1;
	pthread_mutex_init(&place->lock, NULL);
	pthread_cond_init(&place->wake, NULL);
	pthread_cond_init(&place->begun, NULL);
	error = pthread_create(&thread, attributes, help, place);
	if (error == 0)
		error = pthread_create(&thread, attributes, source_usb_sleeper, place);
	return -error;
}

/* The first thing that a thread does is to make system calls that the filter does not let pass. */
static void await_one(struct usb_device_place *place)
{
	pthread_mutex_lock(&place->lock);
	while (!place->runs || place->sleeper == SLEEPER_UNBORN)
		pthread_cond_wait(&place->begun, &place->lock);
	pthread_mutex_unlock(&place->lock);
}

int source_usb_helpers_start(uint32_t count, int event)
{
	pthread_attr_t attributes;
	uint32_t i;
	int error = 0;

	done_event = event;
	source_usb_sleepers_init(event);
	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	for (i = 0; i < count && error == 0; i++)
		error = start_one(&source_usb_places[i], &attributes);
	pthread_attr_destroy(&attributes);
	for (i = 0; i < count && error == 0; i++)
		await_one(&source_usb_places[i]);
	return error;
}

void source_usb_helper_begin(struct usb_device_place *place,
			     const struct source_operation *operation)
{
	pthread_mutex_lock(&place->lock);
	place->operation = *operation;
	place->due = true;
	pthread_cond_signal(&place->wake);
	pthread_mutex_unlock(&place->lock);
}

bool source_usb_helper_done(struct usb_device_place *place, int *error)
{
	bool done;

	pthread_mutex_lock(&place->lock);
	done = place->done;
	place->done = false;
	*error = place->error;
	pthread_mutex_unlock(&place->lock);
	return done;
}
