"""Stacks, masks and fields to draw, and the way back from contours to a mask."""

from pathlib import Path

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from data_prep.rasterise.roi_mask import rasterise
from src.dicom.ct_series import stack_slices
from src.dicom.export import scan_export
from src.dicom.objects import Contour, CTSlice, DicomFile, Grid, Roi, SliceStack
from src.dicom.structure_set import read_structure_set
from src.rtstruct.origin import Origin
from src.rtstruct.slice_contours import SliceContour
from tests.small_export import SmallPatient, write_ct

ORIGIN = Origin(label="Model 1", description="gossip of six sites, fold 0", software_version="0.1.0")


def stack_on(grid: Grid) -> SliceStack:
    """A CT without files, on any grid."""
    x, y, z = grid.direction.T
    slices = tuple(
        CTSlice(
            file=DicomFile(label=f"file_{number:04d}", path=Path("nowhere")),
            sop_uid=f"1.2.3.{number}",
            series_uid="1.2.4",
            study_uid="1.2.5",
            frame_uid="1.2.6",
            image_type=(),
            rows=grid.size[1],
            columns=grid.size[0],
            position_mm=grid.origin_mm + number * grid.spacing_mm[2] * z,
            row_direction=x,
            column_direction=y,
            row_spacing_mm=grid.spacing_mm[1],
            column_spacing_mm=grid.spacing_mm[0],
            transfer_syntax="1.2.840.10008.1.2.1",
        )
        for number in range(grid.size[2])
    )
    return SliceStack(grid=grid, slices=slices)


def ct_of(folder: Path, patient: SmallPatient, **written) -> SliceStack:
    """A CT on disk, read as a conversion reads it."""
    write_ct(folder, patient, **written)
    return stack_slices(scan_export(folder).patients[0].series[0])


def masks_in(path: Path, stack: SliceStack) -> dict[str, np.ndarray]:
    """Name -> (X, Y, Z) bool of an RTSTRUCT, by the code that conversion uses."""
    (header,) = scan_export(path.parent).patients[0].structure_sets
    return {roi.name: rasterise(roi, stack.grid).mask_ZYX.transpose(2, 1, 0) for roi in read_structure_set(header).rois}


def mask_of(contours: list[SliceContour], grid: Grid) -> np.ndarray:
    """(X, Y, Z) bool of contours."""
    drawn = tuple(Contour(points_mm=contour.points_mm) for contour in contours)
    return rasterise(Roi(number=1, name="", frame_uid="", contours=drawn), grid).mask_ZYX.transpose(2, 1, 0)


def ball(size, centre, radius) -> np.ndarray:
    """(X, Y, Z) float32, above 0 within a ball, in voxels."""
    x, y, z = np.ogrid[tuple(slice(0, side) for side in size)]
    distance = np.sqrt((x - centre[0]) ** 2 + (y - centre[1]) ** 2 + (z - centre[2]) ** 2)
    return (radius - distance).astype(np.float32)


def slice_values(side: int = 9) -> st.SearchStrategy[np.ndarray]:
    """(X, Y) values of a slice: anything from one pixel to noise, with zeros and values near to it; some of them masks."""
    sides = st.integers(1, side)
    near_zero = st.sampled_from([0.0, 1e-30, -1e-30, 1e-7, -1e-7, 1.0, -1.0, 50.0, -50.0])
    return st.tuples(sides, sides).flatmap(lambda shape: arrays(np.float32, shape, elements=near_zero))
