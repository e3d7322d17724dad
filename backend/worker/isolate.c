// SPDX-License-Identifier: MIT
/*
 * What each step must make impossible, and what the next step still needs:
 *
 *   init       as root: opens grants, event channels, libusb. No byte of a guest was seen.
 *   confine    no file, no network, no other process, no privilege. Threads are still to be
 *              started, rings to be mapped, an event channel to be bound: that goes by
 *              descriptors that are open already.
 *   filter     no new thread, no new mapping of a grant, no new event channel. A descriptor comes
 *              from the broker only.
 *
 * The filter's tables stand here in one place, each line with who needs it. A system call that is
 * not in them ends the process: then the worker does what it was not written to do.
 */
#include "isolate.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/usbdevice_fs.h>
#include <pwd.h>
#include <sched.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <xen/xen.h>

#include <xen/sys/evtchn.h>
#include <xen/sys/gntdev.h>

#include <common/log.h>

#define UNKNOWN_USER 65534u

/* Descriptors: three standard ones, the worker's own, one for each port and each capture. */
#define DESCRIPTORS_MAX 64u
/* Bytes of memory that can be written, all threads together. */
#define DATA_MAX (64u << 20)

static int fail(const char *what)
{
	int error = errno;

	log_line(LOG_LEVEL_ERROR, "cannot isolate the worker: %s: %s", what, strerror(error));
	return error > 0 ? -error : -EPERM;
}

/*
 * An empty file system takes the place of all others. Where the root is the kernel's first one (an
 * initramfs), it cannot be swapped out, only hidden; without capabilities that holds as well.
 */
static int empty_root(void)
{
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return fail("mounts cannot be made private");
	if (mount("none", "/proc", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY,
		  "nr_inodes=2,nr_blocks=1") < 0)
		return fail("no empty file system");
	if (chdir("/proc") < 0)
		return fail("the empty file system cannot be entered");
	if (syscall(SYS_pivot_root, ".", ".") == 0) {
		if (umount2(".", MNT_DETACH) < 0)
			return fail("the old root stays");
		return 0;
	}
	if (chroot(".") < 0 || chdir("/") < 0)
		return fail("the root cannot be changed");
	return 0;
}

static int limit_resources(void)
{
	static const struct {
		__rlimit_resource_t resource;
		rlim_t limit;
	} limits[] = {
		{RLIMIT_CORE, 0},        {RLIMIT_NOFILE, DESCRIPTORS_MAX},
		{RLIMIT_DATA, DATA_MAX}, {RLIMIT_MEMLOCK, 0},
		{RLIMIT_MSGQUEUE, 0},
	};
	size_t i;

	for (i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		struct rlimit limit = {limits[i].limit, limits[i].limit};

		if (setrlimit(limits[i].resource, &limit) < 0)
			return fail("no resource limits");
	}
	return 0;
}

static int drop_privileges(uid_t uid, gid_t gid)
{
	capng_clear(CAPNG_SELECT_BOTH);
	if (capng_change_id((int)uid, (int)gid, CAPNG_DROP_SUPP_GRP | CAPNG_CLEAR_BOUNDING) != 0)
		return fail("root's privileges cannot be dropped");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return fail("new privileges cannot be ruled out");
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return fail("others could trace it");
	return 0;
}

static int confine(void)
{
	const struct passwd *user = getpwnam(ISOLATE_USER);
	uid_t uid = user ? user->pw_uid : UNKNOWN_USER;
	gid_t gid = user ? user->pw_gid : UNKNOWN_USER;
	int error;

	if (!user)
		log_line(LOG_LEVEL_WARNING,
			 "there is no user " ISOLATE_USER ": the worker runs as user %u. "
			 "Make it with 'useradd --system " ISOLATE_USER "'",
			 UNKNOWN_USER);
	if (unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP) < 0)
		return fail("no namespaces of its own");
	error = empty_root();
	if (error == 0)
		error = limit_resources();
	if (error == 0)
		error = drop_privileges(uid, gid);
	return error;
}

