"""``report.html``: the results of a study as one file that loads nothing."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from data_prep.conversion.printable import printable
from data_prep.conversion.report import csp_hash
from experiments.report.blocks import Section
from experiments.report.palette import looks_of
from experiments.report.sections import (
    advice,
    answer,
    arms,
    clock,
    closing,
    costs,
    sensitivity,
    sites,
    structures,
    training,
    worst,
)
from experiments.report.worst_case_pictures import CasePicture, NoPicture

TEMPLATE = "report.html.jinja"


def render_report(
    results: Mapping, *, command: str, registration: str, pictures: Sequence[CasePicture | NoPicture] | None = None
) -> str:
    """The report as HTML.

    Whatever the results hold is text in it, never markup; a browser that reads it may load nothing (Content-Security-Policy).
    The same input gives the same bytes.

    Args:
        results: from ``experiments.results.collect``.
        command: that made it.
        registration: plan hashes and what was chosen, or why there are none.
        pictures: of the worst cases, one each; None when there were no data.
    """
    sections = sections_of(results, command, registration, pictures)
    return (
        _environment()
        .get_template(TEMPLATE)
        .render(
            title=results["title"],
            subtitle=_subtitle(results),
            sections=sections,
            holds_pictures=any(isinstance(picture, CasePicture) for picture in pictures or []),
        )
    )


def sections_of(
    results: Mapping, command: str, registration: str, pictures: Sequence[CasePicture | NoPicture] | None
) -> list[Section]:
    """The sections in their order: the answer, what it rests on, what it costs, what to do, and how it was made."""
    looks = looks_of(results)
    return [
        answer.section(results, looks),
        arms.section(results, looks),
        structures.section(results, looks),
        sites.heat_map_section(results, looks),
        training.curves_section(results, looks),
        costs.section(results, looks),
        clock.section(results, looks),
        sites.missing_section(results, looks),
        sites.left_out_section(results, looks),
        advice.section(results, looks),
        worst.section(results, looks, pictures),
        training.rates_section(results, looks),
        sensitivity.section(results, looks),
        closing.not_done_section(results),
        closing.reading_section(results),
        closing.making_section(results, command, registration),
    ]


def _subtitle(results: Mapping) -> str:
    found = results["dataset"]["sites"].values()
    number = sum(facts["cases"].get(results["split"], 0) for facts in found)
    anatomy = str(results["study"].get("anatomy", "")).replace("_", " and ")
    patients = answer.PATIENTS[results["split"]]
    return f"{anatomy}: {number} {patients} of {len(found)} sites, {len(results['arms'])} arms; {results['made']}"


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"printable": shown, "csp_hash": csp_hash}
    return environment


def shown(text: str) -> str:
    """As ``printable``, for texts of any length: the sentences here are the report's own, and longer than a name may be."""
    return "".join(printable(text[at : at + 200]) for at in range(0, len(text), 200))
