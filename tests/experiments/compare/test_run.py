"""A whole comparison of jobs that are real processes and train nothing."""

import io
import json
import os
import signal
import sys
import threading
from pathlib import Path

import pytest
import yaml
from rich.console import Console

from experiments.compare.errors import JobsFailed, StudyError
from experiments.compare.jobs import Job
from experiments.compare.lock import study_lock
from experiments.compare.run import CompareSettings, compare, report_command
from tests.conftest import write_sphere_dataset
from tests.experiments.compare.conftest import small_study

# Notes that it began, who is at work with it, and leaves what says that it is done.
WORK = """
import pathlib, sys, time
folder, name, done, steps, fails = pathlib.Path(sys.argv[1]), *sys.argv[2:4], int(sys.argv[4]), sys.argv[5]
with (folder / "begun.txt").open("a") as file:
    file.write(name + "\\n")
(folder / "at_work").mkdir(exist_ok=True)
mine = folder / "at_work" / name.replace("/", "-")
mine.touch()
with (folder / "at_a_time.txt").open("a") as file:
    file.write(f"{len(list(mine.parent.iterdir()))}\\n")
if steps:
    logs = folder / name / "logs" / "site_a"
    logs.mkdir(parents=True, exist_ok=True)
    (logs / "metrics.jsonl").write_text('{"round": 3, "phase": "train", "steps": %d}\\n' % steps)
time.sleep(float(sys.argv[6]))
mine.unlink()
if fails:
    print("[not a style] the disk is full")
    sys.exit(3)
(folder / done).parent.mkdir(parents=True, exist_ok=True)
(folder / done).write_text("")
"""
SCHEMES = ["gossip", "individual", "cyclic"]


class Comparison:
    """Calls of ``compare`` on one study folder."""

    def __init__(self, data: Path, folder: Path) -> None:
        self.data, self.folder, self.said = data, folder, ""

    def run(self, schemes=SCHEMES, seeds=(0,), failing=(), seconds=0.0, **settings) -> None:
        def command(job: Job) -> list[str]:
            facts = [str(job.done), str(job.steps), "fails" if job.name in failing else "", str(seconds)]
            return [sys.executable, "-S", "-c", WORK, str(self.folder), job.name, *facts]

        study, said = small_study().only(schemes, seeds), io.StringIO()
        study = settings.pop("study", study)
        try:
            compare(
                CompareSettings(study=study, data=self.data, output=self.folder, **{"processes": 4, **settings}),
                Console(file=said, width=200),
                command,
            )
        finally:
            self.said = said.getvalue()

    def begun(self) -> list[str]:
        return (self.folder / "begun.txt").read_text().split()


@pytest.fixture
def comparison(three_sites, tmp_path) -> Comparison:
    return Comparison(three_sites, tmp_path / "study")


def small(*, comparisons=(), **changes):
    """The small study without claims, so that no scheme is more important than another."""
    from experiments.compare.study_file import study_of
    from tests.experiments.compare.conftest import content_with

    content = {key: value for key, value in content_with().items() if key not in ("hypothesis", "comparisons", "advice")}
    return study_of("small", {**content, "comparisons": list(comparisons), "learning_rates": [0.003], **changes})


def test_it_does_everything_once_and_more_when_more_is_asked_for(comparison):
    comparison.run(["gossip"])
    first = comparison.begun()
    assert sorted(first) == sorted(
        [
            *("search/gossip/lr_0.003", "search/gossip/lr_0.01", "choose/gossip"),
            *("train/gossip/seed_0", "score/gossip/seed_0"),
        ]
    )
    assert (
        "5 of 5 jobs done; nothing left to do" in comparison.said
        and "report: .venv/bin/python -m experiments.report" in comparison.said
    )
    assert comparison.said.count("done: ") == 5
    comparison.run(["gossip"])
    assert comparison.begun() == first
    comparison.run(["gossip", "cyclic"], seeds=(1,))
    later = comparison.begun()[len(first) :]
    assert {name for name in later if "gossip" in name} == {"train/gossip/seed_1", "score/gossip/seed_1"}
    assert {"search/fedavg/lr_0.01", "choose/cyclic", "score/cyclic/seed_1"} <= set(later)
    schemes = yaml.safe_load((comparison.folder / "study.yaml").read_text())["schemes"]
    assert schemes["gossip"]["seeds"] == [0, 1] and schemes["cyclic"]["seeds"] == [1] and schemes["fedavg"]["seeds"] == []
    entries = [json.loads(line) for line in (comparison.folder / "jobs.jsonl").read_text().splitlines()]
    assert [entry["name"] for entry in entries if entry["outcome"] == "done"] and len(entries) == len(comparison.begun())
    assert {entry["steps"] for entry in entries if entry["kind"] == "train"} == {60}


