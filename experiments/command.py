"""The edge of every command here: what ends it well, with a message, or by a signal."""

import errno
import sys
from collections.abc import Callable
from pathlib import Path

from src.errors import DiskError, OarError
from src.machine_fault import machine_fault

INTERRUPTED = 130
_NOT_ALLOWED = {errno.EACCES, errno.EPERM}


def exit_code_of(command: Callable[[], None]) -> int:
    """Runs a command; a refusal is printed to stderr in its own words, without a traceback.

    Returns:
        0, the error's own exit code (a disk that is full or refuses has that of ``DiskError``), or 130 when it was stopped by
        Ctrl-C or a signal.
    """
    try:
        command()
    except OarError as error:
        return _say(error)
    except OSError as error:
        refusal = _of_a_disk(error)
        if refusal is None:
            raise
        return _say(refusal)
    except KeyboardInterrupt as stopped:
        print(f"{str(stopped) or 'stopped'}; everything it started has ended", file=sys.stderr)
        return INTERRUPTED
    return 0


def _say(error: OarError) -> int:
    print(f"error: {error}", file=sys.stderr)
    return error.exit_code


def _of_a_disk(error: OSError) -> OarError | None:
    """A disk's refusal in words; None for what may be a mistake of the program instead."""
    if error.errno not in _NOT_ALLOWED or error.filename is None:
        return machine_fault(error)
    return DiskError(
        f"expected to read and write '{Path(str(error.filename))}', found that this user may not ({error.strerror}); make the "
        "file and its folder readable and writable for the user who runs this, or choose another folder, and start again"
    )
