"""Simulated wall-clock at uneven hospitals."""

from collections.abc import Mapping

from experiments.report import cells
from experiments.report.blocks import DASH, Block, Bullets, Cell, Folded, Paragraph, Section, Table
from experiments.report.figures import timelines, wall_clock
from experiments.report.palette import Look
from experiments.report.sections.drawn import drawn

HOUR_S = 3600


def section(results: Mapping, looks: Mapping[str, Look]) -> Section:
    """Pictures, tables and what was assumed."""
    found = results["wall_clock"]
    blocks: list[Block] = [
        Paragraph(
            text="Not measured: simulated from published times of real hospitals, with the exchanges as they were"
            " measured here. It says how the schemes bear uneven hospitals, not how long your federation will take."
        )
    ]
    if not found.get("cases"):
        return Section(
            id="wall-clock", title="Simulated wall-clock", blocks=[*blocks, Paragraph(text="No finished run to simulate.")]
        )
    blocks += [
        Bullets(items=_what_was_drawn(found)),
        drawn(
            wall_clock.draw,
            results,
            looks,
            alt="Simulated hours until the last and the middle site have their model, by arm; the numbers stand in the table.",
            caption="Simulated hours until the last site (filled, with the 5 to 95 % range over the draws) and the middle"
            " site (open) has its model.",
        ),
        *_gantt(results, looks),
        clock_table(results),
        silent_table(results),
        Folded(summary="What was assumed", blocks=[Bullets(items=found["assumptions"])]),
    ]
    return Section(id="wall-clock", title="Simulated wall-clock", blocks=blocks)


def _what_was_drawn(found: Mapping) -> list[str]:
    ranges = "; ".join(f"{name.replace('_', ' ')} {low:g} to {high:g}" for name, (low, high) in found["ranges_s"].items())
    return [
        f"Ranges in seconds: {ranges}. {found['num_draws']} draws of the hospitals, seed {found['seed']}; the same for"
        " all arms.",
        f"The slow site, where there is one, is {found['slow_site']}, which has the most training patients.",
    ]


def _gantt(results: Mapping, looks: Mapping[str, Look]) -> list[Block]:
    if not results["wall_clock"].get("gantt"):
        return []
    return [
        drawn(
            timelines.draw,
            results,
            looks,
            alt="What each site does over time in FedAvg and in gossip, for one draw of the hospitals.",
            caption="One draw of the hospitals, the one whose ratio between the two is the middle one: what each site"
            " does when. FedAvg's sites wait for the slowest in every round.",
        )
    ]


def clock_table(results: Mapping) -> Table:
    """A row for each case and arm."""
    cases = results["wall_clock"]["cases"]
    baselines = list(next((entry["ratio_to"] for arms in cases.values() for entry in arms.values() if entry), {}))
    return Table(
        caption="Hours, median and 5 to 95 % range over the draws; ratios below 1 are faster, paired draw by draw.",
        columns=[
            cells.words("Hospitals"),
            cells.words("Arm"),
            cells.numbers("Last site, h"),
            cells.numbers("Middle site, h"),
            *(cells.numbers(f"Last site, ratio to {name}") for name in baselines),
            cells.numbers("Peers' models behind, rounds"),
        ],
        rows=[
            [
                cells.text(wall_clock.TITLES.get(case, case)),
                cells.text(arm),
                *(spread_cell(entry and entry[name], HOUR_S) for name in ("last_site_s", "median_site_s")),
                *(spread_cell(entry and entry["ratio_to"][name]["last_site"], 1, 2) for name in baselines),
                spread_cell(entry and entry["staleness_rounds"], 1, 2),
            ]
            for case, arms in cases.items()
            for arm, entry in arms.items()
        ],
    )


def silent_table(results: Mapping) -> Table:
    """What one site that falls silent costs the others."""
    return Table(
        caption="One site falls silent in the middle of the run: hours until the last of the others is ready.",
        columns=[
            cells.words("Hospitals"),
            cells.words("Scheme"),
            cells.words("Silent site"),
            cells.words("By default"),
            cells.words("Here the others wait"),
            cells.numbers("Last other site, h"),
            cells.numbers("Times as long"),
        ],
        rows=[
            [
                cells.text(wall_clock.TITLES.get(case, case)),
                cells.text(scheme),
                cells.text(entry["site"]),
                cells.text("goes on" if entry["ends_by_default"] else "waits for ever"),
                cells.text(_wait(entry)),
                spread_cell(entry["last_other_site_s"], HOUR_S),
                spread_cell(entry["times_as_long"], 1, 2),
            ]
            for case, schemes in results["wall_clock"]["silent_site"].items()
            for scheme, entry in schemes.items()
        ],
        empty="No scheme among several sites was simulated.",
    )


def _wait(entry: Mapping) -> str:
    seconds = entry["connect_timeout_s"]
    return entry["waits"] if seconds is None else f"{seconds:g} s at each exchange with it"


def spread_cell(entry: Mapping | None, unit: float, digits: int = 1) -> Cell:
    """A median with its range; a dash without one."""
    if entry is None or not cells.is_number(entry["median"]):
        return Cell(text=DASH)
    low, middle, high = (cells.decimals(entry[name] / unit, digits) for name in ("low", "median", "high"))
    return Cell(text=f"{middle} ({low} to {high})", sort=entry["median"])
