"""``python -m src.predict``: draws organs at risk on planning CTs; ``optimise`` and ``export`` are commands below it."""

import sys
from collections.abc import Sequence
from importlib import import_module

from src.process_edge import process_edge

# First word -> module with main(arguments), imported when it is asked for: each needs libraries of its own.
COMMANDS = {"optimise": "src.predict.optimise.command", "export": "src.predict.export.command"}
PREDICT = "src.predict.command"
STOPPED = 11  # as of ``src.errors.Stopped``


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command that the first word names, or predicts.

    Returns:
        The exit code.
    """
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    named = COMMANDS.get(arguments[0]) if arguments else None
    with process_edge():
        try:
            return import_module(named or PREDICT).main(arguments[1:] if named else arguments)
        except KeyboardInterrupt:
            print("stopped; what is done stays, and the same command goes on with the rest", file=sys.stderr, flush=True)
            return STOPPED


if __name__ == "__main__":
    raise SystemExit(main())
