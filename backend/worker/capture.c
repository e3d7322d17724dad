// SPDX-License-Identifier: MIT
/*
 * A record is put together in one static buffer, and sent as one message to each capture that wants
 * its port. Nothing waits: where the reader is slow, the record is lost, and counted with the next
 * one. The reader's end of file ends the capture.
 *
 * A request that reaches the device is told twice, as the source takes it and as it is answered.
 * One that does not is told by two records at once, when it is answered. So each has both, but for
 * those that were under way as the capture began.
 */
#include "capture.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <barrier.h>
#include <capture_record.h>

#include "buffer.h"

static_assert(XVHC_CAPTURES_MAX <= 32, "a bit for each");

static _Alignas(8) uint8_t buffer[CAPTURE_RECORD_MAX];

static struct capture_record *const record = (struct capture_record *)(void *)buffer;

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void end(struct worker *worker, uint32_t index)
{
	struct capture_reader *reader = &worker->captures.reader[index];

	close(reader->fd);
	memset(reader, 0, sizeof(*reader));
	worker->captures.on &= ~(1u << index);
}

/* Sends the record in the buffer, as far as the capture wants its data. */
static void send_to(struct worker *worker, uint32_t index)
{
	struct capture_reader *reader = &worker->captures.reader[index];
	uint32_t port = record->port, data = record->data;
	size_t size = sizeof(*record) + record->packets * sizeof(struct capture_packet);
	ssize_t sent;

	if ((reader->ports & 1u << port) == 0)
		return;
	if (record->data > reader->data_max)
		record->data = reader->data_max;
	record->source = reader->source;
	record->lost = reader->lost[port];
	sent = sendto(reader->fd, buffer, size + record->data, MSG_DONTWAIT | MSG_NOSIGNAL, NULL,
		      0);
	record->data = data;
	if (sent >= 0)
		return;
	if (errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM || errno == EMSGSIZE ||
	    errno == EINTR)
		reader->lost[port]++;
	else
		end(worker, index);
}

static void send_to_all(struct worker *worker)
{
	uint32_t i;

	for (i = 0; i < XVHC_CAPTURES_MAX; i++) {
		if (worker->captures.on & 1u << i)
			send_to(worker, i);
	}
}

/* The most data that anybody wants of this port. */
static uint32_t data_wanted(const struct worker *worker, uint32_t port)
{
	uint32_t most = 0, i;

	for (i = 0; i < XVHC_CAPTURES_MAX; i++) {
		const struct capture_reader *reader = &worker->captures.reader[i];

		if ((worker->captures.on & 1u << i) && (reader->ports & 1u << port) &&
		    reader->data_max > most)
			most = reader->data_max;
	}
	return most;
}

static void begin_record(enum capture_kind kind, uint32_t port)
{
	memset(record, 0, sizeof(*record));
	record->kind = kind;
	record->port = port;
	record->time_ns = now_ns();
}

static void add_request(const struct transfer_request *request)
{
	record->operation = request->operation;
	record->type = request->type;
	record->address = request->address;
	record->endpoint = transfer_endpoint_address(request);
	memcpy(record->setup, request->setup, sizeof(record->setup));
	record->flags = (uint16_t)((request->short_not_ok ? CAPTURE_SHORT_NOT_OK : 0) |
				   (request->zero_packet ? CAPTURE_ZERO_PACKET : 0));
	record->interval = request->interval;
	record->stream = request->stream;
	record->streams = request->streams;
	record->endpoints = request->endpoints;
	record->length = request->length;
}

/* The packets, and where the data ends that was transferred, or is to be. */
static uint32_t add_packets(const struct slot *slot, bool complete)
{
	struct capture_packet *packet = (struct capture_packet *)(void *)(buffer + sizeof(*record));
	uint32_t at = 0, data_end = 0, i;

	record->packets = slot->request.packets;
	for (i = 0; i < slot->request.packets; i++) {
		const struct transfer_packet *from = &slot->packet[i];

		packet[i].offset = at;
		packet[i].length = complete ? from->actual : from->length;
		packet[i].error = complete ? from->result : XVHC_OK;
		if (packet[i].length > 0)
			data_end = at + packet[i].length;
		at += from->length;
	}
	return data_end;
}

/* The data may lie in the guest's pool: it is copied once, and nobody looks at it. */
static void add_data(const struct slot *slot, uint32_t length)
{
	uint32_t most = data_wanted(slot->port->worker, record->port);

	if (!slot->data)
		return;
	record->data = length < most ? length : most;
	if (record->data > 0)
		shared_copy(buffer + sizeof(*record) +
				    record->packets * sizeof(struct capture_packet),
			    slot->data, record->data);
}

static bool is_isoc(const struct slot *slot)
{
	return slot->request.operation == TRANSFER_SUBMIT && slot->request.type == TRANSFER_ISOC;
}

