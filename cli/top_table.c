// SPDX-License-Identifier: MIT
#include "top_table.h"

#include <inttypes.h>
#include <string.h>

#include "figures.h"
#include "json.h"
#include "text.h"

#define GUESTS_WIDTH 16
#define PORT_WIDTH 12
#define DEVICE_WIDTH 24

/* The element of an array that has this text, and the same of others[], in these members. */
static struct json_object *find(struct json_object *array, struct json_object *like,
				const char *const *members)
{
	for (size_t i = 0; i < json_length(array); i++) {
		struct json_object *at = json_object_array_get_idx(array, i);
		size_t same = 0;

		while (members[same] && strcmp(text_member(at, members[same]),
					       text_member(like, members[same])) == 0)
			same++;
		if (!members[same])
			return at;
	}
	return NULL;
}

static void number_add(struct json_object *object, const char *name, uint64_t number)
{
	json_object_object_add(object, name, json_object_new_uint64(number));
}

static void text_copy(struct json_object *to, struct json_object *from, const char *name)
{
	json_object_object_add(to, name, json_object_new_string(text_member(from, name)));
}

/* Members of a port, and of a guest, which has the sums of its ports. */
static const char *const sums[] = {"transfers-per-second", "bytes-in-per-second",
				   "bytes-out-per-second", "errors", "in-flight"};
#define SUMS (sizeof(sums) / sizeof(sums[0]))

static void sums_add(struct json_object *object, const uint64_t numbers[SUMS])
{
	for (size_t i = 0; i < SUMS; i++)
		number_add(object, sums[i], numbers[i]);
}

static struct json_object *port_rates(struct json_object *before, struct json_object *now,
				      uint64_t elapsed_ms)
{
	static const char *const key[] = {"place", "guest", NULL};
	struct json_object *object = json_object_new_object();
	struct json_object *was = find(json_member(before, "ports"), now, key);
	struct figures new, old;

	figures_read(json_member(now, "counters"), &new);
	/* A port that was given in between began at zero. */
	figures_read(json_member(was, "counters"), &old);
	text_copy(object, now, "port");
	text_copy(object, now, "place");
	json_object_object_add(object, "device", json_object_get(json_member(now, "device")));
	text_copy(object, now, "condition");
	sums_add(object,
		 (const uint64_t[SUMS]){figure_rate(new.transfers, old.transfers, elapsed_ms),
					figure_rate(new.in, old.in, elapsed_ms),
					figure_rate(new.out, old.out, elapsed_ms), new.errors,
					new.in_flight});
	return object;
}

/* Per cent of one processor that the workers of a domain have used. */
static uint64_t cpu_percent(struct json_object *before, struct json_object *now, const char *domid,
			    uint64_t elapsed_ms)
{
	static const char *const key[] = {"domain", "controller", NULL};
	struct json_object *controllers = json_member(now, "controllers");
	uint64_t used = 0;

	for (size_t i = 0; i < json_length(controllers); i++) {
		struct json_object *at = json_object_array_get_idx(controllers, i), *was, *worker;

		if (strcmp(text_member(at, "domain"), domid) != 0)
			continue;
		was = json_member(find(json_member(before, "controllers"), at, key), "worker");
		worker = json_member(at, "worker");
		if (!worker)
			continue;
		used += json_number(worker, "cpu-ms");
		if (json_number(was, "pid") == json_number(worker, "pid"))
			used -= json_number(was, "cpu-ms");
	}
	return elapsed_ms ? used * 100 / elapsed_ms : 0;
}

static struct json_object *guest_new(struct json_object *before, struct json_object *now,
				     struct json_object *port, uint64_t elapsed_ms)
{
	struct json_object *guest = json_object_new_object();
	const char *domid = text_member(port, "domain");

	text_copy(guest, port, "guest");
	sums_add(guest, (const uint64_t[SUMS]){0});
	number_add(guest, "cpu-percent",
		   domid[0] ? cpu_percent(before, now, domid, elapsed_ms) : 0);
	json_object_object_add(guest, "ports", json_object_new_array());
	return guest;
}

