"""Numbers as the sentences of the answer have them."""

from collections.abc import Iterable, Sequence

from experiments.statistics.advice import LEVEL

MINUS = "−"


def signed(value: float) -> str:
    """A difference in Dice, such as +0.013 and −0.004."""
    return f"{value:+.3f}".replace("-", MINUS)


def difference(estimate: dict) -> str:
    """A paired difference with its interval, if it has one."""
    if estimate["value"] is None:
        return "no common patients"
    if estimate["low"] is None or estimate["high"] is None:
        return f"{signed(estimate['value'])} Dice, without an interval"
    bounds = f"{signed(estimate['low'])} to {signed(estimate['high'])}"
    return f"{signed(estimate['value'])} Dice ({estimate['level'] * 100:.0f} % interval {bounds})"


def p_value(value: float) -> str:
    """As in p = 0.012."""
    return f"p {'< 0.001' if value < 0.001 else f'= {value:.3f}'}"


def joined(words: Iterable[str]) -> str:
    """As in a, b and c."""
    words = list(words)
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)


def seeds_of(arms: Iterable[dict], names: Sequence[str]) -> str:
    """With how many seeds some arms were trained."""
    numbers = {arm["name"]: len(arm["seeds"]) for arm in arms if arm["name"] in names}
    if len(set(numbers.values())) == 1:
        return _seeds(next(iter(numbers.values())))
    return joined(f"{_seeds(number)} of {name}" for name, number in numbers.items())


def direction(pair: dict) -> int:
    """1 where a comparison shows its first arm better, −1 where worse, 0 where neither is shown.

    Corrected test and interval must both say so: a mean that one patient carries shows nothing, nor do ranks alone.
    """
    found, test = pair["difference"], pair["test"]
    if not differs_by_ranks(pair) or found["low"] is None or found["high"] is None or found["low"] <= 0 <= found["high"]:
        return 0
    return 0 if found["value"] * test["rank_biserial"] <= 0 else (1 if found["value"] > 0 else -1)


def differs_by_ranks(pair: dict) -> bool:
    """Whether the corrected test alone finds a difference."""
    return pair["p_holm"] is not None and pair["p_holm"] < LEVEL


def _seeds(number: int) -> str:
    return f"{number} seed{'s' * (number != 1)}"
