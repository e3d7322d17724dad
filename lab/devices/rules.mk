# SPDX-License-Identifier: MIT
# The devices that the lab plugs into QEMU: make lab-device. The lab calls this by itself.

DEVICES := $(wildcard lab/devices/*.c)

$(B)/lab-device: $(call obj,obj,$(DEVICES))
	$(CC) $(LINK) $^ $(call pkg,libusbredirparser-0.5) -o $@

.PHONY: lab-device
lab-device: $(B)/lab-device
