// SPDX-License-Identifier: MIT
/* The worker's program as a describer: descriptors in a file, one answer, and its end. */
#include "frontend.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define LIMIT_MS 20000

/* Sends DESCRIBE with a file of these bytes (NULL: without a file); returns what it answered. */
static struct message describe(const uint8_t *bytes, size_t length, int code)
{
	struct frontend *frontend = calloc(1, sizeof(*frontend));
	struct message ask = {.type = MESSAGE_DESCRIBE}, answer;
	struct message_fds fds = {.count = bytes ? 1 : 0}, none;
	struct pollfd wait = {.events = POLLIN};
	int status;

	frontend_spawn(frontend);
	fds.fd[0] = memfd_create("device", MFD_CLOEXEC);
	if (bytes)
		assert_int_equal(write(fds.fd[0], bytes, length), (ssize_t)length);
	assert_int_equal(message_send(frontend->broker, &ask, &fds), 0);
	close(fds.fd[0]);
	wait.fd = frontend->broker;
	assert_int_equal(poll(&wait, 1, LIMIT_MS), 1);
	assert_int_equal(message_receive(frontend->broker, &answer, &none), 1);
	assert_int_equal(none.count, 0);
	assert_int_equal(waitpid(frontend->worker, &status, 0), frontend->worker);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), code);
	munmap(frontend->memory, FRONTEND_PAGES * USBIF_PAGE_SIZE);
	close(frontend->memfd);
	close(frontend->to_worker);
	close(frontend->from_worker);
	close(frontend->broker);
	free(frontend);
	return answer;
}

static void models_are_what_they_say(void **state)
{
	const struct model_ops *keyboard = &model_keyboard;
	struct message answer = describe(keyboard->descriptors, keyboard->descriptors_length, 0);
	struct message_description *description = &answer.u.description;

	(void)state;
	assert_int_equal(answer.type, MESSAGE_DESCRIPTION);
	assert_int_equal(description->vendor, 0x1209);
	assert_int_equal(description->product, 2);
	assert_int_equal(description->version, 0x0100);
	assert_int_equal(description->complete, 1);
	assert_int_equal(description->kinds, 1);
	assert_int_equal(description->kind[0].class, 3);
	assert_int_equal(description->kind[0].subclass, 1);
	assert_int_equal(description->kind[0].protocol, 1);
	/* The rest of the answer is not what happened to lie in memory. */
	for (uint32_t i = 1; i < XVHC_KINDS_MAX; i++)
		assert_int_equal(description->kind[i].class, 0);

	answer = describe(model_disk_super.descriptors, model_disk_super.descriptors_length, 0);
	assert_int_equal(answer.u.description.kinds, 2);
	assert_int_equal(answer.u.description.kind[1].protocol, 0x62);
}

static void nonsense_is_answered_by_a_failure(void **state)
{
	uint8_t nonsense[100];

	(void)state;
	memset(nonsense, 0xff, sizeof(nonsense));
	assert_int_equal(describe(nonsense, sizeof(nonsense), 1).type, MESSAGE_FAILED);
	assert_int_equal(describe(nonsense, 0, 1).type, MESSAGE_FAILED);
	assert_int_equal(describe(NULL, 0, 1).type, MESSAGE_FAILED);
}

static void more_bytes_than_a_device_may_have(void **state)
{
	uint8_t *bytes = calloc(1, DESCRIPTOR_BYTES_MAX + 1);
	struct message answer;

	(void)state;
	memcpy(bytes, model_keyboard.descriptors, model_keyboard.descriptors_length);
	answer = describe(bytes, DESCRIPTOR_BYTES_MAX, 0);
	assert_int_equal(answer.u.description.complete, 1);
	answer = describe(bytes, DESCRIPTOR_BYTES_MAX + 1, 0);
	assert_int_equal(answer.u.description.complete, 0);
	assert_int_equal(answer.u.description.kinds, 1);
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(models_are_what_they_say),
		cmocka_unit_test(nonsense_is_answered_by_a_failure),
		cmocka_unit_test(more_bytes_than_a_device_may_have),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
