"""The edge of every command here: what ends it well, with a message, or by a signal."""

import sys
from collections.abc import Callable

from src.errors import OarError

INTERRUPTED = 130


def exit_code_of(command: Callable[[], None]) -> int:
    """Runs a command; a refusal is printed to stderr in its own words, without a traceback.

    Returns:
        0, the error's own exit code, or 130 when it was stopped by Ctrl-C or a signal.
    """
    try:
        command()
    except OarError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt as stopped:
        print(f"{stopped or 'stopped'}; everything it started has ended", file=sys.stderr)
        return INTERRUPTED
    return 0
