"""A study folder becomes ``results.json``: every number of the report, with its interval and its counts.

``collect`` in ``evidence`` joins it all and is the place to start. ``scored_study`` reads what was scored; ``measures`` names
the scores and says what they mean. ``estimates`` and ``comparisons`` hold each site's own patients against each other,
``heat_maps``, ``missing_structures`` and ``left_out`` look at a model on other sites' patients, ``patients`` and
``worst_cases`` at single patients. ``runs`` and ``learning_curves`` read what training left behind, ``sensitivity`` asks the
primary question without some patients, and ``answer`` says in sentences what came out.

The statistics are those of ``experiments.statistics``; nothing here averages or tests by itself.
"""

from experiments.results.evidence import collect as collect
from experiments.results.evidence import write_results as write_results
