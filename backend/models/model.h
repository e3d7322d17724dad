/* SPDX-License-Identifier: MIT */
/*
 * Device models: devices in plain C behind the worker's source interface, for tests and
 * benchmarks. A model has descriptors and a few functions; source_model.c does the rest: standard
 * requests, halted endpoints, and transfers that wait.
 */
#ifndef XVHC_MODELS_MODEL_H
#define XVHC_MODELS_MODEL_H

#include <control.h>
#include <vet.h>
#include <worker/source.h>

/* "model" of an ATTACH message. */
enum model_number {
	MODEL_DISK = 1,   /* mass storage, Bulk-Only */
	MODEL_LOOPBACK,   /* sources, sinks and loops of each transfer type */
	MODEL_KEYBOARD,   /* HID boot keyboard */
	MODEL_DISK_SUPER, /* the disk as a SuperSpeed device, with UAS descriptors */
	MODEL_DFU,        /* takes firmware */
};

/* Vendor requests (bmRequestType 0x40) that each model takes, to make it misbehave. */
#define MODEL_REQUEST_HOLD 0xf0u    /* the next operation on it waits */
#define MODEL_REQUEST_RELEASE 0xf1u /* lets the operations of all models go on */
#define MODEL_REQUEST_FAIL 0xf2u    /* the next operation on it fails */
#define MODEL_REQUEST_VANISH 0xf3u  /* it is unplugged without further notice */
#define MODEL_REQUEST_FULL 0xf4u    /* the host has no room for the next value transfers */
#define MODEL_REQUEST_WAKE 0xf5u    /* it wakes up by itself from its next suspension */

/* Vendor requests of the keyboard. */
#define MODEL_REQUEST_TYPE 0xf8u /* value: a key's usage, pressed and released */
#define MODEL_REQUEST_LEDS 0xf9u /* bmRequestType 0xc0: returns the byte last set */

/* Vendor requests of loopback (as the kernel's gadget zero): write and read back. */
#define MODEL_REQUEST_WRITE 0x5bu
#define MODEL_REQUEST_READ 0x5cu

/* Returned by transfer() for a transfer that waits; model_kick() tries it again. */
#define MODEL_WAITS 1

#define MODEL_CONTROL_BYTES 4096u
#define MODEL_LOOP_BYTES 65536u

struct model;

struct model_ops {
	/* As usbfs hands them out. */
	const uint8_t *descriptors;
	uint32_t descriptors_length;
	const char *product; /* string 2 */
	/* Sets up or resets its state. Returns an enum xvhc_error. */
	int (*reset)(struct model *model);
	void (*fini)(struct model *model);
	/*
	 * A control request that is none of the standard ones. data has setup->length bytes of
	 * room; *actual is set for those to the host. Returns an enum xvhc_error.
	 */
	int (*control)(struct model *model, const struct control_setup *setup, uint8_t *data,
		       uint32_t *actual);
	/* Returns an enum xvhc_error, having set transfer->actual and packets; or MODEL_WAITS. */
	int (*transfer)(struct model *model, struct source_transfer *transfer);
};

struct disk_state {
	uint8_t *blocks;
	uint8_t phase;
	uint8_t status;
	uint8_t sense_key;
	uint8_t sense_code;
	uint32_t tag;
	uint32_t residue;
	uint8_t reply[64]; /* to a command that is not READ */
	uint8_t *from;     /* data to the host */
	uint8_t *to;       /* data to the disk; NULL: discarded */
	uint32_t left;
};

struct loopback_state {
	uint8_t control[MODEL_CONTROL_BYTES];
	uint32_t control_length;
	uint8_t loop[MODEL_LOOP_BYTES]; /* bulk, configuration 2 */
	uint32_t loop_length;
	bool loop_full;
	uint8_t interrupt[1024];
	uint32_t interrupt_length;
	bool interrupt_full;
	uint8_t isoc[XVHC_ISOC_PACKETS_MAX][1024];
	uint32_t isoc_length[XVHC_ISOC_PACKETS_MAX];
	uint32_t isoc_first, isoc_count;
};

struct keyboard_state {
	uint8_t reports[64][8];
	uint32_t first, count;
	uint8_t leds;
};

struct dfu_state {
	uint8_t downloads; /* and detaches */
};

struct model {
	const struct model_ops *ops;
	struct source_device *device; /* NULL: not open */
	struct device_state state;
	union {
		struct disk_state disk;
		struct loopback_state loopback;
		struct keyboard_state keyboard;
		struct dfu_state dfu;
	} u;
	int operation_error;
	/* Sets of endpoints. A bit: the number, and 16 more for endpoints to the host. */
	uint32_t halted;
	uint32_t kicked;
	struct source_operation operation; /* the one that is under way */
	struct descriptor_table descriptors;
	bool kicking;
	bool operation_due;
	bool held, hold_next, fail_next, wake_next, gone;
	bool asleep;      /* it takes no transfer */
	uint16_t no_room; /* so many transfers are turned away */
};

extern const struct source_ops source_model;

/* Forgets all devices and transfers, and closes what init() opened. */
void source_model_fini(void);

extern const struct model_ops model_disk;
extern const struct model_ops model_disk_super;
extern const struct model_ops model_loopback;
extern const struct model_ops model_keyboard;
extern const struct model_ops model_dfu;

/* Tries again the transfers that wait on this endpoint. */
void model_kick(struct model *model, uint8_t endpoint);

/* Halts an endpoint: its transfers end with a STALL until CLEAR_FEATURE. */
void model_halt(struct model *model, uint8_t endpoint);

#endif
