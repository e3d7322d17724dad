// SPDX-License-Identifier: MIT
/*
 * What a capture is told of a guest's requests: record by record, over the real worker; and what
 * tshark makes of the file that xvhc writes of them.
 */
#include "frontend2.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <capture_record.h>
#include <error.h>
#include <transfer.h>

#include "../../cli/capture_file.h"

#define ALL UINT32_MAX
#define SOURCE 1000u
#define LIMIT_MS 20000
#define BULK_IN(place) ((place) | PIPE(BULK, 0x81))
#define BULK_OUT(place) ((place) | PIPE(BULK, 0x02))

static struct {
	struct capture_record head;
	uint8_t rest[CAPTURE_RECORD_MAX - sizeof(struct capture_record)];
} got;

static void capture_tell(struct frontend *frontend, uint32_t ports, uint32_t data_max, int fd)
{
	const struct message message = {
		.type = MESSAGE_CAPTURE,
		.u.capture = {.ports = ports, .data_max = data_max, .source = SOURCE},
	};
	struct message_fds fds = {.fd = {fd}, .count = 1};

	assert_int_equal(message_send(frontend->broker, &message, ports ? &fds : NULL), 0);
}

/* Begins a capture. Returns the end that records come out of. */
static int capture_start(struct frontend *frontend, uint32_t ports, uint32_t data_max)
{
	int pair[2];

	assert_return_code(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), errno);
	capture_tell(frontend, ports, data_max, pair[1]);
	close(pair[1]);
	return pair[0];
}

/* The next record, which must come. */
static void next(int records)
{
	struct pollfd wait = {.fd = records, .events = POLLIN};
	ssize_t length;

	assert_int_equal(poll(&wait, 1, LIMIT_MS), 1);
	length = recv(records, &got, sizeof(got), MSG_DONTWAIT);
	assert_int_equal(length, sizeof(got.head) +
					 got.head.packets * sizeof(struct capture_packet) +
					 got.head.data);
	assert_int_equal(got.head.source, SOURCE);
}

static void assert_no_more(int records)
{
	assert_int_equal(recv(records, &got, sizeof(got), MSG_DONTWAIT), -1);
	assert_int_equal(errno, EAGAIN);
}

/* The next record is of this kind, and, where it is not a submission, of the same request. */
static uint64_t expect(int records, enum capture_kind kind, uint64_t serial, uint8_t endpoint)
{
	next(records);
	assert_int_equal(got.head.kind, kind);
	assert_int_equal(got.head.endpoint, endpoint);
	if (kind != CAPTURE_SUBMIT)
		assert_int_equal(got.head.serial, serial);
	return got.head.serial;
}

static uint32_t plug_disk(struct frontend *frontend)
{
	frontend_plug(frontend, 1, MODEL_DISK, USB_SPEED_HIGH);
	return frontend_configure(frontend, 1, 5, 1);
}

static uint32_t plug_loopback(struct frontend *frontend)
{
	struct setup_packet set_interface = {1, 11, 1, 0, 0};
	uint32_t place;

	frontend_plug(frontend, 1, MODEL_LOOPBACK, USB_SPEED_HIGH);
	place = frontend_configure(frontend, 1, 3, 1);
	assert_int_equal(frontend_control(frontend, place, set_interface, NULL, NULL),
			 USBIF_STATUS_OK);
	return place;
}

static void fill_command(uint8_t block[31], uint8_t operation, bool in, uint16_t sectors)
{
	memcpy(block, "USBC\1\2\3\4", 8);
	block[8] = (uint8_t)(sectors * 512);
	block[9] = (uint8_t)(sectors * 512 >> 8);
	block[10] = (uint8_t)(sectors * 512 >> 16);
	block[12] = in ? 0x80 : 0;
	block[14] = 10;
	block[15] = operation;
	block[22] = (uint8_t)(sectors >> 8);
	block[23] = (uint8_t)sectors;
}

