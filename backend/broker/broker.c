// SPDX-License-Identifier: MIT
#include <broker/broker.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include <broker/capture.h>
#include <broker/control_socket.h>
#include <broker/controller.h>
#include <broker/describer.h>
#include <broker/event.h>
#include <broker/event_plug.h>
#include <broker/given.h>
#include <broker/given_identity.h>
#include <broker/guest.h>
#include <broker/held.h>
#include <broker/hotplug.h>
#include <broker/judge.h>
#include <broker/mark.h>
#include <broker/policy_file.h>
#include <broker/ports_follow.h>
#include <broker/sysfs.h>
#include <broker/wishes.h>
#include <broker/worker_message.h>

#define EVENTS_AT_ONCE 64
#define THREADS 4u
#define WATCHES_AT_ONCE 256u /* before others have their turn */
#define PASSES_MAX 16u
#define STOP_LIMIT_MS 6000u
#define JOBS_STOP_LIMIT_MS 3000u
#define OWN_DOMID_MAX 0x7fefu

uint64_t clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void broker_wake_at(struct broker *broker, uint64_t time_ms)
{
	if (time_ms != 0 && (broker->wake_at_ms == 0 || time_ms < broker->wake_at_ms))
		broker->wake_at_ms = time_ms;
}

int broker_follow(struct broker *broker, int fd, uint32_t events, enum event_source source,
		  uint32_t index)
{
	struct epoll_event event = {
		.events = events,
		.data.u64 = ((uint64_t)source << 32) | index,
	};

	return epoll_ctl(broker->epoll, EPOLL_CTL_ADD, fd, &event) == 0 ? 0 : -errno;
}

static int signals_open(struct broker *broker)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGCHLD); /* a worker has stopped: held_step() */
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	broker->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return broker->signals < 0
		       ? -errno
		       : broker_follow(broker, broker->signals, EPOLLIN, SOURCE_SIGNALS, 0);
}

static int store_begin(struct broker *broker)
{
	int result;

	result = xenstore_read_number(broker->store, "domid", OWN_DOMID_MAX, &broker->own_domid);
	if (result != 0) {
		log_line(LOG_LEVEL_ERROR,
			 "XenStore does not say which domain this is: run xen-init-dom0 (systemctl "
			 "start xen-init-dom0)");
		return result;
	}
	result = broker_follow(broker, broker->store->fd, EPOLLIN, SOURCE_XENSTORE, 0);
	if (result == 0)
		result = guests_watch(broker);
	if (result == 0)
		result = controllers_watch(broker);
	if (result != 0)
		log_line(LOG_LEVEL_ERROR,
			 "XenStore cannot be watched: %s. Run xvhcd as root, in dom0 or a driver "
			 "domain",
			 strerror(-result));
	return result;
}

static int hotplug_begin(struct broker *broker)
{
	if (!broker->options->hotplug)
		return 0;
	broker->udev = hotplug_open();
	if (!broker->udev) {
		log_line(LOG_LEVEL_ERROR,
			 "the kernel's USB events cannot be followed: %s. Run xvhcd as root",
			 strerror(errno));
		return -EIO;
	}
	return broker_follow(broker, hotplug_fd(broker->udev), EPOLLIN, SOURCE_UDEV, 0);
}

static struct jobs **thread_at(struct broker *broker, uint32_t index)
{
	struct jobs **const threads[THREADS] = {&broker->hub_jobs, &broker->label_jobs,
						&broker->device_jobs, &broker->remote_jobs};

	return threads[index];
}

static int threads_begin(struct broker *broker)
{
	int result = 0;

	for (uint32_t i = 0; i < THREADS && result == 0; i++) {
		struct jobs **thread = thread_at(broker, i);

		*thread = jobs_start(broker->options->run_job, broker->options->paths);
		result = *thread ? broker_follow(broker, jobs_fd(*thread), EPOLLIN, SOURCE_JOBS, i)
				 : -ENOMEM;
	}
	return result;
}

int broker_init(struct broker *broker, const struct broker_options *options, struct xenstore *store)
{
	int result;

	memset(broker, 0, sizeof(*broker));
	broker->options = options;
	service_begin(broker, options->notify_socket);
	broker->boot = boot_number();
	broker->store = store;
	broker->listener = -1;
	broker->ports_watch = -1;
	broker->signals = -1;
	broker->topology_dirty = true;
	broker->guests_dirty = true;
	broker->controllers_dirty = true;
	broker->wishes_dirty = true;
	broker->now_ms = broker->started_at_ms = clock_ms();
	broker->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (broker->epoll < 0)
		return -errno;
	result = options->config
			 ? policy_load(&broker->policy, options->config, options->config_required)
			 : 0;
	if (result == 0)
		result = control_socket_open(broker);
	if (result == 0)
		marks_begin(broker);
	if (result == 0)
		result = signals_open(broker);
	if (result == 0)
		result = ports_begin(broker);
	if (result == 0)
		result = store_begin(broker);
	if (result == 0)
		result = hotplug_begin(broker);
	if (result != 0)
		return result;
	result = threads_begin(broker);
	if (result == 0)
		event_tell(broker, EVENT_STARTED, (struct event_about){0}, "xvhcd has started");
	return result;
}

