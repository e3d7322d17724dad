// SPDX-License-Identifier: MIT
/*
 * Each port is an interface of the file, and a bus of its own: the numbers of devices that a guest
 * gives are unique on one port, and need not be so on two. The port n of the first controller is
 * bus n, that of the second bus 32 + n.
 */
#include "capture_file.h"

#include <stdio.h>
#include <string.h>

#include <error.h>
#include <transfer.h>
#include <xvhc/usbif.h>

#define PORTS_OF_A_CONTROLLER (USBIF_PORT_MAX + 1u)
#define COMMENT_MAX 192u
#define SERIAL_BITS 48u

/* A record whose lengths were checked. */
struct parts {
	struct capture_record record;
	const uint8_t *packets;
	const uint8_t *data;
};

static int block_put(struct capture_file *file)
{
	return file->put(file->context, file->block.bytes, file->block.used);
}

int capture_file_begin(struct capture_file *file, uint64_t now_ns, const char *hardware,
		       const char *system, const char *application)
{
	file->block.bytes = file->bytes;
	file->block.size = sizeof(file->bytes);
	file->begin_ns = now_ns;
	pcapng_section(&file->block, hardware, system, application);
	return block_put(file);
}

/* Takes a record apart. False where it makes no sense. */
static bool parse(const uint8_t *message, size_t length, struct parts *parts)
{
	struct capture_record *record = &parts->record;

	if (length < sizeof(*record))
		return false;
	memcpy(record, message, sizeof(*record));
	record->verdict[CAPTURE_VERDICT_MAX - 1] = '\0';
	if (record->kind < CAPTURE_NAME || record->kind > CAPTURE_LOST ||
	    record->port > USBIF_PORT_MAX || record->packets > XVHC_ISOC_PACKETS_MAX ||
	    record->data > XVHC_CAPTURE_DATA_MAX || record->type > TRANSFER_INTERRUPT ||
	    record->operation > TRANSFER_STREAMS_FREE || record->address > 127)
		return false;
	if (record->operation != TRANSFER_SUBMIT && (record->packets > 0 || record->data > 0))
		return false;
	parts->packets = message + sizeof(*record);
	parts->data = parts->packets + record->packets * sizeof(struct capture_packet);
	return length ==
	       sizeof(*record) + record->packets * sizeof(struct capture_packet) + record->data;
}

/* Somebody else's text, fit for a line. */
static void text_copy(char *to, size_t size, const void *from, size_t length)
{
	const char *text = from;
	size_t i;

	for (i = 0; i < length && i < size - 1 && text[i]; i++)
		to[i] = (char)(text[i] >= ' ' && text[i] <= '~' ? text[i] : '?');
	to[i] = '\0';
}

/* Which controller of the file this is, from 0. Where there are too many, the last. */
static uint32_t source_number(struct capture_file *file, uint32_t source)
{
	uint32_t i;

	for (i = 0; i < file->source_count; i++)
		if (file->sources[i] == source)
			return i;
	if (i == XVHC_CAPTURE_CONTROLLERS_MAX)
		return i - 1;
	file->sources[file->source_count++] = source;
	return i;
}

/* The latest interface of this port; NULL: none. */
static struct capture_interface *interface_find(struct capture_file *file, uint32_t source,
						uint32_t port)
{
	for (uint32_t i = file->interface_count; i > 0; i--) {
		struct capture_interface *interface = &file->interface[i - 1];

		if (interface->source == source && interface->port == port)
			return interface;
	}
	return NULL;
}

