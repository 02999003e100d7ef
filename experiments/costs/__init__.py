"""What a study's arms cost: bytes, processor time, and simulated wall-clock at uneven hospitals."""

from experiments.costs.cost_rows import cost_table
from experiments.costs.study_clock import wall_clock

__all__ = ["cost_table", "wall_clock"]
