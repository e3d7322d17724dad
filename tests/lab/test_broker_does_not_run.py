# SPDX-License-Identifier: MIT
"""Without a broker the command says that there is none, and how to start it."""


def test(lab):
    lab.stop_xvhcd()
    for command in ("list", "give 1-5 web", "take 1-5"):
        code, said = lab.dom0.run(f"xvhc {command}")
        assert code == 1, f"xvhc {command} ended with {code}: {said}"
        assert "xvhcd does not run" in said and "Start it" in said, said
    lab.start_xvhcd()
