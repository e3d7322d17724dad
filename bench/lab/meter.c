// SPDX-License-Identifier: MIT
/*
 * bench-meter: drives a device by usbfs and says how it went, in dom0 and in guests alike.
 *
 *     bench-meter control DEVICE COUNT REQUEST VALUE LENGTH    standard IN requests, one by one
 *     bench-meter echo DEVICE COUNT                            interrupt OUT, until it is back
 *     bench-meter isoc DEVICE SETTING SECONDS                  isochronous IN, back to back
 *
 * The first two print the shortest, the median and the longest time in nanoseconds. The last two
 * want the device that lab/devices/meter.c plays.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/usbdevice_fs.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define COUNT_MAX 100000u
#define CONTROL_MAX 4096u
#define TIMEOUT_MS 5000u
#define WARM_UP 5u
#define ECHOES_MAX 16

/* The device's endpoints and settings: see lab/devices/meter.c. */
#define ISOC_IN 0x81
#define INTERRUPT_IN 0x82
#define INTERRUPT_OUT 0x02
#define INTERRUPT_BYTES 8u
#define ISOC_INTERFACE 1u
#define ISOC_BYTES_MAX 3072u
#define ISOC_SPAN_MS 4u /* of one URB */
#define ISOC_PACKETS_MAX 16u
#define ISOC_URBS 24u

static uint64_t times_ns[COUNT_MAX];

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static int fail(const char *what)
{
	fprintf(stderr, "bench-meter: %s: %s\n", what, strerror(errno));
	return 1;
}

static int by_size(const void *a, const void *b)
{
	uint64_t first = *(const uint64_t *)a;
	uint64_t second = *(const uint64_t *)b;

	return (first > second) - (first < second);
}

static int print_times(size_t count)
{
	qsort(times_ns, count, sizeof(times_ns[0]), by_size);
	printf("%llu %llu %llu\n", (unsigned long long)times_ns[0],
	       (unsigned long long)times_ns[count / 2], (unsigned long long)times_ns[count - 1]);
	return 0;
}

static int run_control(int device, size_t count, char **words)
{
	uint8_t data[CONTROL_MAX];
	struct usbdevfs_ctrltransfer transfer = {
		.bRequestType = 0x80,
		.bRequest = (uint8_t)strtoul(words[0], NULL, 0),
		.wValue = (uint16_t)strtoul(words[1], NULL, 0),
		.wLength = (uint16_t)strtoul(words[2], NULL, 0),
		.timeout = TIMEOUT_MS,
		.data = data,
	};

	if (transfer.wLength > sizeof(data))
		return 2;
	for (size_t i = 0; i < count + WARM_UP; i++) {
		uint64_t began = now_ns();

		if (ioctl(device, USBDEVFS_CONTROL, &transfer) != transfer.wLength)
			return fail("a control request");
		if (i >= WARM_UP)
			times_ns[i - WARM_UP] = now_ns() - began;
	}
	return print_times(count);
}

static int submit(int device, struct usbdevfs_urb *urb, uint8_t endpoint, uint8_t *data)
{
	memset(urb, 0, sizeof(*urb));
	urb->type = USBDEVFS_URB_TYPE_INTERRUPT;
	urb->endpoint = endpoint;
	urb->buffer = data;
	urb->buffer_length = INTERRUPT_BYTES;
	return ioctl(device, USBDEVFS_SUBMITURB, urb);
}

/* Wait until one of the URBs is done. Returns it, or NULL with errno. */
static struct usbdevfs_urb *reap(int device)
{
	struct usbdevfs_urb *done;
	struct pollfd polled = {.fd = device, .events = POLLOUT};

	errno = ETIMEDOUT;
	if (poll(&polled, 1, TIMEOUT_MS) <= 0)
		return NULL;
	if (ioctl(device, USBDEVFS_REAPURBNDELAY, &done) < 0)
		return NULL;
	errno = -done->status;
	return done->status == 0 ? done : NULL;
}

