// SPDX-License-Identifier: MIT
#include <broker/guest.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <broker/controller.h>

#define DOMID_MAX 0x7fefu /* the hypervisor's first reserved number is one more */

int guests_watch(struct broker *broker)
{
	struct xenstore *store = broker->store;
	int result;

	if (broker->own_domid != 0) {
		log_line(LOG_LEVEL_INFO,
			 "this is a driver domain: xvhcd-dom0 in dom0 makes the guests' "
			 "controllers, and tells their names");
		return 0;
	}
	result = store->ops->watch(store, "@introduceDomain", "guests");
	return result == 0 ? store->ops->watch(store, "@releaseDomain", "guests") : result;
}

static void name_watch(struct broker *broker, uint32_t domid, bool on)
{
	char path[XENSTORE_PATH_MAX];

	xenstore_path(path, "/local/domain/%u/name", domid);
	/* A name that comes late, or changes, is looked at again; without the watch it is not. */
	if (on)
		(void)!broker->store->ops->watch(broker->store, path, "guests");
	else
		broker->store->ops->unwatch(broker->store, path, "guests");
}

/* Reads name and UUID of a guest, as they are in XenStore for dom0. */
static void names_read(struct broker *broker, struct guest *guest)
{
	struct xenstore *store = broker->store;
	char path[XENSTORE_PATH_MAX], value[XENSTORE_VALUE_MAX];
	const char *last;

	xenstore_path(path, "/local/domain/%u/name", guest->domid);
	if (store->ops->read(store, XENSTORE_NO_TRANSACTION, path, value, sizeof(value)) == 0 &&
	    strlen(value) < sizeof(guest->name))
		snprintf(guest->name, sizeof(guest->name), "%.255s", value);
	xenstore_path(path, "/local/domain/%u/vm", guest->domid);
	if (store->ops->read(store, XENSTORE_NO_TRANSACTION, path, value, sizeof(value)) == 0) {
		last = strrchr(value, '/');
		if (last && uuid_is_valid(last + 1))
			memcpy(guest->uuid, last + 1, sizeof(guest->uuid));
	}
}

/*
 * The same for a driver domain, which may read neither: xvhcd-dom0 has written them beside each
 * controller, where a guest cannot write. False where the guest has no controller here.
 */
static bool names_read_here(struct broker *broker, struct guest *guest)
{
	struct xenstore *store = broker->store;
	char path[XENSTORE_PATH_MAX], value[XENSTORE_VALUE_MAX];
	uint32_t count, devid;
	bool found = false;
	char **names;

	xenstore_path(path, "/local/domain/%u/backend/vusb/%u", broker->own_domid, guest->domid);
	names = store->ops->list(store, path, &count);
	for (uint32_t i = 0; names && i < count && guest->name[0] == '\0'; i++) {
		if (!number_parse(names[i], INT32_MAX, &devid))
			continue;
		found = true;
		xenstore_path(path, "/local/domain/%u/backend/vusb/%u/%u/guest-name",
			      broker->own_domid, guest->domid, devid);
		if (store->ops->read(store, XENSTORE_NO_TRANSACTION, path, value, sizeof(value)) ==
		    0)
			snprintf(guest->name, sizeof(guest->name), "%.255s", value);
		xenstore_path(path, "/local/domain/%u/backend/vusb/%u/%u/guest-uuid",
			      broker->own_domid, guest->domid, devid);
		if (store->ops->read(store, XENSTORE_NO_TRANSACTION, path, value, sizeof(value)) ==
			    0 &&
		    uuid_is_valid(value))
			memcpy(guest->uuid, value, sizeof(guest->uuid));
	}
	free(names);
	return found;
}

bool guest_read(struct broker *broker, uint32_t domid, struct guest *guest)
{
	memset(guest, 0, sizeof(*guest));
	guest->domid = domid;
	/* XenStore tells dom0 alone who lives; here, xvhcd-dom0 removes what was of the dead. */
	if (broker->own_domid != 0)
		return names_read_here(broker, guest);
	if (!broker->store->ops->domain_lives(broker->store, domid))
		return false;
	names_read(broker, guest);
	return true;
}

static const struct guest *find_domid(const struct guest *guests, uint32_t count, uint32_t domid)
{
	for (uint32_t i = 0; i < count; i++)
		if (guests[i].domid == domid)
			return &guests[i];
	return NULL;
}

static void changes_tell(struct broker *broker, const struct guest *before, uint32_t before_count)
{
	const struct guest *other;

	for (uint32_t i = 0; i < before_count; i++) {
		other = find_domid(broker->guests, broker->guest_count, before[i].domid);
		if (other && strcmp(other->uuid, before[i].uuid) == 0)
			continue;
		log_line(LOG_LEVEL_DEBUG, "guest %u (%s) is gone", before[i].domid, before[i].name);
		controllers_guest_gone(broker, before[i].domid);
		name_watch(broker, before[i].domid, false);
	}
	for (uint32_t i = 0; i < broker->guest_count; i++) {
		other = find_domid(before, before_count, broker->guests[i].domid);
		if (other && strcmp(other->uuid, broker->guests[i].uuid) == 0)
			continue;
		log_line(LOG_LEVEL_DEBUG, "guest %u (%s) runs", broker->guests[i].domid,
			 broker->guests[i].name);
		name_watch(broker, broker->guests[i].domid, true);
	}
}

void guests_scan(struct broker *broker)
{
	struct guest *before = broker->guests;
	uint32_t before_count = broker->guest_count, count, domid;
	char path[XENSTORE_PATH_MAX] = "/local/domain";
	struct guest *now;
	char **names;

	if (broker->own_domid != 0)
		xenstore_path(path, "/local/domain/%u/backend/vusb", broker->own_domid);
	names = broker->store->ops->list(broker->store, path, &count);
	/* In dom0 there is always somebody, so this says nothing of who runs. */
	if (!names && broker->own_domid == 0) {
		log_line(LOG_LEVEL_ERROR, "XenStore: the domains cannot be listed: is xenstored "
					  "running, and is this root?");
		return;
	}
	now = calloc(count + 1, sizeof(*now));
	if (!now) {
		free(names);
		return;
	}
	broker->guests = now;
	broker->guest_count = 0;
	for (uint32_t i = 0; names && i < count; i++)
		if (number_parse(names[i], DOMID_MAX, &domid) && domid != broker->own_domid &&
		    domid != 0 && guest_read(broker, domid, &now[broker->guest_count]))
			broker->guest_count++;
	free(names);
	changes_tell(broker, before, before_count);
	free(before);
}

static bool guest_is(const struct guest *guest, const char *name)
{
	return name[0] != '\0' &&
	       (strcmp(guest->name, name) == 0 || strcasecmp(guest->uuid, name) == 0);
}

const struct guest *guest_find(const struct broker *broker, const char *name)
{
	for (uint32_t i = 0; i < broker->guest_count; i++)
		if (guest_is(&broker->guests[i], name))
			return &broker->guests[i];
	return NULL;
}

const struct guest *guest_find_domid(const struct broker *broker, uint32_t domid)
{
	return find_domid(broker->guests, broker->guest_count, domid);
}

bool guest_same(const struct broker *broker, const char *a, const char *b)
{
	const struct guest *guest = guest_find(broker, a);

	return strcmp(a, b) == 0 || (guest && guest_is(guest, b));
}

void guests_fini(struct broker *broker)
{
	free(broker->guests);
	broker->guests = NULL;
	broker->guest_count = 0;
}
