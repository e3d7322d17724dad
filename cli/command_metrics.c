// SPDX-License-Identifier: MIT
/*
 * Figures in Prometheus' text format, for the textfile collector of its node_exporter.
 * docs/metrics.md tells what each means. Names and labels are an interface: they stay.
 *
 * The broker does not write this file. It runs as root, and its loop waits for nobody: neither a
 * directory that somebody else may write to nor a slow disk belongs there. Whoever wants figures
 * runs this command, by a timer (packaging/systemd), and a broker that nobody asks has nothing to
 * do.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ask.h"
#include "error.h"
#include "figures.h"
#include "json.h"
#include "text.h"

#define OPTION_WRITE 0

static void metric_head(FILE *stream, const char *name, const char *type, const char *help)
{
	fprintf(stream, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* One label. Devices and guests choose some of the texts; the format wants three marks escaped. */
static void label_write(FILE *stream, const char *before, const char *name, const char *text)
{
	fprintf(stream, "%s%s=\"", before, name);
	for (; *text; text++) {
		if (*text == '\\' || *text == '"')
			fprintf(stream, "\\%c", *text);
		else
			putc(*text < ' ' || *text > '~' ? '?' : *text, stream);
	}
	putc('"', stream);
}

/* The beginning of a sample of a port: {guest="web",port="pci-0000:00:14.0/hs-2" */
static void port_sample(FILE *stream, const char *name, struct json_object *port)
{
	fputs(name, stream);
	label_write(stream, "{", "guest", text_member(port, "guest"));
	label_write(stream, ",", "port", text_member(port, "place"));
}

static void sample_end(FILE *stream, uint64_t value)
{
	fprintf(stream, "} %" PRIu64 "\n", value);
}

/* A table of the counters, by type and direction. */
static void table_write(FILE *stream, struct json_object *ports, const char *name,
			const char *member, const char *help)
{
	static const char *const directions[] = {"in", "out"};

	metric_head(stream, name, "counter", help);
	for (size_t i = 0; i < json_length(ports); i++) {
		struct json_object *port = json_object_array_get_idx(ports, i);
		struct json_object *table = json_member(json_member(port, "counters"), member);

		for (size_t j = 0; j < (size_t)FIGURES_TYPES * 2; j++) {
			port_sample(stream, name, port);
			label_write(stream, ",", "type", figures_types[j / 2]);
			label_write(stream, ",", "direction", directions[j % 2]);
			sample_end(stream, json_number(json_member(table, figures_types[j / 2]),
						       directions[j % 2]));
		}
	}
}

static void errors_write(FILE *stream, struct json_object *ports)
{
	static const char name[] = "xvhc_errors_total";

	metric_head(stream, name, "counter",
		    "Transfers and operations that failed, by kind. What the guest cancels is "
		    "one of them.");
	for (size_t i = 0; i < json_length(ports); i++) {
		struct json_object *port = json_object_array_get_idx(ports, i);
		struct json_object *errors = json_member(json_member(port, "counters"), "errors");

		for (size_t j = 0; j < FIGURES_ERRORS; j++) {
			port_sample(stream, name, port);
			label_write(stream, ",", "kind", figures_errors[j]);
			sample_end(stream, json_number(errors, figures_errors[j]));
		}
	}
}

/* What a port has one of. */
static const struct {
	const char *name;
	const char *type;
	const char *member;
	const char *help;
} port_metrics[] = {
	{"xvhc_refused_requests_total", "counter", "refused",
	 "Requests of the guest that were kept from the device."},
	{"xvhc_isochronous_packets_total", "counter", "isochronous-packets",
	 "Packets of isochronous transfers."},
	{"xvhc_isochronous_packets_lost_total", "counter", "isochronous-packets-lost",
	 "Packets of isochronous transfers that failed."},
	{"xvhc_resets_total", "counter", "resets", "Resets of the device that the guest had done."},
	{"xvhc_host_full_total", "counter", "host-full",
	 "Times that a transfer had to wait for room in the host."},
	{"xvhc_transfers_in_flight", "gauge", "in-flight", "Transfers that the device has now."},
};

static void port_metrics_write(FILE *stream, struct json_object *ports)
{
	for (size_t m = 0; m < sizeof(port_metrics) / sizeof(port_metrics[0]); m++) {
		metric_head(stream, port_metrics[m].name, port_metrics[m].type,
			    port_metrics[m].help);
		for (size_t i = 0; i < json_length(ports); i++) {
			struct json_object *port = json_object_array_get_idx(ports, i);

			port_sample(stream, port_metrics[m].name, port);
			sample_end(stream, json_number(json_member(port, "counters"),
						       port_metrics[m].member));
		}
	}
}

