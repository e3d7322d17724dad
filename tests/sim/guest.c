// SPDX-License-Identifier: MIT
/*
 * For each port the guest has a view of its device: address, configuration, altsettings. It knows
 * that for sure while it changes one thing at a time; then a request that fits is legitimate, and
 * must not be refused.
 */
#include "guest.h"

#include <stdio.h>
#include <string.h>

#include "kind.h"
#include "memory.h"
#include "outcome.h"
#include "rings.h"
#include "view.h"

static struct sim_request requests[SIM_REQUESTS];
static bool armed; /* we wait for a notification of the next response or event */
static uint32_t noise_open;
uint64_t guest_answers, guest_good_answers;

struct sim_request *request_find(uint32_t id)
{
	struct sim_request *request = &requests[id % SIM_REQUESTS];

	return request->open && request->id == id ? request : NULL;
}

uint32_t guest_start(void)
{
	uint32_t pages, i;

	for (i = 0; i < SIM_REQUESTS; i++) {
		struct sim_request *request = &requests[i];

		if (request->open && request->kind == SIM_SUBMIT)
			memory_give(request->piece, request_pieces(request));
		request->open = false;
	}
	pages = rings_start();
	armed = true;
	noise_open = 0;
	memory_accept_noise();
	views_reset();
	return pages;
}

uint32_t guest_open_requests(void)
{
	uint32_t count = 0, i;

	for (i = 0; i < SIM_REQUESTS; i++)
		count += requests[i].open;
	return count;
}

static struct sim_request *request_new(enum sim_request_kind kind)
{
	uint32_t at = random_below(SIM_REQUESTS), i;

	if (rings_free() == 0)
		return NULL;
	for (i = 0; i < SIM_REQUESTS; i++, at++) {
		struct sim_request *request = &requests[at % SIM_REQUESTS];

		if (request->open)
			continue;
		memset(request, 0, offsetof(struct sim_request, data));
		request->kind = kind;
		request->id = rings_id(at % SIM_REQUESTS);
		request->port = 1 + random_below(SIM_PORTS);
		return request;
	}
	return NULL;
}

bool guest_submit(void)
{
	struct sim_request *request = request_new(SIM_SUBMIT);

	if (!request || !view_fill(request))
		return false;
	request->open = true;
	rings_put(request);
	return true;
}

static struct sim_request *pick_open(void)
{
	uint32_t at = random_below(SIM_REQUESTS), i;

	for (i = 0; i < SIM_REQUESTS; i++, at++) {
		if (requests[at % SIM_REQUESTS].open)
			return &requests[at % SIM_REQUESTS];
	}
	return NULL;
}

bool guest_cancel(void)
{
	struct sim_request *request = request_new(SIM_CANCEL);
	struct sim_request *target = pick_open();
	uint16_t id = (uint16_t)random_u64();

	if (!request)
		return false;
	if (target && !random_one_in(8)) {
		id = target->id;
		request->target_open = true;
		request->port = target->port;
		target->cancelled = true;
		if (target->change != CHANGE_NONE)
			view_doubt(target->port);
	} else if (request_find(id)) {
		return false;
	}
	request->open = true;
	rings_put_cancel(request, id);
	return true;
}

bool guest_noise(void)
{
	struct sim_request *request = request_new(SIM_NOISE);
	uint32_t i;

	if (!request)
		return false;
	/* It may be a cancellation, or change a device's state. */
	for (i = 0; i < SIM_REQUESTS; i++) {
		requests[i].cancelled = true;
		requests[i].legitimate = false;
	}
	for (i = 1; i <= SIM_PORTS; i++)
		view_doubt(i);
	noise_open++;
	request->open = true;
	rings_put_noise(request);
	return true;
}

void guest_post_events(uint32_t count)
{
	rings_post_events(count);
}

void guest_break_protocol(void)
{
	rings_break();
}

bool guest_push(void)
{
	return rings_push();
}

static void take_answer(const struct sim_answer *answer)
{
	struct sim_request *request = request_find(answer->id);

	SIM_CHECK(request, "an answer to request %u, which is not under way", answer->id);
	guest_answers++;
	guest_good_answers += answer->status == XVHCIF_STATUS_OK;
	outcome_check(request, answer);
	if (request->kind == SIM_SUBMIT || request->kind == SIM_OPERATION) {
		view_answered(request, answer->status);
		memory_give(request->piece, request_pieces(request));
	}
	request->open = false;
	if (request->kind == SIM_NOISE && --noise_open == 0)
		memory_accept_noise();
}

static uint32_t take_all(void)
{
	struct sim_answer answer;
	struct sim_event event;
	uint32_t count = 0;

	for (; rings_take_event(&event); count++)
		view_event(&event);
	for (; rings_take_answer(&answer); count++)
		take_answer(&answer);
	return count;
}

void guest_take(bool notified)
{
	uint32_t count = take_all();

	SIM_CHECK(count == 0 || !armed || notified, "%u entries without a notification", count);
	armed = random_one_in(2);
	if (armed)
		SIM_CHECK(!rings_recheck(), "entries out of nowhere");
}

void guest_accept_open(void)
{
	uint32_t i;

	for (i = 0; i < SIM_REQUESTS; i++) {
		struct sim_request *request = &requests[i];

		if (request->open && request->kind == SIM_SUBMIT)
			memory_accept(request->piece, request_pieces(request));
	}
}

void guest_check(void)
{
	memory_check(noise_open == 0);
}

void guest_write_elsewhere(void)
{
	struct usbif_segment segments[4];
	uint32_t count = memory_take(1 + random_below(4000), segments, 4);

	memory_scribble(segments, count);
	memory_give(segments, count);
}

void guest_device_lost(uint32_t port)
{
	uint32_t i;

	for (i = 0; i < SIM_REQUESTS; i++) {
		if (requests[i].port != port)
			continue;
		requests[i].device_lost = true;
		requests[i].legitimate = false;
	}
	view_lost(port);
}

void guest_device_given(uint32_t port, const struct message_attach *attach)
{
	view_given(port, attach);
}

bool guest_sees(uint32_t port)
{
	return view_connected(port);
}
