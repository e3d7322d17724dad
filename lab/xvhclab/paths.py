# SPDX-License-Identifier: MIT
"""Where things are: the tree, and the lab's own part of build/."""
import os
from pathlib import Path

TREE = Path(__file__).resolve().parent.parent.parent
BUILD = Path(os.environ.get("XVHC_BUILD", TREE / "build"))
LAB = BUILD / "lab"
DEBS = LAB / "debs"
ROOTS = LAB / "root"
IMAGES = LAB / "images"
LOGS = LAB / "logs"
