// SPDX-License-Identifier: MIT
/*
 * vhci_hcd has a root hub for devices up to high speed and one for SuperSpeed, and usbip attaches a
 * device to the first port that is free. No driver of dom0 may meet the device there: so each free
 * port is claimed before, and all but the one that it came to are let go afterwards.
 *
 * Which port that is, is in the kernel's table `status`, and in a file that usbip writes for each
 * attachment. By the same file an attachment is found again after a restart of xvhcd.
 */
#include <broker/usbip_job.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/usbdevice_fs.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <broker/sysfs.h>
#include <broker/usb_job.h>

#define VHCI "devices/platform/vhci_hcd.0"
#define VHCI_PORTS_MAX 64u
#define VHCI_FREE 4u /* in the column `sta` */
#define VHCI_USED 6u
#define STATUS_BYTES_MAX 8192u
#define CHILD_LIMIT_MS 20000u
#define SAID_BYTES_MAX 512u

/* A port of vhci_hcd. */
struct vhci_port {
	bool super;
	uint8_t number;  /* of its root hub, from 1 */
	uint32_t state;  /* VHCI_... */
	uint8_t vhci_id; /* as usbip counts them */
	int fd;          /* holds our claim; -1: none */
};

struct vhci {
	struct vhci_port ports[VHCI_PORTS_MAX];
	uint32_t count;
	struct device_id hub[2];
};

void vhci_place(bool super, uint8_t port, struct place *place)
{
	memset(place, 0, sizeof(*place));
	snprintf(place->controller, sizeof(place->controller), "platform-vhci_hcd.0");
	place->super = super;
	place->chain.depth = 1;
	place->chain.port[0] = port;
}

/* Reads a line of `status`: `hs  0000 004 000 00000000 000000 0-0`. The first line is a heading. */
static void status_line_read(struct vhci *vhci, uint32_t *count, const char *line)
{
	struct vhci_port *port = &vhci->ports[*count];
	unsigned int id, state, base = 0;
	char hub[4];

	if (*count >= VHCI_PORTS_MAX || sscanf(line, "%3s %4u %3u", hub, &id, &state) != 3 ||
	    id >= VHCI_PORTS_MAX || (strcmp(hub, "hs") != 0 && strcmp(hub, "ss") != 0))
		return;
	port->super = hub[0] == 's';
	port->vhci_id = (uint8_t)id;
	port->state = state;
	/* Ports of SuperSpeed follow on those of high speed. */
	for (uint32_t i = 0; i < *count; i++)
		base += vhci->ports[i].super == port->super;
	port->number = (uint8_t)(base + 1);
	(*count)++;
}

/* Reads the table. What is claimed stays known. False: there is no vhci_hcd. */
static bool status_read(const char *sysfs, struct vhci *vhci)
{
	char path[PATH_MAX], *rest = NULL;
	char *text = calloc(1, STATUS_BYTES_MAX);
	uint32_t count = 0;
	ssize_t length = -1;
	int fd = -1;

	if (text && path_format(path, "%s/" VHCI "/status", sysfs))
		fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		length = read(fd, text, STATUS_BYTES_MAX - 1);
		close(fd);
	}
	if (length > 0)
		for (char *line = strtok_r(text, "\n", &rest); line;
		     line = strtok_r(NULL, "\n", &rest))
			status_line_read(vhci, &count, line);
	free(text);
	vhci->count = count;
	return length > 0 && count > 0;
}

bool vhci_port_is_free(const char *sysfs, uint8_t vhci_port)
{
	struct vhci vhci = {0};

	if (!status_read(sysfs, &vhci))
		return true;
	for (uint32_t i = 0; i < vhci.count; i++)
		if (vhci.ports[i].vhci_id == vhci_port)
			return vhci.ports[i].state == VHCI_FREE;
	return true;
}