static void xenstore_readable(struct broker *broker)
{
	char path[XENSTORE_PATH_MAX], token[XENSTORE_TOKEN_MAX];

	for (uint32_t i = 0; i < WATCHES_AT_ONCE; i++) {
		if (broker->store->ops->event(broker->store, path, token) != 1)
			return;
		if (strcmp(token, "guests") == 0)
			broker->guests_dirty = true;
		else
			controllers_event(broker, path, token);
	}
	/* The rest is reported again: libxenstore's descriptor is readable while it has some. */
}

static void label_done(struct broker *broker, struct job *job)
{
	struct usb_device *device = topology_find_device(&broker->topology, job->device);

	if (device) {
		snprintf(device->label, sizeof(device->label), "%.*s",
			 (int)sizeof(device->label) - 1, job->text);
		memcpy(device->serial, job->serial, sizeof(device->serial));
		device->named = true;
		plug_named(broker, device);
	}
	free(job);
}

static void jobs_readable(struct broker *broker, struct jobs *jobs)
{
	struct job *job;

	while ((job = jobs_collect(jobs))) {
		if (job->type == JOB_LABEL)
			label_done(broker, job);
		else if (job->owner)
			given_job_done(broker, job);
		else
			free(job);
	}
}

/* Whether the file is in force now. */
static bool policy_reload(struct broker *broker)
{
	const struct broker_options *options = broker->options;

	if (!options->config)
		return true;
	if (policy_load(&broker->policy, options->config, options->config_required) != 0) {
		log_line(LOG_LEVEL_ERROR,
			 "the rules from before stay in force: mend %s, and "
			 "tell xvhcd by SIGHUP",
			 options->config);
		event_tell(broker, EVENT_ERROR, (struct event_about){0},
			   "%s cannot be used, and the rules from before stay in force: the log "
			   "says why",
			   options->config);
		return false;
	}
	log_line(LOG_LEVEL_INFO, "%s is read anew", options->config);
	event_tell(broker, EVENT_RELOADED, (struct event_about){0}, "%s is read anew",
		   options->config);
	judge_all(broker);
	return true;
}

static void signal_readable(struct broker *broker)
{
	struct signalfd_siginfo info;

	if (read(broker->signals, &info, sizeof(info)) != (ssize_t)sizeof(info) ||
	    info.ssi_signo == SIGCHLD || broker->stopping)
		return;
	if (info.ssi_signo == SIGHUP) {
		service_reload_begin(broker);
		service_reload_end(broker, policy_reload(broker));
		ports_reload(broker);
		return;
	}
	log_line(LOG_LEVEL_INFO, "ending; ports stay given");
	event_tell(broker, EVENT_ENDING, (struct event_about){0}, "xvhcd ends; ports stay given");
	broker->stopping = true;
	broker->stop_until_ms = clock_ms() + STOP_LIMIT_MS;
	controllers_stop(broker);
}

static void event_handle(struct broker *broker, const struct epoll_event *event)
{
	uint32_t index = (uint32_t)event->data.u64;

	switch ((enum event_source)(event->data.u64 >> 32)) {
	case SOURCE_XENSTORE:
		xenstore_readable(broker);
		break;
	case SOURCE_UDEV:
		broker->topology_dirty |= hotplug_drain(broker->udev);
		break;
	case SOURCE_JOBS:
		jobs_readable(broker, *thread_at(broker, index));
		break;
	case SOURCE_SIGNALS:
		signal_readable(broker);
		break;
	case SOURCE_LISTENER:
		control_socket_accept(broker);
		break;
	case SOURCE_CLIENT:
		client_ready(broker, index, event->events);
		break;
	case SOURCE_WORKER:
		worker_readable(broker, index);
		break;
	case SOURCE_WORKER_EXIT:
		worker_ended(broker, index);
		break;
	case SOURCE_DESCRIBER:
		describer_readable(broker, index);
		break;
	case SOURCE_DESCRIBER_EXIT:
		describer_ended(broker, index);
		break;
	case SOURCE_PORTS_FILE:
		ports_readable(broker);
		break;
	case SOURCE_CAPTURE:
		capture_hung_up(broker, index);
		break;
	}
}

