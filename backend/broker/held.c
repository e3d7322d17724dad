// SPDX-License-Identifier: MIT
/*
 * A descriptor of a device works until the device is unplugged, whoever has the device by then. No
 * call takes it away from the process that has it. So a worker that was taken over by its guest
 * could say that it gave a device back, keep the descriptor, and go on using the device of dom0 or
 * of another guest.
 *
 * That is why a worker's word counts for nothing here. given->holder is the worker that was handed
 * a descriptor last. It is set to none in two cases only:
 *
 *   - the worker has ended: the kernel has closed the descriptor
 *   - the kernel's own table of the worker's descriptors has it no more
 *
 * For the second the worker is stopped (SIGSTOP) and its table is read from /proc, while none of
 * its threads runs or is in the kernel, where a call under way could hold what the table no longer
 * shows. It takes milliseconds. The filter in backend/worker/isolate.c closes the other ways in
 * which a process could hide a descriptor: no child, no mapping of a descriptor, no socket but the
 * broker's, and on that one nothing to send a descriptor by. What the worker has not read from that
 * socket yet may hold one as well, so the table counts only where all was read.
 * Transfers that are left over end when the device is unconfigured and reset, which comes
 * after this. A worker that holds what it should not, or does not stop, is ended.
 */
#include <broker/held.h>

#include <sys/stat.h>

#include <broker/controller.h>

/* As long as the kernel may take for an operation on another device of the same worker. */
#define LOOK_LIMIT_MS 15000u
/* For a worker to read what it was sent, before it is stopped and looked at again. */
#define LOOK_AGAIN_MS 10u

void held_begin(struct broker *broker, struct given *given, int fd)
{
	struct stat status = {0};

	given->holder = worker_slot_of(broker, given->controller);
	/* Of an open descriptor it cannot fail; a node of 0 would match nothing. */
	(void)fstat(fd, &status);
	given->node = status.st_rdev;
}

/* One that has no controller any more is about to end: that is awaited. */
static void look_begin(struct broker *broker, struct worker_slot *slot)
{
	if (slot->looking || !slot->controller)
		return;
	slot->looking = true;
	slot->look_until_ms = broker->now_ms + LOOK_LIMIT_MS;
	worker_process_stop(&slot->process);
	broker->again = true;
}

bool held_by_anyone(struct broker *broker, const struct given *given)
{
	if (!given->holder)
		return false;
	look_begin(broker, given->holder);
	return true;
}

bool held_by_another(struct broker *broker, const struct given *given)
{
	if (!given->holder || (given->controller && given->holder->controller == given->controller))
		return false;
	return held_by_anyone(broker, given);
}

/* Asks the kernel for each device that the worker should not have now. */
static bool holds_nothing(struct broker *broker, struct worker_slot *slot)
{
	for (struct given *given = broker->given; given; given = given->next) {
		if (given->holder != slot || given->device_state == DEVICE_ATTACHED ||
		    given->device_state == DEVICE_DETACHING)
			continue;
		if (worker_process_holds(&slot->process, given->node))
			return false;
		given->holder = NULL;
	}
	return true;
}

static void look_finish(struct broker *broker, struct worker_slot *slot)
{
	bool stopped = worker_process_is_stopped(&slot->process);

	if (!stopped && broker->now_ms < slot->look_until_ms) {
		broker_wake_at(broker, slot->look_until_ms);
		return;
	}
	broker->again = true;
	if (stopped && worker_process_has_unread(&slot->process) &&
	    broker->now_ms < slot->look_until_ms) {
		worker_process_continue(&slot->process);
		slot->stop_at_ms = broker->now_ms + LOOK_AGAIN_MS;
		return;
	}
	if (!stopped || worker_process_has_unread(&slot->process))
		controller_restart(broker, slot->controller, "its worker cannot be looked at");
	else if (!holds_nothing(broker, slot))
		controller_restart(broker, slot->controller,
				   "its worker keeps a device that it gave back");
	held_look_stop(slot);
}

/* It runs on for a moment between two looks. */
static bool runs_on(struct broker *broker, struct worker_slot *slot)
{
	if (slot->stop_at_ms == 0)
		return false;
	if (broker->now_ms < slot->stop_at_ms) {
		broker_wake_at(broker, slot->stop_at_ms);
		return true;
	}
	slot->stop_at_ms = 0;
	worker_process_stop(&slot->process);
	return false;
}

void held_step(struct broker *broker)
{
	for (uint32_t i = 0; i < XVHC_CONTROLLERS_MAX; i++) {
		struct worker_slot *slot = &broker->workers[i];

		if (slot->used && slot->looking && !runs_on(broker, slot))
			look_finish(broker, slot);
	}
}

void held_look_stop(struct worker_slot *slot)
{
	if (slot->looking)
		worker_process_continue(&slot->process);
	slot->looking = false;
	slot->stop_at_ms = 0;
}

void held_worker_ended(struct broker *broker, const struct worker_slot *slot)
{
	for (struct given *given = broker->given; given; given = given->next)
		if (given->holder == slot)
			given->holder = NULL;
	broker->again = true;
}
