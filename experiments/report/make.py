"""From a study folder to its report: score what has no scores, collect, draw, write."""

from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from experiments.report.doc_figures import write_figures
from experiments.report.page import render_report
from experiments.report.worst_case_pictures import picture_worst_cases
from experiments.results import collect, write_results
from experiments.results.evidence import NUM_RESAMPLES
from experiments.scoring import score_study
from experiments.scoring.registration import registration_text
from experiments.scoring.registration_error import RegistrationError
from experiments.study_folder import read_study
from experiments.whole_text import write_whole
from src.errors import DatasetError


@dataclass(frozen=True, kw_only=True)
class ReportSettings:
    """What to report on.

    Attributes:
        study: a study folder of ``make compare``.
        data: folder with one dataset per site; None takes what study.yaml says, if it is there.
        final: score and show the test patients; the study must be registered, and the look is logged.
        figures: folder for the main figures as files; None writes none.
        processes: runs scored at a time.
        command: that is shown in the report.
        num_resamples: of each interval.
    """

    study: Path
    data: Path | None = None
    final: bool = False
    figures: Path | None = None
    processes: int = 1
    command: str = ""
    num_resamples: int = NUM_RESAMPLES


def make_report(settings: ReportSettings, console: Console | None = None) -> Path:
    """Writes ``report_valid`` or ``report_test`` in the study folder: ``report.html`` and ``results.json``.

    Without a data folder the validation scores that are there are shown, and the pictures are left out.

    Args:
        settings: what to report on.
        console: for what there is to say on the way.

    Returns:
        The HTML file.

    Raises:
        StudyFolderError: the folder is no study's.
        RegistrationError: the test patients are not to be scored now.
        DatasetError: the test patients are to be scored and there are no data.
        ScoreTableError: nothing was scored.
    """
    console, split = console or Console(), "test" if settings.final else "valid"
    data = _find_data(settings, console)
    if data is not None:
        score_study(settings.study, data, split, settings.final, num_processes=settings.processes, console=console)
    results = collect(settings.study, data, split, num_resamples=settings.num_resamples)
    pictures = None if data is None else picture_worst_cases(results, settings.study, data)
    html = render_report(results, command=settings.command, registration=_registration(settings.study, data), pictures=pictures)
    folder = settings.study / f"report_{split}"
    write_results(results, folder / "results.json")
    write_whole(folder / "report.html", html)
    if settings.figures is not None:
        for path in write_figures(results, settings.figures):
            console.print(f"figure: {path}", highlight=False)
    return folder / "report.html"


def _find_data(settings: ReportSettings, console: Console) -> Path | None:
    if settings.data is not None:
        return settings.data
    recorded = read_study(settings.study).get("data")
    if recorded and Path(recorded).is_dir():
        return Path(recorded)
    if settings.final:
        raise DatasetError(
            f"expected the study's data at '{recorded or 'nowhere'}' (as study.yaml says), found no folder; give --data (DATA=)"
        )
    console.print("note: the study's data are not where study.yaml says; showing the scores that are there, without pictures")
    return None


def _registration(study: Path, data: Path | None) -> str:
    try:
        return registration_text(study, data)
    except RegistrationError as error:
        return f"none: {error}"
