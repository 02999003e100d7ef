"""The challenge's sparse text files: one voxel a line, named by its flat index into a grid of 128×128×128 voxels.

A mask is a list of indices (``515997,``), a CT one of indices and values (``515997,997.0``); the first line names the columns.
"""

import warnings
from pathlib import Path

import numpy as np

from src.errors import CaseError

GRID_SIZE = 128
# Every voxel with the longest value takes 2,097,152 lines of about 24 bytes; a longer file cannot be one of these.
MAX_BYTES = 64 * 2**20


def read_indices(case: str, path: Path) -> np.ndarray:
    """The voxels of a mask.

    Args:
        case: the case's pseudonym, for messages.
        path: the file.

    Returns:
        Flat indices (count,), int64, each once; none for a file without lines.

    Raises:
        CaseError: no such file, no text of this form, an index beyond the grid or twice.
    """
    return _as_indices(case, path, _read_columns(case, path, 1)[:, 0])


def read_values(case: str, path: Path) -> tuple[np.ndarray, np.ndarray]:
    """The voxels of an image that are not 0, and their values.

    Args:
        case: the case's pseudonym, for messages.
        path: the file.

    Returns:
        Flat indices (count,), int64, each once; values (count,), float64, finite.

    Raises:
        CaseError: as ``read_indices``; a value that is not a finite number.
    """
    columns = _read_columns(case, path, 2)
    if not np.isfinite(columns[:, 1]).all():
        raise CaseError(case, f"expected numbers in {path.name}, found NaN or infinite ones; clone the repository again")
    return _as_indices(case, path, columns[:, 0]), columns[:, 1]


def read_spacing(case: str, path: Path) -> tuple[float, float, float]:
    """The size of a voxel (x, y, z) in mm, from the patient's ``voxel_dimensions.csv``: three lines, one number each.

    Raises:
        CaseError: no such file, or not three numbers above 0.
    """
    columns = _read_columns(case, path, 1, num_header_lines=0)[:, 0]
    if len(columns) != 3 or not (np.isfinite(columns) & (columns > 0)).all():
        raise CaseError(case, f"expected three sizes above 0 mm in {path.name}, found others; clone the repository again")
    return tuple(float(size) for size in columns)


def _read_columns(case: str, path: Path, num_columns: int, *, num_header_lines: int = 1) -> np.ndarray:
    if not path.is_file():
        raise CaseError(case, f"expected {path.parent.name}/{path.name}, found none; clone the whole repository")
    if path.stat().st_size > MAX_BYTES:
        raise CaseError(case, f"expected at most {MAX_BYTES} bytes in {path.name}, found more; clone the repository again")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # a structure without voxels is no reason to warn
            return np.loadtxt(
                path,
                delimiter=",",
                skiprows=num_header_lines,
                usecols=range(num_columns),
                comments=None,
                ndmin=2,
                encoding="utf-8",
            ).reshape(-1, num_columns)
    except ValueError as error:
        raise CaseError(
            case,
            f"{path.name} is not one of the challenge's sparse text files; clone the repository again, with git-lfs if it asks",
        ) from error


def _as_indices(case: str, path: Path, numbers: np.ndarray) -> np.ndarray:
    in_grid = (numbers >= 0) & (numbers < GRID_SIZE**3) & (numbers == np.floor(numbers))
    if not in_grid.all() or len(np.unique(numbers)) != len(numbers):
        raise CaseError(
            case,
            f"expected voxels of a {GRID_SIZE}×{GRID_SIZE}×{GRID_SIZE} grid in {path.name}, each once, found others; "
            "clone the repository again",
        )
    return numbers.astype(np.int64)
