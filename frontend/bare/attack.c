// SPDX-License-Identifier: MIT
#include "attack.h"

#include <string.h>

#include "console.h"

#define ATTACK_NS (3000 * MS)
#define SET_UP_NS (30000 * MS)
#define DRAIN_NS (8000 * MS)
#define LOOK_NS (20 * MS)

uint32_t attack_random(struct attacker *attacker)
{
	attacker->random ^= attacker->random << 13;
	attacker->random ^= attacker->random >> 17;
	attacker->random ^= attacker->random << 5;
	return attacker->random;
}

static void count(struct attacker *attacker, int32_t status)
{
	const struct {
		int32_t status;
		uint32_t *counter;
	} counters[] = {
		{USBIF_STATUS_OK, &attacker->ok},
		{USBIF_STATUS_NODEV, &attacker->nodev},
		{USBIF_STATUS_INVAL, &attacker->inval},
		{USBIF_STATUS_STALL, &attacker->stall},
		{USBIF_STATUS_IOERROR, &attacker->ioerror},
		{USBIF_STATUS_BABBLE, &attacker->babble},
		{USBIF_STATUS_SHUTDOWN, &attacker->shutdown},
	};
	uint32_t i;

	attacker->answered++;
	for (i = 0; i < sizeof(counters) / sizeof(counters[0]); i++) {
		if (counters[i].status == status) {
			(*counters[i].counter)++;
			return;
		}
	}
	attacker->other++;
}

static uint32_t under_way(const struct attacker *attacker)
{
	return attacker->link.requests.req_prod_pvt - attacker->link.requests.rsp_cons;
}

void attack_take(struct attacker *attacker)
{
	struct usbif_urb_response response;
	int got;

	while ((got = front_ring_take(&attacker->link.requests, &response, sizeof(response))) > 0)
		count(attacker, response.status);
	if (got < 0)
		die("the URB ring's index cannot be true");
	link_take_events(&attacker->link);
}

bool attack_send(struct attacker *attacker, const struct usbif_urb_request *request)
{
	struct link *link = &attacker->link;

	attack_take(attacker);
	while (front_ring_free(&link->requests) == 0) {
		if (!front_ring_recheck(&link->requests)) {
			uint64_t before_ns = now_ns();

			event_wait(link->event, before_ns + LOOK_NS);
			if (now_ns() - before_ns >= LOOK_NS && !link_is_open(link))
				return false;
		}
		attack_take(attacker);
		if (now_ns() >= attacker->until_ns + DRAIN_NS)
			return false;
	}
	link_put(link, request, sizeof(struct usbif_urb_request));
	attacker->sent++;
	return true;
}

static void choose(struct attacker *attacker, struct device *device)
{
	const struct descriptor_endpoint *endpoint;

	endpoint = device_find_endpoint(device, TRANSFER_BULK, true);
	if (endpoint) {
		attacker->bulk = device;
		attacker->bulk_in = endpoint->address & 0x0f;
	}
	endpoint = device_find_endpoint(device, TRANSFER_INTERRUPT, true);
	if (endpoint) {
		attacker->silent = device;
		attacker->silent_in = endpoint->address & 0x0f;
	}
}

/* The devices may come in any order. */
static bool find_devices(struct attacker *attacker, uint64_t until_ns)
{
	uint8_t port = 0;
	uint32_t i;

	attacker->bulk = attacker->silent = &attacker->device[0];
	attacker->bulk_in = attacker->silent_in = 0;
	if (!link_wait_devices(&attacker->link, attacker->devices, until_ns))
		return false;
	for (i = 0; i < attacker->devices; i++) {
		port = link_next_device(&attacker->link, port);
		if (device_enumerate(&attacker->device[i], &attacker->link, port) < 0)
			return false;
		choose(attacker, &attacker->device[i]);
	}
	return true;
}

/* What was under way when the connection ended has no answer. */
static void forget(struct attacker *attacker)
{
	attacker->lost += under_way(attacker);
	attacker->link.requests.rsp_cons = attacker->link.requests.req_prod_pvt;
}

bool attack_reconnect(struct attacker *attacker)
{
	attacker->closed++;
	forget(attacker);
	link_abandon(&attacker->link);
	return link_open(&attacker->link, attacker->until_ns) &&
	       find_devices(attacker, attacker->until_ns);
}

void request_begin(struct usbif_urb_request *request, const struct device *device,
		   enum transfer_type type, uint8_t endpoint, bool in)
{
	const struct link_request asked = {
		.port = device->port,
		.address = device->address,
		.endpoint = (uint8_t)(endpoint | (in ? 0x80 : 0)),
		.type = (uint8_t)type,
	};