static void tell_submission(struct slot *slot, bool has_data)
{
	struct worker *worker = slot->port->worker;
	uint32_t length = slot->request.length;

	slot->serial = ++worker->captures.serial;
	begin_record(CAPTURE_SUBMIT, slot->port->number);
	add_request(&slot->request);
	record->serial = slot->serial;
	if (has_data) {
		if (slot->request.type == TRANSFER_CONTROL)
			length = slot->transfer.length;
		if (is_isoc(slot))
			length = add_packets(slot, false);
		if (!slot->request.in)
			add_data(slot, length);
	}
	send_to_all(worker);
}

void capture_submitted(struct slot *slot)
{
	tell_submission(slot, slot->state == SLOT_TRANSFER);
}

static void set_verdict(const char *verdict)
{
	size_t length = strlen(verdict);

	if (length >= sizeof(record->verdict))
		length = sizeof(record->verdict) - 1;
	memcpy(record->verdict, verdict, length);
}

void capture_answered(struct slot *slot, const struct transfer_result *result)
{
	struct worker *worker = slot->port->worker;
	bool submitted = slot->state == SLOT_TRANSFER || slot->state == SLOT_OPERATION;
	const char *verdict = submitted ? NULL : worker->captures.verdict;
	uint32_t data_end = result->actual;

	if (!submitted)
		tell_submission(slot, false);
	begin_record(verdict ? CAPTURE_REFUSE : CAPTURE_COMPLETE, slot->port->number);
	add_request(&slot->request);
	record->serial = slot->serial;
	record->error = result->error;
	record->length = result->actual;
	record->failed = result->failed_packets;
	if (result->was_short)
		record->flags |= CAPTURE_SHORT;
	if (!submitted)
		record->flags |= CAPTURE_ANSWERED;
	if (verdict)
		set_verdict(verdict);
	if (is_isoc(slot) && slot->state == SLOT_TRANSFER)
		data_end = add_packets(slot, true);
	if (slot->request.operation == TRANSFER_SUBMIT && slot->request.in)
		add_data(slot, data_end);
	send_to_all(worker);
	slot->serial = 0;
}

void capture_malformed(struct worker *worker, const struct transfer_request *request, int error)
{
	/* What stands in it was not decoded: it may be anything. */
	uint32_t port = request->port <= worker->ports ? request->port : 0;
	const char *verdict = worker->captures.verdict;
	enum capture_kind kind;

	worker->captures.serial++;
	for (kind = CAPTURE_SUBMIT; kind <= CAPTURE_REFUSE;
	     kind += CAPTURE_REFUSE - CAPTURE_SUBMIT) {
		begin_record(kind, port);
		if (error == XVHC_ENODEV)
			add_request(request);
		record->serial = worker->captures.serial;
		if (kind == CAPTURE_REFUSE) {
			record->length = 0;
			record->error = error;
			set_verdict(verdict ? verdict : "the guest has no such port");
		}
		send_to_all(worker);
	}
}

/* Nobody has captured so far: of what is under way now, only the end is told. */
static void forget_serials(struct worker *worker)
{
	uint32_t i;

	for (i = 0; i < worker->slot_count; i++)
		worker->slot[i].serial = 0;
}

static void stop(struct worker *worker, uint32_t index)
{
	uint32_t port;

	for (port = 0; port <= worker->ports; port++) {
		if ((worker->captures.on & 1u << index) == 0)
			return; /* nobody reads any more */
		if (worker->captures.reader[index].lost[port] == 0)
			continue;
		begin_record(CAPTURE_LOST, port);
		send_to(worker, index);
	}
	if (worker->captures.on & 1u << index)
		end(worker, index);
}

void capture_set(struct worker *worker, const struct message_capture *wanted,
		 struct message_fds *fds)
{
	struct capture_reader *reader;

	if (wanted->index >= XVHC_CAPTURES_MAX || wanted->data_max > XVHC_CAPTURE_DATA_MAX ||
	    fds->count != (wanted->ports != 0 ? 1 : 0)) {
		log_line(LOG_LEVEL_ERROR, "the broker sent a capture that makes no sense");
		return;
	}
	if (wanted->ports == 0) {
		stop(worker, wanted->index);
		return;
	}
	if (worker->captures.on == 0)
		forget_serials(worker);
	reader = &worker->captures.reader[wanted->index];
	if (worker->captures.on & 1u << wanted->index)
		close(reader->fd);
	reader->fd = fds->fd[0];
	fds->count = 0;
	reader->ports = wanted->ports;
	reader->data_max = wanted->data_max;
	reader->source = wanted->source;
	worker->captures.on |= 1u << wanted->index;
}

void captures_end(struct worker *worker)
{
	uint32_t i;

	for (i = 0; i < XVHC_CAPTURES_MAX; i++)
		stop(worker, i);
}
