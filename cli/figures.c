// SPDX-License-Identifier: MIT
#include "figures.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "json.h"

const char *const figures_types[FIGURES_TYPES] = {"control", "isochronous", "bulk", "interrupt"};

const char *const figures_errors[FIGURES_ERRORS] = {"stall",           "io",   "babble",
						    FIGURES_CANCELLED, "gone", "other"};

void figures_read(struct json_object *counters, struct figures *figures)
{
	struct json_object *transfers = json_member(counters, "transfers");
	struct json_object *bytes = json_member(counters, "bytes");
	struct json_object *errors = json_member(counters, "errors");

	memset(figures, 0, sizeof(*figures));
	for (size_t i = 0; i < FIGURES_TYPES; i++) {
		struct json_object *done = json_member(transfers, figures_types[i]);
		struct json_object *sent = json_member(bytes, figures_types[i]);

		figures->transfers += json_number(done, "in") + json_number(done, "out");
		figures->in += json_number(sent, "in");
		figures->out += json_number(sent, "out");
	}
	for (size_t i = 0; i < FIGURES_ERRORS; i++)
		if (strcmp(figures_errors[i], FIGURES_CANCELLED) != 0)
			figures->errors += json_number(errors, figures_errors[i]);
	figures->in_flight = json_number(counters, "in-flight");
}

uint64_t figure_rate(uint64_t now, uint64_t before, uint64_t elapsed_ms)
{
	uint64_t more = now >= before ? now - before : now;

	if (elapsed_ms == 0)
		return 0;
	return more > UINT64_MAX / 1000 ? more / elapsed_ms * 1000 : more * 1000 / elapsed_ms;
}

void bytes_write(uint64_t bytes, char *text, size_t size)
{
	static const char units[] = "KMGTPE";
	uint64_t unit = 1024;
	size_t i = 0;

	if (bytes < 1000) {
		snprintf(text, size, "%" PRIu64, bytes);
		return;
	}
	while (i < sizeof(units) - 2 && bytes / unit >= 1000) {
		unit *= 1024;
		i++;
	}
	snprintf(text, size, "%.1f%c", (double)bytes / (double)unit, units[i]);
}