	usbif_request_begin(request, &asked);
}

void request_set_setup(struct usbif_urb_request *request, const struct setup *setup)
{
	request->pipe &= ~USBIF_PIPE_IN;
	if (setup->request_type & CONTROL_IN)
		request->pipe |= USBIF_PIPE_IN;
	setup_write(setup, request->u.setup);
}

void attack_begin_control(struct attacker *attacker, struct usbif_urb_request *request)
{
	const struct setup setup = {CONTROL_IN, 6, DESCRIPTOR_DEVICE << 8, 0,
				    DESCRIPTOR_DEVICE_BYTES};

	request_begin(request, attacker->bulk, TRANSFER_CONTROL, 0, true);
	request_set_setup(request, &setup);
	usbif_set_data(&attacker->link, request, 0, setup.length);
}

static void run_requests(struct attacker *attacker, const struct attack *chosen)
{
	struct usbif_urb_request request;
	uint32_t i;

	for (i = 0; now_ns() < attacker->until_ns || i % ATTACK_GROUP != 0; i++) {
		chosen->make(attacker, &request, i);
		request.id = (uint16_t)(request.id + i);
		if (!attack_send(attacker, &request) && !attack_reconnect(attacker))
			return;
	}
}

/* A silent device answers nothing by itself, but to be configured anew ends its transfers. */
static void wake_silent(struct attacker *attacker)
{
	const struct setup setup = {0, 9, attacker->silent->descriptors.configuration[0].value, 0,
				    0};
	struct usbif_urb_request request;

	request_begin(&request, attacker->silent, TRANSFER_CONTROL, 0, false);
	request_set_setup(&request, &setup);
	if (front_ring_free(&attacker->link.requests) > 0 && attack_send(attacker, &request))
		attack_take(attacker);
}

/* Waits for the answers that are still owed. */
static void drain(struct attacker *attacker)
{
	uint64_t begin_ns = now_ns(), until_ns = begin_ns + DRAIN_NS;
	bool woken = false;

	while (under_way(attacker) > 0 && now_ns() < until_ns) {
		if (!front_ring_recheck(&attacker->link.requests))
			event_wait(attacker->link.event, now_ns() + LOOK_NS);
		attack_take(attacker);
		if (under_way(attacker) > 0 && !link_is_open(&attacker->link)) {
			attacker->closed++;
			forget(attacker);
		} else if (attacker->silent_asked && !woken && now_ns() - begin_ns > DRAIN_NS / 4) {
			wake_silent(attacker);
			woken = true;
		}
	}
}

static void report(const struct attacker *attacker, const char *name)
{
	print("xvhc-bare: attack %s: sent=%u answered=%u lost=%u unanswered=%d closed=%u\r\n", name,
	      attacker->sent, attacker->answered, attacker->lost,
	      (int)(attacker->sent - attacker->answered - attacker->lost), attacker->closed);
	print("xvhc-bare: answers: ok=%u nodev=%u inval=%u stall=%u ioerror=%u babble=%u "
	      "shutdown=%u other=%u\r\n",
	      attacker->ok, attacker->nodev, attacker->inval, attacker->stall, attacker->ioerror,
	      attacker->babble, attacker->shutdown, attacker->other);
}

static const struct attack *find(const struct attack *table, const char *name)
{
	for (; table->name; table++)
		if (strcmp(table->name, name) == 0)
			return table;
	return NULL;
}

void attack(const char *name, uint32_t devices)
{
	static struct attacker attacker;
	const struct attack *chosen = find(attacks_by_request, name);

	if (!chosen)
		chosen = find(attacks_by_link, name);
	if (!chosen)
		die("there is no attack of that name");
	attacker.devices = devices <= ATTACK_DEVICES_MAX ? devices : ATTACK_DEVICES_MAX;
	attacker.random = 0x9e3779b9;
	if (!link_find(&attacker.link, 1, now_ns() + SET_UP_NS))
		die("no controller under device/vusb");
	if (!link_open(&attacker.link, now_ns() + SET_UP_NS))
		die("the backend does not connect");
	if (!find_devices(&attacker, now_ns() + SET_UP_NS))
		die("not all devices came");
	print("xvhc-bare: attack %s begins\r\n", name);
	attacker.until_ns = now_ns() + ATTACK_NS;
	if (chosen->run)
		chosen->run(&attacker);
	else
		run_requests(&attacker, chosen);
	drain(&attacker);
	report(&attacker, name);
	link_close(&attacker.link, now_ns() + 5000 * MS);
}
