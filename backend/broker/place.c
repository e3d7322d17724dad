// SPDX-License-Identifier: MIT
#include <broker/place.h>

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define REMOTE "usbip://"
#define VHCI_CONTROLLER "platform-vhci_hcd."
#define REMOTE_PORT_DEFAULT 3240u

/* Reads a decimal number of 1 to max without leading zeroes, and moves *text behind it. */
static bool number_take(const char **text, uint32_t max, uint32_t *value)
{
	const char *at = *text;
	uint32_t sum = 0;

	if (*at < '1' || *at > '9')
		return false;
	for (; *at >= '0' && *at <= '9'; at++) {
		sum = sum * 10 + (uint32_t)(*at - '0');
		if (sum > max)
			return false;
	}
	*text = at;
	*value = sum;
	return true;
}

/* Reads `2.3` and moves *text behind it. */
static bool chain_take(const char **text, struct port_chain *chain)
{
	uint32_t port;

	memset(chain, 0, sizeof(*chain));
	for (;;) {
		if (chain->depth == XVHC_PORT_CHAIN_MAX || !number_take(text, UINT8_MAX, &port))
			return false;
		chain->port[chain->depth++] = (uint8_t)port;
		if (**text != '.')
			return true;
		(*text)++;
	}
}

static int chain_format(const struct port_chain *chain, char *text, size_t size)
{
	int at = 0;

	for (uint32_t i = 0; i < chain->depth; i++)
		at += snprintf(text + at, size - (size_t)at, "%s%u", i ? "." : "", chain->port[i]);
	return at;
}

static bool chain_equal(const struct port_chain *a, const struct port_chain *b)
{
	return a->depth == b->depth && memcmp(a->port, b->port, a->depth) == 0;
}

static bool controller_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '.' || c == ':' || c == '_' || c == '-';
}

/* Reads a host's name or address, and moves *text behind it. */
static bool host_take(const char **text)
{
	const char *at = *text;

	if (*at == '[') {
		at += 1 + strspn(at + 1, "0123456789abcdefABCDEF:.");
		if (*at != ']' || at - *text < 3)
			return false;
		*text = at + 1;
		return true;
	}
	while (isascii(*at) && (isalnum(*at) || *at == '.' || (*at == '-' && at != *text)))
		at++;
	if (at == *text)
		return false;
	*text = at;
	return true;
}

/* Reads what comes after `usbip://`. */
static bool remote_parse(const char *text, struct place *place)
{
	uint32_t port = REMOTE_PORT_DEFAULT, bus;
	char number[8] = "";
	const char *at = text;
	int host, length;

	if (!host_take(&at))
		return false;
	host = (int)(at - text);
	if (*at == ':' && (at++, !number_take(&at, UINT16_MAX, &port)))
		return false;
	if (*at++ != '/' || !number_take(&at, UINT16_MAX, &bus) || *at++ != '-')
		return false;
	if (port != REMOTE_PORT_DEFAULT)
		snprintf(number, sizeof(number), ":%u", port);
	length = snprintf(place->controller, sizeof(place->controller), REMOTE "%.*s%s/%u", host,
			  text, number, bus);
	if (length < 0 || length >= (int)sizeof(place->controller))
		return false;
	/* Names of hosts and addresses are the same in capitals. */
	for (char *letter = place->controller; *letter; letter++)
		*letter = (char)tolower((unsigned char)*letter);
	return chain_take(&at, &place->chain) && *at == '\0';
}

bool place_is_remote(const struct place *place)
{
	return strncmp(place->controller, REMOTE, sizeof(REMOTE) - 1) == 0;
}

bool place_is_vhci(const struct place *place)
{
	return strncmp(place->controller, VHCI_CONTROLLER, sizeof(VHCI_CONTROLLER) - 1) == 0;
}

void remote_name_read(const struct place *place, struct remote_name *name)
{
	const char *host = place->controller + sizeof(REMOTE) - 1;
	const char *bus = strrchr(place->controller, '/') + 1;
	const char *end = bus - 1, *port = NULL;
	char chain[XVHC_PORT_CHAIN_MAX * 4 + 1] = "";

	/* A colon in brackets belongs to an address. */
	for (const char *at = host; at < end; at++)
		if (*at == ':' && (host[0] != '[' || at[-1] == ']'))
			port = at;
	snprintf(name->port, sizeof(name->port), "%.*s", port ? (int)(end - port - 1) : 4,
		 port ? port + 1 : "3240");
	if (port)
		end = port;
	if (*host == '[') {
		host++;
		end--;
	}
	snprintf(name->host, sizeof(name->host), "%.*s", (int)(end - host), host);
	chain_format(&place->chain, chain, sizeof(chain));
	snprintf(name->busid, sizeof(name->busid), "%.5s-%s", bus, chain);
}

