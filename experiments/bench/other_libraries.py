"""An environment of their own for libraries that cannot live beside ours; made at first use, below ``runs/``."""

import subprocess
import sys
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from experiments.federation.template import REPOSITORY

REQUIREMENTS = Path(__file__).with_suffix(".txt")
ENVIRONMENT = REPOSITORY / "runs" / "bench_libraries"
_LONGEST_S = 600


@dataclass(frozen=True)
class Libraries:
    """What came of installing them.

    Attributes:
        python: the interpreter that has them; None when they cannot be installed.
        fault: why not, in one line; "" when they are there.
    """

    python: Path | None
    fault: str = ""


def install(folder: Path = ENVIRONMENT, requirements: Path = REQUIREMENTS) -> Libraries:
    """Makes the environment, or finds the one that was made of the same requirements.

    Args:
        folder: of the environment.
        requirements: with pinned versions.
    """
    stamp, python = folder / ".installed", folder / "bin" / "python"
    # Written last, so that an interrupted installation is made again; of another Python it would not run.
    wanted = f"{sha256(requirements.read_bytes()).hexdigest()} {sys.version_info[:2]}"
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted:
        return Libraries(python)
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--disable-pip-version-check"]
    try:
        for command in ([sys.executable, "-m", "venv", "--clear", "--without-pip", folder], [*pip, "-r", requirements]):
            subprocess.run(command, check=True, capture_output=True, text=True, timeout=_LONGEST_S)
    except subprocess.TimeoutExpired:
        return Libraries(None, f"not installed within {_LONGEST_S} s")
    except subprocess.CalledProcessError as error:
        return Libraries(None, f"not installed: {(error.stderr.strip() or 'pip failed').splitlines()[-1]}")
    stamp.write_text(wanted, encoding="utf-8")
    return Libraries(python)
