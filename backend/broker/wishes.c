// SPDX-License-Identifier: MIT
#include <broker/wishes.h>

#include <errno.h>
#include <string.h>

#include <broker/guest.h>

#define TRANSACTION_ATTEMPTS 20u

/* Whether a given port asks for a place in a controller. */
static bool is_wished(const struct given *given)
{
	return given->confirmed && !given->taking && !given->by_toolstack;
}

/*
 * The given port, of those of one guest, that is the first one of another controller. So the wishes
 * of a guest are as many as its ports fill controllers.
 */
static bool begins_controller(const struct broker *broker, const struct given *given)
{
	uint32_t before = 0;

	for (const struct given *other = broker->given; other != given; other = other->next)
		before += is_wished(other) && strcmp(other->guest, given->guest) == 0;
	return before % XVHC_PORTS_DEFAULT == 0;
}

static int wishes_write_in(struct broker *broker, uint32_t transaction)
{
	struct xenstore *store = broker->store;
	char path[XENSTORE_PATH_MAX];
	uint32_t count = 0;
	int result;

	xenstore_path(path, "/local/domain/%u/" WISHES_NODE, broker->own_domid);
	result = store->ops->remove(store, transaction, path);
	if (result == -ENOENT)
		result = 0;
	for (const struct given *given = broker->given; given && result == 0; given = given->next) {
		if (!is_wished(given) || !begins_controller(broker, given))
			continue;
		xenstore_path(path, "/local/domain/%u/" WISHES_NODE "/%u", broker->own_domid,
			      count++);
		result = store->ops->write(store, transaction, path, given->guest);
	}
	return result;
}

bool wishes_wait(const struct broker *broker, uint32_t domid)
{
	for (const struct given *given = broker->given; given; given = given->next) {
		const struct guest *guest;

		if (given->controller || !is_wished(given))
			continue;
		guest = guest_find(broker, given->guest);
		if (guest && guest->domid == domid)
			return true;
	}
	return false;
}

void wishes_step(struct broker *broker)
{
	uint32_t transaction;
	int result = -EAGAIN;

	if (broker->own_domid == 0 || !broker->wishes_dirty)
		return;
	broker->wishes_dirty = false;
	for (uint32_t i = 0; i < TRANSACTION_ATTEMPTS && result == -EAGAIN; i++) {
		result = broker->store->ops->begin(broker->store, &transaction);
		if (result != 0)
			break;
		result = wishes_write_in(broker, transaction);
		if (result == 0)
			result = broker->store->ops->end(broker->store, transaction, true);
		else
			(void)!broker->store->ops->end(broker->store, transaction, false);
	}
	if (result != 0)
		log_line(LOG_LEVEL_ERROR, "XenStore: writing " WISHES_NODE " failed: %s",
			 strerror(-result));
}
