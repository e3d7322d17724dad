// SPDX-License-Identifier: MIT
#include <broker/controller_text.h>

#include <stdio.h>
#include <string.h>

#include <broker/given.h>
#include <broker/guest.h>

#define PORTS_TEXT_MAX 160u

static void ports_text(const struct broker *broker, const struct controller *controller,
		       char text[PORTS_TEXT_MAX])
{
	char names[XVHC_PLACE_MAX];
	size_t used = 0;

	text[0] = '\0';
	for (uint32_t port = 1; port <= USBIF_PORT_MAX; port++) {
		if (!controller->given[port])
			continue;
		given_names(broker, controller->given[port], names, sizeof(names));
		/* Room for this one, and for saying that there are more. */
		if (strlen(names) + sizeof(" (port , ...)") > PORTS_TEXT_MAX - used) {
			snprintf(text + used, PORTS_TEXT_MAX - used, ", ...");
			break;
		}
		used += (size_t)snprintf(text + used, PORTS_TEXT_MAX - used, "%s%s",
					 used == 0 ? " (port " : ", ", names);
	}
	used = strlen(text);
	if (used > 0)
		snprintf(text + used, PORTS_TEXT_MAX - used, ")");
}

void controller_text(const struct broker *broker, const struct controller *controller,
		     char text[CONTROLLER_TEXT_MAX])
{
	const struct guest *guest = guest_find_domid(broker, controller->domid);
	char ports[PORTS_TEXT_MAX];

	ports_text(broker, controller, ports);
	snprintf(text, CONTROLLER_TEXT_MAX, "guest %u (%.128s): controller %u%s", controller->domid,
		 guest && guest->name[0] != '\0' ? guest->name : "no name", controller->devid,
		 ports);
}
