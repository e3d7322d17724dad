// SPDX-License-Identifier: MIT
#include <broker/identity.h>

#include <stdio.h>
#include <string.h>

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Reads four hexadecimal digits and moves *text behind them. */
static bool number_take(const char **text, uint16_t *value)
{
	uint32_t sum = 0;

	for (int i = 0; i < 4; i++) {
		int digit = digit_value((*text)[i]);

		if (digit < 0)
			return false;
		sum = sum * 16 + (uint32_t)digit;
	}
	*value = (uint16_t)sum;
	*text += 4;
	return true;
}

/* What stands for itself. */
static bool is_plain(unsigned char c)
{
	return c > ' ' && c <= '~' && c != '%' && c != '#';
}

void identity_serial(const char *raw, char serial[XVHC_SERIAL_MAX])
{
	static const char digits[] = "0123456789ABCDEF";
	size_t at = 0;

	for (; *raw; raw++) {
		unsigned char c = (unsigned char)*raw;
		size_t length = is_plain(c) ? 1 : 3;

		if (length >= XVHC_SERIAL_MAX - at) {
			at = 0;
			break;
		}
		if (length == 1) {
			serial[at++] = (char)c;
			continue;
		}
		serial[at++] = '%';
		serial[at++] = digits[c >> 4];
		serial[at++] = digits[c & 15];
	}
	serial[at] = '\0';
}

/* Reads a serial number to the end of the text, in the form that identity_serial() writes. */
static bool serial_parse(const char *text, char serial[XVHC_SERIAL_MAX])
{
	char raw[XVHC_SERIAL_MAX];
	size_t at = 0;

	for (; *text; text++) {
		int high, low;

		if (at == sizeof(raw) - 1)
			return false;
		if (is_plain((unsigned char)*text)) {
			raw[at++] = *text;
			continue;
		}
		high = text[0] == '%' ? digit_value(text[1]) : -1;
		low = high < 0 ? -1 : digit_value(text[2]);
		if (low < 0 || (high == 0 && low == 0))
			return false;
		raw[at++] = (char)(high * 16 + low);
		text += 2;
	}
	raw[at] = '\0';
	identity_serial(raw, serial);
	return serial[0] != '\0';
}

bool identity_parse(const char *text, struct identity *identity)
{
	memset(identity, 0, sizeof(*identity));
	if (!number_take(&text, &identity->vendor) || *text++ != ':' ||
	    !number_take(&text, &identity->product))
		return false;
	return *text == '\0' || (*text == ':' && serial_parse(text + 1, identity->serial));
}

void identity_format(const struct identity *identity, char text[IDENTITY_TEXT_MAX])
{
	snprintf(text, IDENTITY_TEXT_MAX, "%04x:%04x%s%s", identity->vendor, identity->product,
		 identity->serial[0] ? ":" : "", identity->serial);
}

bool identity_equal(const struct identity *a, const struct identity *b)
{
	return a->vendor == b->vendor && a->product == b->product &&
	       strcmp(a->serial, b->serial) == 0;
}

bool identity_matches(const struct identity *identity, const struct usb_device *device)
{
	return identity->vendor == device->vendor && identity->product == device->product &&
	       (identity->serial[0] == '\0' || strcmp(identity->serial, device->serial) == 0);
}