/* READ or WRITE (10), the three transfers of it. */
static void run_command(struct frontend *frontend, uint32_t place, bool in, uint8_t *data,
			uint16_t sectors)
{
	uint8_t block[31] = {0}, status[13];
	uint32_t data_place = in ? BULK_IN(place) : BULK_OUT(place);

	fill_command(block, in ? 0x28 : 0x2a, in, sectors);
	assert_int_equal(frontend_transfer(frontend, BULK_OUT(place), block, sizeof(block), NULL),
			 USBIF_STATUS_OK);
	assert_int_equal(frontend_transfer(frontend, data_place, data, sectors * 512u, NULL),
			 USBIF_STATUS_OK);
	assert_int_equal(frontend_transfer(frontend, BULK_IN(place), status, sizeof(status), NULL),
			 USBIF_STATUS_OK);
}

static void read_of_a_disk_is_told_transfer_by_transfer(void **state)
{
	struct frontend *frontend = *state;
	uint32_t place = plug_disk(frontend), i;
	uint8_t data[4096], block[31] = {0};
	uint64_t serial, first;
	int records;

	for (i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7 + i / 256);
	run_command(frontend, place, false, data, 8);
	records = capture_start(frontend, 1u << 1, XVHC_CAPTURE_DATA_DEFAULT);
	memset(data, 0, sizeof(data));
	run_command(frontend, place, true, data, 8);

	first = expect(records, CAPTURE_SUBMIT, 0, 0x02);
	assert_int_equal(got.head.port, 1);
	assert_int_equal(got.head.address, 5);
	assert_int_equal(got.head.type, TRANSFER_BULK);
	assert_int_equal(got.head.length, 31);
	assert_int_equal(got.head.data, 31);
	fill_command(block, 0x28, true, 8);
	assert_memory_equal(got.rest, block, 31);
	expect(records, CAPTURE_COMPLETE, first, 0x02);
	assert_int_equal(got.head.length, 31);
	assert_int_equal(got.head.data, 0);

	serial = expect(records, CAPTURE_SUBMIT, 0, 0x81);
	assert_int_equal(serial, first + 1);
	assert_int_equal(got.head.length, 4096);
	assert_int_equal(got.head.data, 0);
	expect(records, CAPTURE_COMPLETE, serial, 0x81);
	assert_int_equal(got.head.error, XVHC_OK);
	assert_int_equal(got.head.length, 4096);
	assert_int_equal(got.head.data, 4096);
	assert_memory_equal(got.rest, data, 4096);
	for (i = 0; i < sizeof(data); i++)
		assert_int_equal(data[i], (uint8_t)(i * 7 + i / 256));

	serial = expect(records, CAPTURE_SUBMIT, 0, 0x81);
	expect(records, CAPTURE_COMPLETE, serial, 0x81);
	assert_int_equal(got.head.data, 13);
	assert_memory_equal(got.rest, "USBS\1\2\3\4", 8);
	assert_no_more(records);
	close(records);
}

static void data_beyond_the_limit_is_left_out(void **state)
{
	struct frontend *frontend = *state;
	uint32_t place = plug_loopback(frontend);
	int records = capture_start(frontend, ALL, 16);
	uint8_t data[512] = {1, 2, 3};

	assert_int_equal(frontend_transfer(frontend, BULK_IN(place), data, 512, NULL), 0);
	expect(records, CAPTURE_SUBMIT, 0, 0x81);
	next(records);
	assert_int_equal(got.head.length, 512);
	assert_int_equal(got.head.data, 16);
	assert_memory_equal(got.rest, data, 16);
	close(records);
}

static void only_the_ports_that_are_wanted_are_told(void **state)
{
	struct frontend *frontend = *state;
	uint32_t place = plug_loopback(frontend);
	int records = capture_start(frontend, 1u << 2, 16);
	uint8_t data[64];

	assert_int_equal(frontend_transfer(frontend, BULK_IN(place), data, 64, NULL), 0);
	assert_no_more(records);
	assert_int_equal(frontend_transfer(frontend, BULK_IN(pipe_place(2, 0)), data, 64, NULL),
			 USBIF_STATUS_NODEV);
	expect(records, CAPTURE_SUBMIT, 0, 0x81);
	next(records);
	assert_int_equal(got.head.kind, CAPTURE_REFUSE);
	assert_int_equal(got.head.port, 2);
	assert_int_equal(got.head.error, XVHC_ENODEV);
	assert_string_equal(got.head.verdict, "there is no device in this port");
	assert_no_more(records);
	close(records);
}

