"""Stops `make` with one clear sentence when its Python is not one that OpenFL 1.9 runs on.

Plain enough for any Python since 2.7 to read, because a wrong one is exactly what it is for.
"""

import sys

OLDEST = (3, 10)
FIRST_TOO_NEW = (3, 13)


def complaint(version):
    """What is wrong with a Python version (major, minor), in one sentence; empty when nothing is."""
    if OLDEST <= tuple(version) < FIRST_TOO_NEW:
        return ""
    found = "%d.%d" % tuple(version)  # noqa: UP031 - an f-string would be a syntax error where this must speak
    return (
        "expected Python 3.10, 3.11 or 3.12, found " + found + ": OpenFL 1.9 runs on no other. "
        "Name one, for example: make PYTHON=python3.11 demo"
    )


if __name__ == "__main__":
    sys.exit(complaint(sys.version_info[:2]) or 0)
