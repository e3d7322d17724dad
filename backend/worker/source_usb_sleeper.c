// SPDX-License-Identifier: MIT
/*
 * usbfs tells that a device has woken up by the return of an ioctl() that waits for it. So each
 * place has one more thread, which does nothing else:
 *
 *   IDLE -> WAITS (the device may fall asleep) -> IDLE (it has slept and is awake, or is gone)
 *
 * A device that never fell asleep never wakes up, either. So whoever closes it ends the wait by a
 * signal.
 */
#include "source_usb.h"

#include <errno.h>
#include <linux/usbdevice_fs.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

/* Ends the wait of a sleeper whose device is to be closed. */
#define SLEEPER_SIGNAL SIGUSR1
#define SIGNAL_AGAIN_MS 20

static int woke_event = -1;

static void interrupt(int signal)
{
	(void)signal;
}

void source_usb_sleepers_init(int event)
{
	/* Without SA_RESTART: the wait is to end. */
	const struct sigaction action = {.sa_handler = interrupt};
	uint32_t i;

	(void)sigaction(SLEEPER_SIGNAL, &action, NULL);
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

/* Waits without the lock. */
static void wait_for_resume(struct usb_device_place *place)
{
	int fd = place->fd, result;

	do {
		pthread_mutex_unlock(&place->lock);
		result = ioctl(fd, USBDEVFS_WAIT_FOR_RESUME, NULL);
		pthread_mutex_lock(&place->lock);
	} while (result < 0 && errno == EINTR && !place->sleeper_stop);
}

void *source_usb_sleeper(void *argument)
{
	struct usb_device_place *place = argument;

	pthread_mutex_lock(&place->lock);
	place->sleeper_thread = pthread_self();
	place->sleeper = SLEEPER_IDLE;
	pthread_cond_signal(&place->begun);
	for (;;) {
		while (place->sleeper != SLEEPER_WAITS)
			pthread_cond_wait(&place->sleeper_wake, &place->lock);
		wait_for_resume(place);
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
	struct timespec again;

	pthread_mutex_lock(&place->lock);
	place->sleeper_stop = true;
	while (place->sleeper == SLEEPER_WAITS) {
		/* It may be on its way into the wait yet: then the signal comes too soon. */
		(void)pthread_kill(place->sleeper_thread, SLEEPER_SIGNAL);
		clock_gettime(CLOCK_REALTIME, &again);
		again.tv_nsec += SIGNAL_AGAIN_MS * 1000000L;
		if (again.tv_nsec >= 1000000000L) {
			again.tv_nsec -= 1000000000L;
			again.tv_sec++;
		}
		(void)pthread_cond_timedwait(&place->sleeper_wake, &place->lock, &again);
	}
	place->sleeper_stop = false;
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