static void refused_request_is_told_with_the_verdict(void **state)
{
	struct frontend *frontend = *state;
	uint32_t place = plug_loopback(frontend);
	int records = capture_start(frontend, ALL, 64);
	struct setup_packet test_mode = {0, 3, 2, 0x0100, 0};
	uint8_t data[64];
	uint64_t serial;

	/* By vetting. */
	assert_int_equal(frontend_transfer(frontend, place | PIPE(BULK, 0x85), data, 64, NULL),
			 USBIF_STATUS_INVAL);
	serial = expect(records, CAPTURE_SUBMIT, 0, 0x85);
	expect(records, CAPTURE_REFUSE, serial, 0x85);
	assert_int_equal(got.head.error, XVHC_EINVAL);
	assert_string_equal(got.head.verdict, "the active setting has no such endpoint");
	/* As what it asks of a device. */
	assert_int_equal(frontend_control(frontend, place, test_mode, NULL, NULL),
			 USBIF_STATUS_STALL);
	serial = expect(records, CAPTURE_SUBMIT, 0, 0);
	assert_memory_equal(got.head.setup, "\0\3\2\0\0\1\0\0", 8);
	expect(records, CAPTURE_REFUSE, serial, 0);
	assert_int_equal(got.head.error, XVHC_ESTALL);
	assert_non_null(strstr(got.head.verdict, "test mode"));
	/* By the decoder: nothing of it was understood, not even its port. */
	assert_int_equal(frontend_transfer(frontend, BULK_IN(place) | 1u << 20, data, 64, NULL),
			 USBIF_STATUS_INVAL);
	serial = expect(records, CAPTURE_SUBMIT, 0, 0);
	assert_int_equal(got.head.port, 0);
	expect(records, CAPTURE_REFUSE, serial, 0);
	assert_string_equal(got.head.verdict, "a bit of the pipe that has no meaning");
	/* A port that there is not. */
	assert_int_equal(frontend_transfer(frontend, BULK_IN(pipe_place(FRONTEND_PORTS + 1, 3)),
					   data, 64, NULL),
			 USBIF_STATUS_NODEV);
	expect(records, CAPTURE_SUBMIT, 0, 0x81);
	next(records);
	assert_int_equal(got.head.port, 0);
	assert_string_equal(got.head.verdict, "the guest has no such port");
	/* And one that passes has none. */
	assert_int_equal(frontend_transfer(frontend, BULK_IN(place), data, 64, NULL), 0);
	serial = expect(records, CAPTURE_SUBMIT, 0, 0x81);
	expect(records, CAPTURE_COMPLETE, serial, 0x81);
	assert_string_equal(got.head.verdict, "");
	assert_int_equal(got.head.flags & CAPTURE_ANSWERED, 0);
	assert_no_more(records);
	close(records);
}

static void what_the_worker_answers_by_itself_is_marked(void **state)
{
	struct frontend *frontend = *state;
	struct setup_packet get = {0x80, 6, 0x0100, 0, 18};
	struct setup_packet string = {0x80, 6, 0x0302, 0, 64};
	struct setup_packet address = {0, 5, 5, 0, 0}, configuration = {0, 9, 1, 0, 0};
	uint8_t data[64];
	uint32_t place;
	int records;

	frontend_plug(frontend, 1, MODEL_DISK, USB_SPEED_HIGH);
	records = capture_start(frontend, ALL, 64);
	assert_int_equal(frontend_control(frontend, pipe_place(1, 0), address, NULL, NULL), 0);
	place = pipe_place(1, 5);
	expect(records, CAPTURE_SUBMIT, 0, 0);
	next(records);
	assert_int_equal(got.head.kind, CAPTURE_COMPLETE);
	assert_int_equal(got.head.flags, CAPTURE_ANSWERED);
	assert_int_equal(frontend_control(frontend, place, get, data, NULL), 0);
	expect(records, CAPTURE_SUBMIT, 0, 0x80);
	next(records);
	assert_int_equal(got.head.flags, CAPTURE_ANSWERED);
	assert_int_equal(got.head.data, 18);
	assert_memory_equal(got.rest, data, 18);
	/* These two reach the device. */
	assert_int_equal(frontend_control(frontend, place, configuration, NULL, NULL), 0);
	assert_int_equal(frontend_control(frontend, place, string, data, NULL), 0);
	expect(records, CAPTURE_SUBMIT, 0, 0);
	next(records);
	assert_int_equal(got.head.flags, 0);
	expect(records, CAPTURE_SUBMIT, 0, 0x80);
	next(records);
	assert_int_equal(got.head.flags, 0);
	assert_memory_equal(got.rest + 2, "d\0i\0s\0k\0", 8);
	assert_no_more(records);
	close(records);
}

