// SPDX-License-Identifier: MIT
#include "vet.h"

#include "barrier.h"
#include "control.h"

/* Class codes of an interface for firmware downloads (DFU 1.1, 4.1.2). */
#define CLASS_APPLICATION 0xfeu
#define SUBCLASS_FIRMWARE 0x01u

#define CLASS_PRINTER 0x07u

void device_state_init(struct device_state *state, const struct descriptor_table *descriptors)
{
	assert(descriptor_table_is_valid(descriptors));
	memset(state, 0, sizeof(*state));
	state->descriptors = descriptors;
}

bool device_state_is_valid(const struct device_state *state)
{
	uint32_t i;

	for (i = 0; i < 16; i++) {
		if (state->endpoint[0][i] > XVHC_ENDPOINTS_MAX ||
		    state->endpoint[1][i] > XVHC_ENDPOINTS_MAX)
			return false;
	}
	return true;
}

static uint16_t *endpoint_place(struct device_state *state, uint8_t address)
{
	return &state->endpoint[address >> 7][address & 0x0f];
}

static void set_endpoints(struct device_state *state,
			  const struct descriptor_altsetting *altsetting, bool active)
{
	uint32_t i;

	for (i = altsetting->endpoint; i < altsetting->endpoint_end; i++) {
		uint8_t address = state->descriptors->endpoint[i].address;

		*endpoint_place(state, address) = active ? (uint16_t)(i + 1) : 0;
		state->streams[address >> 7][address & 0x0f] = 0;
	}
}

bool device_state_has_configuration(const struct device_state *state, uint8_t value)
{
	return value == 0 || descriptor_find_configuration(state->descriptors, value);
}

int device_state_configure(struct device_state *state, uint8_t value)
{
	const struct descriptor_configuration *configuration =
		descriptor_find_configuration(state->descriptors, value);
	uint32_t i;

	if (!configuration && value != 0)
		return XVHC_EINVAL;
	memset(state->altsetting, 0, sizeof(state->altsetting));
	memset(state->endpoint, 0, sizeof(state->endpoint));
	memset(state->streams, 0, sizeof(state->streams));
	state->configuration = value;
	if (value == 0)
		return XVHC_OK;
	for (i = configuration->altsetting; i < configuration->altsetting_end; i++) {
		const struct descriptor_altsetting *altsetting = &state->descriptors->altsetting[i];

		if (altsetting->number == 0)
			set_endpoints(state, altsetting, true);
	}
	return XVHC_OK;
}

const struct descriptor_altsetting *device_state_altsetting(const struct device_state *state,
							    uint8_t interface, uint8_t altsetting)
{
	const struct descriptor_configuration *configuration;

	if (state->configuration == 0)
		return NULL;
	configuration = descriptor_find_configuration(state->descriptors, state->configuration);
	if (!configuration)
		return NULL;
	return descriptor_find_altsetting(state->descriptors, configuration, interface, altsetting);
}

int device_state_set_interface(struct device_state *state, uint8_t interface, uint8_t altsetting)
{
	const struct descriptor_altsetting *new, *old;

	if (interface >= XVHC_INTERFACES_MAX)
		return XVHC_EINVAL;
	new = device_state_altsetting(state, interface, altsetting);
	if (!new)
		return XVHC_EINVAL;
	old = device_state_altsetting(state, interface, state->altsetting[interface]);
	if (old)
		set_endpoints(state, old, false);
	set_endpoints(state, new, true);
	state->altsetting[interface] = altsetting;
	return XVHC_OK;
}

const struct descriptor_endpoint *device_state_endpoint(const struct device_state *state,
							uint8_t address)
{
	uint16_t place = state->endpoint[address >> 7][address & 0x0f];

	return place > 0 ? &state->descriptors->endpoint[place - 1] : NULL;
}

