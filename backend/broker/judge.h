/* SPDX-License-Identifier: MIT */
/* Whether the guest of a given port may have the device in it. */
#ifndef XVHC_BROKER_JUDGE_H
#define XVHC_BROKER_JUDGE_H

#include <broker/broker.h>

/* Whose port this is, for the policy. It points into the broker and the given port. */
struct policy_subject judge_subject(const struct broker *broker, const struct given *given);

/* The same for a domain, without a port. */
struct policy_subject judge_guest(const struct broker *broker, uint32_t domid);

/* Judges a described device by the policy that is in force now, and says so in the log once. */
void judge_device(struct broker *broker, struct given *given);

/* A hub is in the port. It is not judged, but the devices behind it are. */
void judge_hub(struct broker *broker, struct given *given, const struct usb_device *hub);

/* Another device is in the port, or none: what was known of the last one is past. */
void judge_forget(struct broker *broker, struct given *given);

/* The device was opened to be described, or could not be: goes on with it. */
void judge_opened(struct broker *broker, struct given *given, struct job *job);

/* The guest has got the device. */
void judge_had(struct given *given);

/* Judges all anew, after the policy has changed. Takes from guests what they may not have. */
void judge_all(struct broker *broker);

#endif