struct json_object *top_rates(struct json_object *before, struct json_object *now)
{
	static const char *const key[] = {"guest", NULL};
	uint64_t elapsed_ms = json_number(now, "uptime-ms") - json_number(before, "uptime-ms");
	struct json_object *whole = json_object_new_object();
	struct json_object *guests = json_object_new_array();
	struct json_object *ports = json_member(now, "ports");

	/* Another broker answers now, whose figures began anew. */
	if (json_number(now, "uptime-ms") < json_number(before, "uptime-ms")) {
		elapsed_ms = json_number(now, "uptime-ms");
		before = NULL;
	}
	for (size_t i = 0; i < json_length(ports); i++) {
		struct json_object *port = json_object_array_get_idx(ports, i), *rates;
		struct json_object *guest = find(guests, port, key);

		if (!guest) {
			guest = guest_new(before, now, port, elapsed_ms);
			json_object_array_add(guests, guest);
		}
		rates = port_rates(before, port, elapsed_ms);
		for (size_t j = 0; j < SUMS; j++)
			number_add(guest, sums[j],
				   json_number(guest, sums[j]) + json_number(rates, sums[j]));
		json_object_array_add(json_member(guest, "ports"), rates);
	}
	number_add(whole, "elapsed-ms", elapsed_ms);
	json_object_object_add(whole, "guests", guests);
	return whole;
}

/* One line of the table; cpu NULL: of a port. */
static void row_print(FILE *stream, const char *guest, const char *port, const char *device,
		      struct json_object *rates, const char *cpu)
{
	char in[16], out[16];

	bytes_write(json_number(rates, sums[1]), in, sizeof(in));
	bytes_write(json_number(rates, sums[2]), out, sizeof(out));
	fprintf(stream,
		"%-*.*s %-*.*s %-*.*s %10" PRIu64 " %8s %8s %7" PRIu64 " %7" PRIu64 " %5s\n",
		GUESTS_WIDTH, GUESTS_WIDTH, guest, PORT_WIDTH, PORT_WIDTH, port, DEVICE_WIDTH,
		DEVICE_WIDTH, device, json_number(rates, sums[0]), in, out,
		json_number(rates, sums[4]), json_number(rates, sums[3]), cpu);
}

static void port_row(FILE *stream, struct json_object *port)
{
	struct json_object *in = json_member(port, "device");
	char name[128], device[512];

	snprintf(name, sizeof(name), "%s", text_member(port, "port"));
	text_device(in, device, sizeof(device));
	if (!in)
		snprintf(device, sizeof(device), "%s", text_member(port, "condition"));
	text_clean(name);
	text_clean(device);
	row_print(stream, "", name, device, port, "");
}

void top_table_print(FILE *stream, struct json_object *rates)
{
	struct json_object *guests = json_member(rates, "guests");
	char name[512], cpu[16];

	fprintf(stream, "%-*s %-*s %-*s %10s %8s %8s %7s %7s %5s\n", GUESTS_WIDTH, "GUEST",
		PORT_WIDTH, "PORT", DEVICE_WIDTH, "DEVICE", "TRANSFERS", "IN/s", "OUT/s", "FLIGHT",
		"ERRORS", "CPU%");
	for (size_t i = 0; i < json_length(guests); i++) {
		struct json_object *guest = json_object_array_get_idx(guests, i);
		struct json_object *ports = json_member(guest, "ports");

		snprintf(name, sizeof(name), "%s", text_member(guest, "guest"));
		text_clean(name);
		snprintf(cpu, sizeof(cpu), "%s", text_member(guest, "cpu-percent"));
		row_print(stream, name, "", "", guest, cpu);
		for (size_t j = 0; j < json_length(ports); j++)
			port_row(stream, json_object_array_get_idx(ports, j));
	}
	if (json_length(guests) == 0)
		fputs("No port is given to a guest: xvhc give PORT GUEST\n", stream);
}
