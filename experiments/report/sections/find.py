"""The one estimate that a cell of a table is about."""

from collections.abc import Iterable, Mapping


def find(
    rows: Iterable[Mapping], scheme: str, *, site: str | None = None, structure: str | None = None, weighting: str = "macro"
) -> Mapping | None:
    """The ``Estimate`` of an arm and part; None where there is none."""
    wanted = (scheme, site, structure, weighting)
    return next((row for row in rows if (row["scheme"], row["site"], row["structure"], row["weighting"]) == wanted), None)


def measures(results: Mapping, name: str) -> list[Mapping]:
    """The own-site estimates of another measure than Dice; empty where there are none."""
    return results["metrics"].get(name, {}).get("own_site", [])
