/* SPDX-License-Identifier: MIT */
/* Whether an answer is the right one. */
#ifndef XVHC_TESTS_SIM_OUTCOME_H
#define XVHC_TESTS_SIM_OUTCOME_H

#include "request.h"

/* Judges an answer, and tells the shadow memory what must now be in the request's pieces. */
void outcome_check(const struct sim_request *request, const struct sim_answer *answer);

#endif
