// SPDX-License-Identifier: MIT
#include <broker/controller_worker.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

#include <broker/capture.h>
#include <broker/controller.h>
#include <broker/given.h>
#include <broker/held.h>
#include <broker/judge.h>
#include <broker/sysfs.h>
#include <common/message_io.h>

#define END_LIMIT_MS 3000u

struct worker_slot *worker_slot_of(struct broker *broker, const struct controller *controller)
{
	for (uint32_t i = 0; i < XVHC_CONTROLLERS_MAX; i++)
		if (&broker->workers[i].process == controller->worker)
			return &broker->workers[i];
	return NULL;
}

int controller_worker_tell(const struct controller *controller, const struct message *message,
			   int fd)
{
	struct message_fds fds = {.fd = {fd}, .count = 1};

	if (!controller->worker || controller->worker->socket < 0)
		return -EPIPE;
	return message_send(controller->worker->socket, message, fd >= 0 ? &fds : NULL);
}

/* Bytes of usbfs' memory that all may have together; 0: there is no limit. */
static uint64_t usbfs_bytes(const struct broker *broker)
{
	uint32_t mib = XVHC_USBFS_MEMORY_MB;
	char directory[PATH_MAX];

	if (!path_format(directory, "%s/module/usbcore/parameters", broker->options->sysfs) ||
	    !sysfs_read_number(directory, "usbfs_memory_mb", 10, UINT32_MAX, &mib))
		mib = XVHC_USBFS_MEMORY_MB;
	return (uint64_t)mib << 20;
}

/* What one worker can have under way: as many as its ring has slots, or its share. */
static uint32_t transfers_most(const struct message_connect *connect)
{
	uint32_t slots = connect->version == 1 ? USBIF_URB_RING_SLOTS
					       : connect->ring_pages * XVHCIF_SLOTS_OF_A_PAGE;

	return slots < XVHC_WORKER_TRANSFERS_MAX ? slots : XVHC_WORKER_TRANSFERS_MAX;
}

static uint32_t bytes_most(const struct message_connect *connect)
{
	return connect->version == 1 ? USBIF_URB_RING_SLOTS * USBIF_SEGMENTS_MAX * USBIF_PAGE_SIZE
				     : XVHC_WORKER_BYTES_MAX;
}

static uint32_t bytes_least(const struct message_connect *connect)
{
	return connect->version == 1 ? XVHC_WORKER_BYTES_MIN_1 : XVHC_WORKER_BYTES_MIN_2;
}

/* What usbfs counts beside the data of transfers. */
static uint64_t overhead_of(uint32_t transfers)
{
	return (uint64_t)transfers * XVHC_TRANSFER_OVERHEAD;
}

void usbfs_memory(const struct broker *broker, uint64_t *limit, uint64_t *used)
{
	*limit = usbfs_bytes(broker);
	*used = 0;
	for (uint32_t i = 0; i < XVHC_CONTROLLERS_MAX; i++)
		if (broker->workers[i].used)
			*used += broker->workers[i].bytes_share +
				 overhead_of(broker->workers[i].transfers_share);
}

/*
 * A worker's share of usbfs' memory, which is one for the whole host, is set aside for it until it
 * has ended: so none can take another's. There is no more of it than a guest's quota leaves, nor
 * than the others have left. Returns 0 where that is too little to work with.
 */
static uint32_t bytes_share(const struct broker *broker, uint32_t domid, uint32_t quota,
			    const struct message_connect *connect)
{
	uint64_t overhead = overhead_of(connect->transfers_max);
	uint64_t all, used, own = 0, share = bytes_most(connect);

	usbfs_memory(broker, &all, &used);
	for (uint32_t i = 0; i < XVHC_CONTROLLERS_MAX; i++) {
		const struct worker_slot *slot = &broker->workers[i];

		if (slot->used && slot->domid == domid)
			own += slot->bytes_share;
	}
	if (own + share > quota)
		share = quota > own ? quota - own : 0;
	if (all != 0 && used + overhead + share > all)
		share = all > used + overhead ? all - used - overhead : 0;
	return share >= bytes_least(connect) ? (uint32_t)share : 0;
}

/* Of the guest's transfers in flight: all that a worker can have, or what its others have left. */
static uint32_t transfers_share(const struct broker *broker, uint32_t domid, uint32_t quota,
				const struct message_connect *connect)
{
	uint32_t own = 0, left, most = transfers_most(connect);

	for (uint32_t i = 0; i < XVHC_CONTROLLERS_MAX; i++) {
		const struct worker_slot *slot = &broker->workers[i];

		if (slot->used && slot->domid == domid)
			own += slot->transfers_share;
	}
	left = quota > own ? quota - own : 0;
	if (left < XVHC_TRANSFERS_IN_FLIGHT_MIN)
		return 0;
	return left < most ? left : most;
}

/* Each of the guest's controllers has the same part of its rate, at least one in a second. */
static uint32_t control_share(const struct broker *broker, uint32_t domid, uint32_t quota)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < XVHC_CONTROLLERS_MAX; i++)
		count += broker->controllers[i] && broker->controllers[i]->domid == domid;
	assert(count > 0);
	return quota > count ? quota / count : 1;
}

static int quotas_write(const struct broker *broker, uint32_t domid,
			struct message_connect *connect)
{
	struct policy_subject guest = judge_guest(broker, domid);
	const struct policy *policy = &broker->policy;

	connect->transfers_max = transfers_share(
		broker, domid, policy_quota(policy, &guest, QUOTA_TRANSFERS), connect);
	connect->control_rate =
		control_share(broker, domid, policy_quota(policy, &guest, QUOTA_CONTROL));
	connect->bytes_max =
		bytes_share(broker, domid, policy_quota(policy, &guest, QUOTA_BYTES), connect);
	return connect->bytes_max != 0 && connect->transfers_max != 0 ? 0 : -EDQUOT;
}

