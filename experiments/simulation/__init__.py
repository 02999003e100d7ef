"""A whole federation in one process, round by round, for comparing many schemes.

The same loaders, learners, exchange, averaging and files as with real processes; only the network is in memory, and the sites
take turns. Tests hold it to the same numbers as real federations of both kinds.

Read ``run`` (from datasets to a run folder) with ``order`` and ``run_folder``; then, for sites without an aggregator,
``peer_run``, ``peer_rounds`` and ``silence``, and with one ``server_run``, ``server_rounds``, ``averaging`` and
``local_finish``. ``model_list`` and ``cost`` say what a run leaves.
"""

from experiments.simulation.peer_rounds import run_in_turns
from experiments.simulation.run import simulate

__all__ = ["run_in_turns", "simulate"]
