import io
import sys
import time

import pytest
from rich.console import Console

from experiments.compare.estimate import TimeLeft
from experiments.compare.jobs import jobs_of
from experiments.compare.lock import study_lock
from experiments.compare.processes import JobProcesses
from experiments.compare.progress import Board, clock, left_text
from experiments.compare.scheduler import Scheduler
from tests.experiments.compare.conftest import SITES, small_study


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00:00"), (59.6, "0:01:00"), (3909, "1:05:09"), (360000, "100:00:00")])
def test_a_time_as_people_write_it(seconds, text):
    assert clock(seconds) == text


def test_an_estimate_says_what_it_leaves_out():
    assert left_text(TimeLeft(seconds=None, unknown=("train",))) == "time left: not known before something is measured"
    assert left_text(TimeLeft(seconds=61, unknown=())) == "about 0:01:01 left"
    assert left_text(TimeLeft(seconds=61, unknown=("score", "train"))) == (
        "about 0:01:01 left, without score and train, of which nothing is measured yet"
    )


def test_a_terminal_shows_who_is_at_work_and_how_far(tmp_path):
    """One job at work whose run has two of four rounds, of the five steps each site has in one."""
    (tmp_path / "logs").mkdir()
    (tmp_path / "search" / "gossip").mkdir(parents=True)
    (tmp_path / "search/gossip/chosen.json").touch()
    jobs = jobs_of(small_study("learning_rates", [0.003]).only(["gossip"], range(4)), SITES)
    console = Console(file=io.StringIO(), force_terminal=True, width=100)
    with study_lock(tmp_path) as lock, JobProcesses(tmp_path / "logs", lock) as processes:
        scheduler = Scheduler(
            tmp_path, jobs, processes, 1, lambda job: [sys.executable, "-S", "-c", "import time; time.sleep(60)"]
        )

        def look() -> None:
            logs = tmp_path / "train/gossip/seed_0/logs/site_a"
            if not logs.is_dir():
                logs.mkdir(parents=True)
                lines = [f'{{"round": {number}, "phase": "train", "steps": 15}}\n' for number in range(2)]
                (logs / "metrics.jsonl").write_text("".join(lines))
                scheduler._looked = 0.0
            elif scheduler.running["train/gossip/seed_0"].meter.steps:
                processes.request_stop(15)

        with Board(scheduler, console) as board, pytest.raises(KeyboardInterrupt):
            scheduler.run(lambda: (look(), board.look()), board.ended)
        console.print(board.table())
        took, left = time_of(scheduler), scheduler.time_left()
    shown = console.file.getvalue()
    assert "1 of 9 jobs done" in shown and "train/gossip/seed_0" in shown and "2 of 4" in shown and "50%" in shown
    assert "train/gossip/seed_1" in shown and "and 1 more" in shown
    # Half a run is left of the first and three whole ones; nothing was scored yet.
    assert left.unknown == ("score",)
    assert left.seconds == pytest.approx(took * (0.5 + 3) / 0.5, rel=0.1)


def time_of(scheduler) -> float:
    (running,) = scheduler.running.values()
    return time.monotonic() - running.began