static void isochronous_packets_are_told_one_by_one(void **state)
{
	struct frontend *frontend = *state;
	uint32_t place = plug_loopback(frontend);
	int records = capture_start(frontend, ALL, 4096);
	struct capture_packet packet[2];
	struct usbif_urb_request request;
	uint16_t id = frontend_fill(frontend, &request, place | PIPE(ISOC, 0x02), 1500);
	struct usbif_isoc_packet *list = frontend_list(frontend, id);
	uint64_t serial;
	uint32_t i;

	for (i = 0; i < 1500; i++)
		frontend_data(frontend, id)[i] = (uint8_t)(i * 3);
	memset(list, 0, 2 * sizeof(*list));
	list[0].length = 1000;
	list[1].offset = 1000;
	list[1].length = 500;
	request.u.isoc.number_of_packets = 2;
	request.u.isoc.nr_frame_desc_segs = 1;
	request.seg[1].gref = (uint32_t)((uint8_t *)list - frontend->memory) / USBIF_PAGE_SIZE;
	request.seg[1].length = 2 * sizeof(*list);
	frontend_put(frontend, &request);
	frontend_kick(frontend);
	assert_int_equal(frontend_wait(frontend, id), USBIF_STATUS_OK);
	serial = expect(records, CAPTURE_SUBMIT, 0, 0x02);
	assert_int_equal(got.head.packets, 2);
	assert_int_equal(got.head.data, 1500);
	memcpy(packet, got.rest, sizeof(packet));
	assert_int_equal(packet[1].offset, 1000);
	assert_int_equal(packet[1].length, 500);
	for (i = 0; i < 1500; i++)
		assert_int_equal(got.rest[sizeof(packet) + i], (uint8_t)(i * 3));
	expect(records, CAPTURE_COMPLETE, serial, 0x02);
	assert_int_equal(got.head.packets, 2);
	assert_int_equal(got.head.length, 1500);
	close(records);
}

/* Each record is there or is counted, and the guest is not held up by any. */
static void reader_that_does_not_read_loses_records_alone(void **state)
{
	struct frontend *frontend = *state;
	uint32_t place = plug_loopback(frontend), received = 0, i;
	int records = capture_start(frontend, ALL, 4096);
	static uint8_t data[4096];

	for (i = 0; i < 300; i++)
		assert_int_equal(frontend_transfer(frontend, BULK_IN(place), data, 4096, NULL), 0);
	while (recv(records, &got, sizeof(got), MSG_DONTWAIT) > 0)
		received++;
	assert_in_range(received, 1, 599);
	/* There is room again: the next one tells of the others. */
	assert_int_equal(frontend_transfer(frontend, BULK_IN(place), data, 4096, NULL), 0);
	next(records);
	assert_int_equal(received + got.head.lost, 600);
	close(records);
}

static void what_was_lost_is_told_at_the_end(void **state)
{
	struct frontend *frontend = *state;
	uint32_t place = plug_loopback(frontend), received = 0, i;
	int records = capture_start(frontend, ALL, 4096);
	static uint8_t data[4096];

	for (i = 0; i < 300; i++)
		assert_int_equal(frontend_transfer(frontend, BULK_IN(place), data, 4096, NULL), 0);
	while (recv(records, &got, sizeof(got), MSG_DONTWAIT) > 0)
		received++;
	capture_tell(frontend, 0, 0, -1);
	next(records);
	assert_int_equal(got.head.kind, CAPTURE_LOST);
	assert_int_equal(got.head.port, 1);
	assert_int_equal(received + got.head.lost, 600);
	assert_int_equal(frontend_transfer(frontend, BULK_IN(place), data, 64, NULL), 0);
	assert_int_equal(recv(records, &got, sizeof(got), 0), 0);
	close(records);
}

