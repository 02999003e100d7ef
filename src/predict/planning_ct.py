"""A CT to draw on, and one that is not read yet."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field

import SimpleITK as sitk

from src.data.preprocessing import GridGeometry
from src.dicom.objects import SliceStack


@dataclass(frozen=True, kw_only=True, eq=False)
class PlanningCT:
    """A CT to draw on.

    Attributes:
        label: what it is called; says nothing of a patient.
        image: int16 HU on its own grid.
        stack: the slices it was read from; None where it was no DICOM. Holds a patient's identifiers.
        notes: what a person should know of it, in plain words.
    """

    label: str
    image: sitk.Image = field(repr=False)
    stack: SliceStack | None = field(default=None, repr=False)
    notes: tuple[str, ...] = ()

    @property
    def native(self) -> GridGeometry:
        """Where its own grid lies."""
        return GridGeometry.of(self.image)

    def sha256(self) -> str:
        """Of its grid and voxels, in hex: another CT under the same label has another one."""
        digest = hashlib.sha256(repr(self.native).encode())
        digest.update(sitk.GetArrayViewFromImage(self.image).tobytes())
        return digest.hexdigest()


@dataclass(frozen=True, kw_only=True, eq=False)
class WaitingCT:
    """A CT that is read when its turn comes.

    Attributes:
        label: as of the ``PlanningCT``.
        read: reads it; raises an ``OarError`` where it cannot be drawn on.
    """

    label: str
    read: Callable[[], PlanningCT] = field(repr=False)