/* Adds an interface. Where there are too many, *made is the last one, whosever it is. */
static int interface_add(struct capture_file *file, uint32_t source, uint32_t port,
			 const char *name, struct capture_interface **made)
{
	const struct capture_interface *before = interface_find(file, source, port);
	struct capture_interface *interface;

	if (file->interface_count == XVHC_CAPTURE_INTERFACES_MAX) {
		*made = &file->interface[file->interface_count - 1];
		return 0;
	}
	interface = *made = &file->interface[file->interface_count++];
	interface->source = source;
	interface->port = port;
	interface->lost_told = before ? before->lost_told : 0;
	snprintf(interface->name, sizeof(interface->name), "%s", name);
	pcapng_interface(&file->block, USBMON_LINK_TYPE, name);
	return block_put(file);
}

static int interface_of(struct capture_file *file, const struct capture_record *record,
			struct capture_interface **found)
{
	char name[64];

	*found = interface_find(file, record->source, record->port);
	if (*found)
		return 0;
	snprintf(name, sizeof(name), "controller %u port %u", record->source, record->port);
	if (record->port == 0)
		snprintf(name, sizeof(name), "controller %u, no port", record->source);
	return interface_add(file, record->source, record->port, name, found);
}

static int name_add(struct capture_file *file, const struct parts *parts)
{
	const struct capture_record *record = &parts->record;
	struct capture_interface *interface;
	char name[CAPTURE_NAME_MAX];

	text_copy(name, sizeof(name), parts->data, record->data);
	interface = interface_find(file, record->source, record->port);
	if (interface && strcmp(interface->name, name) == 0)
		return 0;
	return interface_add(file, record->source, record->port, name, &interface);
}

/* How many records were lost before this one. */
static uint32_t lost_before(struct capture_file *file, struct capture_interface *interface,
			    const struct capture_record *record)
{
	uint32_t lost = 0;

	if (record->lost > interface->lost_told) {
		lost = record->lost - interface->lost_told;
		interface->lost_told = record->lost;
		interface->lost += lost;
		file->lost += lost;
	}
	return lost;
}

static void add_endpoints(char text[COMMENT_MAX], uint32_t endpoints)
{
	for (uint32_t i = 0; i < 32; i++) {
		size_t used = strlen(text);

		if (endpoints & 1u << i)
			snprintf(text + used, COMMENT_MAX - used, " %02x",
				 (i & 15) | (i & 16) << 3);
	}
}

/* What a port was asked for, which is no transfer. */
static void comment_operation(struct capture_file *file, const struct capture_record *record)
{
	static const char *const texts[] = {
		[TRANSFER_CANCEL] = "the guest cancels a request",
		[TRANSFER_PORT_RESET] = "the guest resets the port",
		[TRANSFER_PORT_SUSPEND] = "the guest suspends the port",
		[TRANSFER_PORT_RESUME] = "the guest resumes the port",
		[TRANSFER_STREAMS_ALLOCATE] = "the guest asks for streams of endpoints",
		[TRANSFER_STREAMS_FREE] = "the guest frees the streams of endpoints",
	};
	char text[COMMENT_MAX];

	if (record->kind == CAPTURE_SUBMIT) {
		snprintf(text, sizeof(text), "%s", texts[record->operation]);
		if (record->operation >= TRANSFER_STREAMS_ALLOCATE)
			add_endpoints(text, record->endpoints);
		pcapng_comment(&file->block, text);
	} else if (record->operation == TRANSFER_STREAMS_ALLOCATE && record->error == XVHC_OK) {
		snprintf(text, sizeof(text), "%u streams", record->length);
		pcapng_comment(&file->block, text);
	}
}

static void comment(struct capture_file *file, const struct capture_record *record)
{
	char text[COMMENT_MAX], verdict[CAPTURE_VERDICT_MAX];

	if (record->operation != TRANSFER_SUBMIT)
		comment_operation(file, record);
	if (record->stream != 0 && record->kind == CAPTURE_SUBMIT) {
		snprintf(text, sizeof(text), "stream %u", record->stream);
		pcapng_comment(&file->block, text);
	}
	if (record->kind == CAPTURE_REFUSE) {
		text_copy(verdict, sizeof(verdict), record->verdict, sizeof(record->verdict));
		snprintf(text, sizeof(text), "refused by xvhcd: %s", verdict);
		pcapng_comment(&file->block, text);
	} else if (record->flags & CAPTURE_ANSWERED) {
		pcapng_comment(&file->block,
			       record->error == XVHC_ECANCEL
				       ? "cancelled by the guest before it reached the device"
				       : "answered by xvhcd; it did not reach the device");
	}
}