/* Finds its two root hubs. */
static void hubs_find(const char *sysfs, struct vhci *vhci)
{
	char path[PATH_MAX], device[PATH_MAX], speed[16];
	struct dirent *entry;
	uint32_t bus, number;
	DIR *dir;

	if (!path_format(path, "%s/" VHCI, sysfs))
		return;
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		struct device_id *hub;

		if (strncmp(entry->d_name, "usb", 3) != 0 ||
		    !path_format(device, "%s/%s", path, entry->d_name) ||
		    !sysfs_read_number(device, "busnum", 10, UINT16_MAX, &bus) ||
		    !sysfs_read_number(device, "devnum", 10, UINT16_MAX, &number) ||
		    !sysfs_read_text(device, "speed", speed, sizeof(speed)))
			continue;
		hub = &vhci->hub[strcmp(speed, "480") != 0];
		hub->bus = (uint16_t)bus;
		hub->device = (uint16_t)number;
		hub->instance = sysfs_instance(device);
	}
	if (dir)
		closedir(dir);
}

static int port_claim(struct vhci *vhci, struct vhci_port *port, const struct job_paths *paths)
{
	unsigned int number = port->number;
	int fd = usb_node_open(paths, vhci->hub[port->super], O_RDWR);

	if (fd < 0)
		return fd;
	if (ioctl(fd, USBDEVFS_CLAIM_PORT, &number) != 0) {
		int error = -errno;

		close(fd);
		return error;
	}
	port->fd = fd;
	return 0;
}

/*
 * Claims each port that is free. One that somebody else has claimed is left to that; but usbip
 * takes the lowest free port, which must be ours. It may be another given port's, whose link has
 * just gone.
 */
static int ports_claim(struct vhci *vhci, struct job *job, const struct job_paths *paths,
		       bool any[2])
{
	int result;

	for (uint32_t i = 0; i < vhci->count; i++) {
		if (vhci->ports[i].state != VHCI_FREE)
			continue;
		result = port_claim(vhci, &vhci->ports[i], paths);
		if (result == -EBUSY && !any[vhci->ports[i].super])
			snprintf(job->text, sizeof(job->text),
				 "a free port of vhci_hcd is claimed by something else just now");
		if (result != 0 && (result != -EBUSY || !any[vhci->ports[i].super]))
			return result;
		any[vhci->ports[i].super] |= result == 0;
	}
	return 0;
}

static void claims_drop(struct vhci *vhci, const struct vhci_port *but)
{
	for (uint32_t i = 0; i < VHCI_PORTS_MAX; i++)
		if (vhci->ports[i].fd >= 0 && &vhci->ports[i] != but)
			close(vhci->ports[i].fd);
}

/* Whether usbip's own note says that this is what is attached to a port. */
static bool note_matches(const struct job_paths *paths, const struct vhci_port *port,
			 const struct remote_name *name)
{
	char path[PATH_MAX], file[16], text[256], wanted[256];

	snprintf(file, sizeof(file), "port%u", port->vhci_id);
	snprintf(wanted, sizeof(wanted), "%s %s %s", name->host, name->port, name->busid);
	if (!path_format(path, "%s", paths->usbip_notes) ||
	    !sysfs_read_text(path, file, text, sizeof(text)))
		return false;
	return strcmp(text, wanted) == 0;
}

