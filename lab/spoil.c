// SPDX-License-Identifier: MIT
/*
 * lab-spoil, in dom0: plays a backend that breaks the protocol, or makes bad use of it.
 *
 * write DOMAIN PAGE VALUE OFFSET...
 *     Writes a 32-bit number at these offsets, over and over for as long as the real backend could
 *     overwrite it before the guest has looked.
 *
 * read DOMAIN PAGE
 *     Prints the page's bytes.
 *
 * requests DOMAIN PAGE
 *     A line for each request on the URB ring that nobody has answered: the pages of its data.
 *
 * hold DOMAIN PAGE...
 *     Fills pages with a pattern, says so, and keeps them mapped until its input ends. Fails where
 *     the pattern has changed by then.
 *
 * flap DOMAIN PAGE CHANNEL PORTS
 *     Events on the connection ring, as fast as the guest takes them, until its input ends: a
 *     device comes, it goes, one comes on the next port.
 *
 * storm DOMAIN CHANNEL
 *     Notifies the guest of nothing, as fast as Xen can, until its input ends.
 *
 * A PAGE is a grant reference of the guest, a CHANNEL its event channel port. For `requests` and
 * `flap` the real backend has to be stopped. Xen does not mind which process of dom0 notifies.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

/* Otherwise these headers have the numbers of Xen 3.0. */
#define __XEN_TOOLS__
#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/xen.h>
/* The kernel's, which needs those above. */
#include <xen/gntdev.h>

#include <xvhc/usbif.h>

#define PAGE_BYTES 4096
#define SPOIL_MS 300
#define CHANNELS_MAX 4096
#define HELD_MAX 512
#define STORM_PART 1000 /* notifications between two looks at the input */

/* As in <xen/privcmd.h>, which needs headers that Debian has not. */
struct hypercall {
	uint64_t operation;
	uint64_t argument[5];
};
#define PRIVCMD_HYPERCALL _IOC(_IOC_NONE, 'P', 0, sizeof(struct hypercall))

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static uint32_t number(const char *text)
{
	return (uint32_t)strtoul(text, NULL, 0);
}

static void fail(const char *what) __attribute__((noreturn));
static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static void *page_map(const char *domain, const char *reference)
{
	struct ioctl_gntdev_map_grant_ref map = {
		.count = 1,
		.refs = {{.domid = (domid_t)number(domain), .ref = number(reference)}},
	};
	int gntdev = open("/dev/xen/gntdev", O_RDWR);
	void *page;

	if (gntdev < 0 || ioctl(gntdev, IOCTL_GNTDEV_MAP_GRANT_REF, &map) < 0)
		fail("lab-spoil: mapping the page");
	page = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, gntdev, (off_t)map.index);
	if (page == MAP_FAILED)
		fail("lab-spoil: mapping the page");
	/* The descriptor stays open: the mapping ends with it. */
	return page;
}

/*
 * A hypercall about event channels. Its argument lies in memory that the kernel has set aside for
 * such: what an ordinary process has may be away, or not writable, at any moment.
 */
static int channel_call(unsigned int operation, void *argument)
{
	struct hypercall call = {
		.operation = __HYPERVISOR_event_channel_op,
		.argument = {operation, (uintptr_t)argument},
	};
	static int privcmd = -1;

	if (privcmd < 0)
		privcmd = open("/dev/xen/privcmd", O_RDWR);
	return ioctl(privcmd, PRIVCMD_HYPERCALL, &call);
}

static void *hypercall_memory(void)
{
	int fd = open("/dev/xen/hypercall", O_RDWR);
	void *memory = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (memory == MAP_FAILED)
		fail("lab-spoil: memory for hypercalls");
	return memory;
}

/* Dom0's end of a guest's event channel, which a worker has bound. */
static evtchn_port_t channel_find(const char *domain, const char *channel)
{
	struct evtchn_status *status = hypercall_memory();

	for (evtchn_port_t port = 1; port < CHANNELS_MAX; port++) {
		*status = (struct evtchn_status){.dom = DOMID_SELF, .port = port};
		if (channel_call(EVTCHNOP_status, status) == 0 &&
		    status->status == EVTCHNSTAT_interdomain &&
		    status->u.interdomain.dom == number(domain) &&
		    status->u.interdomain.port == number(channel))
			return port;
	}
	fail("lab-spoil: no such channel leads to dom0");
}

static struct evtchn_send *notify_prepare(const char *domain, const char *channel)
{
	struct evtchn_send *send = hypercall_memory();

	send->port = channel_find(domain, channel);
	return send;
}

static void notify(struct evtchn_send *send)
{
	if (channel_call(EVTCHNOP_send, send) != 0)
		fail("lab-spoil: notifying the guest");
}

