// SPDX-License-Identifier: MIT
/*
 * A USB device that this program plays, for QEMU's usb-redir at the other end of a socket.
 *
 * A model is a table: descriptors, and functions that are called when something happens to the
 * device. The common part answers what each device answers alike (standard requests), keeps track
 * of the chosen settings, and carries data. One thread, one device: functions of a model do not
 * block, and call those below as they like.
 */
#ifndef LAB_DEVICES_DEVICE_H
#define LAB_DEVICES_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DEVICE_INTERFACES_MAX 8
#define DEVICE_CONTROL_MAX 4096 /* bytes of one control request */

#define STALL (-1)

/* Numbers inside a descriptor. */
#define LE16(value) (uint8_t)((value)&0xff), (uint8_t)(((value) >> 8) & 0xff)
#define LE32(value) LE16(value), LE16((value) >> 16)

/* One descriptor in a row of them. */
#define DESCRIPTOR(...) __VA_ARGS__

enum device_speed {
	SPEED_LOW,
	SPEED_FULL,
	SPEED_HIGH,
	SPEED_SUPER
};

/* What stands in the setup packet. */
struct setup {
	uint8_t type;
	uint8_t request;
	uint16_t value;
	uint16_t index;
	uint16_t length;
};

struct device;

/* How a device looks: it may look otherwise each time that it connects. */
struct look {
	enum device_speed speed;
	const uint8_t *device; /* its descriptor, 18 bytes */
	const uint8_t *configuration;
	size_t configuration_bytes;
	const uint8_t *capabilities; /* the BOS descriptor and what follows it, or NULL */
	size_t capabilities_bytes;
	const char *const *strings; /* number 1 is the first */
	size_t string_count;
};

/* Functions may be missing. */
struct model {
	const char *name;
	const struct look *look; /* at its first connection */
	/*
	 * A request that is not a standard one, or a standard one to an interface. data has the
	 * bytes of an OUT request, or room for setup->length bytes. Returns the bytes of an IN
	 * request, 0 for an OUT request, or STALL.
	 */
	int (*control)(struct device *device, const struct setup *setup, uint8_t *data);
	/* The guest has chosen a setting. */
	void (*set)(struct device *device, uint8_t interface, uint8_t setting);
	/* The host wants isochronous or interrupt packets from an endpoint, or no longer. */
	void (*stream)(struct device *device, uint8_t endpoint, bool on);
	/* Bytes for an endpoint that is not endpoint 0. */
	void (*out)(struct device *device, uint8_t endpoint, const uint8_t *data, size_t bytes);
	/* A bulk endpoint is read; may answer with device_bulk(), now or later. */
	void (*read)(struct device *device, uint8_t endpoint);
	/* The time that device_wake_at() has named is here. */
	void (*wake)(struct device *device);
	/* Someone at the host wants it to do what it does (SIGUSR1). */
	void (*poke)(struct device *device);
};

/* Microseconds, of a clock that only goes forwards. */
uint64_t now_us(void);

/* Have wake() called once, at a time of now_us(); 0: never. */
void device_wake_at(struct device *device, uint64_t time_us);

/* Send one isochronous packet, or one interrupt report, of up to 3,072 bytes. */
void device_isoc(struct device *device, uint8_t endpoint, const uint8_t *data, size_t bytes);
void device_interrupt(struct device *device, uint8_t endpoint, const uint8_t *data, size_t bytes);

/*
 * How many bytes the oldest read of a bulk endpoint asks for; 0: nobody reads. device_bulk()
 * answers that read, with at most so many bytes.
 */
size_t device_bulk_wanted(const struct device *device, uint8_t endpoint);
void device_bulk(struct device *device, uint8_t endpoint, const uint8_t *data, size_t bytes);

/* Leave the port; and come back, with this look. */
void device_leave(struct device *device);
void device_come(struct device *device, const struct look *look);

/* Tell the test something: a line to the standard output. */
void device_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

extern const struct model camera_model;
extern const struct model changeling_model;
extern const struct model disk_model;
extern const struct model keyboard_model;
extern const struct model keyboard_low_model;
extern const struct model meter_model;
extern const struct model microphone_model;
extern const struct model sourcesink_model;

#endif