/* The port to which it is attached. claimed: only one of those that we hold. */
static struct vhci_port *attached_find(struct vhci *vhci, const struct job_paths *paths,
				       const struct remote_name *name, bool claimed)
{
	for (uint32_t i = 0; i < vhci->count; i++) {
		struct vhci_port *port = &vhci->ports[i];

		if (port->state != VHCI_FREE && (!claimed || port->fd >= 0) &&
		    note_matches(paths, port, name))
			return port;
	}
	return NULL;
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Reads what a child says until it ends. False: it took too long. */
static bool child_listen(int fd, char said[SAID_BYTES_MAX])
{
	uint64_t until = now_ms() + CHILD_LIMIT_MS, now;
	struct pollfd ready = {.fd = fd, .events = POLLIN};
	char scrap[256];
	size_t length = 0;
	ssize_t got;

	for (;;) {
		now = now_ms();
		if (now >= until)
			return false;
		if (poll(&ready, 1, (int)(until - now)) < 0 && errno != EINTR)
			return false;
		if (!ready.revents)
			continue;
		if (length < SAID_BYTES_MAX - 1)
			got = read(fd, said + length, SAID_BYTES_MAX - 1 - length);
		else
			got = read(fd, scrap, sizeof(scrap));
		if (got <= 0)
			return true;
		if (length < SAID_BYTES_MAX - 1)
			length += (size_t)got;
		said[length] = '\0';
	}
}

static int child_spawn(const struct job_paths *paths, const char *const arguments[], int out,
		       pid_t *pid)
{
	static const char *const environment[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C",
						  NULL};
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	sigset_t none, defaults;
	int error;

	sigemptyset(&none);
	sigemptyset(&defaults);
	sigaddset(&defaults, SIGPIPE);
	posix_spawn_file_actions_init(&files);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &defaults);
	error = posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
	if (error == 0)
		error = posix_spawn_file_actions_adddup2(&files, out, 1);
	if (error == 0)
		error = posix_spawn_file_actions_adddup2(&files, out, 2);
	if (error == 0)
		error = posix_spawn(pid, paths->usbip, &files, &attributes,
				    (char *const *)arguments, (char *const *)environment);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&files);
	return -error;
}

/*
 * Runs usbip, without a shell, and for a limited time. Returns its exit code, -ETIMEDOUT, or
 * another -errno; said has what it said.
 */
static int usbip_run(const struct job_paths *paths, const char *const arguments[],
		     char said[SAID_BYTES_MAX])
{
	int ends[2], result, status;
	bool ended;
	pid_t pid = -1;

	said[0] = '\0';
	if (pipe2(ends, O_CLOEXEC) != 0)
		return -errno;
	result = child_spawn(paths, arguments, ends[1], &pid);
	close(ends[1]);
	if (result != 0) {
		close(ends[0]);
		return result;
	}
	ended = child_listen(ends[0], said);
	close(ends[0]);
	if (!ended)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	if (!ended)
		return -ETIMEDOUT;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -EIO;
}

/* What usbip and the other machine mean, in words that say what to do. */
static void failure_explain(struct job *job, const struct remote_name *name, int result,
			    char said[SAID_BYTES_MAX])
{
	if (result == -ETIMEDOUT || strstr(said, "tcp connect")) {
		snprintf(job->text, sizeof(job->text),
			 "%s does not answer on port %s: is usbipd running there (usbipd -D)",
			 name->host, name->port);
	} else if (strstr(said, "not found")) {
		snprintf(job->text, sizeof(job->text),
			 "%s does not export %s: run usbip bind -b %s there", name->host,
			 name->busid, name->busid);
	} else if (strstr(said, "busy")) {
		snprintf(job->text, sizeof(job->text), "%s has given %s to another machine",
			 name->host, name->busid);
	} else {
		/* It comes from another program, and in part from another machine. */
		said[strcspn(said, "\n")] = '\0';
		for (char *at = said; *at; at++)
			if (*at < ' ' || *at > '~')
				*at = '?';
		snprintf(job->text, sizeof(job->text), "usbip fails (%d): %.200s", result, said);
	}
}

void usbip_attach(struct job *job, const struct job_paths *paths)
{
	char said[SAID_BYTES_MAX];
	struct remote_name name = {0};
	const char *const arguments[] = {"usbip",   "--tcp-port", name.port,  "attach", "-r",
					 name.host, "-b",         name.busid, NULL};
	int result;

	remote_name_read(&job->remote, &name);
	if (access(paths->usbip, X_OK) != 0) {
		job->error = -ENOENT;
		snprintf(job->text, sizeof(job->text), "usbip is not installed: apt install usbip");
		return;
	}
	result = usbip_run(paths, arguments, said);
	if (result == 0)
		return;
	job->error = result < 0 ? result : -EIO;
	failure_explain(job, &name, result, said);
}

