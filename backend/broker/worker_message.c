// SPDX-License-Identifier: MIT
/*
 * A worker may have been taken over by its guest. All that it can say stands in the table
 * `messages`, each with the phases of the controller in which it may be said. Anything else ends
 * the worker.
 */
#include <broker/worker_message.h>

#include <errno.h>
#include <stdio.h>

#include <broker/controller.h>
#include <broker/controller_nodes.h>
#include <broker/controller_text.h>
#include <broker/controller_worker.h>
#include <broker/event.h>
#include <broker/given.h>
#include <common/message_io.h>
#include <transfer.h>

#define MESSAGES_AT_ONCE 16u /* of one worker, before the others have their turn */

static struct given *given_at(const struct controller *controller, uint32_t port)
{
	return port >= 1 && port <= controller->ports ? controller->given[port] : NULL;
}

static bool handle_connected(struct broker *broker, struct controller *controller,
			     const struct message *message)
{
	char text[CONTROLLER_TEXT_MAX];

	(void)message;
	/* Said in time, but the connection was closing when it arrived. */
	if (controller->phase != PHASE_CONNECTING)
		return true;
	controller->phase = PHASE_CONNECTED;
	controller->until_ms = 0;
	controller->connected_at_ms = clock_ms();
	backend_state_write(broker, controller, XENBUS_CONNECTED);
	controller_text(broker, controller, text);
	log_line(LOG_LEVEL_INFO, "%s is connected", text);
	event_tell(broker, EVENT_CONNECTED, (struct event_about){.controller = controller},
		   "controller %u of the guest is connected", controller->devid);
	broker->again = true;
	return true;
}

static bool handle_failed(struct broker *broker, struct controller *controller,
			  const struct message *message)
{
	char why[sizeof(message->u.failed.text) + 64];

	snprintf(why, sizeof(why), "its worker failed (%d): %.*s", message->u.failed.error,
		 (int)sizeof(message->u.failed.text), message->u.failed.text);
	controller_restart(broker, controller, why);
	return true;
}

static bool handle_port_state(struct broker *broker, struct controller *controller,
			      const struct message *message)
{
	struct given *given = given_at(controller, message->u.port.port);

	if (!given || message->u.port.state > PORT_CONFIGURED)
		return false;
	given_worker_state(broker, given, (enum port_state)message->u.port.state);
	return true;
}

static bool handle_detached(struct broker *broker, struct controller *controller,
			    const struct message *message)
{
	struct given *given = given_at(controller, message->u.port.port);

	if (!given)
		return false;
	given_worker_detached(broker, given);
	return true;
}

static const char *plural(uint32_t count)
{
	return count == 1 ? "" : "s";
}

static bool handle_port_event(struct broker *broker, struct controller *controller,
			      const struct message *message)
{
	static const char *const types[] = {
		[TRANSFER_CONTROL] = "control",
		[TRANSFER_ISOC] = "isochronous",
		[TRANSFER_BULK] = "bulk",
		[TRANSFER_INTERRUPT] = "interrupt",
	};
	const struct message_port_event *said = &message->u.port_event;
	const struct given *given = given_at(controller, said->port);
	struct event_about about = {.given = given, .count = said->count};

	if (!given || said->count == 0 || said->type > TRANSFER_INTERRUPT ||
	    said->endpoint > UINT8_MAX)
		return false;
	switch (said->event) {
	case PORT_EVENT_RESET:
		event_tell(broker, EVENT_RESET, about, "the guest has reset the port%s",
			   said->count == 1 ? "" : " several times");
		return true;
	case PORT_EVENT_RESET_FAILED:
		event_tell(broker, EVENT_ERROR, about,
			   "the guest has reset the port, and the device does not answer");
		return true;
	case PORT_EVENT_BLOCKED:
		event_tell(broker, EVENT_BLOCKED, about,
			   "%u request%s of the guest did not pass to the device; the last was a "
			   "%s transfer of endpoint %02x",
			   said->count, plural(said->count), types[said->type], said->endpoint);
		return true;
	default:
		return false;
	}
}

#define IN_PHASE(phase) (1u << (phase))

/* Returns false where the message makes no sense. */
static const struct {
	enum message_type type;
	uint32_t phases;
	bool (*handle)(struct broker *broker, struct controller *controller,
		       const struct message *message);
} messages[] = {
	{MESSAGE_CONNECTED, IN_PHASE(PHASE_CONNECTING) | IN_PHASE(PHASE_CLOSING), handle_connected},
	{MESSAGE_FAILED,
	 IN_PHASE(PHASE_CONNECTING) | IN_PHASE(PHASE_CONNECTED) | IN_PHASE(PHASE_CLOSING),
	 handle_failed},
	{MESSAGE_PORT_STATE, IN_PHASE(PHASE_CONNECTED) | IN_PHASE(PHASE_CLOSING),
	 handle_port_state},
	{MESSAGE_DETACHED, IN_PHASE(PHASE_CONNECTED) | IN_PHASE(PHASE_CLOSING), handle_detached},
	{MESSAGE_PORT_EVENT, IN_PHASE(PHASE_CONNECTED) | IN_PHASE(PHASE_CLOSING),
	 handle_port_event},
};

static bool message_handle(struct broker *broker, struct controller *controller,
			   const struct message *message)
{
	for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++)
		if (messages[i].type == message->type)
			return (messages[i].phases & IN_PHASE(controller->phase)) &&
			       messages[i].handle(broker, controller, message);
	return false;
}

void worker_readable(struct broker *broker, uint32_t index)
{
	struct worker_slot *slot = &broker->workers[index];
	struct message_fds fds;
	struct message message;
	int result;

	for (uint32_t i = 0; i < MESSAGES_AT_ONCE; i++) {
		if (!slot->used || !slot->controller || slot->process.socket < 0)
			return;
		result = message_receive(slot->process.socket, &message, &fds);
		if (result == -EAGAIN)
			return;
		if (result == 0 || result == -ECONNRESET) {
			/* Its end is reported by its pidfd; without that it is asked to end. */
			worker_await_end(slot);
			return;
		}
		/* A worker that keeps to its filter cannot attach a descriptor. */
		if (result == 1 && fds.count > 0) {
			message_fds_close(&fds);
			result = -EPROTO;
		}
		if (result != 1 || !message_handle(broker, slot->controller, &message)) {
			if (slot->controller)
				controller_restart(broker, slot->controller,
						   "its worker broke the protocol");
			return;
		}
	}
}