bool place_parse(const char *text, struct place *place)
{
	size_t length = 0;

	memset(place, 0, sizeof(*place));
	if (strncmp(text, REMOTE, sizeof(REMOTE) - 1) == 0)
		return remote_parse(text + sizeof(REMOTE) - 1, place);
	while (controller_char(text[length]))
		length++;
	if (length == 0 || length >= PLACE_CONTROLLER_MAX || text[length] != '/')
		return false;
	memcpy(place->controller, text, length);
	text += length + 1;
	if (strncmp(text, "hs-", 3) != 0 && strncmp(text, "ss-", 3) != 0)
		return false;
	place->super = text[0] == 's';
	text += 3;
	return chain_take(&text, &place->chain) && *text == '\0';
}

void place_format(const struct place *place, char text[XVHC_PLACE_MAX])
{
	char chain[XVHC_PORT_CHAIN_MAX * 4 + 1] = "";

	/* The longest: 63 + "/hs-" + 6 * "255." - 1 + NUL. */
	static_assert(PLACE_CONTROLLER_MAX - 1 + 4 + sizeof(chain) <= XVHC_PLACE_MAX, "fits");
	chain_format(&place->chain, chain, sizeof(chain));
	if (place_is_remote(place))
		snprintf(text, XVHC_PLACE_MAX, "%s-%s", place->controller, chain);
	else
		snprintf(text, XVHC_PLACE_MAX, "%s/%s-%s", place->controller,
			 place->super ? "ss" : "hs", chain);
}

bool place_equal(const struct place *a, const struct place *b)
{
	/* Each given port is looked for among all ports: the chain tells two apart soonest. */
	return a->super == b->super && chain_equal(&a->chain, &b->chain) &&
	       strcmp(a->controller, b->controller) == 0;
}

bool place_is_behind(const struct place *inner, const struct place *outer)
{
	return !place_is_remote(inner) && inner->super == outer->super &&
	       strcmp(inner->controller, outer->controller) == 0 &&
	       inner->chain.depth > outer->chain.depth &&
	       memcmp(inner->chain.port, outer->chain.port, outer->chain.depth) == 0;
}

/* Reads `-port3` to the end of the text and appends it to the chain. */
static bool port_suffix_parse(const char *text, struct port_chain *chain)
{
	uint32_t port;

	if (strncmp(text, "-port", 5) != 0 || chain->depth == XVHC_PORT_CHAIN_MAX)
		return false;
	text += 5;
	if (!number_take(&text, UINT8_MAX, &port) || *text != '\0')
		return false;
	chain->port[chain->depth++] = (uint8_t)port;
	return true;
}

bool short_name_parse(const char *text, struct short_name *name)
{
	uint32_t bus;

	memset(name, 0, sizeof(*name));
	if (strncmp(text, "usb", 3) == 0) {
		text += 3;
		if (!number_take(&text, UINT16_MAX, &bus))
			return false;
		name->bus = (uint16_t)bus;
		return port_suffix_parse(text, &name->chain);
	}
	if (!number_take(&text, UINT16_MAX, &bus) || *text++ != '-')
		return false;
	name->bus = (uint16_t)bus;
	if (!chain_take(&text, &name->chain))
		return false;
	return *text == '\0' || port_suffix_parse(text, &name->chain);
}

void short_name_format(const struct short_name *name, char text[PLACE_SHORT_MAX])
{
	char chain[XVHC_PORT_CHAIN_MAX * 4 + 1] = "";

	chain_format(&name->chain, chain, sizeof(chain));
	snprintf(text, PLACE_SHORT_MAX, "%u-%s", name->bus, chain);
}

bool short_name_equal(const struct short_name *a, const struct short_name *b)
{
	return a->bus == b->bus && chain_equal(&a->chain, &b->chain);
}

bool port_name_is_valid(const char *text)
{
	struct place place;
	struct short_name name;

	return place_parse(text, &place) || short_name_parse(text, &name);
}