bool device_state_can_stream(const struct device_state *state, uint32_t endpoints)
{
	uint32_t i;

	for (i = 0; i < 32; i++) {
		const struct descriptor_endpoint *endpoint;

		if ((endpoints & 1u << i) == 0)
			continue;
		endpoint = device_state_endpoint(state, (uint8_t)((i & 15) | (i & 16) << 3));
		if (!endpoint || endpoint->type != TRANSFER_BULK)
			return false;
	}
	return endpoints != 0;
}

void device_state_set_streams(struct device_state *state, uint32_t endpoints, uint16_t streams)
{
	uint32_t i;

	for (i = 0; i < 32; i++) {
		if (endpoints & 1u << i)
			state->streams[i >> 4][i & 15] = streams;
	}
}

bool device_state_owns(const struct device_state *state, uint8_t interface, uint8_t address)
{
	const struct descriptor_altsetting *altsetting = NULL;
	uint32_t i;

	if (interface < XVHC_INTERFACES_MAX)
		altsetting =
			device_state_altsetting(state, interface, state->altsetting[interface]);
	if (!altsetting)
		return false;
	for (i = altsetting->endpoint; i < altsetting->endpoint_end; i++) {
		if (state->descriptors->endpoint[i].address == address)
			return true;
	}
	return false;
}

/* What the rules look at. */
struct subject {
	const struct device_state *state;
	const struct transfer_request *request;
	const struct transfer_packet *packets;
	const struct descriptor_endpoint *endpoint; /* NULL: control endpoint, or no such one */
};

static bool address_is_its_own(const struct subject *subject)
{
	return subject->request->address == subject->state->address;
}

static bool default_state_has_control_only(const struct subject *subject)
{
	return subject->request->address != 0 || subject->request->endpoint == 0;
}

static bool endpoint_is_active(const struct subject *subject)
{
	return subject->request->endpoint == 0 || subject->endpoint;
}

static bool type_is_the_endpoints(const struct subject *subject)
{
	uint8_t type = subject->endpoint ? subject->endpoint->type : TRANSFER_CONTROL;

	return subject->request->type == type;
}

/* Behind us a control request has no other endpoint to go to, and is vetted as one to zero. */
static bool control_is_of_endpoint_zero(const struct subject *subject)
{
	return subject->request->type != TRANSFER_CONTROL || subject->request->endpoint == 0;
}

/* Where an endpoint has streams, each transfer is of one of them. */
static bool stream_is_allocated(const struct subject *subject)
{
	const struct transfer_request *request = subject->request;
	uint16_t streams = subject->state->streams[request->in][request->endpoint & 15];

	if (streams == 0)
		return request->stream == 0;
	return request->stream >= 1 && request->stream <= streams;
}

static bool setup_agrees(const struct subject *subject)
{
	struct control_setup setup;

	if (subject->request->type != TRANSFER_CONTROL)
		return true;
	control_parse(subject->request->setup, &setup);
	return control_check(&setup, subject->request) == XVHC_OK;
}

static bool packets_fit_the_endpoint(const struct subject *subject)
{
	uint32_t total = 0, i;

	if (subject->request->type != TRANSFER_ISOC)
		return true;
	if (!subject->endpoint)
		return false;
	for (i = 0; i < subject->request->packets; i++) {
		if (subject->packets[i].length > subject->endpoint->payload)
			return false;
		/* Packets may overlap in the guest's buffer, but not exceed it in the sum. */
		if (subject->packets[i].length > subject->request->length - total)
			return false;
		total += subject->packets[i].length;
	}
	return true;
}

/* Whether the active configuration has it. */
static bool has_interface(const struct device_state *state, uint8_t interface)
{
	return interface < XVHC_INTERFACES_MAX &&
	       device_state_altsetting(state, interface, state->altsetting[interface]);
}

static bool has_printer(const struct device_state *state, uint8_t interface, uint8_t number)
{
	const struct descriptor_altsetting *altsetting =
		device_state_altsetting(state, interface, number);

	return altsetting && altsetting->class == CLASS_PRINTER;
}

