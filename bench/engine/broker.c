// SPDX-License-Identifier: MIT
/*
 * What a guest costs the broker, with a store in memory, a sysfs that is a temporary directory, and
 * workers that do nothing (this program again). Each guest has one port that is given to it, with
 * no device in it. Prints one JSON object. Option: --guests.
 *
 * Figures of the broker's own leave out what is spent in the store; the calls are counted instead.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <malloc.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <broker/broker.h>
#include <common/message_io.h>

#include "../../tests/unit/fake_sysfs.h"
#include "bench.h"
#include "store.h"

#define PORTS_OF_A_BUS 100u
#define FRONTEND "/local/domain/%u/device/vusb/1000/%s"
#define EVENTS 200u
#define SCANS 20u
#define LIMIT_MS 120000u
#define CALM_MS 3000

static struct broker broker;
static struct fake_sysfs sysfs;
static uint32_t guests;

struct mark {
	uint64_t ns; /* of this process, without the store */
	uint64_t calls;
	uint64_t bytes; /* of its heap, without the store */
};

static struct mark mark_now(void)
{
	struct mark mark = {
		.ns = bench_now_ns(CLOCK_PROCESS_CPUTIME_ID) - store_counts.ns,
		.calls = store_counts.calls,
		.bytes = mallinfo2().uordblks - store_counts.bytes,
	};

	return mark;
}

/* A worker that has no rings. */
static int worker_main(void)
{
	struct message message, answer = {.type = MESSAGE_CONNECTED};
	struct pollfd wait = {.fd = 3, .events = POLLIN};
	struct message_fds fds;

	for (;;) {
		poll(&wait, 1, -1);
		if (message_receive(3, &message, &fds) != 1)
			return 0;
		message_fds_close(&fds);
		if (message.type == MESSAGE_CONNECT && message_send(3, &answer, NULL) != 0)
			return 1;
	}
}

/* A claim is a descriptor; nothing is done to a device. */
static void job_run(struct job *job, const struct job_paths *paths)
{
	(void)paths;
	for (int side = 0; side < 2; side++) {
		if (job->type == JOB_CLAIM && job->side[side].hub.bus && job->side[side].fd < 0)
			job->side[side].fd = open("/dev/null", O_RDWR | O_CLOEXEC);
		if (job->type == JOB_RELEASE && job->side[side].fd >= 0)
			close(job->side[side].fd);
	}
}

/* Ports of as many buses as it takes, each given to a guest. */
static void machine_make(const char *ports_file)
{
	FILE *file = fopen(ports_file, "w");
	char name[32];

	bench_must(file != NULL, "the file of given ports is made");
	/* By default there is room for the transfers of a dozen guests; 0: no limit. */
	fake_file(&sysfs, "0\n", "module/usbcore/parameters/usbfs_memory_mb");
	for (uint32_t i = 0; i < guests; i++) {
		uint32_t bus = i / PORTS_OF_A_BUS, port = i % PORTS_OF_A_BUS;

		snprintf(name, sizeof(name), "0000:%02x:04.0", bus);
		if (port == 0)
			fake_bus(&sysfs, name, bus + 1, "480\n", PORTS_OF_A_BUS);
		fprintf(file, "pci-%s/hs-%u guest%u\n", name, port + 1, i + 1);
		snprintf(name, sizeof(name), "guest%u", i + 1);
		store_guest(i + 1, name);
	}
	bench_must(fclose(file) == 0, "the file of given ports is written");
}

static void until_backends(uint32_t state)
{
	uint64_t since_ms = clock_ms();

	while (store_counts.backends[state] < guests) {
		bench_must(clock_ms() - since_ms < LIMIT_MS, "the broker comes to its end");
		broker_turn(&broker, 1000);
	}
}

static void frontends_publish(void)
{
	for (uint32_t i = 1; i <= guests; i++) {
		store_set("8", FRONTEND, i, "urb-ring-ref");
		store_set("9", FRONTEND, i, "conn-ring-ref");
		store_set("10", FRONTEND, i, "event-channel");
		store_set("4", FRONTEND, i, "state");
	}
}

/* How many rounds the broker makes where nothing happens. */
static uint32_t calm_turns(void)
{
	uint64_t since_ms = clock_ms(), passed_ms;
	uint32_t turns = 0;

	while ((passed_ms = clock_ms() - since_ms) < CALM_MS) {
		broker_turn(&broker, CALM_MS - (int)passed_ms);
		turns++;
	}
	return turns - 1; /* the last one is this limit's */
}

static void tell(const char *what, struct mark from, struct mark to, uint32_t divisor)
{
	printf(", \"%s\": {\"us\": %.2f, \"calls\": %.2f}", what,
	       (double)(to.ns - from.ns) / 1000.0 / divisor,
	       (double)(to.calls - from.calls) / divisor);
}

static void measure(void)
{
	struct mark start = mark_now(), offered, connected, scanned, told;
	uint32_t turns, i;

	until_backends(XENBUS_INIT_WAIT);
	offered = mark_now();
	frontends_publish();
	until_backends(XENBUS_CONNECTED);
	(void)calm_turns();
	turns = calm_turns();
	connected = mark_now();
	for (i = 0; i < SCANS; i++) {
		store_introduce();
		broker_turn(&broker, 1000);
		broker_turn(&broker, 0);
	}
	scanned = mark_now();
	for (i = 0; i < EVENTS; i++) {
		store_set("4", FRONTEND, 1 + i % guests, "state");
		broker_turn(&broker, 1000);
		broker_turn(&broker, 0);
	}
	told = mark_now();
	printf("{\"guests\": %u, \"heap_bytes_per_guest\": %.0f, \"idle_turns_per_second\": %.2f",
	       guests, (double)(connected.bytes - start.bytes) / guests,
	       (double)turns * 1000.0 / CALM_MS);
	tell("offered", start, offered, guests);
	tell("connected", offered, connected, guests);
	tell("domain_event", connected, scanned, SCANS);
	tell("guest_event", scanned, told, EVENTS);
	printf("}\n");
}

int main(int argc, char **argv)
{
	struct job_paths paths = {0};
	struct broker_options options = {
		.worker = "/proc/self/exe",
		.paths = &paths,
		.run_job = job_run,
	};
	char ports_file[PATH_MAX], socket[PATH_MAX];
	struct xenstore *store;

	if (argc > 0 && strcmp(argv[0], "xvhcd-worker") == 0)
		return worker_main();
	guests = (uint32_t)bench_option(argc, argv, "guests", 1);
	bench_must(guests >= 1 && guests <= 1000, "there are 1 to 1000 guests");
	log_init("xvhcd", LOG_LEVEL_WARNING);
	bench_raise_limits();
	fake_sysfs_open(&sysfs);
	snprintf(ports_file, sizeof(ports_file), "%s/ports.conf", sysfs.root);
	snprintf(socket, sizeof(socket), "%s/control", sysfs.root);
	options.sysfs = sysfs.root;
	options.ports_file = ports_file;
	options.socket = socket;
	store = store_open();
	machine_make(ports_file);
	bench_must(broker_init(&broker, &options, store) == 0, "the broker starts");
	measure();
	broker_fini(&broker);
	fake_sysfs_close(&sysfs);
	return 0;
}
