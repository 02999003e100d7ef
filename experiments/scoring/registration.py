"""What was chosen, written down before a test patient is read: ``experiments/studies/<name>.chosen``.

One line per scheme with the hash of the plan its runs really used, the hypothesis, the comparisons, and the digest of the
data. The file counts once it is in git's HEAD, which says when the choice was made; whatever changes afterwards shows.
"""

import json
import shlex
from pathlib import Path

from experiments.federation.results import read_run_plan
from experiments.federation.template import REPOSITORY
from experiments.federation.workspaces import find_sites
from experiments.scoring.git_head import committed_bytes, head_commit
from experiments.scoring.plan_digest import plan_digest
from experiments.scoring.registration_error import RegistrationError
from experiments.study_folder import done_runs, read_study, seed_of_folder
from experiments.whole_text import write_whole
from src.file_digest import file_digest

_HEADER = "# What was chosen before the test patients were scored; written by python -m experiments.scoring.register.\n"
# What of the study stands beside the schemes; a key that a study does not have is null.
_OF_THE_STUDY = ("hypothesis", "comparisons", "local_finish_rounds")


def registration_path(study_folder: Path, repository: Path = REPOSITORY) -> Path:
    """Where a study's registration lies; it has the name of the study folder."""
    return repository / "experiments" / "studies" / f"{study_folder.resolve().name}.chosen"


def registration_text(study_folder: Path, data: Path | None = None) -> str:
    """The registration of a study as it is now; YAML, the same bytes for the same study.

    Args:
        study_folder: with its finished training runs.
        data: folder with one dataset per site; by default the datasets are those that study.yaml names by their digests.

    Raises:
        StudyFolderError: the folder is no study's.
        RegistrationError: no run is finished, or two seeds of a scheme used different plans or sites.
    """
    study, runs = read_study(study_folder), done_runs(study_folder)
    if not any(runs.values()):
        raise RegistrationError(
            f"expected finished training runs in '{study_folder.name}', found none; run `make compare` first"
        )
    lines = [f"{key}: {json.dumps(study.get(key), sort_keys=True)}" for key in sorted(_OF_THE_STUDY)]
    lines += [f"dataset: {json.dumps(_datasets(study, data), sort_keys=True)}", "schemes:"]
    lines += [f"  {scheme}: {json.dumps(_scheme_line(scheme, of_scheme))}" for scheme, of_scheme in sorted(runs.items())]
    return _HEADER + "\n".join(lines) + "\n"


def register(study_folder: Path, data: Path | None = None, repository: Path = REPOSITORY) -> Path:
    """Writes the registration; committing it is up to the researcher.

    Returns:
        The file.

    Raises:
        RegistrationError: as ``registration_text``.
    """
    path = registration_path(study_folder, repository)
    write_whole(path, registration_text(study_folder, data))
    return path


def check_registered(study_folder: Path, data: Path | None = None, repository: Path = REPOSITORY) -> str:
    """Refuses a study that is not registered as it is now, or whose registration is not committed.

    Args:
        study_folder, data: as in ``registration_text``; give the data that are to be scored.
        repository: where the registration lies.

    Returns:
        SHA-256 of the registration, in hex.

    Raises:
        RegistrationError: the file is missing or says something else, or git's HEAD does not hold it as it is.
    """
    path = registration_path(study_folder, repository)
    command = shlex.join([".venv/bin/python", "-m", "experiments.scoring.register", "--study", str(study_folder)])
    if not path.is_file():
        raise RegistrationError(
            f"expected the study's choices in experiments/studies/{path.name}, found no file; run `{command}` and commit it"
        )
    registered, now = path.read_bytes(), registration_text(study_folder, data)
    if registered.decode("utf-8", errors="replace") != now:
        raise RegistrationError(
            f"expected the study to be what experiments/studies/{path.name} says, found a change in {_change(registered, now)};"
            f" choose on validation patients, then run `{command}` and commit it"
        )
    if committed_bytes(repository, path) != registered:
        raise RegistrationError(
            f"expected experiments/studies/{path.name} in git's HEAD as it is here, found {_not_committed(repository)}"
        )
    return file_digest(path)


def _not_committed(repository: Path) -> str:
    """What to do about it differs: a copy without its history has nothing to commit to."""
    if head_commit(repository) is None:
        return "no commit that git can read there; work in a git clone that `git log` works in, and commit it"
    return "it not committed; commit it first"


def _datasets(study: dict, data: Path | None) -> dict[str, str]:
    """SHA-256 of each site's ``dataset.json``: its cases, what is contoured in them, and their splits."""
    if data is not None:
        return {site: file_digest(dataset.path / "dataset.json") for site, dataset in find_sites(data).items()}
    if not study.get("sites"):
        raise RegistrationError("expected the digests of the datasets under 'sites' in study.yaml, found none; give --data")
    return study["sites"]


def _scheme_line(scheme: str, runs: list[Path]) -> dict:
    """Plan, sites and seeds of one scheme; null for a scheme that is not trained."""
    found = {(plan_digest(read_run_plan(run)), _trained_sites(run)) for run in runs}
    if len(found) > 1:
        raise RegistrationError(
            f"expected one plan and the same sites for all seeds of {scheme}, found {len(found)} that differ in more than their"
            " seeds; train the seeds that are behind again"
        )
    plan, sites = found.pop() if found else (None, ())
    return {"plan": plan, "sites": list(sites), "seeds": [seed_of_folder(run) for run in runs]}


def _trained_sites(run: Path) -> tuple[str, ...]:
    return tuple(sorted(json.loads((run / "config" / "run.json").read_text(encoding="utf-8"))["sites"]))


def _change(registered: bytes, now: str) -> str:
    """The first thing that differs, by its name."""
    lines = set(registered.decode("utf-8", errors="replace").splitlines()) ^ set(now.splitlines())
    return min(line.strip().partition(":")[0] for line in lines) if lines else "the order of lines"