static void packets_put(struct capture_file *file, const struct parts *parts)
{
	uint8_t bytes[USBMON_PACKET_BYTES];
	struct capture_packet packet;

	for (uint32_t i = 0; i < parts->record.packets; i++) {
		memcpy(&packet, parts->packets + i * sizeof(packet), sizeof(packet));
		usbmon_packet(&packet, bytes);
		pcapng_put(&file->block, bytes, sizeof(bytes));
	}
}

/* Bytes of data that there were to capture. */
static uint32_t data_of(const struct capture_record *record)
{
	bool in = (record->endpoint & 0x80) != 0;

	/* Of what was not captured at all, nobody knows whether there was any. */
	if (record->data == 0 || in != (record->kind == CAPTURE_COMPLETE) ||
	    record->type == TRANSFER_ISOC || record->length < record->data)
		return record->data;
	return record->length < TRANSFER_LENGTH_MAX ? record->length : TRANSFER_LENGTH_MAX;
}

static int packet_add(struct capture_file *file, const struct parts *parts)
{
	const struct capture_record *record = &parts->record;
	uint32_t head = USBMON_HEAD_BYTES + record->packets * USBMON_PACKET_BYTES;
	uint32_t source = source_number(file, record->source), lost;
	struct capture_interface *interface;
	uint8_t bytes[USBMON_HEAD_BYTES];
	char text[COMMENT_MAX];
	int result = interface_of(file, record, &interface);

	if (result != 0)
		return result;
	lost = lost_before(file, interface, record);
	pcapng_packet(&file->block, (uint32_t)(interface - file->interface), record->time_ns,
		      head + record->data, head + data_of(record));
	usbmon_head(record, (uint16_t)(source * PORTS_OF_A_CONTROLLER + record->port),
		    record->serial ^ (uint64_t)source << SERIAL_BITS, bytes);
	pcapng_put(&file->block, bytes, sizeof(bytes));
	packets_put(file, parts);
	pcapng_put(&file->block, parts->data, record->data);
	pcapng_packet_whole(&file->block);
	comment(file, record);
	if (lost > 0) {
		snprintf(text, sizeof(text), "%u packets before this one are lost", lost);
		pcapng_comment(&file->block, text);
		pcapng_lost(&file->block, lost);
	}
	pcapng_end(&file->block);
	interface->received++;
	file->packets++;
	return block_put(file);
}

int capture_file_add(struct capture_file *file, const void *message, size_t length)
{
	struct capture_interface *interface;
	struct parts parts;
	int result;

	if (!parse(message, length, &parts)) {
		file->senseless++;
		return 0;
	}
	if (parts.record.kind == CAPTURE_NAME)
		return name_add(file, &parts);
	if (parts.record.kind != CAPTURE_LOST)
		return packet_add(file, &parts);
	result = interface_of(file, &parts.record, &interface);
	if (result == 0)
		(void)lost_before(file, interface, &parts.record);
	return result;
}

int capture_file_end(struct capture_file *file, uint64_t now_ns)
{
	int result = 0;

	for (uint32_t i = 0; i < file->interface_count && result == 0; i++) {
		const struct capture_interface *interface = &file->interface[i];
		const struct pcapng_statistics statistics = {
			.begin_ns = file->begin_ns,
			.end_ns = now_ns,
			.received = interface->received,
			.lost = interface->lost,
		};

		pcapng_statistics(&file->block, i, &statistics);
		result = block_put(file);
	}
	return result;
}
