// SPDX-License-Identifier: MIT
/* The users and groups that xvhc needs. */
#include "doctor.h"

#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WORKER_USER "xvhc-worker"
#define GROUP "xvhc"
#define GROUPS_MAX 1024

void check_worker_user(struct doctor *doctor)
{
	const struct passwd *user = getpwnam(WORKER_USER);

	if (!user)
		finding_add(doctor, "worker-user", LEVEL_WARNING,
			    "Make it: useradd --system --shell /bin/false --home-dir / " WORKER_USER
			    ".",
			    "there is no user " WORKER_USER ": workers run as nobody, as other "
			    "programs may");
	else if (user->pw_uid == 0)
		finding_add(doctor, "worker-user", LEVEL_FAILURE,
			    "Give it a number of its own: usermod --uid.",
			    "the user " WORKER_USER " is root: workers would be, too");
	else
		finding_add(doctor, "worker-user", LEVEL_OK, NULL,
			    "workers run as the user " WORKER_USER);
}

static bool is_member(gid_t wanted)
{
	gid_t groups[GROUPS_MAX];
	int count = getgroups(GROUPS_MAX, groups);

	for (int i = 0; i < count; i++)
		if (groups[i] == wanted)
			return true;
	return getegid() == wanted;
}

void check_group(struct doctor *doctor)
{
	const struct group *group = getgrnam(GROUP);

	if (!group)
		finding_add(doctor, "group", LEVEL_WARNING,
			    "Make it: groupadd --system " GROUP ". Then restart xvhcd.",
			    "there is no group " GROUP ": only root can use xvhc");
	else if (doctor->user != 0 && !is_member(group->gr_gid))
		finding_add(doctor, "group", LEVEL_FAILURE,
			    "Use sudo, or become a member (adduser NAME " GROUP
			    ") and log in anew.",
			    "you are neither root nor in the group " GROUP);
	else
		finding_add(doctor, "group", LEVEL_OK, NULL,
			    "root and the members of the group " GROUP " may use xvhc");
}
