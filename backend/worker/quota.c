// SPDX-License-Identifier: MIT
#include "quota.h"

static_assert(XVHC_WORKER_BYTES_MIN_2 >= TRANSFER_LENGTH_MAX + XVHC_BYTES_FOR_SMALL,
	      "the largest transfer passes");

int quota_init(struct quota *quota, const struct message_connect *connect, uint64_t now_ms)
{
	uint32_t bytes_min =
		connect->version == 1 ? XVHC_WORKER_BYTES_MIN_1 : XVHC_WORKER_BYTES_MIN_2;

	if (connect->bytes_max != 0 && connect->bytes_max < bytes_min)
		return XVHC_EPROTO;
	quota->transfers_max = connect->transfers_max;
	quota->bytes_max = connect->bytes_max;
	quota->transfers = 0;
	quota->bytes = 0;
	quota->bytes_for_small = connect->version == 1 ? 0 : XVHC_BYTES_FOR_SMALL;
	quota->pause_until_ms = 0;
	quota_ask_again(quota);
	rate_init(&quota->control, connect->control_rate, now_ms);
	return XVHC_OK;
}

/*
 * A guest whose transfers all wait for their devices must be able to reach these all the same: the
 * last transfer, and some of the bytes, are not for what is large. Control transfers, of which each
 * device has one of a few KiB at a time, do not count as bytes.
 */
static bool has_room(const struct quota *quota, const struct transfer_request *request)
{
	bool control = request->type == TRANSFER_CONTROL;
	uint32_t kept = request->length > XVHC_SMALL_BYTES ? quota->bytes_for_small : 0;
	uint32_t left = quota->bytes_max - quota->bytes;

	if (quota->transfers_max != 0 &&
	    quota->transfers + (control ? 0 : 1) >= quota->transfers_max)
		return false;
	if (control || quota->bytes_max == 0)
		return true;
	return left >= kept && request->length <= left - kept;
}

static uint32_t counted_bytes(const struct transfer_request *request)
{
	return request->type == TRANSFER_CONTROL ? 0 : request->length;
}

bool quota_needs_time(const struct quota *quota, const struct transfer_request *request)
{
	return quota->pause_until_ms != 0 || request->type == TRANSFER_CONTROL;
}

bool quota_admit(struct quota *quota, const struct transfer_request *request, uint64_t now_ms)
{
	if (now_ms < quota->pause_until_ms) {
		quota->waiting = quota->too_soon = true;
		return false;
	}
	quota->pause_until_ms = 0;
	if (!has_room(quota, request)) {
		quota->waiting = true;
		return false;
	}
	if (request->type == TRANSFER_CONTROL && !rate_take(&quota->control, now_ms)) {
		quota->waiting = quota->too_soon = true;
		return false;
	}
	return true;
}

void quota_pause(struct quota *quota, uint64_t now_ms)
{
	quota->pause_until_ms = now_ms + XVHC_HOST_FULL_PAUSE_MS;
	quota->waiting = quota->too_soon = true;
}

void quota_ask_again(struct quota *quota)
{
	quota->waiting = quota->too_soon = false;
}

void quota_take(struct quota *quota, const struct transfer_request *request)
{
	assert(has_room(quota, request));
	quota->transfers++;
	quota->bytes += counted_bytes(request);
}

void quota_give(struct quota *quota, const struct transfer_request *request)
{
	uint32_t bytes = counted_bytes(request);

	assert(quota->transfers > 0 && quota->bytes >= bytes);
	quota->transfers--;
	quota->bytes -= bytes;
}

/* What waits for room is woken up by the end of a transfer. */
int quota_wait_ms(const struct quota *quota, uint64_t now_ms)
{
	uint32_t wait_ms = rate_wait_ms(&quota->control, now_ms);
	uint64_t pause_ms = 0;

	if (!quota->too_soon)
		return -1;
	if (now_ms < quota->pause_until_ms)
		pause_ms = quota->pause_until_ms - now_ms;
	return (int)(pause_ms > wait_ms ? pause_ms : wait_ms);
}
