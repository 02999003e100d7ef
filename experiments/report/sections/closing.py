"""What was not done, how to read the report, and how it was made."""

from collections.abc import Mapping

import yaml

from experiments.report import cells
from experiments.report.blocks import Bullets, Code, Folded, Paragraph, Section, Table, Terms

_INTERVALS = (
    "An interval in square brackets covers how means would move with other patients of the same sites, with the models as they"
    " are. It does not cover another seed, another training, or other hospitals; the seeds are shown apart.",
    "Two arms are compared by their paired difference on the same patients. Intervals of two means may overlap although the"
    " difference is clear, and the other way round.",
    "A cell with fewer than five patients is shown without an interval and not tested.",
    "A dash (–) is a number that does not exist; it is never a 0. Patients without a contour are counted and in no mean.",
    "'No difference shown' is not 'no difference'. Only the verdict 'not inferior' says that a difference is small:"
    " smaller than the margin.",
)


def not_done_section(results: Mapping) -> Section:
    """Runs that a full study would have."""
    missing = results["not_done"]
    block = (
        Bullets(items=missing)
        if missing
        else Paragraph(text="Every scheme of the study was trained and scored with every seed.")
    )
    intro = (
        [Paragraph(text="The study would have these runs too; arms with fewer seeds are shown with those they have.")]
        if missing
        else []
    )
    return Section(id="not-done", title="What was not done", blocks=[*intro, block])


def reading_section(results: Mapping) -> Section:
    """Definitions and counts."""
    terms = [(name.replace("_", " "), text) for name, text in results["definitions"].items()]
    return Section(
        id="reading",
        title="How to read this",
        blocks=[Bullets(items=_INTERVALS), Terms(items=terms), case_table(results), contour_table(results)],
    )


def case_table(results: Mapping) -> Table:
    """Patients by site and split."""
    sites = results["dataset"]["sites"]
    splits = list(dict.fromkeys(split for facts in sites.values() for split in facts["cases"]))
    return Table(
        caption="Patients by site.",
        columns=[cells.words("Site"), *(cells.numbers(f"{split}, n") for split in splits)],
        rows=[
            [cells.text(site), *(cells.number(facts["cases"].get(split), 0) for split in splits)]
            for site, facts in sites.items()
        ],
        empty="No site is known.",
    )


def contour_table(results: Mapping) -> Table:
    """In how many patients each structure is contoured."""
    sites = results["dataset"]["sites"]
    splits = list(dict.fromkeys(split for facts in sites.values() for split in facts["cases"]))
    return Table(
        caption="Patients with the contour, by site and structure.",
        columns=[cells.words("Site"), cells.words("Structure"), *(cells.numbers(f"{split}, n") for split in splits)],
        rows=[
            [cells.text(site), cells.text(structure), *(cells.number(counts.get(split), 0) for split in splits)]
            for site, facts in sites.items()
            for structure, counts in facts["contoured"].items()
        ],
        empty="No structure is contoured anywhere.",
    )


def making_section(results: Mapping, command: str, registration: str) -> Section:
    """Command, commit, plan hashes and the study's settings.

    Args:
        results: from ``collect``.
        command: that made this report.
        registration: what was chosen with the hash of every plan, or why there is none.
    """
    return Section(
        id="making",
        title="How this was made",
        blocks=[
            Terms(
                items=[
                    ("Study", results["title"]),
                    ("Patients scored", results["split"]),
                    ("Made on", results["made"]),
                    ("Code, git commit", results["git_commit"] or "not in a clone"),
                    ("Numbers", "results.json beside this file holds every number of it, unrounded"),
                ]
            ),
            Paragraph(text="Command:"),
            Code(text=command),
            Paragraph(
                text="Plan hashes (SHA-256 of the plan that each scheme's runs used, without seeds and addresses) and data:"
            ),
            Code(text=registration),
            Folded(
                summary="The study file",
                blocks=[Code(text=yaml.safe_dump(results["study"], sort_keys=False, allow_unicode=True))],
            ),
        ],
    )
