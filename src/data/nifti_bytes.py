"""Damage in a NIfTI file that SimpleITK hides: half a file reads as zeros, and NaN voxels read as 0.

Both happen in the NIfTI library below it, without an error. So the bytes are looked at once more, straight from the file.

Source: the NIfTI-1 and NIfTI-2 header layouts, https://nifti.nimh.nih.gov.
"""

import gzip
import struct
import zlib
from math import prod
from pathlib import Path

import numpy as np

FLOATS = {16: "f4", 32: "f4", 64: "f8", 1792: "f8"}  # datatype code -> float it is made of; complex ones are pairs
CHUNK_BYTES = 1 << 24


def find_damage(path: Path) -> str | None:
    """What is wrong with the bytes of a ``.nii`` or ``.nii.gz`` file, in words that follow its name, or None.

    Looks for: no NIfTI header, fewer voxels than the header promises, a broken gzip stream, NaN or infinite voxels.
    """
    try:
        with gzip.open(path, "rb") if path.name.endswith(".gz") else path.open("rb") as file:
            layout = _read_layout(file.read(540))
            if layout is None:
                return "is not a NIfTI file"
            voxel_offset, num_bytes, number = layout
            file.seek(voxel_offset)
            while num_bytes > 0:
                chunk = file.read(min(CHUNK_BYTES, num_bytes))
                if not chunk:
                    return "is cut off: it holds fewer voxels than its header says"
                num_bytes -= len(chunk)
                if number and not np.isfinite(np.frombuffer(chunk[: len(chunk) - len(chunk) % number.itemsize], number)).all():
                    return "holds NaN or infinite voxels"
            file.read()  # to the end: gzip then compares its checksum
    except (gzip.BadGzipFile, EOFError, zlib.error):
        return "is cut off or damaged"
    except (ValueError, OverflowError):  # a header of numbers that cannot be
        return "is not a NIfTI file"
    return None


def _read_layout(header: bytes) -> tuple[int, int, np.dtype | None] | None:
    """Offset of the voxels, their size in bytes, and their float type with byte order (None for integers); None: no NIfTI."""
    for order in "<>":
        size = struct.unpack(f"{order}i", header[:4])[0] if len(header) >= 348 else 0
        if size == 348:
            dim = struct.unpack(f"{order}8h", header[40:56])
            code, bits = struct.unpack(f"{order}2h", header[70:74])
            offset = int(struct.unpack(f"{order}f", header[108:112])[0])
        elif size == 540 and len(header) >= 540:
            code, bits = struct.unpack(f"{order}2h", header[12:16])
            dim = struct.unpack(f"{order}8q", header[16:80])
            offset = struct.unpack(f"{order}q", header[168:176])[0]
        else:
            continue
        num_voxels = prod(max(1, length) for length in dim[1 : 1 + max(0, dim[0])])
        return offset, num_voxels * bits // 8, np.dtype(f"{order}{FLOATS[code]}") if code in FLOATS else None
    return None
