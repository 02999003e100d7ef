"""``python -m data_prep <command>``: the one entry to everything that makes or checks a dataset."""

import argparse
import sys
from importlib import import_module

from src.errors import OarError

COMMANDS = {
    "convert": ("data_prep.convert", "a planning system's export (DICOM CT and RTSTRUCT) -> a dataset and a report"),
    "names": ("data_prep.names", "every ROI name of an export with its TG-263 name, ready to edit as names.csv"),
    "import-nifti": ("data_prep.import_nifti", "CTs and contours in NIfTI files -> one dataset per site"),
    "openkbp": ("data_prep.openkbp.command", "the public OpenKBP repository -> the study's six sites, voxel for voxel"),
    "phantom": ("data_prep.phantom.command", "random but plausible patients, for demo and tests"),
    "check": ("data_prep.check", "look for what would spoil a training; exit 1 when something is refused"),
    "split": ("data_prep.split", "assign every case to training, validation or test, once"),
    "pool": ("data_prep.pool", "all cases of several datasets in one: the pooled baseline"),
    "fingerprint": ("data_prep.fingerprint", "what a site may tell the others: spacing, HU and counts, no voxels"),
    "agree": ("data_prep.agree", "several sites' fingerprints -> one spacing and window for the plan"),
    "ship": ("data_prep.ship", "puts data_prep into an archive of 'fx workspace export', which leaves it out"),
}


def main(argv: list[str] | None = None) -> int:
    """Runs one command.

    Args:
        argv: the arguments after ``python -m data_prep``; those of the process when None.

    Returns:
        The exit code: 0, or that of the error, whose message is on stderr.
    """
    argv = sys.argv[1:] if argv is None else argv
    parser = argparse.ArgumentParser(prog="python -m data_prep", description=__doc__.splitlines()[0])
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="command")
    for name, (_, summary) in COMMANDS.items():
        subparsers.add_parser(name, help=summary, description=summary)
    chosen = argv[0] if argv else None
    if chosen in COMMANDS:  # only the chosen command is imported, so that '--help' is instant
        command = import_module(COMMANDS[chosen][0])
        command.add_arguments(subparsers.choices[chosen])
    arguments = parser.parse_args(argv)
    try:
        return command.run(arguments)
    except OarError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("stopped; what was written is a valid dataset, and the same command goes on from it", file=sys.stderr)
        return 130
    except OSError as error:  # a full disk, a folder without permission: the file's name, not its path
        name = str(error.filename or "").rpartition("/")[2]
        print(f"error: {error.strerror or error} {f'({name})' if name else ''}".rstrip(), file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