static bool input_ended(void)
{
	struct pollfd input = {.events = POLLIN};

	return poll(&input, 1, 0) != 0;
}

static int run_write(int count, char **words)
{
	volatile uint32_t *page = page_map(words[0], words[1]);
	int64_t end = now_ms() + SPOIL_MS;

	while (now_ms() < end)
		for (int i = 3; i < count; i++)
			page[number(words[i]) % PAGE_BYTES / sizeof(*page)] = number(words[2]);
	return 0;
}

static int run_read(int count, char **words)
{
	(void)count;
	return fwrite(page_map(words[0], words[1]), PAGE_BYTES, 1, stdout) == 1 ? 0 : 1;
}

static int run_requests(int count, char **words)
{
	const struct usbif_ring_head *head = page_map(words[0], words[1]);
	const union usbif_urb_slot *slots = (const union usbif_urb_slot *)(head + 1);

	(void)count;
	for (uint32_t at = head->rsp_prod; at != head->req_prod; at++) {
		const struct usbif_urb_request *request = &slots[at % USBIF_URB_RING_SLOTS].request;

		for (uint32_t i = 0; i < request->nr_buffer_segs && i < USBIF_SEGMENTS_MAX; i++)
			printf("%u%c", request->seg[i].gref,
			       i + 1 < request->nr_buffer_segs ? ' ' : '\n');
	}
	return 0;
}

static int run_hold(int count, char **words)
{
	uint32_t *pages[HELD_MAX];
	int held = count - 1, changed = 0;

	if (held > HELD_MAX)
		return 2;
	for (int i = 0; i < held; i++) {
		pages[i] = page_map(words[0], words[1 + i]);
		for (uint32_t at = 0; at < PAGE_BYTES / sizeof(uint32_t); at++)
			pages[i][at] = 0x5a000000 + (uint32_t)i * 0x1000 + at;
	}
	printf("held %d\n", held);
	fflush(stdout);
	while (getchar() != EOF)
		;
	for (int i = 0; i < held; i++)
		for (uint32_t at = 0; at < PAGE_BYTES / sizeof(uint32_t); at++)
			if (pages[i][at] != 0x5a000000 + (uint32_t)i * 0x1000 + at) {
				changed++;
				break;
			}
	printf("changed %d\n", changed);
	return changed != 0;
}

/* Each request on the connection ring is answered with an event: a device comes, or it goes. */
static int run_flap(int count, char **words)
{
	struct usbif_ring_head *head = page_map(words[0], words[1]);
	union usbif_conn_slot *slots = (union usbif_conn_slot *)(head + 1);
	struct evtchn_send *send = notify_prepare(words[0], words[2]);
	uint32_t ports = number(words[3]), at = head->rsp_prod, told = 0, end;
	int64_t begun = now_ms();

	(void)count;
	while (!input_ended()) {
		end = __atomic_load_n(&head->req_prod, __ATOMIC_ACQUIRE);
		if (at == end)
			continue;
		for (; at != end; at++, told++) {
			struct usbif_conn_response *event =
				&slots[at % USBIF_CONN_RING_SLOTS].response;

			event->portnum = (uint8_t)(1 + told / 2 % ports);
			event->speed = told % 2 == 0 ? USBIF_SPEED_HIGH : USBIF_SPEED_NONE;
		}
		__atomic_store_n(&head->rsp_prod, at, __ATOMIC_RELEASE);
		notify(send);
	}
	printf("%u events in %lld ms\n", told, (long long)(now_ms() - begun));
	return 0;
}

static int run_storm(int count, char **words)
{
	struct evtchn_send *send = notify_prepare(words[0], words[1]);
	int64_t begun = now_ms();
	uint64_t told = 0;

	(void)count;
	while (told % STORM_PART != 0 || !input_ended()) {
		notify(send);
		told++;
	}
	printf("%llu notifications in %lld ms\n", (unsigned long long)told,
	       (long long)(now_ms() - begun));
	return 0;
}

static const struct {
	const char *name;
	int words_min, words_max; /* behind the name */
	int (*run)(int count, char **words);
} commands[] = {
	{"write", 4, 99, run_write},     {"read", 2, 2, run_read}, {"requests", 2, 2, run_requests},
	{"hold", 2, HELD_MAX, run_hold}, {"flap", 4, 4, run_flap}, {"storm", 2, 2, run_storm},
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(argv[1], commands[i].name) == 0 && argc - 2 >= commands[i].words_min &&
		    argc - 2 <= commands[i].words_max)
			return commands[i].run(argc - 2, argv + 2);
	fprintf(stderr, "lab-spoil: no such command, or not its words: see lab/spoil.c\n");
	return 2;
}
