"""Which structures a plan can have: those that sites contour in enough training cases."""

from collections.abc import Sequence

from data_prep.agreement.reading import SiteFingerprint
from src.data.structures import load_structures
from src.privacy import TOO_FEW


def propose_structures(sites: Sequence[SiteFingerprint], *, min_sites: int) -> list[str]:
    """TG-263 names, in the order of plan/structures.yaml, that so many sites contour in at least five training cases."""
    return [structure.name for structure in load_structures() if len(_trained_at(sites, structure.name)) >= min_sites]


def _trained_at(sites: Sequence[SiteFingerprint], name: str) -> list[str]:
    return [site.site for site in sites if name in site.structures and site.structures[name].train_cases]


def structure_rows(sites: Sequence[SiteFingerprint]) -> list[tuple[str, ...]]:
    """A row per structure that any site contours: its name, training cases at each site, sites, training cases in all.

    One to four cases stand as "<5" and are counted in no sum.
    """
    rows = []
    for structure in load_structures():
        counts = [site.structures[structure.name].train_cases if structure.name in site.structures else 0 for site in sites]
        if any(count is None or count for count in counts):
            shown = [TOO_FEW if count is None else str(count or "") for count in counts]
            told = [count for count in counts if count]
            rows.append((structure.name, *shown, str(len(told)), str(sum(told))))
    return rows


def structure_warnings(sites: Sequence[SiteFingerprint], chosen: Sequence[str]) -> list[str]:
    """Chosen structures that a single site contours: the others can neither train nor check them."""
    return [
        f"{name} is contoured at {_trained_at(sites, name)[0]} alone: its channel learns nothing from the others"
        for name in chosen
        if len(_trained_at(sites, name)) == 1 and len(sites) > 1
    ]
