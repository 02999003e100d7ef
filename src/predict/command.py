"""``python -m src.predict``: draws organs at risk on planning CTs with one model, the mean of several, or the advised ones.

Writes a folder for each CT: rtstruct.dcm, a NIfTI mask for each structure, and prediction.json with volumes, warnings and the
models' cards. What is there already is not made again, so a run that was stopped goes on. Not a medical device.
"""

import argparse
import warnings
from collections.abc import Sequence
from pathlib import Path

import SimpleITK as sitk
from rich.console import Console

from src.error_place import error_place
from src.errors import DatasetError, ModelCardError, OarError, PlanSettingError
from src.machine_fault import machine_fault
from src.model.precision import PRECISIONS
from src.predict.advice import read_advice
from src.predict.choice import Choice, choose_all
from src.predict.every_patient import Job, Outcome, failed
from src.predict.inputs import Source, choose_cts, find_source
from src.predict.open_model import OpenedModel, open_model
from src.predict.predict_patient import NIFTI, RTSTRUCT
from src.predict.prediction_file import PredictionSettings
from src.predict.study_models import StudyModels, choose_advised
from src.predict.summary import print_summary
from src.pseudonyms.folders import check_apart, private_folder_beside

_PLAIN_WIDTH = 160  # columns; a file has none of its own
_EXIT_CODES = "exit code: 0 every CT is drawn on, 1 some failed or all was refused, 2 a mistyped command"


def main(arguments: Sequence[str] | None = None) -> int:
    """Predicts; 0 when every CT was drawn on, 1 when some failed.

    Raises:
        OarError: nothing could be done. Any other error becomes one too: its text may quote a path or a header.
    """
    given = _parser().parse_args(arguments)
    # Libraries warn with paths and header values.
    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    warnings.simplefilter("ignore")
    try:
        return int(any(failed(_predict(given))))
    except OarError:
        raise
    except Exception as error:
        if fault := machine_fault(error):
            raise fault from None
        if isinstance(error, OSError):
            raise DatasetError(f"{error.strerror or type(error).__name__} (in the folders of --input or --output)") from None
        raise DatasetError(f"an error of the prediction itself: {error_place(error)}; please report these words") from None


def _predict(given: argparse.Namespace) -> list[Outcome]:
    _check(given)
    console = Console()
    console = console if console.is_terminal else Console(width=_PLAIN_WIDTH, color_system=None)
    source = find_source(given.input)
    private = private_folder_beside(given.output, given.private)
    folders = {"--input": given.input, "--output": given.output, "--private": private}
    check_apart({option: folder for option, folder in folders.items() if option != "--input" or folder.is_dir()})
    settings = PredictionSettings(overlap=given.overlap, precision=given.precision, formats=_formats(given.format, source))
    choice = _choice(given)
    for model in choice.models:
        source.check_anatomy(model.card.anatomy)
    found = choose_cts(source.find_cts(private, given.series), given.only)
    job = Job(choice=choice, settings=settings, output=given.output, overwrite=given.overwrite)
    outcomes = job.run(found, console)
    print_summary(console, outcomes, f"{private.name}/pseudonyms.csv" if source.kind != "dataset" else "")
    return outcomes


def _choice(given: argparse.Namespace) -> Choice:
    def open_one(path: Path) -> OpenedModel:
        return open_model(path, overlap=given.overlap, precision=given.precision)

    if given.advice:
        advice = read_advice(given.advice, given.site)
        return choose_advised(advice, StudyModels.find(given.study, given.site), given.structures, open_one)
    return choose_all([open_one(path) for path in given.model], given.structures)


def _formats(wanted: str | None, source: Source) -> tuple[str, ...]:
    if wanted is None:
        return (RTSTRUCT, NIFTI) if source.kind == "dicom" else (NIFTI,)
    formats = tuple(dict.fromkeys(part.strip() for part in wanted.split(",")))
    if unknown := [name for name in formats if name not in (RTSTRUCT, NIFTI)]:
        raise PlanSettingError(f"expected --format of {RTSTRUCT}, {NIFTI} or both with a comma, found '{unknown[0]}'")
    if RTSTRUCT in formats and source.kind != "dicom":
        raise PlanSettingError(f"expected a DICOM export for --format {RTSTRUCT}, found other files; it refers to DICOM")
    return formats


def _check(given: argparse.Namespace) -> None:
    if not 0 <= given.overlap < 1:
        raise PlanSettingError(f"expected --overlap from 0 to below 1, found {given.overlap:g}")
    if bool(given.model) == bool(given.advice):
        raise ModelCardError("expected either --model or --advice, found both or neither; see --help")
    if bool(given.advice) != bool(given.study) or bool(given.advice) != bool(given.site):
        raise ModelCardError("expected --advice, --study and --site together, found not all of them; see --help")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m src.predict",
        description=__doc__,
        epilog=_EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--input", type=Path, required=True, help="DICOM export, NIfTI file or folder of them, or a dataset")
    parser.add_argument("--output", type=Path, required=True, help="a folder for each CT is made in it")
    parser.add_argument(
        "--model", type=Path, nargs="+", action="extend", default=[], help="model; of several the mean of their probabilities"
    )
    advised = parser.add_argument_group("instead of --model: for each structure the model that a study's report advises")
    advised.add_argument("--advice", type=Path, metavar="RESULTS_JSON", help="results.json of `make report`")
    advised.add_argument("--study", type=Path, help="folder of `make compare`, for its models")
    advised.add_argument("--site", help="whose patients these are, as the study calls the site")
    what = parser.add_argument_group("what is drawn")
    what.add_argument("--structures", nargs="+", default=[], metavar="NAME", help="TG-263 names (default: all trained)")
    what.add_argument("--only", nargs="+", default=[], metavar="LABEL", help="these CTs alone")
    what.add_argument("--series", help="of patients with several CT series: 'all', or one such as series_2")
    how = parser.add_argument_group("how")
    how.add_argument("--format", help="rtstruct, nifti or both with a comma (default: both for DICOM, else nifti)")
    how.add_argument("--overlap", type=float, default=0.25, help="share of a window that is repeated (default %(default)s)")
    how.add_argument("--precision", choices=PRECISIONS, default="auto", help="of the network (default %(default)s)")
    how.add_argument("--overwrite", action="store_true", help="replace what other models, settings or another CT made")
    how.add_argument("--private", type=Path, help="folder of who is who, never in the output (default: <output>_private)")
    return parser
