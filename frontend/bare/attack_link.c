// SPDX-License-Identifier: MIT
/*
 * Attacks on the connection: on the rings and what lies in them, on grants, event channel and
 * XenStore nodes. Where the backend closes it, they connect anew and go on.
 */
#include "attack.h"

#include <string.h>

#include "console.h"
#include "store.h"

#define CLOSE_NS (2000 * MS)
#define REWRITE_NS (100 * MS)

/* The backend waits longer and longer before it lets a bad frontend connect again. */
#define PATIENCE_NS (15000 * MS)
#define PATH_MAX (2 * LINK_PATH_MAX)

static bool time_is_over(const struct attacker *attacker)
{
	return now_ns() >= attacker->until_ns;
}

static void node(const struct attacker *attacker, const char *name, char path[PATH_MAX])
{
	format(path, PATH_MAX, "%s/%s", attacker->link.frontend, name);
}

/* What a request becomes for a moment: nothing of it may pass, nor half of it. */
static void spoil(struct usbif_urb_request *request, uint32_t i)
{
	switch (i % 6) {
	case 0:
		request->seg[0].length = 0xffff;
		request->buffer_length = 0xffff;
		break;
	case 1:
		request->seg[0].offset = 4090;
		break;
	case 2:
		request->nr_buffer_segs = 16;
		memset(request->seg + 1, 0xff, sizeof(request->seg) - sizeof(request->seg[0]));
		break;
	case 3:
		request->u.setup[6] = request->u.setup[7] = 0xff;
		break;
	case 4:
		request->pipe &= ~(3u << USBIF_PIPE_TYPE_SHIFT);
		request->u.isoc.number_of_packets = 0xffff;
		request->u.isoc.nr_frame_desc_segs = 1;
		break;
	default:
		request->nr_buffer_segs = 0xffff;
		break;
	}
}

/* Rewrites all requests that are under way, there and back, until they have their answers. */
static void rewrite(struct attacker *attacker, const struct usbif_urb_request *honest,
		    const struct usbif_urb_request *spoilt)
{
	const struct front_ring *ring = &attacker->link.requests;
	const volatile uint32_t *answers = &ring->page.head->rsp_prod;
	uint64_t until_ns = now_ns() + REWRITE_NS;
	uint32_t at;

	while (*answers != ring->req_prod_pvt && now_ns() < until_ns) {
		for (at = *answers; at != ring->req_prod_pvt; at++) {
			uint32_t slot = at % USBIF_URB_RING_SLOTS;
			uint8_t *shared = ring->page.slots + slot * ring->page.slot_size;

			/* Where an answer lies, it is to be read later. */
			if ((int32_t)(*answers - at) > 0)
				continue;
			memcpy(shared, &spoilt[slot], sizeof(*spoilt));
			memcpy(shared, &honest[slot], sizeof(*honest));
		}
	}
}

static void change_request(struct attacker *attacker)
{
	static struct usbif_urb_request honest[USBIF_URB_RING_SLOTS];
	static struct usbif_urb_request spoilt[USBIF_URB_RING_SLOTS];
	struct front_ring *ring = &attacker->link.requests;
	uint32_t i = 0;

	while (!time_is_over(attacker)) {
		while (front_ring_free(ring) > 0) {
			uint32_t slot = ring->req_prod_pvt % USBIF_URB_RING_SLOTS;

			attack_begin_control(attacker, &honest[slot]);
			honest[slot].id = (uint16_t)i;
			spoilt[slot] = honest[slot];
			/* The last kind is a breach of the protocol: not too often. */
			spoil(&spoilt[slot], i % 600 == 599 ? 5 : i % 5);
			link_put(&attacker->link, &honest[slot], sizeof(struct usbif_urb_request));
			attacker->sent++;
			i++;
		}
		rewrite(attacker, honest, spoilt);
		attack_take(attacker);
		if (front_ring_free(ring) == 0 && !link_is_open(&attacker->link) &&
		    !attack_reconnect(attacker))
			return;
	}
}

/* Does something for which the backend should end the connection, and waits for it. */
static void until_closed(struct attacker *attacker,
			 void (*hit)(struct attacker *attacker, uint32_t i))
{
	uint32_t i;

	attacker->until_ns += PATIENCE_NS;
	for (i = 0; i < 4; i++) {
		uint64_t until_ns = now_ns() + CLOSE_NS;

		hit(attacker, i);
		while (link_is_open(&attacker->link) && now_ns() < until_ns)
			event_send(attacker->link.event);
		if (link_is_open(&attacker->link))
			print("xvhc-bare: the backend lets number %u pass\r\n", i);
		if (!attack_reconnect(attacker))
			return;
	}
}

