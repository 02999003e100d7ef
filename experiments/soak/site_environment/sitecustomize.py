"""A clock that is off: imported by Python itself before anything else, wherever this folder is on its path.

``time.time`` is what all Python code of a site reads. TLS libraries read the C library's clock, which ``clock.c`` shifts.
"""

import os
import time

_OFF_S = float(os.environ.get("SOAK_CLOCK_OFF_S", "0"))
if _OFF_S:
    _true_time, _true_time_ns = time.time, time.time_ns
    time.time = lambda: _true_time() + _OFF_S
    time.time_ns = lambda: _true_time_ns() + int(_OFF_S * 1e9)