/*
 * One packet to the device, which sends it back. Returns the nanoseconds, 0 for a failure. Echoes
 * that somebody before us has left in the device are taken first.
 */
static uint64_t echo_once(int device, uint32_t number)
{
	uint32_t sent[2] = {number, ~number};
	uint32_t back[2] = {0};
	struct usbdevfs_urb in;
	struct usbdevfs_urb out;
	bool out_done = false;
	uint64_t began;
	uint64_t ended = 0;

	if (submit(device, &in, INTERRUPT_IN, (uint8_t *)back) < 0)
		return 0;
	began = now_ns();
	if (submit(device, &out, INTERRUPT_OUT, (uint8_t *)sent) < 0)
		return 0;
	for (int i = 0; i < ECHOES_MAX && (!ended || !out_done); i++) {
		struct usbdevfs_urb *done = reap(device);

		if (!done)
			return 0;
		if (done == &out)
			out_done = true;
		else if (memcmp(sent, back, sizeof(sent)) == 0)
			ended = now_ns();
		else if (submit(device, &in, INTERRUPT_IN, (uint8_t *)back) < 0)
			return 0;
	}
	errno = EBADMSG;
	return ended && out_done ? ended - began : 0;
}

static int run_echo(int device, size_t count)
{
	/* Nobody before us has sent these. */
	uint32_t salt = (uint32_t)now_ns();
	unsigned int interface = 0;

	if (ioctl(device, USBDEVFS_CLAIMINTERFACE, &interface) < 0)
		return fail("interface 0");
	for (size_t i = 0; i < count + WARM_UP; i++) {
		uint64_t took = echo_once(device, salt + (uint32_t)i);

		if (took == 0)
			return fail("an echo");
		if (i >= WARM_UP)
			times_ns[i - WARM_UP] = took;
	}
	return print_times(count);
}

/* What each setting is: see lab/devices/meter.c. */
static const struct rate {
	unsigned int per_second;
	unsigned int bytes;
} rates[] = {{0, 0}, {1000, 1024}, {1000, 3072}, {2000, 3072}, {4000, 3072}, {8000, 3072}};
#define RATES (sizeof(rates) / sizeof(rates[0]))

struct stream {
	const struct rate *rate;
	bool began;
	uint32_t next;         /* counter of the packet that comes next */
	unsigned long got;     /* whole packets */
	unsigned long lost;    /* packets that the device sent, and that never came */
	unsigned long damaged; /* they are not what the device sent */
	unsigned long errors;  /* packets with a status */
	uint64_t last_ns;      /* the last URB came then */
	uint64_t gap_ns;       /* the longest time between two URBs */
};

static struct usbdevfs_urb *urbs[ISOC_URBS];
static uint8_t buffers[ISOC_URBS][ISOC_PACKETS_MAX * ISOC_BYTES_MAX];

static void take_packet(struct stream *stream, const struct usbdevfs_iso_packet_desc *packet,
			const uint8_t *data)
{
	uint32_t first;
	uint32_t last;

	if (packet->status != 0) {
		stream->errors += stream->began;
		return;
	}
	if (packet->actual_length == 0)
		return;
	if (packet->actual_length != stream->rate->bytes) {
		stream->damaged++;
		return;
	}
	memcpy(&first, data, sizeof(first));
	memcpy(&last, data + stream->rate->bytes - sizeof(last), sizeof(last));
	if (first != last) {
		stream->damaged++;
		return;
	}
	if (stream->began)
		stream->lost += first - stream->next;
	stream->began = true;
	stream->next = first + 1;
	stream->got++;
}

static void take_urb(struct stream *stream, const struct usbdevfs_urb *urb)
{
	const uint8_t *data = urb->buffer;
	uint64_t now = now_ns();

	if (stream->began && now - stream->last_ns > stream->gap_ns)
		stream->gap_ns = now - stream->last_ns;
	stream->last_ns = now;
	for (int i = 0; i < urb->number_of_packets; i++) {
		take_packet(stream, &urb->iso_frame_desc[i], data);
		data += urb->iso_frame_desc[i].length;
	}
}

