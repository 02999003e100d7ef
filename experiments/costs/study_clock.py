"""The wall-clock of a study's arms at uneven hospitals."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from experiments.costs.arm_clock import ArmClock, clocks_of
from experiments.costs.hospitals import CASES, INDEPENDENT, RANGES_S, draw_hospitals, durations_of
from experiments.costs.measured_run import MeasuredRun
from experiments.costs.run_files import read_runs
from experiments.costs.silent_site import CUTOFF_ROUNDS, fedavg_with_silent_site, gossip_with_silent_site

NUM_DRAWS = 200
LOW_PERCENT, HIGH_PERCENT = 5, 95
ASSUMPTIONS = (
    "Seconds per patient times the site's training (validation) cases, in every round; co-training by the mean number of "
    "networks trained. Seconds per model whatever its size, so half precision saves gossip no time here.",
    "FedAvg: download, validate, train, upload at every site; a round ends when the last site is done. The aggregator's own "
    "line and arithmetic cost nothing.",
    "Gossip: each site on its own clock. Whom it pulls from is as measured; a pull takes the longer of its download and the "
    "peer's upload, also when the peer has nothing new, and brings the newest model that the peer has by then.",
    "A gossip site has its own model when its rounds are done; the consensus model waits for everybody's final model and for a "
    "pull from each. The completion phase, start-up and saving are not counted.",
    "Cyclic: one site at a time. Pooled data: no hospital trains, so there is no such time.",
)


def wall_clock(study_folder: Path, *, num_draws: int = NUM_DRAWS, seed: int = 0) -> dict:
    """Simulated times of every arm, from the measured exchanges of each scheme's first finished seed.

    Args:
        study_folder: see ``read_runs``.
        num_draws: of the hospitals' speeds.
        seed: of the draws; the hospitals of a draw are the same for all arms.

    Returns:
        ``assumptions``, ``ranges_s``, ``num_draws``, ``seed``, ``slow_site`` (the one with the most training cases),
        ``train_seeds``; ``cases``, for each of ``CASES`` by arm: ``last_site_s``, ``median_site_s`` and ``sites`` (a ``spread``
        each), ``staleness_rounds``, ``nothing_new_share``, and ``ratio_to`` plain FedAvg and that with a local finish, by draw;
        None for pooled data; ``silent_site``, for each case by scheme; ``gantt``, see ``_gantt``. Empty parts where nothing has
        finished. Fit for JSON.

    Raises:
        OarError: see ``read_runs``.
    """
    runs = list({run.scheme: run for run in reversed(read_runs(study_folder))}.values())[::-1]
    federated = [run for run in runs if run.kind != "pooled"]
    cases = {site: cost.train_cases for run in federated for site, cost in run.sites.items()}
    slow_site = max(sorted(cases), key=cases.get) if cases else None
    found = {
        "assumptions": list(ASSUMPTIONS),
        "ranges_s": {name: list(limits) for name, limits in RANGES_S.items()},
        "num_draws": num_draws,
        "seed": seed,
        "slow_site": slow_site,
        "train_seeds": {run.scheme: run.seed for run in runs},
        "cases": {},
        "silent_site": {},
        "gantt": None,
    }
    for case in CASES if cases else ():
        hospitals = draw_hospitals(sorted(cases), case, slow_site=slow_site, num_draws=num_draws, seed=seed)
        durations = {run.scheme: durations_of(run, hospitals) for run in federated}
        clocks = {arm: clock for run in runs for arm, clock in clocks_of(run, durations.get(run.scheme)).items()}
        baselines = _baselines(federated, clocks)
        found["cases"][case] = {arm: clock and _describe(clock, baselines) for arm, clock in clocks.items()}
        found["silent_site"][case] = _silent(federated, durations, clocks, slow_site)
        if case == INDEPENDENT:
            found["gantt"] = _gantt(federated, clocks)
    return found


def spread(values_D: np.ndarray) -> dict[str, float | None]:
    """``median``, ``low`` and ``high`` (5 and 95 %) over the draws; None where there is no number."""
    if np.isnan(values_D).any():
        return {"median": None, "low": None, "high": None}
    low, median, high = np.percentile(values_D, [LOW_PERCENT, 50, HIGH_PERCENT])
    return {"median": float(median), "low": float(low), "high": float(high)}


def _baselines(runs: Sequence[MeasuredRun], clocks: Mapping[str, ArmClock | None]) -> dict[str, ArmClock]:
    """FedAvg's arms among all sites: of the first such scheme."""
    most = max(len(run.sites) for run in runs)
    fedavg = next((run.scheme for run in runs if run.kind == "fedavg" and len(run.sites) == most), None)
    names = [] if fedavg is None else [fedavg, f"{fedavg}_local"]
    return {name: clocks[name] for name in names if name in clocks}


