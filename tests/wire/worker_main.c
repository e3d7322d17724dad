// SPDX-License-Identifier: MIT
/* The worker of the tests: the real engine, with a memfd for a guest and models for devices. */
#include <stdlib.h>

#include <common/log.h>
#include <models/model.h>
#include <worker/serve.h>

int main(void)
{
	log_init("xvhcd-worker-models",
		 getenv("XVHC_TEST_VERBOSE") ? LOG_LEVEL_DEBUG : LOG_LEVEL_ERROR);
	return serve(&transport_memfd, &source_model, NULL);
}
