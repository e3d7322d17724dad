# SPDX-License-Identifier: MIT
# The randomised simulation of one worker, its guest and its devices: make sim.

SIM := $(call obj,san/obj,$(wildcard tests/sim/*.c) fuzz/quiet_log.c \
	$(CORE) $(WORKER) $(filter-out %/log.c,$(COMMON)))

$(B)/san/sim: $(SIM)
	$(CC) -fsanitize=address,undefined $^ $(call pkg,$(WORKER_LIBS)) -lpthread -o $@

.PHONY: sim
sim: $(B)/san/sim
