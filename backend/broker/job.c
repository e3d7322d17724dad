// SPDX-License-Identifier: MIT
#include <broker/job.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

struct job_queue {
	struct job *first, *last;
};

struct jobs {
	pthread_t thread;
	pthread_mutex_t lock; /* protects the queues and count */
	pthread_cond_t waiting_changed;
	struct job_queue waiting, done;
	uint32_t count; /* of the waiting */
	int event;
	void (*run)(struct job *job, const struct job_paths *paths);
	const struct job_paths *paths;
};

static void queue_push(struct job_queue *queue, struct job *job)
{
	job->next = NULL;
	if (queue->last)
		queue->last->next = job;
	else
		queue->first = job;
	queue->last = job;
}

static struct job *queue_pop(struct job_queue *queue)
{
	struct job *job = queue->first;

	if (!job)
		return NULL;
	queue->first = job->next;
	if (!queue->first)
		queue->last = NULL;
	return job;
}

static void *jobs_work(void *argument)
{
	struct jobs *jobs = argument;
	const uint64_t one = 1;
	struct job *job;
	bool quit;

	do {
		pthread_mutex_lock(&jobs->lock);
		while (!jobs->waiting.first)
			pthread_cond_wait(&jobs->waiting_changed, &jobs->lock);
		job = queue_pop(&jobs->waiting);
		jobs->count--;
		pthread_mutex_unlock(&jobs->lock);
		quit = job->type == JOB_QUIT;
		if (job->type == JOB_CLOSE)
			close(job->fd);
		else if (!quit)
			jobs->run(job, jobs->paths);
		pthread_mutex_lock(&jobs->lock);
		queue_push(&jobs->done, job);
		pthread_mutex_unlock(&jobs->lock);
		if (write(jobs->event, &one, sizeof(one)) < 0)
			continue; /* the counter is full: it is readable all the same */
	} while (!quit);
	return NULL;
}

static bool thread_start(struct jobs *jobs)
{
	sigset_t all, before;
	bool started;

	/* Signals are for the broker's loop. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	started = pthread_create(&jobs->thread, NULL, jobs_work, jobs) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return started;
}

struct jobs *jobs_start(void (*run)(struct job *job, const struct job_paths *paths),
			const struct job_paths *paths)
{
	struct jobs *jobs = calloc(1, sizeof(*jobs));

	if (!jobs)
		return NULL;
	jobs->run = run;
	jobs->paths = paths;
	pthread_mutex_init(&jobs->lock, NULL);
	pthread_cond_init(&jobs->waiting_changed, NULL);
	jobs->event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (jobs->event < 0 || !thread_start(jobs)) {
		if (jobs->event >= 0)
			close(jobs->event);
		free(jobs);
		return NULL;
	}
	return jobs;
}

int jobs_fd(const struct jobs *jobs)
{
	return jobs->event;
}

struct job *job_new(enum job_type type, void *owner)
{
	struct job *job = calloc(1, sizeof(*job));

	if (!job)
		return NULL;
	job->type = type;
	job->owner = owner;
	job->fd = -1;
	job->side[0].fd = -1;
	job->side[1].fd = -1;
	return job;
}

bool jobs_submit(struct jobs *jobs, struct job *job)
{
	bool room;

	pthread_mutex_lock(&jobs->lock);
	/* How many descriptors there are to be closed is limited by how many there can be. */
	room = jobs->count < JOBS_MAX || job->type == JOB_QUIT || job->type == JOB_CLOSE;
	if (room) {
		queue_push(&jobs->waiting, job);
		jobs->count++;
		pthread_cond_signal(&jobs->waiting_changed);
	}
	pthread_mutex_unlock(&jobs->lock);
	return room;
}

struct job *jobs_collect(struct jobs *jobs)
{
	struct job *job;
	uint64_t count;

	if (read(jobs->event, &count, sizeof(count)) < 0)
		count = 0; /* a job that came between two looks at the counter */
	pthread_mutex_lock(&jobs->lock);
	job = queue_pop(&jobs->done);
	pthread_mutex_unlock(&jobs->lock);
	return job;
}

void jobs_close_fd(struct jobs *jobs, int fd)
{
	struct job *job;

	if (fd < 0)
		return;
	job = job_new(JOB_CLOSE, NULL);
	if (job)
		job->fd = fd;
	if (!job || !jobs_submit(jobs, job)) {
		free(job);
		close(fd);
	}
}

void jobs_stop(struct jobs *jobs, uint32_t limit_ms)
{
	struct job *quit = job_new(JOB_QUIT, NULL), *job;
	struct timespec until;

	if (!quit)
		return;
	(void)!jobs_submit(jobs, quit);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += limit_ms / 1000;
	if (pthread_timedjoin_np(jobs->thread, NULL, &until) != 0)
		return; /* still in the kernel: it goes with the process */
	while ((job = queue_pop(&jobs->done)))
		free(job);
	pthread_cond_destroy(&jobs->waiting_changed);
	pthread_mutex_destroy(&jobs->lock);
	close(jobs->event);
	free(jobs);
}
