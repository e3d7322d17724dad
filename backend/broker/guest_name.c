// SPDX-License-Identifier: MIT
#include <broker/guest_name.h>

#include <ctype.h>
#include <string.h>

const char *guest_name_fault(const char *name)
{
	size_t length = strlen(name), digits = strspn(name, "0123456789");

	if (length == 0)
		return "a name has at least one character.";
	if (length >= XVHC_GUEST_NAME_MAX)
		return "a name has at most 255 characters.";
	for (const char *at = name; *at; at++)
		if (!isascii(*at) || (!isalnum(*at) && !strchr("._+:-", *at)))
			return "a name has only letters, digits and the signs . _ + : - in it.";
	if (name[0] == '-')
		return "a name does not begin with '-'.";
	if (digits == length)
		return "a guest's number changes at each start. Give its name or UUID instead (xl "
		       "list shows it).";
	if (strcasecmp(name, "Domain-0") == 0 || strcasecmp(name, "dom0") == 0)
		return "dom0 is no guest: it has each port that is given to nobody. To give a port "
		       "back to dom0, use xvhc take.";
	return NULL;
}

bool uuid_is_valid(const char *text)
{
	static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

	for (size_t i = 0; i < sizeof(form); i++)
		if (form[i] == 'x' ? !isxdigit((unsigned char)text[i]) : text[i] != form[i])
			return false;
	return true;
}
