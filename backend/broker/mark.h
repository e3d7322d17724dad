/* SPDX-License-Identifier: MIT */
/*
 * What dom0's udev is told of given ports, so that its rules keep programs away from what is in
 * them: for each side of a given port an empty file with the name that a device there has, such as
 * /run/xvhc/given/1-2. It is there before the port is claimed, and until its device goes back to
 * dom0. packaging/udev has the rules. Nothing of the broker's own depends on it.
 */
#ifndef XVHC_BROKER_MARK_H
#define XVHC_BROKER_MARK_H

struct broker;
struct connector;
struct given;

/* Begins with an empty directory, broker_options.marks; where that is NULL, there are no marks. */
void marks_begin(struct broker *broker);

/* Marks the sides of the connector in which the port is now, and no others. NULL: none. */
void mark_follow(struct broker *broker, struct given *given, const struct connector *connector);

#endif
