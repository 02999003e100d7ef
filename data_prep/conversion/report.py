"""``conversion_report.html``: one file that says what became of every patient, read without help and without a network."""

import base64
import hashlib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from data_prep.conversion.outcome import CaseOutcome, RoiOutcome
from data_prep.conversion.overview import overview_of
from data_prep.conversion.picture import visible
from data_prep.conversion.printable import printable, volume_text
from src.data.structures import load_structures

TEMPLATE = "report.html.jinja"
# So many patients are open from the start; more would hide the answer.
OPEN_CASES = 5
MOST_LINKS = 12


def write_report(path: Path, *, site: str, anatomy: str, outcomes: Sequence[CaseOutcome]) -> None:
    """Writes the report as one HTML file, beside its place and renamed into it.

    It holds its style, its few lines of script (sorting and filtering, nothing else) and the pictures; it loads nothing, and a
    browser that reads it may not either (Content-Security-Policy). Whatever an outcome holds is text in it, never markup. There
    is no date and no time in it: the same outcomes give the same bytes.

    Args:
        path: where to write; replaced when it is there.
        site: the site's name.
        anatomy: one of ``ANATOMIES``.
        outcomes: of all patients, in the order of the report. May be empty.
    """
    overview = overview_of(outcomes)
    contoured = {row.name for row in overview.structures}
    table = load_structures()
    html = (
        _environment()
        .get_template(TEMPLATE)
        .render(
            site=site,
            anatomy=anatomy,
            outcomes=outcomes,
            overview=overview,
            numbers={outcome.case: number for number, outcome in enumerate(outcomes, 1)},
            not_found=[structure.name for structure in table.of_anatomy(anatomy) if structure.name not in contoured],
            colours={structure.name: "rgb({}, {}, {})".format(*visible(structure.colour_rgb)) for structure in table},
            open_cases=OPEN_CASES,
            most_links=MOST_LINKS,
        )
    )
    partial = path.with_name(f".{path.name}.partial")
    # A names.csv line is shown as it is, and may hold half a surrogate pair, which no file can.
    partial.write_bytes(html.encode("utf-8", errors="replace"))
    partial.replace(path)


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "printable": printable,
        "volume": volume_text,
        "grid": grid_text,
        "csp_hash": csp_hash,
        "search_text": search_text,
        "of_decision": of_decision,
    }
    return environment


def grid_text(outcome: CaseOutcome) -> str:
    """Size and spacing of a converted case on one line; empty when it was refused."""
    if outcome.size is None or outcome.spacing_mm is None:
        return ""
    spacing = " × ".join(f"{value:.4g}" for value in outcome.spacing_mm)
    return f"{' × '.join(map(str, outcome.size))} voxels of {spacing} mm"


def of_decision(outcome: CaseOutcome, decision: str) -> list[RoiOutcome]:
    """The ROIs of a patient that ended one way."""
    return [roi for roi in outcome.rois if roi.decision == decision]


def search_text(outcome: CaseOutcome) -> str:
    """What a patient is found by: the pseudonym, native names and structures."""
    return " ".join([outcome.case, *(f"{printable(roi.native)} {roi.structure or ''}" for roi in outcome.rois)]).lower()


def csp_hash(script: str) -> str:
    """What a Content-Security-Policy calls an inline script that may run (CSP level 3, hash-source)."""
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
