"""What a study's arms cost: bytes, processor time, and simulated wall-clock at uneven hospitals.

Read ``measured_run`` and ``run_files`` (what a run says of itself), ``arm`` (what of it each arm needed), ``cost_rows`` and
``fedavg_bytes`` (the table). The wall-clock is ``study_clock``: ``hospitals`` are drawn, ``arm_clock`` goes through an arm's
rounds ``rounds_with_server`` or ``rounds_without_server`` on a ``timeline``, and ``silent_site`` is the case of one that is
gone.
"""

from experiments.costs.cost_rows import cost_table
from experiments.costs.study_clock import wall_clock

__all__ = ["cost_table", "wall_clock"]
