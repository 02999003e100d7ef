"""A clock that is off: imported by Python itself before anything else, wherever this folder is on its path.

``time.time`` is what all Python code of a site reads. TLS libraries read the C library's clock, which ``clock.c`` shifts. gRPC
for Python gets the true time: it adds its timeouts to it, and its core, which asks the kernel, compares. On a machine whose
clock is off both are off by the same, and the timeouts are right.
"""

import os
import sys
import time

_OFF_S = float(os.environ.get("SOAK_CLOCK_OFF_S", "0"))
if _OFF_S:
    _true_time, _true_time_ns = time.time, time.time_ns

    def _shifted_time() -> float:
        caller = sys._getframe(1).f_globals.get("__name__", "")
        return _true_time() if caller.partition(".")[0] == "grpc" else _true_time() + _OFF_S

    time.time = _shifted_time
    time.time_ns = lambda: _true_time_ns() + int(_OFF_S * 1e9)