/* Notes in the job where it is attached. The claim is the job's. */
static void attached_note(struct job *job, const struct job_paths *paths, const struct vhci *vhci,
			  const struct vhci_port *port)
{
	const struct device_id *hub = &vhci->hub[port->super];
	struct job_side *side = &job->side[port->super];
	char path[PATH_MAX];

	side->hub = *hub;
	side->port = port->number;
	side->fd = port->fd;
	job->remote_super = port->super;
	job->vhci_port = port->vhci_id;
	if (path_format(path, "%s/bus/usb/devices/%u-0:1.0/usb%u-port%u", paths->mounted.sysfs,
			hub->bus, hub->bus, port->number))
		job->remote_instance = sysfs_instance(path);
}

/* The kernel or usbip chose a port that is not ours: nobody may have the device there. */
static void stray_detach(const struct job_paths *paths, struct vhci *vhci,
			 const struct remote_name *name)
{
	const struct vhci_port *stray = attached_find(vhci, paths, name, false);
	char number[8], said[SAID_BYTES_MAX];
	const char *const arguments[] = {"usbip", "detach", "-p", number, NULL};

	if (!stray)
		return;
	snprintf(number, sizeof(number), "%u", stray->vhci_id);
	(void)!usbip_run(paths, arguments, said);
}

static void import_into(struct job *job, const struct job_paths *paths, struct vhci *vhci)
{
	struct vhci_port *port;
	struct remote_name name = {0};
	bool any[2] = {false, false};

	remote_name_read(&job->remote, &name);
	port = attached_find(vhci, paths, &name, false);
	if (port) {
		/* By an xvhcd before this one. */
		job->error = port_claim(vhci, port, paths);
	} else {
		job->error = ports_claim(vhci, job, paths, any);
		/* Its speed is not known yet; where it found none here, it would go elsewhere. */
		if (job->error == 0 && (!any[0] || !any[1])) {
			job->error = -ENOSPC;
			snprintf(job->text, sizeof(job->text),
				 "each port of vhci_hcd's first controller is in use already");
		}
		if (job->error == 0)
			usbip_attach(job, paths);
		if (job->error == 0 && status_read(paths->mounted.sysfs, vhci))
			port = attached_find(vhci, paths, &name, true);
		if (job->error == 0 && !port) {
			stray_detach(paths, vhci, &name);
			job->error = -ENODEV;
		}
	}
	if (job->error == 0)
		attached_note(job, paths, vhci, port);
	else if (job->text[0] == '\0')
		snprintf(job->text, sizeof(job->text), "attaching it to vhci_hcd failed: %s",
			 strerror(-job->error));
	claims_drop(vhci, job->error == 0 ? port : NULL);
}

static void run_import(struct job *job, const struct job_paths *paths)
{
	struct vhci vhci = {0};

	for (uint32_t i = 0; i < VHCI_PORTS_MAX; i++)
		vhci.ports[i].fd = -1;
	if (!status_read(paths->mounted.sysfs, &vhci)) {
		job->error = -ENODEV;
		snprintf(job->text, sizeof(job->text),
			 "the kernel module vhci_hcd is not loaded: modprobe vhci_hcd");
		return;
	}
	hubs_find(paths->mounted.sysfs, &vhci);
	import_into(job, paths, &vhci);
}

/* The claim goes last: until then no driver of dom0 can have the device. */
static void run_detach(struct job *job, const struct job_paths *paths)
{
	char number[8], said[SAID_BYTES_MAX];
	const char *const arguments[] = {"usbip", "detach", "-p", number, NULL};
	int result;

	snprintf(number, sizeof(number), "%u", job->vhci_port);
	result = usbip_run(paths, arguments, said);
	if (result != 0 && !vhci_port_is_free(paths->mounted.sysfs, job->vhci_port)) {
		job->error = -EIO;
		snprintf(job->text, sizeof(job->text),
			 "detaching it failed; try usbip detach -p %s", number);
	}
	for (int side = 0; side < 2; side++)
		if (job->side[side].fd >= 0)
			close(job->side[side].fd);
}

void usbip_job_run(struct job *job, const struct job_paths *paths)
{
	if (job->type == JOB_IMPORT)
		run_import(job, paths);
	else
		run_detach(job, paths);
}
