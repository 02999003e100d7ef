"""How much of what is contoured an arm's models never learned: a number that is missing there is no merit."""

import numpy as np

from experiments.statistics.study import Study


def never_learned(own: Study) -> dict:
    """Counts patient × structure cells that some arm has a score of and another has none.

    Args:
        own: each site's own view.

    Returns:
        ``num_contoured`` cells, and ``by_arm`` how many of them an arm never learned, with any seed; arms without any are left
        out.
    """
    contoured_PK = np.logical_or.reduce(list(own.has_score.values()))
    missing = {arm: int((contoured_PK & ~has_score_PK).sum()) for arm, has_score_PK in own.has_score.items()}
    return {"num_contoured": int(contoured_PK.sum()), "by_arm": {arm: number for arm, number in missing.items() if number}}