static void hit_index(struct usbif_ring_head *head, uint32_t slots, uint32_t i)
{
	const uint32_t bad[] = {head->rsp_prod + slots + 1, head->rsp_prod - 1,
				head->rsp_prod + 0x80000000u, head->req_prod - 0x10000u};

	head->req_prod = bad[i % 4];
}

static void hit_urb_index(struct attacker *attacker, uint32_t i)
{
	hit_index(attacker->link.requests.page.head, USBIF_URB_RING_SLOTS, i);
}

static void urb_index(struct attacker *attacker)
{
	until_closed(attacker, hit_urb_index);
}

/* Leaves the connection, and gets as far as new rings. False: not in time. */
static bool start_over(struct attacker *attacker)
{
	struct link *link = &attacker->link;

	link_abandon(link);
	link_set_state(link, STATE_INITIALISING);
	while (link_backend_state(link) != STATE_INIT_WAIT) {
		if (time_is_over(attacker))
			return false;
		wait_until(now_ns() + MS);
	}
	return link_prepare(link);
}

/* Waits while the backend is in a state. */
static void while_state(const struct attacker *attacker, enum link_state state, uint64_t limit_ns)
{
	uint64_t until_ns = now_ns() + limit_ns;

	while (link_backend_state(&attacker->link) == state && now_ns() < until_ns)
		wait_until(now_ns() + MS);
}

/* The backend looks at this ring when it connects, and when it has a device to tell of. */
static void conn_index(struct attacker *attacker)
{
	struct link *link = &attacker->link;
	uint32_t i;

	attacker->until_ns += PATIENCE_NS;
	for (i = 0; i < 4 && start_over(attacker); i++) {
		if (i % 2 == 0)
			link->events.page.head->req_prod = USBIF_CONN_RING_SLOTS + 1 + i;
		usbif_offer(link, link->ring_reference[0], link->ring_reference[1], link->event,
			    STATE_INITIALISED);
		while_state(attacker, STATE_INIT_WAIT, CLOSE_NS);
		link->events.page.head->req_prod = 0x80000000u + i;
		event_send(link->event);
		while_state(attacker, STATE_CONNECTED, CLOSE_NS);
		if (link_is_open(link))
			print("xvhc-bare: the backend lets number %u pass\r\n", i);
		else
			attacker->closed++;
	}
}

static void hit_segment_count(struct attacker *attacker, uint32_t i)
{
	struct usbif_urb_request request;

	attack_begin_control(attacker, &request);
	request.nr_buffer_segs = i % 2 == 0 ? 17 : 0xffff;
	link_put(&attacker->link, &request, sizeof(struct usbif_urb_request));
	attacker->sent++;
}

static void segment_count(struct attacker *attacker)
{
	until_closed(attacker, hit_segment_count);
}

/* Takes grants away while they are in use, those of the rings included. */
static void revoke(struct attacker *attacker)
{
	struct usbif_urb_request request;
	uint32_t i, reference;

	for (i = 0; !time_is_over(attacker); i++) {
		reference = grant_page(attacker->link.domain, link_data[i % 8], true);
		attack_begin_control(attacker, &request);
		request.id = (uint16_t)i;
		request.seg[0].gref = reference;
		if (reference == 0 || !attack_send(attacker, &request))
			return;
		grant_revoke(reference);
		while (!grant_end(reference))
			;
		if (i == 100) {
			grant_revoke(attacker->link.ring_reference[0]);
			grant_revoke(attacker->link.ring_reference[1]);
		}
	}
}

static void event_storm(struct attacker *attacker)
{
	struct usbif_urb_request request;
	uint32_t i, j;

	attack_begin_control(attacker, &request);
	for (i = 0; !time_is_over(attacker); i++) {
		for (j = 0; j < 100; j++)
			event_send(attacker->link.event);
		request.id = (uint16_t)i;
		if (!attack_send(attacker, &request))
			return;
	}
	print("xvhc-bare: events=%u\r\n", 100 * i);
}

