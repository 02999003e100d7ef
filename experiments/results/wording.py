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
    return f"{signed(estimate['value'])} Dice ({percent(estimate['level'])} interval {bounds})"


def percent(share: float) -> str:
    """As in 18 %."""
    return f"{share * 100:.0f} %"


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
    if pair["p_holm"] is None or pair["p_holm"] >= LEVEL or not _holds_no_zero(found):
        return 0
    agree = found["value"] * test["rank_biserial"] > 0
    return (1 if found["value"] > 0 else -1) if agree else 0


def evidence(pair: dict) -> str:
    """The difference, its interval and the corrected test, and why a small p alone shows nothing here."""
    found, p_holm = pair["difference"], pair["p_holm"]
    if p_holm is None:
        return f"{difference(found)}, not tested: {pair['test']['not_tested']}"
    caveat = ""
    if p_holm < LEVEL and not direction(pair):
        caveat = ", but mean and ranks disagree" if _holds_no_zero(found) else ", but the interval holds 0"
    return f"{difference(found)}, Holm-corrected {p_value(p_holm)}{caveat}"


def _holds_no_zero(found: dict) -> bool:
    return found["low"] is not None and found["high"] is not None and not found["low"] <= 0 <= found["high"]


def _seeds(number: int) -> str:
    return f"{number} seed{'s' * (number != 1)}"