static void info_write(FILE *stream, struct json_object *ports)
{
	static const char name[] = "xvhc_port_info";
	char device[16];

	metric_head(stream, name, "gauge", "1 for each given port, with what is in it.");
	for (size_t i = 0; i < json_length(ports); i++) {
		struct json_object *port = json_object_array_get_idx(ports, i);
		struct json_object *in = json_member(port, "device");

		device[0] = '\0';
		if (in)
			snprintf(device, sizeof(device), "%.4s:%.4s", text_member(in, "vendor"),
				 text_member(in, "product"));
		port_sample(stream, name, port);
		label_write(stream, ",", "name", text_member(port, "port"));
		label_write(stream, ",", "device", device);
		label_write(stream, ",", "product", text_member(in, "name"));
		label_write(stream, ",", "speed", text_member(in, "speed"));
		sample_end(stream, 1);
	}
}

static void state_write(FILE *stream, struct json_object *ports)
{
	static const char *const states[] = {"taken",      "absent",  "in-dom0", "hub",
					     "failed",     "refused", "waiting", "empty",
					     "connecting", "in-use"};
	static const char name[] = "xvhc_port_state";

	metric_head(stream, name, "gauge",
		    "1 for the state that the port is in, 0 for the others.");
	for (size_t i = 0; i < json_length(ports); i++) {
		struct json_object *port = json_object_array_get_idx(ports, i);

		for (size_t j = 0; j < sizeof(states) / sizeof(states[0]); j++) {
			port_sample(stream, name, port);
			label_write(stream, ",", "state", states[j]);
			sample_end(stream, strcmp(states[j], text_member(port, "condition")) == 0);
		}
	}
}

/* What a controller has one of: a member of itself, or of an object in it. */
static const struct {
	const char *name;
	const char *type;
	const char *object; /* NULL: of itself */
	const char *member;
	const char *help;
	bool milliseconds; /* the member; the metric has seconds */
} controller_metrics[] = {
	{"xvhc_controller_connections_total", "counter", NULL, "connections",
	 "Connections with the guest, each of which has a worker of its own.", false},
	{"xvhc_controller_failures_total", "counter", NULL, "failures",
	 "Connections that ended because the worker failed or the guest broke the protocol.",
	 false},
	{"xvhc_controller_cpu_seconds", "gauge", "worker", "cpu-ms",
	 "Processor time that the worker of this connection has used, 0 without one.", true},
	{"xvhc_controller_wire_version", "gauge", "wire", "version",
	 "Version of the wire of this connection, 0 without one.", false},
	{"xvhc_controller_requests_total", "counter", "counters", "requests",
	 "Requests taken from the guest.", false},
	{"xvhc_controller_refused_total", "counter", "counters", "refused",
	 "Requests that were kept from every device.", false},
	{"xvhc_controller_pooled_total", "counter", "counters", "pooled",
	 "Requests with data in the pool, which the hypervisor need not copy.", false},
	{"xvhc_controller_grant_copies_total", "counter", "counters", "copies",
	 "Hypercalls that copied data to or from the guest.", false},
	{"xvhc_controller_rounds_total", "counter", "counters", "rounds",
	 "Times that the worker looked for work.", false},
	{"xvhc_controller_notifications_from_guest_total", "counter", "counters",
	 "notifications-from-guest", "Times that the guest woke up the worker.", false},
	{"xvhc_controller_notifications_to_guest_total", "counter", "counters",
	 "notifications-to-guest", "Times that the worker woke up the guest.", false},
};

static void controller_sample(FILE *stream, const char *name, struct json_object *controller)
{
	fputs(name, stream);
	label_write(stream, "{", "guest", text_member(controller, "guest"));
	label_write(stream, ",", "domid", text_member(controller, "domain"));
	label_write(stream, ",", "controller", text_member(controller, "controller"));
}

