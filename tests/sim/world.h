/* SPDX-License-Identifier: MIT */
/* The broker and the worker, and the events that make them act. */
#ifndef XVHC_TESTS_SIM_WORLD_H
#define XVHC_TESTS_SIM_WORLD_H

#include "sim.h"

/* Begins and ends a run. */
void world_begin(void);
void world_end(void);

/* One random event, one round of the worker, and all checks. */
void world_step(void);

#endif