int controller_worker_start(struct broker *broker, struct controller *controller,
			    const struct frontend_offer *offer)
{
	struct message connect = {
		.type = MESSAGE_CONNECT,
		.u.connect =
			{
				.transport = TRANSPORT_XEN,
				.domid = controller->domid,
				.ports = controller->ports,
				.version = offer->version,
				.ring_pages = 1u << offer->ring_order,
				.event_ref = offer->event_ref,
				.event_channel = offer->event_channel,
				.pool_pages = offer->pool_pages,
			},
	};
	struct worker_slot *slot = NULL;
	uint32_t index;
	int result;

	controller->wire_version = offer->version;
	memcpy(connect.u.connect.ring_ref, offer->ring_ref, sizeof(offer->ring_ref));
	memcpy(connect.u.connect.pool_ref, offer->pool_ref, sizeof(offer->pool_ref));
	result = quotas_write(broker, controller->domid, &connect.u.connect);
	if (result != 0)
		return result;
	for (index = 0; index < XVHC_CONTROLLERS_MAX; index++)
		if (!broker->workers[index].used)
			break;
	if (index == XVHC_CONTROLLERS_MAX)
		return -EMFILE;
	slot = &broker->workers[index];
	memset(slot, 0, sizeof(*slot));
	slot->counters = -1;
	snprintf(slot->name, sizeof(slot->name), "guest-%u.%u", controller->domid,
		 controller->devid);
	result = worker_process_start(&slot->process, broker->options->worker, slot->name);
	if (result != 0)
		return result;
	result = broker_follow(broker, slot->process.pidfd, EPOLLIN, SOURCE_WORKER_EXIT, index);
	if (result != 0) {
		/* Nobody would notice its end. */
		worker_process_abort(&slot->process);
		return result;
	}
	slot->used = true;
	slot->controller = controller;
	slot->domid = controller->domid;
	slot->bytes_share = connect.u.connect.bytes_max;
	slot->transfers_share = connect.u.connect.transfers_max;
	slot->counters = tally_page();
	connect.u.connect.counters = slot->counters >= 0;
	slot->connect = connect.u.connect;
	slot->started_at_ms = broker->now_ms;
	controller->worker = &slot->process;
	controller->connections++;
	result = broker_follow(broker, slot->process.socket, EPOLLIN, SOURCE_WORKER, index);
	if (result == 0)
		result = controller_worker_tell(controller, &connect, slot->counters);
	if (result == 0)
		captures_tell_worker(broker, slot);
	return result;
}

static void devices_lost(struct broker *broker, struct controller *controller)
{
	for (uint32_t port = 1; port <= controller->ports; port++)
		if (controller->given[port])
			given_worker_lost(broker, controller->given[port]);
}

void worker_await_end(struct worker_slot *slot)
{
	worker_process_hang_up(&slot->process);
	slot->kill_at_ms = clock_ms() + END_LIMIT_MS;
}

void controller_worker_end(struct broker *broker, struct controller *controller, bool at_once)
{
	struct worker_slot *slot;

	if (controller->worker) {
		slot = worker_slot_of(broker, controller);
		tally_worker_ended(controller, slot);
		held_look_stop(slot);
		slot->controller = NULL;
		controller->worker = NULL;
		worker_await_end(slot);
		if (at_once)
			worker_process_kill(&slot->process);
	}
	devices_lost(broker, controller);
}

void workers_step(struct broker *broker)
{
	for (uint32_t i = 0; i < XVHC_CONTROLLERS_MAX; i++) {
		struct worker_slot *slot = &broker->workers[i];

		if (!slot->used || slot->kill_at_ms == 0)
			continue;
		if (broker->now_ms < slot->kill_at_ms) {
			broker_wake_at(broker, slot->kill_at_ms);
			continue;
		}
		log_line(LOG_LEVEL_WARNING, "%s: its worker did not end by itself", slot->name);
		worker_process_kill(&slot->process);
		slot->kill_at_ms = 0;
	}
}

void worker_ended(struct broker *broker, uint32_t index)
{
	struct worker_slot *slot = &broker->workers[index];
	struct controller *controller = slot->controller;
	char how[64], why[80];

	if (!slot->used)
		return;
	if (!worker_process_reap(&slot->process, how, sizeof(how)))
		return;
	slot->used = false;
	slot->controller = NULL;
	held_worker_ended(broker, slot);
	if (!controller)
		return;
	tally_worker_ended(controller, slot);
	controller->worker = NULL;
	snprintf(why, sizeof(why), "its worker %s", how);
	controller_restart(broker, controller, why);
}

int controller_attach(struct broker *broker, struct controller *controller, uint32_t port,
		      const struct usb_device *device, uint32_t flags, int fd)
{
	/*
	 * A guest that was saved may meet it after a reboot of the machine, when inodes begin anew.
	 * In one boot it is the same one, whichever xvhcd or worker tells of the device.
	 */
	uint64_t instance = device->id.instance ^ broker->boot;
	const struct message attach = {
		.type = MESSAGE_ATTACH,
		.u.attach =
			{
				.port = port,
				.speed = device->speed,
				.flags = flags,
				.instance = {(uint32_t)instance, (uint32_t)(instance >> 32)},
			},
	};

	return controller_worker_tell(controller, &attach, fd);
}

int controller_detach(struct broker *broker, struct controller *controller, uint32_t port)
{
	const struct message detach = {
		.type = MESSAGE_DETACH,
		.u.port = {.port = port},
	};

	(void)broker;
	return controller_worker_tell(controller, &detach, -1);
}
