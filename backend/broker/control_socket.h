/* SPDX-License-Identifier: MIT */
/*
 * The control socket and its clients. Who may connect is a matter of the socket's mode: root, and
 * the group xvhc. A client sends one request, a line, and gets one line back; then it may send the
 * next. It cannot hold up others: its request has a limit in size and time, its answer in time, and
 * the number of clients has a limit, too.
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

void control_socket_close(struct broker *broker);

#endif
