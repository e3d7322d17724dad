/* SPDX-License-Identifier: MIT */
/*
 * The control socket and its clients. Who may connect is a matter of the socket's mode: root, and
 * the group xvhc. A client sends one request, a line, and gets one line back; then it may send the
 * next. It cannot hold up others: its request has a limit in size and time, its answer in time, and
 * the number of clients has a limit, too.
 *
 * A client that asked to follow events (monitor.h) is sent lines from then on, and says no more.
 */
#ifndef XVHC_BROKER_CONTROL_SOCKET_H
#define XVHC_BROKER_CONTROL_SOCKET_H

#include <broker/broker.h>

#define CLIENTS_MAX 32u

/* Makes the socket. Returns 0, or -errno after a sentence in the log. */
XVHC_MUST_CHECK int control_socket_open(struct broker *broker);

/* Somebody connects. */
void control_socket_accept(struct broker *broker);

/* A client's socket is readable or writable. */
void client_ready(struct broker *broker, uint32_t slot, uint32_t events);

/* Parts with clients that are too slow. */
void clients_step(struct broker *broker);

/* Answers a client with a sentence; where it is no longer there, does nothing. */
void client_answer(struct broker *broker, struct client_ref ref, bool ok, const char *text);

/* Answers a client with a line of JSON. */
void client_answer_json(struct broker *broker, struct client_ref ref, const char *json);

struct monitor;

/* Clients that follow events. */
uint32_t clients_that_follow(const struct broker *broker);

/*
 * Answers a client that it follows events now. The monitor becomes ours, also where the client is
 * no longer there.
 */
void client_follow(struct broker *broker, struct client_ref ref, struct monitor *monitor);

/* Sends events to those who follow them. */
void clients_tell(struct broker *broker);

/*
 * The descriptor that came with the request that is being run; it is the caller's then. -1: there
 * is none. One that nobody takes is closed.
 */
int client_take_fd(struct broker *broker, struct client_ref ref);

void control_socket_close(struct broker *broker);

#endif
