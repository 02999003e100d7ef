"""Saves a checkpoint again and again, each time in a process that SIGKILL ends one line later; for ``test_checkpoint``.

Called with a folder that holds ``before``, a checkpoint folder. Leaves a copy of it for each moment, as the kill left it,
named by the number of lines that ran; the last is of a process that came to its end.
"""

import itertools
import os
import shutil
import signal
import sys
from pathlib import Path

import torch

from src.exchange import checkpoint

STATE = {"weight": torch.arange(4000.0), "steps": torch.tensor(7)}


def kill_after(lines: int) -> None:
    """Ends this process just before it runs another line of ``checkpoint`` than so many."""
    left = itertools.count(lines, -1)

    def trace(frame, event, _):
        if frame.f_code.co_filename != checkpoint.__file__:
            return None
        if event == "line" and next(left) == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return trace

    sys.settrace(trace)


def main(folder: Path) -> None:
    """Kills at every line there is."""
    for lines in itertools.count():
        room = shutil.copytree(folder / "before", folder / f"{lines:03d}")
        child = os.fork()
        if child == 0:
            checkpoints = checkpoint.Checkpoints(room)
            kill_after(lines)
            checkpoints.save(STATE, {"round": 3})
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status):
            sys.exit(os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