static void reader_that_leaves_ends_the_capture(void **state)
{
	struct frontend *frontend = *state;
	uint32_t place = plug_loopback(frontend), i;
	uint8_t data[64];
	int records;

	close(capture_start(frontend, ALL, 64));
	for (i = 0; i < 3; i++)
		assert_int_equal(frontend_transfer(frontend, BULK_IN(place), data, 64, NULL), 0);
	/* The same number can be used by the next one. */
	records = capture_start(frontend, ALL, 64);
	assert_int_equal(frontend_transfer(frontend, BULK_IN(place), data, 64, NULL), 0);
	expect(records, CAPTURE_SUBMIT, 0, 0x81);
	assert_int_equal(got.head.lost, 0);
	close(records);
}

static void descriptor_that_is_no_socket_ends_the_capture(void **state)
{
	struct frontend *frontend = *state;
	uint32_t place = plug_loopback(frontend);
	uint8_t data[64];

	capture_tell(frontend, ALL, 64, STDERR_FILENO);
	capture_tell(frontend, ALL, XVHC_CAPTURE_DATA_MAX + 1, STDERR_FILENO);
	assert_int_equal(frontend_transfer(frontend, BULK_IN(place), data, 64, NULL), 0);
}

static void request_under_way_is_told_as_it_ends(void **state)
{
	struct frontend *frontend = *state;
	uint32_t place = plug_loopback(frontend);
	uint16_t read = frontend_submit(frontend, place | PIPE(INTERRUPT, 0x83), 64);
	uint8_t data[64] = {9};
	int records;

	/* The worker has the read before it hears of the capture. */
	assert_int_equal(frontend_transfer(frontend, BULK_IN(place), data, 64, NULL), 0);
	records = capture_start(frontend, ALL, 64);
	memset(data, 9, sizeof(data));
	assert_int_equal(frontend_transfer(frontend, place | PIPE(INTERRUPT, 0x03), data, 64, NULL),
			 0);
	assert_int_equal(frontend_wait(frontend, read), 0);
	for (next(records); got.head.endpoint != 0x83; next(records))
		continue;
	assert_int_equal(got.head.kind, CAPTURE_COMPLETE);
	assert_int_equal(got.head.serial, 0);
	assert_memory_equal(got.rest, data, 64);
	close(records);
}

static void requests_of_a_port_are_told(void **state)
{
	struct frontend2 *frontend = *state;
	uint32_t place = frontend2_plug_loopback(frontend, 1, 0);
	struct xvhcif_request request;
	int records = capture_start(&frontend->base, ALL, 64);

	assert_int_equal(frontend2_operate(frontend, XVHCIF_PORT_SUSPEND, 1), XVHCIF_STATUS_OK);
	next(records);
	assert_int_equal(got.head.operation, TRANSFER_PORT_SUSPEND);
	assert_int_equal(got.head.kind, CAPTURE_SUBMIT);
	next(records);
	assert_int_equal(got.head.kind, CAPTURE_COMPLETE);
	assert_int_equal(frontend2_operate(frontend, XVHCIF_PORT_RESUME, 1), XVHCIF_STATUS_OK);
	next(records);
	next(records);
	/* Malformed, and of a port that can be told. */
	frontend2_fill_submit(frontend, &request, place, XVHCIF_TYPE_BULK, 0x81, 64);
	request.length = UINT32_MAX;
	assert_int_equal(frontend2_run(frontend, &request), XVHCIF_STATUS_INVALID);
	next(records);
	next(records);
	assert_int_equal(got.head.port, 1);
	assert_string_equal(got.head.verdict, "longer than a transfer may be");
	assert_no_more(records);
	close(records);
}

/* The file that xvhc would write of these records. */

static int file_write(void *context, const void *bytes, size_t length)
{
	return fwrite(bytes, 1, length, context) == length ? 0 : -EIO;
}

static void records_to_file(int records, const char *path)
{
	struct capture_file *file = calloc(1, sizeof(*file));
	FILE *stream = fopen(path, "wb");
	ssize_t length;

	assert_non_null(file);
	assert_non_null(stream);
	file->put = file_write;
	file->context = stream;
	assert_int_equal(capture_file_begin(file, 1, "x86_64", "Linux", "xvhc"), 0);
	while ((length = recv(records, &got, sizeof(got), MSG_DONTWAIT)) > 0)
		assert_int_equal(capture_file_add(file, &got, (size_t)length), 0);
	assert_int_equal(capture_file_end(file, 2), 0);
	assert_int_equal(file->senseless, 0);
	assert_int_equal(fclose(stream), 0);
	free(file);
}

