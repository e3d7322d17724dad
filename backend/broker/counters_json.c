// SPDX-License-Identifier: MIT
#include <broker/counters_json.h>

#include <json-c/json.h>

#include <broker/controller.h>
#include <broker/guest.h>
#include <broker/judge.h>

static void number_add(struct json_object *object, const char *name, uint64_t number)
{
	json_object_object_add(object, name, json_object_new_uint64(number));
}

static struct json_object *table_json(uint64_t table[COUNTERS_TYPES][COUNTERS_DIRECTIONS])
{
	static const char *const types[COUNTERS_TYPES] = {"control", "isochronous", "bulk",
							  "interrupt"};
	struct json_object *object = json_object_new_object();

	for (uint32_t i = 0; i < COUNTERS_TYPES; i++) {
		struct json_object *directions = json_object_new_object();

		number_add(directions, "in", table[i][1]);
		number_add(directions, "out", table[i][0]);
		json_object_object_add(object, types[i], directions);
	}
	return object;
}

static struct json_object *errors_json(const uint64_t errors[COUNTERS_ERRORS])
{
	static const char *const kinds[COUNTERS_ERRORS] = {
		[COUNTERS_STALL] = "stall",   [COUNTERS_IO] = "io",
		[COUNTERS_BABBLE] = "babble", [COUNTERS_CANCELLED] = "cancelled",
		[COUNTERS_GONE] = "gone",     [COUNTERS_OTHER] = "other",
	};
	struct json_object *object = json_object_new_object();

	for (uint32_t i = 0; i < COUNTERS_ERRORS; i++)
		number_add(object, kinds[i], errors[i]);
	return object;
}

struct json_object *port_counters_json(struct broker *broker, const struct given *given)
{
	struct json_object *object = json_object_new_object();
	struct counters_port port;

	tally_port(broker, given, &port);
	json_object_object_add(object, "transfers", table_json(port.sums.transfers));
	json_object_object_add(object, "bytes", table_json(port.sums.bytes));
	json_object_object_add(object, "errors", errors_json(port.sums.errors));
	number_add(object, "refused", port.sums.refused);
	number_add(object, "isochronous-packets", port.sums.packets);
	number_add(object, "isochronous-packets-lost", port.sums.packets_lost);
	number_add(object, "resets", port.sums.resets);
	number_add(object, "host-full", port.sums.host_full);
	number_add(object, "in-flight", port.in_flight);
	return object;
}

static const char *phase_word(enum controller_phase phase)
{
	static const char *const words[] = {
		[PHASE_NEW] = "waiting",           [PHASE_WAITING] = "waiting",
		[PHASE_CONNECTING] = "connecting", [PHASE_CONNECTED] = "connected",
		[PHASE_CLOSING] = "closing",       [PHASE_CLOSED] = "closed",
		[PHASE_PAUSING] = "connecting",    [PHASE_REMOVED] = "connecting",
		[PHASE_OFFLINE] = "offline",       [PHASE_REFUSED] = "refused",
	};

	return words[phase];
}

static struct json_object *wire_json(const struct message_connect *connect)
{
	struct json_object *object = json_object_new_object();

	number_add(object, "version", connect->version);
	number_add(object, "ring-pages", connect->ring_pages);
	number_add(object, "pool-pages", connect->pool_pages);
	number_add(object, "transfers-in-flight", connect->transfers_max);
	number_add(object, "bytes-in-flight", connect->bytes_max);
	number_add(object, "control-per-second", connect->control_rate);
	return object;
}

static struct json_object *worker_json(const struct worker_slot *slot)
{
	struct json_object *object = json_object_new_object();

	number_add(object, "pid", (uint64_t)slot->process.pid);
	number_add(object, "uptime-ms", clock_ms() - slot->started_at_ms);
	number_add(object, "cpu-ms", worker_process_cpu_ms(&slot->process));
	return object;
}

static struct json_object *connection_counters_json(struct broker *broker,
						    const struct controller *controller)
{
	struct json_object *object = json_object_new_object();
	struct counters_connection counters;

	tally_controller(broker, controller, &counters);
	number_add(object, "requests", counters.requests);
	number_add(object, "refused", counters.refused);
	number_add(object, "pooled", counters.pooled);
	number_add(object, "copies", counters.copies);
	number_add(object, "rounds", counters.rounds);
	number_add(object, "notifications-from-guest", counters.woken);
	number_add(object, "notifications-to-guest", counters.notified);
	return object;
}

struct json_object *controller_json(struct broker *broker, const struct controller *controller)
{
	const struct guest *guest = guest_find_domid(broker, controller->domid);
	const struct worker_slot *slot =
		controller->worker ? worker_slot_of(broker, controller) : NULL;
	struct json_object *object = json_object_new_object();

	json_object_object_add(object, "guest",
			       guest && guest->name[0] ? json_object_new_string(guest->name)
						       : NULL);
	number_add(object, "domain", controller->domid);
	number_add(object, "controller", controller->devid);
	number_add(object, "ports", controller->ports);
	json_object_object_add(object, "made-by",
			       json_object_new_string(controller->ours ? "xvhcd" : "toolstack"));
	json_object_object_add(object, "phase",
			       json_object_new_string(phase_word(controller->phase)));
	json_object_object_add(object, "wire", slot ? wire_json(&slot->connect) : NULL);
	json_object_object_add(object, "worker", slot ? worker_json(slot) : NULL);
	number_add(object, "connections", controller->connections);
	number_add(object, "failures", controller->failures);
	json_object_object_add(object, "counters", connection_counters_json(broker, controller));
	return object;
}

const char *port_condition(const struct broker *broker, const struct given *given)
{
	if (given->taking)
		return "taken";
	if (!topology_find_place(&broker->topology, &given->at))
		return "absent";
	if (given->device_state == DEVICE_IN_DOM0)
		return "in-dom0";
	if (given->device_state == DEVICE_HUB)
		return "hub";
	if (given->device_state == DEVICE_FAILED || given->claim_state == CLAIM_FAILED)
		return "failed";
	if (given->judgement == JUDGEMENT_REFUSED && given->device_state == DEVICE_PRESENT)
		return "refused";
	if (!given->controller || given->controller->phase != PHASE_CONNECTED)
		return "waiting";
	if (given->device_state == DEVICE_NONE)
		return "empty";
	return given->device_state == DEVICE_ATTACHED && given->guest_use == PORT_CONFIGURED
		       ? "in-use"
		       : "connecting";
}