static void state_flips(struct attacker *attacker)
{
	static const char *const values[] = {"1", "3", "4", "5",          "6",  "2",
					     "0", "7", "",  "4294967297", "-1", "four"};
	const char *chosen[10];
	char path[PATH_MAX];
	uint32_t i, j;

	node(attacker, "state", path);
	for (i = 0; !time_is_over(attacker); i++) {
		for (j = 0; j < 10; j++)
			chosen[j] = values[attack_random(attacker) % 12];
		store_write_many(path, chosen, 10);
	}
	print("xvhc-bare: states=%u\r\n", 10 * i);
}

static void reconnects(struct attacker *attacker)
{
	uint32_t i;

	for (i = 0; !time_is_over(attacker); i++) {
		link_close(&attacker->link, attacker->until_ns);
		if (!link_open(&attacker->link, attacker->until_ns))
			break;
	}
	print("xvhc-bare: connections=%u\r\n", i);
}

/* Offers rings and channels that there are not. */
static void offers(struct attacker *attacker)
{
	struct link *link = &attacker->link;
	uint32_t i;

	attacker->until_ns += PATIENCE_NS;
	for (i = 0; i < 8 && start_over(attacker); i++) {
		const uint32_t urb = link->ring_reference[0], conn = link->ring_reference[1];
		const uint32_t event = link->event;
		const uint32_t bad[][3] = {
			{0xffffffff, conn, event}, {urb, 400, event}, {urb, conn, 0},
			{urb, conn, 4095},         {urb, urb, event}, {urb, conn, 0xffffffff},
			{1u << 31, conn, event},   {0, 1, event},
		};
		const uint32_t *offer = bad[i % 8];

		usbif_offer(link, offer[0], offer[1], offer[2], STATE_INITIALISED);
		while_state(attacker, STATE_INIT_WAIT, CLOSE_NS);
	}
	print("xvhc-bare: offers=%u\r\n", i);
}

/* As many nodes as XenStore lets it have, with long values where the backend reads. */
static void nodes(struct attacker *attacker)
{
	static const char *const names[] = {"urb-ring-ref", "conn-ring-ref",     "event-channel",
					    "protocol",     "feature-reconnect", "state",
					    "backend",      "backend-id"};
	char path[PATH_MAX], name[32], value[201];
	uint32_t i, kept = 0;

	memset(value, 'x', sizeof(value));
	value[sizeof(value) - 1] = 0;
	for (i = 0; !time_is_over(attacker); i++) {
		format(name, sizeof(name), "junk-%u", i);
		node(attacker, i % 8 == 0 ? names[i / 8 % 8] : name, path);
		kept += store_write(0, path, value);
	}
	print("xvhc-bare: nodes=%u turned-away=%u\r\n", kept, i - kept);
}

/* Takes its own directory away, and puts something there. */
static void directory(struct attacker *attacker)
{
	char path[PATH_MAX];
	uint32_t i;

	node(attacker, "state", path);
	for (i = 0; !time_is_over(attacker); i++) {
		store_remove(attacker->link.frontend);
		store_write(0, path, i % 2 ? "4" : "3");
	}
	print("xvhc-bare: removals=%u\r\n", i);
}

/* Leaves with everything under way, without a word. */
static void vanish(struct attacker *attacker)
{
	struct usbif_urb_request request;
	uint32_t i;

	for (i = 0; i < USBIF_URB_RING_SLOTS; i++) {
		request_begin(&request, attacker->silent, TRANSFER_INTERRUPT, attacker->silent_in,
			      true);
		usbif_set_data(&attacker->link, &request, 0, 16 * PAGE_BYTES);
		request.id = (uint16_t)i;
		link_put(&attacker->link, &request, sizeof(struct usbif_urb_request));
	}
	print("xvhc-bare: attack vanish: left=%u\r\nxvhc-bare: end\r\n", i);
	console_flush();
	xen_power_off();
}

const struct attack attacks_by_link[] = {
	{"change-request", NULL, change_request},
	{"urb-index", NULL, urb_index},
	{"conn-index", NULL, conn_index},
	{"segment-count", NULL, segment_count},
	{"revoke", NULL, revoke},
	{"event-storm", NULL, event_storm},
	{"state-flips", NULL, state_flips},
	{"reconnects", NULL, reconnects},
	{"offers", NULL, offers},
	{"nodes", NULL, nodes},
	{"directory", NULL, directory},
	{"vanish", NULL, vanish},
	{NULL, NULL, NULL},
};