static void assert_tshark_says(const char *path, const char *fields, const char *wanted)
{
	char command[512], said[4096];
	FILE *tshark;
	size_t length;

	snprintf(command, sizeof(command), "tshark -n -r %s -T fields %s ", path, fields);
	tshark = popen(command, "r");
	assert_non_null(tshark);
	length = fread(said, 1, sizeof(said) - 1, tshark);
	said[length] = '\0';
	assert_int_equal(pclose(tshark), 0);
	assert_string_equal(said, wanted);
}

static void tshark_reads_the_file(void **state)
{
	struct frontend *frontend = *state;
	char path[] = "/tmp/xvhc-capture.XXXXXX";
	struct setup_packet get = {0x80, 6, 0x0100, 0, 18};
	struct setup_packet all = {0x80, 6, 0x0200, 0, 255};
	uint32_t place;
	uint8_t data[4096];
	int records, fd;

	if (system("tshark --version >/dev/null 2>&1") != 0)
		skip();
	fd = mkstemp(path);
	assert_return_code(fd, errno);
	close(fd);
	frontend_plug(frontend, 1, MODEL_DISK, USB_SPEED_HIGH);
	records = capture_start(frontend, ALL, 4096);
	place = frontend_configure(frontend, 1, 5, 1);
	assert_int_equal(frontend_control(frontend, place, get, data, NULL), 0);
	assert_int_equal(frontend_control(frontend, place, all, data, NULL), 0);
	run_command(frontend, place, true, data, 8);
	assert_int_equal(frontend_transfer(frontend, place | PIPE(BULK, 0x85), data, 64, NULL),
			 USBIF_STATUS_INVAL);
	records_to_file(records, path);
	close(records);
	/* Set address, configuration; device and configuration; command, data, status; refused. */
	assert_tshark_says(path, "-e usb.urb_type -e usb.transfer_type -e usb.bus_id",
			   "'S'\t0x02\t1\n'C'\t0x02\t1\n'S'\t0x02\t1\n'C'\t0x02\t1\n"
			   "'S'\t0x02\t1\n'C'\t0x02\t1\n'S'\t0x02\t1\n'C'\t0x02\t1\n"
			   "'S'\t0x03\t1\n'C'\t0x03\t1\n'S'\t0x03\t1\n'C'\t0x03\t1\n"
			   "'S'\t0x03\t1\n'C'\t0x03\t1\n'S'\t0x03\t1\n'E'\t0x03\t1\n");
	assert_tshark_says(path, "-Y scsi -e scsi_sbc.opcode -e frame.interface_name",
			   "0x28\tcontroller 1000 port 1\n"
			   "0x28\tcontroller 1000 port 1\n"
			   "0x28\tcontroller 1000 port 1\n");
	assert_tshark_says(path, "-Y \"usb.urb_type == 'E'\" -e usb.urb_status -e frame.comment",
			   "-22\trefused by xvhcd: the active setting has no such endpoint\n");
	assert_tshark_says(path, "-Y usb.idVendor -e usb.idVendor -e frame.comment",
			   "0x1209\tanswered by xvhcd; it did not reach the device\n");
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WIRE_TEST(read_of_a_disk_is_told_transfer_by_transfer),
		WIRE_TEST(data_beyond_the_limit_is_left_out),
		WIRE_TEST(only_the_ports_that_are_wanted_are_told),
		WIRE_TEST(refused_request_is_told_with_the_verdict),
		WIRE_TEST(what_the_worker_answers_by_itself_is_marked),
		WIRE_TEST(isochronous_packets_are_told_one_by_one),
		WIRE_TEST(reader_that_does_not_read_loses_records_alone),
		WIRE_TEST(what_was_lost_is_told_at_the_end),
		WIRE_TEST(reader_that_leaves_ends_the_capture),
		WIRE_TEST(descriptor_that_is_no_socket_ends_the_capture),
		WIRE_TEST(request_under_way_is_told_as_it_ends),
		WIRE2_TEST(requests_of_a_port_are_told),
		WIRE_TEST(tshark_reads_the_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
