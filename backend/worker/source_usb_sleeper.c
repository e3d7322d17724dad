// SPDX-License-Identifier: MIT
/*
 * usbfs tells that a device has woken up by the return of an ioctl() that waits for it. So each
 * place has one more thread, which does nothing else:
 *
 *   IDLE -> WAITS (the device may fall asleep) -> IDLE (it is awake, may not sleep, or is gone)
 */
#include "source_usb.h"

#include <errno.h>
#include <linux/usbdevice_fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

static int woke_event = -1;

void source_usb_sleepers_init(int event)
{
	uint32_t i;

	woke_event = event;
	for (i = 0; i < USBIF_PORT_MAX; i++)
		pthread_cond_init(&source_usb_places[i].sleeper_wake, NULL);
}

static void tell(void)
{
	uint64_t one = 1;

	if (write(woke_event, &one, sizeof(one)) < 0)
		log_line(LOG_LEVEL_ERROR, "cannot wake the worker");
}

void *source_usb_sleeper(void *argument)
{
	struct usb_device_place *place = argument;
	int fd, result;

	pthread_mutex_lock(&place->lock);
	place->sleeper = SLEEPER_IDLE;
	pthread_cond_signal(&place->begun);
	for (;;) {
		while (place->sleeper != SLEEPER_WAITS)
			pthread_cond_wait(&place->sleeper_wake, &place->lock);
		fd = place->fd;
		pthread_mutex_unlock(&place->lock);
		do {
			result = ioctl(fd, USBDEVFS_WAIT_FOR_RESUME, NULL);
		} while (result < 0 && errno == EINTR);
		pthread_mutex_lock(&place->lock);
		place->sleeper = SLEEPER_IDLE;
		place->woke = true;
		pthread_cond_broadcast(&place->sleeper_wake);
		tell();
	}
	return NULL;
}

void source_usb_sleeper_begin(struct usb_device_place *place)
{
	pthread_mutex_lock(&place->lock);
	place->sleeper = SLEEPER_WAITS;
	pthread_cond_broadcast(&place->sleeper_wake);
	pthread_mutex_unlock(&place->lock);
}

void source_usb_sleeper_await(struct usb_device_place *place)
{
	pthread_mutex_lock(&place->lock);
	while (place->sleeper == SLEEPER_WAITS)
		pthread_cond_wait(&place->sleeper_wake, &place->lock);
	place->woke = false;
	pthread_mutex_unlock(&place->lock);
}

bool source_usb_sleeper_woke(struct usb_device_place *place)
{
	bool woke;

	pthread_mutex_lock(&place->lock);
	woke = place->woke;
	place->woke = false;
	pthread_mutex_unlock(&place->lock);
	return woke;
}
