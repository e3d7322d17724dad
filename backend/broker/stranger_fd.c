// SPDX-License-Identifier: MIT
#include <broker/stranger_fd.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <common/log.h>

static atomic_uint hanging;

static void *close_run(void *context)
{
	int *fd = context;

	close(*fd);
	free(fd);
	atomic_fetch_sub(&hanging, 1);
	return NULL;
}

void stranger_fd_close(int fd)
{
	socklen_t length = sizeof(int);
	pthread_t thread;
	int *context, domain = 0;

	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &length) == 0 && domain == AF_UNIX) {
		close(fd);
		return;
	}
	atomic_fetch_add(&hanging, 1);
	context = malloc(sizeof(*context));
	if (context)
		*context = fd;
	if (!context || pthread_create(&thread, NULL, close_run, context) != 0) {
		free(context);
		log_line(LOG_LEVEL_WARNING,
			 "no thread can be started to close what a client has sent: captures are "
			 "over until xvhcd is restarted");
		return;
	}
	pthread_detach(thread);
}

bool stranger_fd_hangs(void)
{
	return atomic_load(&hanging) > 0;
}
