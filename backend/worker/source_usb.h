/* SPDX-License-Identifier: MIT */
/* What the parts of the usbfs source share: transfers, operations that block, and sleepers. */
#ifndef XVHC_WORKER_SOURCE_USB_H
#define XVHC_WORKER_SOURCE_USB_H

#include <libusb-1.0/libusb.h>
#include <pthread.h>

#include <common/log.h>

#include "source.h"

/*
 * One real device, or the place for one. While an operation is under way (busy) everything here is
 * the helper thread's, except what a transfer on another endpoint needs: handle stays as it is
 * then, since no such transfer is under way while it changes.
 */
struct usb_device_place {
	struct source_device *device;
	libusb_device_handle *handle; /* NULL: not open */
	int fd;
	uint32_t flying;  /* transfers */
	uint32_t claimed; /* interfaces, a bit for each */
	int error;        /* of the operation that is done; of the lock */
	struct log_limit log;

	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t wake;
	pthread_cond_t begun;
	pthread_cond_t sleeper_wake;
	pthread_t sleeper_thread;
	enum {
		SLEEPER_UNBORN,
		SLEEPER_IDLE,
		SLEEPER_WAITS, /* for the device to wake up */
	} sleeper;
	struct source_operation operation;
	bool sleeper_stop; /* the device is to be closed */
	bool woke;         /* to be told */
	bool runs;         /* the helper does */
	bool due;          /* operation waits for the helper */
	bool done;

	bool watched; /* by the loop; not of the lock */
};

/* Of the process, for both halves. */
extern libusb_context *source_usb_context;
extern struct usb_device_place source_usb_places[USBIF_PORT_MAX];

/*
 * Transfers (source_usb_transfer.c). submit() and cancel() are those of struct source_ops. reap()
 * calls transfer_done for each that has ended, and returns whether the device is there still.
 */
XVHC_MUST_CHECK int source_usb_submit(struct source_device *device,
				      struct source_transfer *transfer);
void source_usb_cancel(struct source_device *device, struct source_transfer *transfer);
XVHC_MUST_CHECK bool source_usb_reap(struct usb_device_place *place,
				     const struct source_calls *calls);

/* The enum xvhc_error of an enum libusb_error. */
int source_usb_error(int libusb_error);

/*
 * Starts a helper thread for each of the first count places, and waits until all of them run. event
 * is an eventfd, written when an operation is done. Returns 0 or -errno.
 */
XVHC_MUST_CHECK int source_usb_helpers_start(uint32_t count, int event);

/* Hands an operation to the place's helper. */
void source_usb_helper_begin(struct usb_device_place *place,
			     const struct source_operation *operation);

/*
 * The thread of a place that waits until its device, which may fall asleep, is awake again. begin()
 * has it wait; await() ends that.
 */
void source_usb_sleepers_init(int event);
void *source_usb_sleeper(void *argument);
void source_usb_sleeper_begin(struct usb_device_place *place);
void source_usb_sleeper_await(struct usb_device_place *place);

/* Whether a device has woken up since the last call. */
bool source_usb_sleeper_woke(struct usb_device_place *place);

/* Whether an operation has ended since the last call; sets *error to what it came to. */
bool source_usb_helper_done(struct usb_device_place *place, int *error);

#endif