def test_one_failure_costs_only_what_needs_it(comparison):
    with pytest.raises(JobsFailed, match=r"1 jobs failed \(search/gossip/lr_0.01\), 3 that need them were skipped") as failed:
        comparison.run(failing=["search/gossip/lr_0.01"])
    assert failed.value.exit_code == 6
    assert "[not a style] the disk is full" in comparison.said and "ended with exit code 3" in comparison.said
    assert {"score/individual/seed_0", "score/cyclic/seed_0", "search/gossip/lr_0.003"} <= set(comparison.begun())
    assert not [name for name in comparison.begun() if name in ("choose/gossip", "train/gossip/seed_0")]
    before = len(comparison.begun())
    comparison.run()
    assert sorted(comparison.begun()[before:]) == sorted(
        ["search/gossip/lr_0.01", "choose/gossip", "train/gossip/seed_0", "score/gossip/seed_0"]
    )


def test_a_job_that_says_well_and_leaves_nothing_failed(comparison):
    def nothing(job: Job) -> list[str]:
        return [sys.executable, "-S", "-c", ""]

    settings = CompareSettings(study=small().only(["gossip"], [0]), data=comparison.data, output=comparison.folder, processes=1)
    with pytest.raises(JobsFailed):
        compare(settings, Console(file=io.StringIO()), nothing)


@pytest.mark.parametrize("processes", [1, 3])
def test_as_many_at_a_time_as_it_is_told(comparison, processes):
    comparison.run(processes=processes, seconds=0.1)
    at_a_time = [int(line) for line in (comparison.folder / "at_a_time.txt").read_text().split()]
    assert max(at_a_time) <= processes and (processes == 1 or max(at_a_time) > 1)


def test_claims_come_first_then_what_takes_longest(comparison):
    schemes = {"short": {"plan": "gossip", "without": ["site_c"]}, "long": {"plan": "gossip"}}
    study = small(schemes=schemes)
    comparison.run(study=study, processes=1)
    assert [name for name in comparison.begun() if "train" in name] == ["train/long/seed_0", "train/short/seed_0"]
    other = Comparison(comparison.data, comparison.folder.with_name("other"))
    other.run(study=small(schemes=schemes, comparisons=[["short", "short_consensus"]]), processes=1)
    assert other.begun()[:3] == ["choose/short", "train/short/seed_0", "score/short/seed_0"]


def test_data_are_made_once_for_schemes_that_need_others(comparison):
    comparison.run(["pooled", "gossip_without_site_c"])
    pooled = json.loads((comparison.folder / "pooled_data" / "pooled" / "dataset.json").read_text())
    assert len(pooled["cases"]) == 9
    left = comparison.folder / "data_without_site_c"
    assert sorted(path.name for path in left.iterdir()) == ["site_a", "site_b"]
    assert all((path / "dataset.json").is_file() for path in left.iterdir())
    made = (comparison.folder / "pooled_data").stat().st_mtime_ns
    comparison.run(["pooled", "gossip_without_site_c"])
    assert (comparison.folder / "pooled_data").stat().st_mtime_ns == made


def test_two_at_once_do_not_disturb_each_other(comparison):
    comparison.folder.mkdir()
    with study_lock(comparison.folder), pytest.raises(StudyError, match="expected to be the only one at work in 'study'"):
        comparison.run()
    assert not (comparison.folder / "study.yaml").exists()


def test_data_of_another_anatomy_are_refused_before_anything_is_made(tmp_path):
    write_sphere_dataset(tmp_path / "data" / "site_a", site="site_a", cases=3)
    other = Comparison(tmp_path / "data", tmp_path / "study")
    with pytest.raises(StudyError, match="expected datasets of liver, found one of head_neck in 'site_a'; give another study"):
        other.run(study=small(schemes={"gossip": {"plan": "gossip"}}), schemes=["gossip"])
    assert not other.folder.exists()


def test_a_signal_ends_every_job_and_the_next_call_goes_on(comparison):
    given_up = threading.Event()

    def stop() -> None:
        while not list(comparison.folder.glob("at_work/*")):
            if given_up.wait(0.05):
                return
        os.kill(os.getpid(), signal.SIGTERM)

    stopper = threading.Thread(target=stop)
    stopper.start()
    with pytest.raises(KeyboardInterrupt, match="stopped by SIGTERM; what is done stays done, and the same command goes on"):
        try:
            comparison.run(["gossip"], seconds=60)
        finally:
            given_up.set()
            stopper.join()
    comparison.run(["gossip"])
    assert "5 of 5 jobs done" in comparison.said


def test_the_report_s_command_can_be_typed():
    assert report_command(Path("runs/my study"), Path("data")) == "make report RUN='my study' DATA=data"
    assert report_command(Path("runs/first/again"), Path("data")) == "make report RUN=first/again DATA=data"
    elsewhere = ".venv/bin/python -m experiments.report --study '/else where/study' --data data"
    assert report_command(Path("/else where/study"), Path("data")) == elsewhere
