"""The patients to look at: where the scheme in question did worst, and where the arms disagree most."""

from collections import defaultdict
from collections.abc import Sequence

NUM_CASES = 6


def worst_cases(patients: Sequence[dict], scheme: str, num_cases: int = NUM_CASES) -> list[dict]:
    """Chosen from the table of patients, by their seeds' mean Dice.

    Args:
        patients: rows as ``patient_table`` makes them.
        scheme: the arm in question.
        num_cases: of each kind.

    Returns:
        The lowest of ``scheme``, then the largest disagreements; of the latter ``arm`` and ``dice`` are the worst arm's,
        ``best_arm`` and ``best_dice`` the best one's, and the structure is not among the lowest already.
    """
    scored = [row for row in patients if row["dice"] is not None]
    of_scheme = sorted((row for row in scored if row["arm"] == scheme), key=lambda row: row["dice"])
    lowest = [{**_place(row), **_result(row), "why": f"lowest Dice of {scheme}"} for row in of_scheme[:num_cases]]
    shown = {tuple(_place(row).values()) for row in lowest}
    by_place = defaultdict(list)
    for row in scored:
        by_place[tuple(_place(row).values())].append(row)
    apart = [_disagreement(rows) for place, rows in by_place.items() if place not in shown and len(rows) > 1]
    apart.sort(key=lambda row: row["dice"] - row["best_dice"])
    return [*lowest, *apart[:num_cases]]


def _disagreement(rows: Sequence[dict]) -> dict:
    worst, best = min(rows, key=lambda row: row["dice"]), max(rows, key=lambda row: row["dice"])
    found = {"best_arm": best["arm"], "best_dice": best["dice"], "why": "largest disagreement between arms"}
    return {**_place(worst), **_result(worst), **found}


def _place(row: dict) -> dict:
    return {key: row[key] for key in ("patient_site", "patient", "structure")}


def _result(row: dict) -> dict:
    return {"arm": row["arm"], "dice": row["dice"]}
