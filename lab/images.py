#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Builds the lab's images ahead of time: python3 lab/images.py [--modules] [--stock]"""
import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from xvhclab import LabError, images, modules  # noqa: E402


def main():
    parser = argparse.ArgumentParser(description="Build the images that the lab boots.")
    parser.add_argument("--modules", action="store_true", help="xvhc.ko for each kernel too")
    parser.add_argument("--stock", action="store_true",
                        help="build what we compare with as well: xen-hcd.ko, testusb, QEMU")
    options = parser.parse_args()
    start = time.monotonic()
    try:
        images.build_all()
        for kernel in modules.KERNELS:
            if options.modules:
                print(images.driver(kernel, "xvhc"))
            if options.stock:
                print(images.driver(kernel, "xen-hcd"))
        if options.stock:
            images.testusb()
            images.qemu_image()
    except LabError as error:
        sys.exit(f"lab: {error}")
    print(f"lab: images ready after {time.monotonic() - start:.1f} s")


if __name__ == "__main__":
    main()