def _describe(clock: ArmClock, baselines: Mapping[str, ArmClock]) -> dict:
    last_s_D, median_s_D = clock.ready_s_DS.max(axis=1), np.median(clock.ready_s_DS, axis=1)
    return {
        "last_site_s": spread(last_s_D),
        "median_site_s": spread(median_s_D),
        "sites": {site: spread(clock.ready_s_DS[:, place]) for place, site in enumerate(clock.sites)},
        "staleness_rounds": None if clock.staleness_rounds_D is None else spread(clock.staleness_rounds_D),
        "nothing_new_share": None if clock.nothing_new_share_D is None else spread(clock.nothing_new_share_D),
        "ratio_to": {
            name: {
                "last_site": spread(last_s_D / baseline.ready_s_DS.max(axis=1)),
                "median_site": spread(median_s_D / np.median(baseline.ready_s_DS, axis=1)),
            }
            for name, baseline in baselines.items()
        },
    }


def _silent(runs: Sequence[MeasuredRun], durations: Mapping, clocks: Mapping[str, ArmClock], site: str) -> dict:
    """By scheme: when the last of the other sites is ready, and how many times as long that is as without the failure."""
    found = {}
    for run in runs:
        if run.kind not in ("fedavg", "fedprox", "gossip") or site not in run.sites:
            continue
        fedavg = run.kind != "gossip"
        others = [place for place, name in enumerate(run.sites) if name != site]
        before_s_D = clocks[run.scheme].ready_s_DS[:, others].max(axis=1)
        simulate = fedavg_with_silent_site if fedavg else gossip_with_silent_site
        after_s_D = simulate(run, durations[run.scheme], site)
        found[run.scheme] = {
            "site": site,
            "from_round": run.rounds // 2,
            "waits": f"{CUTOFF_ROUNDS:g} usual rounds (CutoffTimePolicy)"
            if fedavg
            else "connect_timeout_s per exchange with it",
            "connect_timeout_s": None if fedavg else run.timing.connect_timeout_s,
            "ends_by_default": not fedavg,
            "last_other_site_s": spread(after_s_D),
            "times_as_long": spread(after_s_D / before_s_D),
        }
    return found


def _gantt(runs: Sequence[MeasuredRun], clocks: Mapping[str, ArmClock]) -> dict | None:
    """FedAvg and gossip in the one draw whose ratio of the last sites' times is the middle one.

    Returns:
        ``case``, ``draw``, and the bars ``{site, kind, start_s, end_s}`` of ``fedavg`` and ``gossip``; None without both.
        Kinds: download, validate, train, upload, wait, pull, closing pull.
    """
    most = max(len(run.sites) for run in runs)
    schemes = {run.kind: run.scheme for run in reversed(runs) if len(run.sites) == most}
    if not {"fedavg", "gossip"} <= schemes.keys():
        return None
    fedavg, gossip = clocks[schemes["fedavg"]], clocks[schemes["gossip"]]
    ratio_D = gossip.ready_s_DS.max(axis=1) / fedavg.ready_s_DS.max(axis=1)
    draw = int(np.argsort(ratio_D, kind="stable")[len(ratio_D) // 2])
    bars = {"fedavg": fedavg.timeline.gantt(draw), "gossip": gossip.timeline.gantt(draw)}
    return {"case": INDEPENDENT, "draw": draw, **bars}
