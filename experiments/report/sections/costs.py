"""What each arm costs: bytes and processor time as measured."""

from collections.abc import Mapping

from experiments.report import cells
from experiments.report.blocks import Cell, Folded, Paragraph, Section, Table
from experiments.report.figures import bytes_against_dice
from experiments.report.palette import Look
from experiments.report.sections.arms import HOUR_S, MB, sum_of
from experiments.report.sections.drawn import drawn

_SHARES = ("total", "worst_site", "total_without_closing", "worst_site_without_closing")


def section(results: Mapping, looks: Mapping[str, Look]) -> Section:
    """Bytes against Dice, and the tables."""
    blocks = [
        Paragraph(
            text="Bytes are those on each site's line, sent and received, headers included; a model that goes from site to site"
            " counts at both. Closing: what is exchanged after the last round, for the completion phase and the consensus"
            " model. Processor time is of one thread of the machine that ran the study; compare arms, not hospitals."
        )
    ]
    if bytes_against_dice.points_of(results):
        blocks.append(
            drawn(
                bytes_against_dice.draw,
                results,
                looks,
                alt="Mean Dice of each arm against the bytes that all sites send and receive; the numbers stand in the tables.",
                caption="Mean Dice on each site's own patients with its 95 % interval, against bytes. Further left is cheaper,"
                " further up is better.",
            )
        )
    tables = [byte_table(results), compute_table(results), Folded(summary="Costs site by site", blocks=[site_table(results)])]
    return Section(id="costs", title="Bytes and processor time", blocks=[*blocks, *tables])


def byte_table(results: Mapping) -> Table:
    """Bytes of all sites, and as shares of FedAvg's."""
    return Table(
        caption="Bytes of all sites together, mean over seeds, in MB (a million bytes); and as shares of FedAvg that exchanges"
        " float32 models in every round (plain), and of FedAvg on this arm's own schedule and precision.",
        columns=[
            cells.words("Arm"),
            *(cells.numbers(title) for title in ("Sent, MB", "Received, MB", "Of it closing, MB", "Exchanges")),
            cells.words("On the wire"),
            cells.numbers("Share of plain FedAvg"),
            cells.numbers("Worst site's share"),
            cells.numbers("Share without closing"),
            cells.numbers("Worst without closing"),
            cells.numbers("Share of FedAvg, same schedule"),
        ],
        rows=[_bytes(row) for row in results["costs"]],
        empty="No finished run says what it cost.",
    )


def _bytes(row: Mapping) -> list[Cell]:
    total, plain, same = row["total"], row["plain_fedavg"] or {}, row["same_schedule_fedavg"] or {}
    closing = sum_of(total["closing_sent_bytes"], total["closing_received_bytes"])
    return [
        cells.text(row["arm"]),
        *(cells.scaled(value, MB) for value in (total["sent_bytes"], total["received_bytes"], closing)),
        cells.number(row["num_exchanges"], 0),
        cells.text(row["wire_dtype"] if row["num_exchanges"] else None),
        *(cells.number(plain.get(name)) for name in _SHARES),
        cells.number(same.get("total")),
    ]


def compute_table(results: Mapping) -> Table:
    """Processor time and steps."""
    return Table(
        caption="Computing of all sites together, mean over seeds. Network steps count the steps of co-trained copies of"
        " peers too: equal steps are not equal compute.",
        columns=[
            cells.words("Arm"),
            cells.numbers("Seeds"),
            cells.numbers("Rounds"),
            cells.numbers("Local rounds at the end"),
            cells.numbers("Processor time, h"),
            cells.numbers("Of it local finish, h"),
            cells.numbers("Optimiser steps"),
            cells.numbers("Network steps"),
        ],
        rows=[
            [
                cells.text(row["arm"]),
                *(cells.number(value, 0) for value in (len(row["seeds"]), row["rounds"], row["local_rounds"])),
                *(cells.scaled(row["total"][name], HOUR_S, 2) for name in ("cpu_seconds", "local_finish_cpu_seconds")),
                *(cells.number(row["total"][name], 0) for name in ("steps", "network_steps")),
            ]
            for row in results["costs"]
        ],
        empty="No finished run says what it cost.",
    )


def site_table(results: Mapping) -> Table:
    """Costs of every site."""
    return Table(
        caption="Mean over seeds.",
        columns=[
            cells.words("Arm"),
            cells.words("Site"),
            *(
                cells.numbers(title)
                for title in ("Sent, MB", "Received, MB", "Processor time, s", "Optimiser steps", "Patients trained on")
            ),
        ],
        rows=[
            [
                cells.text(row["arm"]),
                cells.text(site),
                *(cells.scaled(cost[name], MB) for name in ("sent_bytes", "received_bytes")),
                *(cells.number(cost[name], 0) for name in ("cpu_seconds", "steps", "train_cases")),
            ]
            for row in results["costs"]
            for site, cost in row["sites"].items()
        ],
        empty="No finished run says what it cost.",
    )
