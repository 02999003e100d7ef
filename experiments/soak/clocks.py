"""The environment of a site whose clock is off."""

import shutil
import subprocess
from pathlib import Path

_FOLDER = Path(__file__).with_name("site_environment")


def compile_clock(folder: Path) -> Path | None:
    """Makes the library that shifts the C library's clock; None on a machine without a C compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        return None
    library = folder / "clock.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-o", str(library), str(_FOLDER / "clock.c")], check=True)
    return library


def clock_environment(off_s: int, library: Path | None) -> dict[str, str]:
    """The variables that make a process' clock wrong by so many seconds; none when it is right.

    Args:
        library: of ``compile_clock``; without it Python's clock alone is wrong, and certificates are judged by the right one.
    """
    if not off_s:
        return {}
    preload = {} if library is None else {"LD_PRELOAD": str(library.resolve())}
    return {"PYTHONPATH": str(_FOLDER), "SOAK_CLOCK_OFF_S": str(off_s), **preload}
