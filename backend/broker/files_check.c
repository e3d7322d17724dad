// SPDX-License-Identifier: MIT
#include <broker/files_check.h>

#include <string.h>

#include <broker/policy_file.h>

bool files_check(const struct broker_options *options)
{
	struct policy policy = {0};
	struct ports_file file;
	bool fine = true;
	int result;

	if (options->config && policy_load(&policy, options->config, options->config_required) != 0)
		fine = false;
	policy_fini(&policy);
	result = ports_file_read(&file, options->ports_file);
	if (result != 0)
		log_line(LOG_LEVEL_ERROR, "%s cannot be read: %s", options->ports_file,
			 strerror(-result));
	fine &= result == 0;
	for (uint32_t i = 0; i < file.count; i++)
		fine &= !file.lines[i].fault && !file.lines[i].repeat;
	ports_file_fini(&file);
	return fine;
}