static void topology_follow(struct broker *broker)
{
	int result = topology_scan(&broker->topology, broker->options->sysfs);

	broker->topology_dirty = false;
	if (result != 0)
		log_line(LOG_LEVEL_ERROR,
			 "the USB devices in %s cannot be read: %s. Is the module usbcore loaded?",
			 broker->options->sysfs, strerror(-result));
}

/* Has a thread ask new devices for their names. */
static void labels_begin(struct broker *broker)
{
	for (uint32_t i = 0; i < broker->topology.device_count; i++) {
		struct usb_device *device = &broker->topology.devices[i];
		struct job *job;

		if (device->labelled)
			continue;
		device->labelled = true;
		job = job_new(JOB_LABEL, NULL);
		if (!job)
			return;
		job->device = device->id;
		memcpy(job->device_name, device->name, sizeof(job->device_name));
		if (!jobs_submit(broker->label_jobs, job))
			free(job);
	}
}

static void settle_once(struct broker *broker)
{
	broker->again = false;
	broker->now_ms = clock_ms();
	if (broker->topology_dirty)
		topology_follow(broker);
	/* Before a controller of the broker before us is looked at, whose ports these may be. */
	if (!broker->stopping) {
		ports_step(broker);
		identities_step(broker);
	}
	plugs_follow(broker);
	if (broker->guests_dirty) {
		broker->guests_dirty = false;
		guests_scan(broker);
	}
	if (broker->controllers_dirty) {
		broker->controllers_dirty = false;
		controllers_scan(broker);
	}
	for (uint32_t i = 0; i < XVHC_CONTROLLERS_MAX; i++) {
		if (broker->controllers[i])
			controller_step(broker, broker->controllers[i]);
		if (broker->controllers[i] && !broker->stopping)
			broker_wake_at(broker, broker->controllers[i]->until_ms);
	}
	workers_step(broker);
	describers_step(broker);
	held_step(broker);
	clients_step(broker);
	if (broker->stopping) {
		broker_wake_at(broker, broker->stop_until_ms);
		return;
	}
	given_step_all(broker);
	wishes_step(broker);
	controllers_remove_empty(broker);
	captures_step(broker);
	labels_begin(broker);
	if (broker->file_dirty)
		(void)!ports_save(broker);
}

/* Takes the next step for all that is marked, until nothing is, or it is time to look for events.
 */
static void broker_settle(struct broker *broker)
{
	uint32_t passes = 0;

	broker->wake_at_ms = 0;
	do {
		settle_once(broker);
	} while (broker->again && ++passes < PASSES_MAX);
	if (broker->again)
		broker_wake_at(broker, broker->now_ms);
	clients_tell(broker);
	service_step(broker);
}

static int wait_ms(const struct broker *broker, int limit_ms)
{
	uint64_t now = clock_ms();
	int due = INT32_MAX;

	if (broker->wake_at_ms == 0)
		return limit_ms;
	if (broker->wake_at_ms <= now)
		return 0;
	if (broker->wake_at_ms - now < INT32_MAX)
		due = (int)(broker->wake_at_ms - now);
	return limit_ms >= 0 && limit_ms < due ? limit_ms : due;
}

bool broker_turn(struct broker *broker, int limit_ms)
{
	struct epoll_event events[EVENTS_AT_ONCE];
	int count;

	broker_settle(broker);
	if (broker->stopping &&
	    (controllers_stopped(broker) || clock_ms() >= broker->stop_until_ms))
		return false;
	count = epoll_wait(broker->epoll, events, EVENTS_AT_ONCE, wait_ms(broker, limit_ms));
	for (int i = 0; i < count; i++)
		event_handle(broker, &events[i]);
	return true;
}

void broker_run(struct broker *broker)
{
	while (broker_turn(broker, -1))
		continue;
}

void broker_fini(struct broker *broker)
{
	ports_end(broker);
	control_socket_close(broker);
	controllers_fini(broker);
	captures_fini(broker);
	describers_fini(broker);
	guests_fini(broker);
	for (uint32_t i = 0; i < THREADS; i++)
		if (*thread_at(broker, i))
			jobs_stop(*thread_at(broker, i), JOBS_STOP_LIMIT_MS);
	given_fini(broker);
	events_fini(broker);
	if (broker->udev)
		hotplug_close(broker->udev);
	topology_fini(&broker->topology);
	policy_fini(&broker->policy);
	if (broker->signals >= 0)
		close(broker->signals);
	if (broker->epoll >= 0)
		close(broker->epoll);
	broker->store->ops->close(broker->store);
}
