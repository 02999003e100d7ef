"""``python -m experiments.simulation``: one plan in one process."""

import argparse
import sys
from pathlib import Path

from experiments.command import exit_code_of
from experiments.federation.plan import change_plan, read_plan, set_rounds
from experiments.silent_site import SilentSite
from experiments.simulation.run import simulate


def main() -> None:
    """Reads the command line and simulates one plan."""
    parser = argparse.ArgumentParser(prog="python -m experiments.simulation", description=__doc__)
    parser.add_argument("--plan", required=True, help="a folder of plan/plans, such as gossip_head_neck")
    parser.add_argument("--data", required=True, type=Path, help="folder with one dataset per site")
    parser.add_argument("--output", required=True, type=Path, help="run folder")
    parser.add_argument("--rounds", type=int, help="training rounds; the learning rate decays over them")
    parser.add_argument("--set", dest="changes", action="append", default=[], metavar="section.settings.key=value")
    parser.add_argument("--cache", type=Path, help="folder for prepared cases, kept between runs")
    parser.add_argument("--local-finish-rounds", type=int, default=0, help="last rounds that each site trains alone as well")
    parser.add_argument("--finish-data", type=Path, help="whose sites these are, when --data is the pooled dataset")
    parser.add_argument("--finish-steps-per-round", type=int, help="of one such site; the plan's when left out")
    parser.add_argument(
        "--silent", type=_silent_site, metavar="SITE:ROUND", help="a site that is gone from a round on, of gossip"
    )
    parser.add_argument("--resume", action="store_true", help="go on with a run that was stopped")
    given = parser.parse_args()
    plan = read_plan(given.plan)
    if given.rounds is not None:
        set_rounds(plan, given.rounds)
    change_plan(plan, given.changes)
    run = simulate(
        plan,
        given.plan,
        given.data,
        given.output,
        cache=given.cache,
        local_finish_rounds=given.local_finish_rounds,
        finish_data=given.finish_data,
        finish_steps_per_round=given.finish_steps_per_round,
        silent=given.silent,
        resume=given.resume,
    )
    print(f"saved: {run}")


def _silent_site(text: str) -> SilentSite:
    site, _, number = text.rpartition(":")
    if not site or not number.isdecimal():
        raise argparse.ArgumentTypeError(f"expected a site and a round, as in site_d:3, found '{text}'")
    return SilentSite(site=site, from_round=int(number))


if __name__ == "__main__":
    sys.exit(exit_code_of(main))
