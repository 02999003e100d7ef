"""Runs several fx commands in one interpreter and the current workspace.

OpenFL takes two seconds to import and a tenth of one to sign a certificate, so a command each would be mostly waiting.
Called as ``python fx_batch.py '[["workspace", "certify"], ...]'``.
"""

import json
import sys
from pathlib import Path

# As fx does: the workspace comes first, and nothing of the repository is importable.
sys.path[0] = str(Path.cwd())

from openfl.interface import aggregator, collaborator, workspace  # noqa: E402 - after the path is set
from openfl.interface.cli import cli  # noqa: E402


def main(commands: list[list[str]]) -> None:
    """Runs fx command lines one after another; the first that fails ends all with its error."""
    for group in (aggregator.aggregator, collaborator.collaborator, workspace.workspace):
        cli.add_command(group)
    for command in commands:
        print("fx", *command, flush=True)
        cli.main(command, standalone_mode=False)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
