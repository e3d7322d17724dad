/* SPDX-License-Identifier: MIT */
/*
 * The whole broker for a test: a store in memory, a fake sysfs, jobs that touch no device, and
 * workers that are the test's own program, started again under the worker's name.
 *
 * The machine has one USB host controller, whose bus 1 has FIXTURE_PORTS ports up to high speed.
 * The guest `web` is domain 5; the broker's first controller for it has number 1000.
 */
#ifndef XVHC_TESTS_BROKER_FIXTURE_H
#define XVHC_TESTS_BROKER_FIXTURE_H

#include <broker/broker.h>
#include <common/message_io.h>

#include "fake_sysfs.h"
#include "memory_store.h"

#define LIMIT_MS 30000 /* more than any limit of the broker's own */
#define FIXTURE_PORTS 12
#define GUEST 5u
#define PCI "0000:00:04.0"
#define PLACE "pci-" PCI "/hs-1" /* of port 1-1 */
#define BACKEND "/local/domain/0/backend/vusb/5/1000"
#define FRONTEND "/local/domain/5/device/vusb/1000"

struct fixture {
	struct broker broker;
	struct broker_options options;
	struct job_paths paths;
	struct fake_sysfs sysfs;
	struct xenstore *store;
	char ports_file[PATH_MAX], socket[PATH_MAX], config[PATH_MAX];
};

/* A broker that is not started yet. It reads no configuration unless options.config is set. */
struct fixture *fixture_new(void (*run_job)(struct job *job, const struct job_paths *paths));

/* cmocka's teardown: ends the broker. */
int fixture_teardown(void **state);

/* Starts the broker. */
void start(struct fixture *fixture);

/* Starts it with port 1-1 given to the guest web, which runs. */
void start_with_given(struct fixture *fixture);

/* A high-speed device. */
void plug(struct fixture *fixture, const char *name, unsigned int number);
void unplug(struct fixture *fixture, const char *name);

/* Turns the broker once. Fails, naming what was awaited, where that took longer than LIMIT_MS. */
void turn(struct fixture *fixture, uint64_t since_ms, const char *awaited);

/* Turns the broker until a node has a value; NULL: until it is away. */
void until_node(struct fixture *fixture, const char *path, const char *value);
bool node_is(struct fixture *fixture, const char *path, const char *value);

/*
 * Turns the broker until the state of the first given port, or of the one that *given has by then,
 * has this word in it. "none": until there is no such port.
 */
void until_given_is(struct fixture *fixture, const char *word);
void until_state_is(struct fixture *fixture, struct given *const *given, const char *word);

/* Has the broker answer a request on its socket. Fails where these words are not in the answer. */
void until_answered(struct fixture *fixture, const char *request, const char *words);

/* Does what a frontend does when its driver starts. */
void frontend_publishes(struct fixture *fixture, const char *directory, unsigned int channel);

/* What the jobs CLAIM and RELEASE do to descriptors. */
void job_run_claims(struct job *job);

/* For workers: says something to the broker, or ends. */
void worker_say(uint32_t type, uint32_t port, uint32_t state);

/* For describers: says that the device is a stick, or ends. */
void worker_describe_stick(void);

/* What a describer says of the devices that fake_device() makes: they are sticks. */
struct message description_of_a_stick(void);

/* The same for those that call themselves keyboards. */
struct message description_of_a_keyboard(void);

/* A "device" that tells its describer what to say, and a describer that says it. */
int answer_open(const struct message *answer);
struct message answer_read(const struct message_fds *fds);

#endif
