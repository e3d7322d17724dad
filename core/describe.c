// SPDX-License-Identifier: MIT
#include "describe.h"

#include "barrier.h"
#include "error.h"

/* Bytes of an interface's descriptor up to its class codes. */
#define INTERFACE_BYTES_MIN 8u

static void add_kind(struct describe_result *result, const struct describe_kind *kind)
{
	uint32_t i;

	for (i = 0; i < result->kinds; i++) {
		if (result->kind[i].class == kind->class &&
		    result->kind[i].subclass == kind->subclass &&
		    result->kind[i].protocol == kind->protocol)
			return;
	}
	if (result->kinds < XVHC_KINDS_MAX)
		result->kind[result->kinds++] = *kind;
	else
		result->complete = false;
}

static void describe_configuration(struct describe_result *result,
				   const struct descriptor_span *span, size_t at)
{
	struct describe_kind kind;
	size_t end;

	for (; (end = descriptor_end(span, at)) > 0; at = end) {
		if (descriptor_byte(span, at + 1) != DESCRIPTOR_INTERFACE ||
		    end - at < INTERFACE_BYTES_MIN)
			continue;
		kind.class = descriptor_byte(span, at + 5);
		kind.subclass = descriptor_byte(span, at + 6);
		kind.protocol = descriptor_byte(span, at + 7);
		add_kind(result, &kind);
	}
}

int describe_device(struct describe_result *result, const uint8_t *bytes, size_t length)
{
	struct descriptor_span span = {bytes, length};
	size_t at = DESCRIPTOR_DEVICE_BYTES, end;

	memset(result, 0, sizeof(*result));
	result->complete = true;
	if (length < DESCRIPTOR_DEVICE_BYTES ||
	    descriptor_byte(&span, 0) < DESCRIPTOR_DEVICE_BYTES ||
	    descriptor_byte(&span, 1) != DESCRIPTOR_DEVICE)
		return XVHC_EINVAL;
	result->device.class = descriptor_byte(&span, 4);
	result->device.subclass = descriptor_byte(&span, 5);
	result->device.protocol = descriptor_byte(&span, 6);
	result->vendor = descriptor_word(&span, 8);
	result->product = descriptor_word(&span, 10);
	result->version = descriptor_word(&span, 12);
	while ((end = descriptor_configuration_end(&span, at)) > 0) {
		span.length = end;
		describe_configuration(result, &span, at);
		span.length = length;
		at = end;
	}
	return XVHC_OK;
}