/* System calls that pass with any arguments: they reach nothing but what is open. */
static const int calls_allowed[] = {
	SCMP_SYS(epoll_wait),  /* the loop */
	SCMP_SYS(epoll_pwait), /* the same on other processors and libraries */
	SCMP_SYS(epoll_ctl),   /* devices that come and go */
	SCMP_SYS(read),        /* events, channels, timers */
	SCMP_SYS(write),       /* events, the log */
	SCMP_SYS(writev),      /* the C library's last words */
	SCMP_SYS(pread64),     /* a device's descriptors */
	SCMP_SYS(lseek),       /* libusb reads them, too */
	SCMP_SYS(recvmsg),     /* the broker */
	SCMP_SYS(sendto),      /* the broker; never a descriptor to it */
	SCMP_SYS(close),       /* a device's descriptor */
	SCMP_SYS(poll),        /* libusb, as it closes a device */
	SCMP_SYS(ppoll),       /* the same */
	SCMP_SYS(timerfd_settime),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(futex), /* helpers */
	SCMP_SYS(brk),   /* libusb allocates */
	SCMP_SYS(munmap),
	SCMP_SYS(mremap), /* as the descriptors of a device grow beyond 128 KiB */
	SCMP_SYS(madvise),
	SCMP_SYS(sched_getaffinity), /* when the ninth helper allocates for the first time */
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(getpid),
	SCMP_SYS(gettid),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
};

/* System calls that are told that there is no such thing, since libraries try them. */
static const struct {
	int call;
	int error;
} calls_answered[] = {
	/* libusb looks into /proc for a device's name. */
	{SCMP_SYS(readlink), ENOENT},
	{SCMP_SYS(readlinkat), ENOENT},
	/* libusb looks into /sys. */
	{SCMP_SYS(openat), ENOENT},
	{SCMP_SYS(newfstatat), ENOENT},
};

static const unsigned long ioctls_allowed[] = {
	/* Data of the guest. No new mapping. */
	IOCTL_GNTDEV_GRANT_COPY,
	/* Wakes the guest. No new channel. */
	IOCTL_EVTCHN_NOTIFY,
	/* The devices that the broker handed over. Not: claiming ports, other drivers, revoking. */
	USBDEVFS_SUBMITURB,
	USBDEVFS_DISCARDURB,
	USBDEVFS_REAPURBNDELAY,
	USBDEVFS_CONTROL,
	USBDEVFS_SETCONFIGURATION,
	USBDEVFS_SETINTERFACE,
	USBDEVFS_CLAIMINTERFACE,
	USBDEVFS_RELEASEINTERFACE,
	USBDEVFS_CLEAR_HALT,
	USBDEVFS_RESET,
	USBDEVFS_CONNECTINFO,
	USBDEVFS_GET_CAPABILITIES,
	USBDEVFS_GET_SPEED,
	USBDEVFS_GETDRIVER,
	USBDEVFS_ALLOC_STREAMS,
	USBDEVFS_FREE_STREAMS,
	USBDEVFS_ALLOW_SUSPEND,
	USBDEVFS_FORBID_SUSPEND,
	USBDEVFS_WAIT_FOR_RESUME,
};

static int add_rules(scmp_filter_ctx filter)
{
	size_t i;
	int error = 0;

	for (i = 0; i < sizeof(calls_allowed) / sizeof(calls_allowed[0]) && error == 0; i++)
		error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls_allowed[i], 0);
	for (i = 0; i < sizeof(calls_answered) / sizeof(calls_answered[0]) && error == 0; i++)
		error = seccomp_rule_add(filter, SCMP_ACT_ERRNO((uint32_t)calls_answered[i].error),
					 calls_answered[i].call, 0);
	/* Some kernels' headers have the upper half of a number set, as a sign. */
	for (i = 0; i < sizeof(ioctls_allowed) / sizeof(ioctls_allowed[0]) && error == 0; i++)
		error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
					 SCMP_A1_32(SCMP_CMP_EQ, (uint32_t)ioctls_allowed[i]));
	/* A signal to a thread of its own: other workers run as the same user. */
	if (error == 0)
		error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
					 SCMP_A0_32(SCMP_CMP_EQ, (uint32_t)getpid()));
	/* Memory for libusb, never to be executed. */
	if (error == 0)
		error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 2,
					 SCMP_A2_32(SCMP_CMP_MASKED_EQ, 4, 0),
					 SCMP_A4_32(SCMP_CMP_EQ, (uint32_t)-1));
	if (error == 0)
		error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
					 SCMP_A2_32(SCMP_CMP_MASKED_EQ, 4, 0));
	return error;
}

static int install_filter(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int error;

	if (!filter) {
		errno = ENOMEM;
		return fail("no system call filter");
	}
	error = add_rules(filter);
	if (error == 0)
		error = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
	if (error == 0)
		error = seccomp_load(filter);
	seccomp_release(filter);
	if (error < 0) {
		errno = -error;
		return fail("the system call filter does not load");
	}
	return 0;
}

const struct isolation isolation_full = {
	.confine = confine,
	.filter = install_filter,
};
