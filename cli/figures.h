/* SPDX-License-Identifier: MIT */
/* The broker's figures of one port, as `counters` has them, in a form to reckon with. */
#ifndef XVHC_CLI_FIGURES_H
#define XVHC_CLI_FIGURES_H

#include <stddef.h>
#include <stdint.h>

#include <json-c/json.h>

/* Types of transfers, as the JSON has them. */
#define FIGURES_TYPES 4u
extern const char *const figures_types[FIGURES_TYPES];

/* Kinds of errors; what the guest cancels is one of them, and nothing that is wrong. */
#define FIGURES_ERRORS 6u
extern const char *const figures_errors[FIGURES_ERRORS];
#define FIGURES_CANCELLED "cancelled"

struct figures {
	uint64_t transfers; /* of all types, in both directions */
	uint64_t in;        /* bytes to the host, of all types */
	uint64_t out;       /* bytes to the device */
	uint64_t errors;    /* all but those that were cancelled */
	uint64_t in_flight;
};

/* Reads the "counters" of a port. */
void figures_read(struct json_object *counters, struct figures *figures);

/* What came since before, in one second. A figure that went back began anew. */
uint64_t figure_rate(uint64_t now, uint64_t before, uint64_t elapsed_ms);

/* Writes a number of bytes in at most six columns: "999", "12.3K", "1.2G". */
void bytes_write(uint64_t bytes, char *text, size_t size);

#endif
