/* SPDX-License-Identifier: MIT */
/*
 * Device and configuration descriptors (USB 2.0, 9.6), parsed once into tables. The bytes come from
 * a device, which may be hostile: nothing in them is believed beyond their own bounds, what is not
 * understood is skipped, and what lies beyond a limit of limits.h is left out.
 */
#ifndef XVHC_CORE_DESCRIPTOR_H
#define XVHC_CORE_DESCRIPTOR_H

#include <xvhc/limits.h>
#include <xvhc/types.h>

#define DESCRIPTOR_DEVICE 1u
#define DESCRIPTOR_CONFIGURATION 2u
#define DESCRIPTOR_STRING 3u
#define DESCRIPTOR_INTERFACE 4u
#define DESCRIPTOR_ENDPOINT 5u
#define DESCRIPTOR_ASSOCIATION 11u
#define DESCRIPTOR_BOS 15u
#define DESCRIPTOR_SS_COMPANION 48u
#define DESCRIPTOR_SSP_ISOC_COMPANION 49u

#define DESCRIPTOR_DEVICE_BYTES 18u
#define DESCRIPTOR_CONFIGURATION_BYTES 9u
#define DESCRIPTOR_INTERFACE_BYTES 9u
#define DESCRIPTOR_ENDPOINT_BYTES 7u

/* All descriptors of a device, one after another, at most. */
#define DESCRIPTOR_BYTES_MAX (DESCRIPTOR_DEVICE_BYTES + XVHC_CONFIGS_MAX * XVHC_CONFIG_BYTES_MAX)

struct descriptor_endpoint {
	uint8_t address; /* number, and 0x80 where it sends to the host */
	uint8_t type;    /* enum transfer_type */
	uint8_t interval;
	uint16_t packet;  /* bytes of one packet */
	uint16_t payload; /* bytes of one (micro)frame: up to three packets */
};

struct descriptor_altsetting {
	uint8_t interface; /* below XVHC_INTERFACES_MAX */
	uint8_t number;
	uint8_t class;
	uint8_t subclass;
	uint8_t protocol;
	uint16_t endpoint;     /* first one, in the table */
	uint16_t endpoint_end; /* behind the last one */
};

struct descriptor_configuration {
	uint8_t value;
	uint16_t altsetting;     /* first one, in the table */
	uint16_t altsetting_end; /* behind the last one */
};

struct descriptor_table {
	uint16_t vendor;
	uint16_t product;
	uint16_t configurations;
	uint16_t altsettings;
	uint16_t endpoints;
	struct descriptor_configuration configuration[XVHC_CONFIGS_MAX];
	struct descriptor_altsetting altsetting[XVHC_ALTSETTINGS_MAX];
	struct descriptor_endpoint endpoint[XVHC_ENDPOINTS_MAX];
};

/* Descriptors one after another, as they came. Only descriptor_byte() looks into them. */
struct descriptor_span {
	const uint8_t *bytes;
	size_t length;
};

/* The byte at this place, or 0 where there is none. */
static inline uint8_t descriptor_byte(const struct descriptor_span *span, size_t at)
{
	return at < span->length ? span->bytes[at] : 0;
}

/* The little-endian number at this place. */
static inline uint16_t descriptor_word(const struct descriptor_span *span, size_t at)
{
	return (uint16_t)(descriptor_byte(span, at) | descriptor_byte(span, at + 1) << 8);
}

/* The two bytes of a little-endian number. */
static inline uint16_t descriptor_u16(const uint8_t *bytes)
{
	return (uint16_t)(bytes[0] | bytes[1] << 8);
}

/*
 * Parses a device descriptor and the configurations that follow it, each of its wTotalLength, as
 * usbfs hands them out. Returns XVHC_EINVAL where there is no device descriptor. A configuration
 * that ends early counts as far as it goes.
 */
XVHC_MUST_CHECK int descriptor_parse(struct descriptor_table *table, const uint8_t *bytes,
				     size_t length);

/*
 * One step through descriptors: returns where the one at this place ends, or 0 where none of at
 * least two bytes lies whole in what is left.
 */
size_t descriptor_end(const struct descriptor_span *span, size_t at);

/*
 * As above, for a configuration with all that belongs to it: at most the end of the span, where its
 * wTotalLength says more. Returns 0 where no configuration descriptor begins here.
 */
size_t descriptor_configuration_end(const struct descriptor_span *span, size_t at);

/*
 * Whether everything in the table lies within the table. This is what the users of a table rely on:
 * descriptor_parse() makes no other.
 */
bool descriptor_table_is_valid(const struct descriptor_table *table);

/* The configuration with this bConfigurationValue, or NULL. */
const struct descriptor_configuration *
descriptor_find_configuration(const struct descriptor_table *table, uint8_t value);

/* The altsetting of an interface of a configuration, or NULL. */
const struct descriptor_altsetting *
descriptor_find_altsetting(const struct descriptor_table *table,
			   const struct descriptor_configuration *configuration, uint8_t interface,
			   uint8_t number);

/* Bit n is set where the configuration has an interface n. */
uint32_t descriptor_interfaces(const struct descriptor_table *table,
			       const struct descriptor_configuration *configuration);

#endif
