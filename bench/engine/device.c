// SPDX-License-Identifier: MIT
/*
 * What was submitted is in a list until the worker's loop comes by. An eventfd brings it here: a
 * source never calls back out of a call.
 */
#include "device.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <error.h>
#include <xvhc/usbif.h>

/* clang-format off */
static const uint8_t descriptors[] = {
	18, DESCRIPTOR_DEVICE, 0x00, 0x02, 0xff, 0, 0, 64, 0x25, 0x05, 0xa0, 0xa4, 0, 1, 0, 0, 0, 1,
	9, DESCRIPTOR_CONFIGURATION, 32, 0, 1, 1, 0, 0x80, 50,
	9, DESCRIPTOR_INTERFACE, 0, 0, 2, 0xff, 0, 0, 0,
	7, DESCRIPTOR_ENDPOINT, 0x81, 2, 0x00, 0x02, 0,
	7, DESCRIPTOR_ENDPOINT, 0x01, 2, 0x00, 0x02, 0,
};
/* clang-format on */

struct submitted {
	struct source_device *device;
	struct source_transfer *transfer;
};

uint64_t device_calls;

static const struct source_calls *calls;
static int event = -1;
static bool awake; /* the event is set */
static struct submitted list[SOURCE_SLOTS];
static uint32_t count;
static struct source_device *operated[USBIF_PORT_MAX];
static uint32_t operated_count;

static int device_init(struct loop *loop, const struct source_calls *worker_calls)
{
	calls = worker_calls;
	event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return event < 0 ? -errno : loop_add(loop, event, EPOLLIN, LOOP_SOURCE);
}

static int device_start(uint32_t ports)
{
	(void)ports;
	return 0;
}

static void wake(void)
{
	const uint64_t one = 1;

	if (awake)
		return;
	awake = write(event, &one, sizeof(one)) == sizeof(one);
	device_calls++;
}

static void device_operate(struct source_device *device, const struct source_operation *operation)
{
	if (operation->kind == SOURCE_OPEN) {
		device->descriptors_length = sizeof(descriptors);
		memcpy(device->descriptors, descriptors, sizeof(descriptors));
	}
	assert(operated_count < USBIF_PORT_MAX);
	operated[operated_count++] = device;
	wake();
}

static int device_submit(struct source_device *device, struct source_transfer *transfer)
{
	assert(count < SOURCE_SLOTS);
	transfer->actual = transfer->length;
	list[count].device = device;
	list[count++].transfer = transfer;
	wake();
	return XVHC_OK;
}

/* It ends by itself, and soon. */
static void device_cancel(struct source_device *device, struct source_transfer *transfer)
{
	(void)device;
	(void)transfer;
}

static void operations_end(void)
{
	struct source_device *ended[USBIF_PORT_MAX];
	uint32_t n = operated_count, i;

	for (i = 0; i < n; i++)
		ended[i] = operated[i];
	/* The calls may begin the next ones. */
	operated_count = 0;
	for (i = 0; i < n; i++)
		calls->operation_done(ended[i], XVHC_OK);
}

/* What the worker submits meanwhile comes behind, and is ended the next time. */
static void transfers_end(void)
{
	uint32_t n = count, i;

	for (i = 0; i < n; i++)
		calls->transfer_done(list[i].device, list[i].transfer);
	count -= n;
	if (count == 0)
		return;
	memmove(list, list + n, count * sizeof(list[0]));
	wake();
}

static void device_handle_events(void)
{
	uint64_t times;

	if (read(event, &times, sizeof(times)) == sizeof(times))
		awake = false;
	device_calls++;
	transfers_end();
	if (operated_count > 0)
		operations_end();
}

const struct source_ops source_at_once = {
	.init = device_init,
	.start = device_start,
	.handle_events = device_handle_events,
	.operate = device_operate,
	.submit = device_submit,
	.cancel = device_cancel,
};
