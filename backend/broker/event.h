/* SPDX-License-Identifier: MIT */
/*
 * What happens, told as events: to those who follow it (monitor.h), and for a while to those who
 * ask later. An event is one line of JSON; docs/json.md has its members and all kinds. It is made
 * once and kept as text.
 *
 * Guests and devices make most of them happen, as often as they like. So there are bounds, all by
 * number and in limits.h: of one kind about one port (or of one guest, where it is about no port)
 * only so many in a second, the rest are counted in the next one; of one kind about one port only
 * so many are kept, of one guest, and of all. What goes beyond them displaces the oldest of its
 * own.
 */
#ifndef XVHC_BROKER_EVENT_H
#define XVHC_BROKER_EVENT_H

#include <broker/broker.h>

struct json_object;

enum event_kind {
	EVENT_STARTED,      /* xvhcd is ready */
	EVENT_ENDING,       /* xvhcd is about to end */
	EVENT_RELOADED,     /* the configuration was read anew, or could not be */
	EVENT_PLUGGED,      /* into any port, given or not */
	EVENT_UNPLUGGED,    /* out of any port */
	EVENT_GIVEN,        /* a port, to a guest */
	EVENT_TAKEN,        /* a port, from a guest */
	EVENT_CONNECTED,    /* a guest's controller */
	EVENT_DISCONNECTED, /* a guest's controller */
	EVENT_ATTACHED,     /* the guest was told of the device */
	EVENT_CONFIGURED,   /* the guest's drivers use the device */
	EVENT_DETACHED,     /* the guest does not have the device any more */
	EVENT_REFUSED,      /* the policy keeps the device from the guest */
	EVENT_CHANGED,      /* the device came back as something else */
	EVENT_RESET,        /* the guest has reset the port */
	EVENT_BLOCKED,      /* requests of the guest were kept from the device */
	EVENT_ERROR,        /* something failed */
	EVENT_RESTARTING,   /* a controller may connect anew after a pause */
	EVENT_LOST,         /* to one who follows them: it did not read fast enough */
	EVENT_KINDS,
};

/* What an event is about: as much of it as there is. */
struct event_about {
	const struct given *given;           /* the port, its guest, the device in it */
	const struct controller *controller; /* its guest; given is NULL then */
	const char *rule;                    /* of REFUSED */
	const char *from;                    /* of CHANGED: what the device was before */
	uint32_t count;                      /* what it stands for, where that is countable */
	uint32_t pause_ms;                   /* of RESTARTING */
};

/* The same, looked up, for those who know better (event_plug.c). */
struct event_facts {
	char place[XVHC_PLACE_MAX]; /* "": it is about no port */
	char names[2][PLACE_SHORT_MAX];
	char guest[XVHC_GUEST_NAME_MAX]; /* "": it is about no guest */
	bool domid_known;
	uint32_t domid;
	bool device_known;
	uint16_t vendor;
	uint16_t product;
	char label[DEVICE_LABEL_MAX];
	const char *rule;
	const char *from;
	uint32_t count;
	uint32_t pause_ms;
};

/* One that is kept. */
struct event {
	struct event *next;
	uint64_t number; /* the first has 1, each next one more */
	uint64_t told_ms;
	enum event_kind kind;
	uint32_t left_out; /* of its kind and subject, after it */
	char place[XVHC_PLACE_MAX];
	char guest[XVHC_GUEST_NAME_MAX];
	size_t length;
	char text[]; /* length bytes, the last is the end of line; and a NUL */
};

/*
 * Tells an event, with one sentence for a person. It names neither port nor guest where both stand
 * in about. What is not printable in it becomes '?'.
 */
void event_tell(struct broker *broker, enum event_kind kind, struct event_about about,
		const char *format, ...) __attribute__((format(printf, 4, 5)));

/* The same with facts. */
void event_put(struct broker *broker, enum event_kind kind, const struct event_facts *facts,
	       const char *message);

/* The word for a kind, as it stands in an event. */
const char *event_kind_name(enum event_kind kind);

/* The line of JSON, to be put. left_out: events like it that were not told. */
struct json_object *event_json(uint64_t number, enum event_kind kind, uint32_t left_out,
			       const struct event_facts *facts, const char *message);

/* Fills in place and names of a port that is there, and the guest that it is given to. */
void event_facts_of_connector(const struct broker *broker, const struct connector *connector,
			      struct event_facts *facts);

/* The oldest event that is kept with this number or a later one. NULL: none. */
const struct event *event_find(const struct broker *broker, uint64_t number);

/* The given port of this place, whichever side of a connector it names. NULL: none. */
const struct given *event_given_at(const struct broker *broker, const struct place *place);

/*
 * Whether an event is about this port: it says so, or it is one of the guest that has the port and
 * about no port at all, such as that the guest's controller is connected.
 */
bool event_concerns(const struct broker *broker, const struct event *event,
		    const struct place *place);

/* The last events that concern a port, max at most: a JSON array, oldest first, to be put. */
struct json_object *event_last_json(const struct broker *broker, const struct place *place,
				    uint32_t max);

/* Forgets all of them. */
void events_fini(struct broker *broker);

#endif
