// SPDX-License-Identifier: MIT
/* All about one port, in sections. What is in it and who has it comes first. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "figures.h"
#include "json.h"
#include "names.h"
#include "text.h"
#include "usb_class.h"

#define OPTION_JSON 0
#define LINE_MAX_BYTES 1024

/* One line: a title, and what stands behind it. */
static void line(const char *title, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void line(const char *title, const char *format, ...)
{
	char text[LINE_MAX_BYTES];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	text_clean(text);
	printf("  %-14s%s\n", title, text[0] ? text : "-");
}

static void section(const char *title)
{
	printf("\n%s\n", title);
}

static void span_write(uint64_t ms, char *text, size_t size)
{
	uint64_t seconds = ms / 1000;

	if (seconds < 120)
		snprintf(text, size, "%" PRIu64 " s", seconds);
	else if (seconds < 7200)
		snprintf(text, size, "%" PRIu64 " min", seconds / 60);
	else if (seconds < 172800)
		snprintf(text, size, "%" PRIu64 " h", seconds / 3600);
	else
		snprintf(text, size, "%" PRIu64 " days", seconds / 86400);
}

static void port_print(struct json_object *port)
{
	struct json_object *sides = json_member(port, "sides");
	char names[256];

	text_names(port, names, sizeof(names));
	printf("Port %s\n", names[0] ? names : text_member(port, "place"));
	line("state", "%s", text_member(port, "state"));
	if (text_member(port, "reason")[0])
		line("why", "%s", text_member(port, "reason"));
	if (text_member(port, "see")[0])
		line("more", "xvhc help %s", text_member(port, "see"));
	line("place", "%s", text_member(port, "place"));
	for (size_t i = 0; i < json_length(sides); i++) {
		struct json_object *side = json_object_array_get_idx(sides, i);

		line(i ? "" : "connector", "%s, %s: port %s of hub %s", text_member(side, "name"),
		     strcmp(text_member(side, "superspeed"), "true") == 0 ? "SuperSpeed"
									  : "up to high speed",
		     text_member(side, "hub-port"), text_member(side, "hub"));
	}
	if (text_member(port, "given-with")[0])
		line("given with", "the hub in %s", text_member(port, "given-with"));
	if (text_member(port, "given-device")[0])
		line("given as", "the device %s", text_member(port, "given-device"));
	if (text_member(port, "changed-from")[0])
		line("it was", "%s just before", text_member(port, "changed-from"));
}

static void interfaces_print(struct json_object *device)
{
	struct json_object *kinds = json_member(device, "interfaces");

	for (size_t i = 0; i < json_length(kinds); i++) {
		struct json_object *kind = json_object_array_get_idx(kinds, i);
		const char *name = usb_class_name(json_number(kind, "class"));

		line(i ? "" : "interfaces", "%02x:%02x:%02x %s",
		     (unsigned int)json_number(kind, "class") & 0xff,
		     (unsigned int)json_number(kind, "subclass") & 0xff,
		     (unsigned int)json_number(kind, "protocol") & 0xff, name ? name : "");
	}
}

static void device_print(struct json_object *device)
{
	char name[512];

	section("Device");
	if (!device) {
		line("", "none is plugged in");
		return;
	}
	text_device(device, name, sizeof(name));
	line("", "%s", name);
	if (text_member(device, "serial")[0])
		line("serial number", "%s", text_member(device, "serial"));
	line("version", "%s", text_member(device, "version"));
	line("speed", "%s", text_member(device, "speed"));
	line("in dom0", "bus %s, device %s", text_member(device, "bus"),
	     text_member(device, "address"));
	interfaces_print(device);
}

static void guest_print(struct json_object *port)
{
	struct json_object *guest = json_member(port, "owner");
	struct json_object *connection = json_member(port, "connection");

	section("Guest");
	if (!guest) {
		line("", "none: dom0 has this port");
		return;
	}
	line("name", "%s", text_member(guest, "name"));
	if (text_member(guest, "domain")[0])
		line("domain", "%s, UUID %s", text_member(guest, "domain"),
		     text_member(guest, "uuid"));
	else
		line("domain", "it does not run");
	if (connection)
		line("controller", "%s, made by %s; this is its port %s of %s",
		     text_member(connection, "controller"),
		     strcmp(text_member(connection, "made-by"), "xvhcd") == 0 ? "xvhcd"
									      : "the toolstack",
		     text_member(port, "controller-port"), text_member(connection, "ports"));
}

static void wire_print(struct json_object *connection)
{
	struct json_object *wire = json_member(connection, "wire");
	char bytes[16];

	if (!wire)
		return;
	line("wire", "version %s; ring of %s page(s); %s", text_member(wire, "version"),
	     text_member(wire, "ring-pages"),
	     json_number(wire, "pool-pages") ? "data in a pool" : "data by grants");
	if (json_number(wire, "pool-pages")) {
		bytes_write(json_number(wire, "pool-pages") * 4096, bytes, sizeof(bytes));
		line("pool", "%s pages, %s", text_member(wire, "pool-pages"), bytes);
	}
	bytes_write(json_number(wire, "bytes-in-flight"), bytes, sizeof(bytes));
	line("its share", "%s transfers in flight, %s of them; %s control requests a second",
	     text_member(wire, "transfers-in-flight"), bytes,
	     text_member(wire, "control-per-second"));
}

static void connection_print(struct json_object *connection)
{
	struct json_object *counters = json_member(connection, "counters");
	struct json_object *worker = json_member(connection, "worker");
	char span[32], used[32];

	if (!connection)
		return;
	section("Connection");
	line("phase", "%s", text_member(connection, "phase"));
	wire_print(connection);
	if (worker) {
		span_write(json_number(worker, "uptime-ms"), span, sizeof(span));
		span_write(json_number(worker, "cpu-ms"), used, sizeof(used));
		line("worker", "process %s, for %s; processor time %s", text_member(worker, "pid"),
		     span, used);
	}
	line("connections", "%s, of which %s failed", text_member(connection, "connections"),
	     text_member(connection, "failures"));
	line("requests", "%s, of which %s were refused; data of %s in the pool",
	     text_member(counters, "requests"), text_member(counters, "refused"),
	     text_member(counters, "pooled"));
	line("notifications", "%s from the guest, %s to it; %s rounds, %s grant copies",
	     text_member(counters, "notifications-from-guest"),
	     text_member(counters, "notifications-to-guest"), text_member(counters, "rounds"),
	     text_member(counters, "copies"));
}

static void policy_print(struct json_object *port)
{
	struct json_object *policy = json_member(port, "policy");
	struct json_object *filters = json_member(policy, "filters");

	if (!policy)
		return;
	section("Policy");
	line("device", "%s", text_member(policy, "judgement"));
	if (text_member(port, "refused-by")[0])
		line("refused by", "%s", text_member(port, "refused-by"));
	for (size_t i = 0; i < json_length(filters); i++) {
		struct json_object *filter = json_object_array_get_idx(filters, i);

		line(i ? "" : "filter", "%s: %s", text_member(filter, "scope"),
		     text_member(filter, "rules"));
	}
	if (json_length(filters) == 0)
		line("filter", "none: each device is allowed");
	line("firmware", "%s",
	     strcmp(text_member(policy, "allow-dfu"), "true") == 0 ? "downloads may pass"
								   : "no download passes");
}

static void quotas_print(struct json_object *quotas)
{
	if (!quotas)
		return;
	section("Quotas of the guest");
	json_object_object_foreach(quotas, key, value)
	{
		printf("  %-28s %" PRIu64 "\n", key, json_object_get_uint64(value));
	}
}

static void counters_print(struct json_object *counters)
{
	struct json_object *errors = json_member(counters, "errors");
	unsigned int failed = 0;
	char in[16], out[16];

	if (!counters)
		return;
	section("Counters, since the port was given or xvhcd was started");
	printf("  %-14s%16s %9s %16s %9s\n", "", "transfers in", "bytes", "transfers out", "bytes");
	for (size_t i = 0; i < FIGURES_TYPES; i++) {
		struct json_object *done =
			json_member(json_member(counters, "transfers"), figures_types[i]);
		struct json_object *sent =
			json_member(json_member(counters, "bytes"), figures_types[i]);

		bytes_write(json_number(sent, "in"), in, sizeof(in));
		bytes_write(json_number(sent, "out"), out, sizeof(out));
		printf("  %-14s%16" PRIu64 " %9s %16" PRIu64 " %9s\n", figures_types[i],
		       json_number(done, "in"), in, json_number(done, "out"), out);
	}
	for (size_t i = 0; i < FIGURES_ERRORS; i++)
		if (json_number(errors, figures_errors[i]))
			line(failed++ == 0 ? "errors" : "", "%s %s",
			     text_member(errors, figures_errors[i]), figures_errors[i]);
	line("lost packets", "%s of %s isochronous ones",
	     text_member(counters, "isochronous-packets-lost"),
	     text_member(counters, "isochronous-packets"));
	line("requests", "%s in flight, %s refused; waited %s times for room in the host",
	     text_member(counters, "in-flight"), text_member(counters, "refused"),
	     text_member(counters, "host-full"));
	line("resets", "%s", text_member(counters, "resets"));
}

static void events_print(struct json_object *events)
{
	char text[LINE_MAX_BYTES];

	if (json_length(events) == 0)
		return;
	section("Last events");
	for (size_t i = 0; i < json_length(events); i++) {
		struct json_object *event = json_object_array_get_idx(events, i);

		snprintf(text, sizeof(text), "%s  %s", text_member(event, "time"),
			 text_member(event, "message"));
		text_clean(text);
		printf("  %s\n", text);
	}
}

static void show_print(struct json_object *port)
{
	port_print(port);
	device_print(json_member(port, "device"));
	guest_print(port);
	connection_print(json_member(port, "connection"));
	policy_print(port);
	quotas_print(json_member(port, "quotas"));
	counters_print(json_member(port, "counters"));
	events_print(json_member(port, "events"));
}

static int run(const struct call *call)
{
	struct json_object *request = request_new("show"), *answer, *port, *ports;
	int code;

	request_add(request, "port", call->words[0]);
	code = ask(call, request, &answer);
	port = json_member(answer, "port");
	if (code == EXIT_SUCCESS && port) {
		ports = json_object_new_array();
		json_object_array_add(ports, json_object_get(port));
		names_add(ports);
		json_object_put(ports);
		if (call->values[OPTION_JSON])
			puts(json_object_to_json_string_ext(port, JSON_C_TO_STRING_PRETTY));
		else
			show_print(port);
	}
	json_object_put(answer);
	return code;
}

const struct command command_show = {
	.name = "show",
	.form = "PORT",
	.words_min = 1,
	.words_max = 1,
	.summary = "show all about one port",
	.options = {[OPTION_JSON] = {"json", 0, NULL, "print an object for programs"}},
	.help = "Shows what is known about one port: its names, the device in it, the guest that "
		"has\n"
		"it, the connection with that guest, what the policy says, quotas, counters,\n"
		"errors, and what happened last. It asks no device for anything. PORT is a name "
		"as\n"
		"for `xvhc give`, of any port of this machine. With --json it prints the object\n"
		"that `xvhc list --json` has for the port, with more members (json.md).\n"
		"\n"
		"Examples:\n"
		"  xvhc show 1-2\n"
		"  xvhc show pci-0000:00:14.0/hs-2 --json | jq .counters.errors\n",
	.run = run,
};