static int submit_isoc(int device, struct usbdevfs_urb *urb, uint8_t *data, const struct rate *rate)
{
	unsigned int packets = rate->per_second * ISOC_SPAN_MS / 1000;

	if (packets > ISOC_PACKETS_MAX)
		packets = ISOC_PACKETS_MAX;
	urb->type = USBDEVFS_URB_TYPE_ISO;
	urb->endpoint = ISOC_IN;
	urb->flags = USBDEVFS_URB_ISO_ASAP;
	urb->buffer = data;
	urb->buffer_length = (int)(packets * rate->bytes);
	urb->number_of_packets = (int)packets;
	for (unsigned int i = 0; i < packets; i++)
		urb->iso_frame_desc[i].length = rate->bytes;
	return ioctl(device, USBDEVFS_SUBMITURB, urb);
}

/* The time counts from the first packet. A device that sends none for that long has failed. */
static int receive(int device, struct stream *stream, uint64_t duration_ns)
{
	uint64_t began = now_ns();
	bool came = false;

	while (now_ns() - began < duration_ns) {
		struct usbdevfs_urb *urb = reap(device);

		if (!urb)
			return fail("an isochronous URB");
		take_urb(stream, urb);
		if (stream->began && !came) {
			came = true;
			began = now_ns();
		}
		if (submit_isoc(device, urb, urb->buffer, stream->rate) < 0)
			return fail("an isochronous URB to submit");
	}
	errno = ENODATA;
	return came ? 0 : fail("the stream");
}

static int run_isoc(int device, unsigned long setting, unsigned long seconds)
{
	struct usbdevfs_setinterface set = {.interface = ISOC_INTERFACE,
					    .altsetting = (unsigned int)setting};
	struct stream stream = {.rate = &rates[setting < RATES ? setting : 0]};
	unsigned int interface = ISOC_INTERFACE;
	int rc;

	if (stream.rate->bytes == 0)
		return 2;
	if (ioctl(device, USBDEVFS_CLAIMINTERFACE, &interface) < 0 ||
	    ioctl(device, USBDEVFS_SETINTERFACE, &set) < 0)
		return fail("the setting");
	for (size_t i = 0; i < ISOC_URBS; i++) {
		urbs[i] =
			calloc(1, sizeof(**urbs) + ISOC_PACKETS_MAX *
							   sizeof(struct usbdevfs_iso_packet_desc));
		if (!urbs[i] || submit_isoc(device, urbs[i], buffers[i], stream.rate) < 0)
			return fail("an isochronous URB to submit");
	}
	rc = receive(device, &stream, (uint64_t)seconds * 1000000000u);
	for (size_t i = 0; i < ISOC_URBS; i++)
		ioctl(device, USBDEVFS_DISCARDURB, urbs[i]);
	set.altsetting = 0;
	if (ioctl(device, USBDEVFS_SETINTERFACE, &set) < 0)
		return fail("the setting without a stream");
	printf("got %lu lost %lu damaged %lu errors %lu gap_us %llu\n", stream.got, stream.lost,
	       stream.damaged, stream.errors, (unsigned long long)stream.gap_ns / 1000);
	return rc;
}

int main(int argc, char **argv)
{
	int device = argc >= 4 ? open(argv[2], O_RDWR | O_CLOEXEC) : -1;
	size_t count = argc >= 4 ? strtoul(argv[3], NULL, 0) : 0;

	if (device < 0)
		return fail(argc >= 4 ? argv[2] : "usage: see the head of meter.c");
	if (strcmp(argv[1], "isoc") == 0 && argc == 5)
		return run_isoc(device, count, strtoul(argv[4], NULL, 0));
	if (count == 0 || count > COUNT_MAX)
		return 2;
	if (strcmp(argv[1], "control") == 0 && argc == 7)
		return run_control(device, count, &argv[4]);
	if (strcmp(argv[1], "echo") == 0 && argc == 4)
		return run_echo(device, count);
	return 2;
}