/* usbfs would take an interface for us that nobody asked for, if we let this pass. */
static bool recipient_is_there(const struct subject *subject)
{
	const struct device_state *state = subject->state;
	struct control_setup setup;
	uint8_t low, high;

	if (subject->request->type != TRANSFER_CONTROL)
		return true;
	control_parse(subject->request->setup, &setup);
	low = (uint8_t)setup.index;
	high = (uint8_t)(setup.index >> 8);
	switch (control_recipient(&setup)) {
	case CONTROL_TO_INTERFACE:
		return has_interface(state, low);
	case CONTROL_TO_PRINTER:
		return has_interface(state, low) || has_printer(state, high, low);
	case CONTROL_TO_ENDPOINT:
		return (low & 0x0f) == 0 || device_state_endpoint(state, low & 0x8f);
	default:
		return true;
	}
}

/* Whether an interface has class DFU in any setting of any configuration. */
static bool has_firmware_interface(const struct descriptor_table *table, uint8_t interface)
{
	uint32_t i;

	for (i = 0; i < table->altsettings; i++) {
		if (table->altsetting[i].interface == interface &&
		    table->altsetting[i].class == CLASS_APPLICATION &&
		    table->altsetting[i].subclass == SUBCLASS_FIRMWARE)
			return true;
	}
	return false;
}

static bool firmware_is_allowed(const struct subject *subject)
{
	struct control_setup setup;

	if (subject->request->type != TRANSFER_CONTROL || subject->state->firmware_allowed)
		return true;
	control_parse(subject->request->setup, &setup);
	return !control_downloads_firmware(&setup) ||
	       !has_firmware_interface(subject->state->descriptors, (uint8_t)setup.index);
}

/* Each holds for a request that may pass. A rule may rely on those before it. */
static const struct {
	bool (*holds)(const struct subject *subject);
	int error;
	const char *verdict; /* on a request for which it does not hold */
} rules[] = {
	/* clang-format off */
	{address_is_its_own, XVHC_ENODEV, "no device has this address"},
	{default_state_has_control_only, XVHC_EINVAL, "only endpoint 0 before it has an address"},
	{endpoint_is_active, XVHC_EINVAL, "the active setting has no such endpoint"},
	{type_is_the_endpoints, XVHC_EINVAL, "the endpoint is of another type"},
	{control_is_of_endpoint_zero, XVHC_EINVAL, "a control transfer to another endpoint than 0"},
	{stream_is_allocated, XVHC_EINVAL, "the endpoint has no such stream"},
	{setup_agrees, XVHC_EINVAL, "the setup packet does not fit the data"},
	{recipient_is_there, XVHC_ESTALL, "to an interface or endpoint that is not active"},
	{firmware_is_allowed, XVHC_ESTALL, "firmware, which the policy does not allow"},
	{packets_fit_the_endpoint, XVHC_EINVAL, "a packet is more than the endpoint transfers"},
	/* clang-format on */
};

/* What the rules are to look at. */
static inline void subject_init(struct subject *subject, const struct device_state *state,
				const struct transfer_request *request,
				const struct transfer_packet *packets)
{
	assert(device_state_is_valid(state) && transfer_request_is_valid(request));
	subject->state = state;
	subject->request = request;
	subject->packets = packets;
	subject->endpoint = NULL;
	if (request->endpoint != 0)
		subject->endpoint =
			device_state_endpoint(state, transfer_endpoint_address(request));
}

int vet_request(const struct device_state *state, const struct transfer_request *request,
		const struct transfer_packet *packets)
{
	struct subject subject;
	size_t i;

	subject_init(&subject, state, request, packets);
	for (i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		if (!rules[i].holds(&subject))
			return rules[i].error;
	}
	return XVHC_OK;
}

const char *vet_verdict(const struct device_state *state, const struct transfer_request *request,
			const struct transfer_packet *packets)
{
	struct subject subject;
	size_t i;

	subject_init(&subject, state, request, packets);
	for (i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		if (!rules[i].holds(&subject))
			return rules[i].verdict;
	}
	return NULL;
}