static void controllers_write(FILE *stream, struct json_object *controllers)
{
	for (size_t m = 0; m < sizeof(controller_metrics) / sizeof(controller_metrics[0]); m++) {
		const char *name = controller_metrics[m].name;

		metric_head(stream, name, controller_metrics[m].type, controller_metrics[m].help);
		for (size_t i = 0; i < json_length(controllers); i++) {
			struct json_object *at = json_object_array_get_idx(controllers, i);
			struct json_object *from =
				controller_metrics[m].object
					? json_member(at, controller_metrics[m].object)
					: at;

			uint64_t value = json_number(from, controller_metrics[m].member);

			controller_sample(stream, name, at);
			if (controller_metrics[m].milliseconds)
				fprintf(stream, "} %" PRIu64 ".%03u\n", value / 1000,
					(unsigned int)(value % 1000));
			else
				sample_end(stream, value);
		}
	}
}

/* answer NULL: xvhcd does not run, which is a figure, too. */
static void metrics_write(FILE *stream, struct json_object *answer)
{
	struct json_object *ports = json_member(answer, "ports");

	metric_head(stream, "xvhc_up", "gauge", "1 where xvhcd answers, 0 where it does not.");
	fprintf(stream, "xvhc_up %d\n", answer != NULL);
	if (!answer)
		return;
	metric_head(stream, "xvhc_build_info", "gauge", "1, with the version of xvhcd.");
	fputs("xvhc_build_info", stream);
	label_write(stream, "{", "version", text_member(answer, "version"));
	sample_end(stream, 1);
	metric_head(stream, "xvhc_uptime_seconds", "gauge", "Since xvhcd was started.");
	fprintf(stream, "xvhc_uptime_seconds %" PRIu64 "\n",
		json_number(answer, "uptime-ms") / 1000);
	info_write(stream, ports);
	state_write(stream, ports);
	table_write(stream, ports, "xvhc_transfers_total", "transfers",
		    "Transfers that the device was asked for and that have ended.");
	table_write(stream, ports, "xvhc_bytes_total", "bytes",
		    "Bytes of transfers that went over the bus.");
	errors_write(stream, ports);
	port_metrics_write(stream, ports);
	controllers_write(stream, json_member(answer, "controllers"));
}

static int file_fail(const char *path)
{
	error_say("%s cannot be written: %s.", path, strerror(errno));
	return EXIT_FAILURE;
}

/*
 * Whoever reads the file finds all of the old figures or all of the new ones: they are written
 * beside it, under a name that the collector does not take, and renamed.
 */
static int file_replace(const char *path, struct json_object *answer)
{
	char beside[PATH_MAX];
	FILE *stream;
	bool bad;
	int fd;

	if (snprintf(beside, sizeof(beside), "%s.XXXXXX", path) >= (int)sizeof(beside)) {
		errno = ENAMETOOLONG;
		return file_fail(path);
	}
	fd = mkostemp(beside, O_CLOEXEC);
	stream = fd < 0 ? NULL : fdopen(fd, "w");
	if (!stream)
		return file_fail(path);
	metrics_write(stream, answer);
	bad = fflush(stream) != 0 || fchmod(fd, 0644) != 0;
	bad = fclose(stream) != 0 || bad;
	if (!bad && rename(beside, path) == 0)
		return EXIT_SUCCESS;
	(void)file_fail(path);
	unlink(beside);
	return EXIT_FAILURE;
}

static int run(const struct call *call)
{
	struct json_object *answer;
	int code = ask(call, request_new("counters"), &answer);

	/* It said why on standard error. Where it does not run at all, that is told by xvhc_up. */
	if (answer && code != EXIT_SUCCESS) {
		json_object_put(answer);
		return code;
	}
	code = EXIT_SUCCESS;
	if (call->values[OPTION_WRITE])
		code = file_replace(call->values[OPTION_WRITE], answer);
	else
		metrics_write(stdout, answer);
	json_object_put(answer);
	return code;
}

const struct command command_metrics = {
	.name = "metrics",
	.form = "",
	.summary = "print figures for Prometheus",
	.options = {[OPTION_WRITE] = {"write", 'w', "FILE", "put them into FILE, at one stroke"}},
	.help = "Prints figures in the text format of Prometheus: transfers, bytes, errors and "
		"states\n"
		"of each given port, and more. metrics.md tells what each means. With\n"
		"--write they go to FILE, which a reader never sees half written: put it where\n"
		"node_exporter's textfile collector looks. The timer xvhc-metrics.timer does so "
		"every\n"
		"15 seconds. Where xvhcd does not run, xvhc_up is 0, and there is nothing else.\n"
		"\n"
		"Examples:\n"
		"  xvhc metrics\n"
		"  xvhc metrics --write /var/lib/prometheus/node-exporter/xvhc.prom\n",
	.run = run,
};
