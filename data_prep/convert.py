"""``convert``: a planning system's export -> a checked dataset and a report, patient by patient.

Stopped at any moment and started again, it goes on where it was: what is done and has not changed is not done again.
"""

import argparse
import os
from pathlib import Path

from data_prep.conversion.every_patient import ConversionSettings, EveryPatient
from data_prep.conversion.folders import choose_private_folder, was_converted_before
from data_prep.conversion.jobs import start_server
from data_prep.conversion.lock import conversion_lock
from data_prep.conversion.report import write_report
from data_prep.conversion.summary import print_summary
from data_prep.naming.names_file import read_names
from src.data.dataset import check_name
from src.data.dataset_writer import DatasetWriter
from src.data.structures import ANATOMIES
from src.dicom.export import scan_export
from src.error_place import error_place
from src.errors import DatasetError, OarError
from src.pseudonyms.private_files import private_folder
from src.pseudonyms.pseudonym import Pseudonyms, refuse_lost_key

REPORT = "conversion_report.html"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the command's options."""
    parser.add_argument("--input", type=Path, required=True, help="folder of the export; its file names do not matter")
    parser.add_argument("--output", type=Path, required=True, help="folder of the dataset; an earlier one is gone on with")
    parser.add_argument("--site", required=True, help="name of the site: lower-case letters, digits, '_' and '-'")
    parser.add_argument("--anatomy", choices=ANATOMIES, required=True)
    parser.add_argument("--names", type=Path, help="csv with your names: native, tg263 (empty: leave out); see 'names'")
    parser.add_argument("--jobs", type=int, default=_num_cores(), help="patients at a time (default: one a core, %(default)s)")
    parser.add_argument(
        "--allow-frame-mismatch",
        action="store_true",
        help="convert contours whose frame of reference is not the CT's, with a note",
    )
    parser.add_argument(
        "--private",
        type=Path,
        help="folder of the pseudonyms' key and listings, never in the dataset (default: <output>_private)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Converts; 0 when every patient of the export is in the dataset, 1 when some were refused.

    Raises:
        OarError: nothing could be converted. Any other error becomes one too: its text may quote a path or a header.
    """
    try:
        return _convert(arguments)
    except OarError:
        raise
    except OSError as error:
        raise DatasetError(f"{error.strerror or type(error).__name__} {_where(error, arguments)}".rstrip()) from None
    except Exception as error:
        raise DatasetError(f"an error of the converter itself: {error_place(error)}; please report these words") from None


def _convert(arguments: argparse.Namespace) -> int:
    if arguments.jobs < 1:
        raise DatasetError(f"expected --jobs of 1 or more, found {arguments.jobs}")
    check_name("site", arguments.site)
    private = choose_private_folder(arguments.input, arguments.output, arguments.private)
    if was_converted_before(arguments.output, anatomy=arguments.anatomy, site=arguments.site):
        refuse_lost_key(private, arguments.output)
    settings = ConversionSettings(
        anatomy=arguments.anatomy,
        names=read_names(arguments.names),
        allow_frame_mismatch=arguments.allow_frame_mismatch,
        num_jobs=arguments.jobs,
        num_threads=max(1, _num_cores() // arguments.jobs),
    )
    start_server()
    export = scan_export(arguments.input)
    private_folder(private)
    with conversion_lock(private):
        pseudonyms = Pseudonyms(private, site=arguments.site)
        writer = _open_dataset(arguments, pseudonyms)
        outcomes = EveryPatient(export, arguments.input, settings, pseudonyms, writer).convert()
        write_report(arguments.output / REPORT, site=arguments.site, anatomy=arguments.anatomy, outcomes=outcomes)
    print_summary(outcomes, report=f"{arguments.output.name}/{REPORT}")
    return int(any(outcome.status == "refused" for outcome in outcomes))


def _open_dataset(arguments: argparse.Namespace, pseudonyms: Pseudonyms) -> DatasetWriter:
    """The dataset, which remembers of its key no more than whether another one is the same."""
    check = pseudonyms.digest(b"is this the key of the dataset?")[:16]
    provenance = {"command": "convert", "key_check": check}
    writer = DatasetWriter(arguments.output, anatomy=arguments.anatomy, site=arguments.site, provenance=provenance)
    if writer.dataset.provenance.get("key_check", check) != check:
        raise DatasetError(
            f"expected the key that named the cases of '{arguments.output.name}', found another one in "
            f"'{pseudonyms.folder.name}'; name the right folder with --private, or choose another --output"
        )
    return writer


def _where(error: OSError, arguments: argparse.Namespace) -> str:
    """Which folder a file system's error is about: all that may be said of the place."""
    path = Path(os.fsdecode(error.filename)).absolute() if isinstance(error.filename, str | bytes) else None
    for option, folder in (("--input", arguments.input), ("--output", arguments.output)):
        if path and path.is_relative_to(folder.absolute()):
            return f"(in the folder at {option})"
    return ""


def _num_cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
