"""Outcomes of conversions that never were, for whatever shows outcomes to people."""

import base64
import zlib

from data_prep.conversion.outcome import CaseOutcome, RoiOutcome

HOSTILE_NAMES = (
    "<script>alert(1)</script>",
    "\"quoted\", 'single' & </td></table><img src=x onerror=alert(2)>",
    "{{ site }}{% raw %}",
    "[bold red]rich[/bold red] [link=http://x]y[/link]",
    "line\nbreak\x1b[2J\x00 and ‮right to left",
    "half a pair \ud800",
    "]]><!-- <details open>",
    "=HYPERLINK(1)",
    "x" * 5000,
)
# Any bytes will do: a report never looks into a picture.
PICTURE = base64.b64encode(b"\x89PNG" + bytes(range(64))).decode()


def roi(native="Parotis li", structure="Parotid_L", decision="converted", why="A synonym.", **rest) -> RoiOutcome:
    volume = {"volume_cm3": 28.25} if decision == "converted" else {}
    return RoiOutcome(native=native, structure=structure, decision=decision, why=why, **(volume | rest))


def converted(number: int, *rois: RoiOutcome, warnings=(), picture=PICTURE) -> CaseOutcome:
    return CaseOutcome(
        case=f"north_{number:03d}",
        status="converted",
        found=(f"CT series_1: {number} slices of 512 × 512",),
        rois=rois or (roi(),),
        warnings=tuple(warnings),
        size=(512, 512, 111),
        spacing_mm=(0.9766, 0.9766, 3.0),
        picture_png_base64=picture,
    )


def refused(number: int, *refusals: str, rois=()) -> CaseOutcome:
    return CaseOutcome(case=f"north_{number:03d}", status="refused", refusals=refusals or ("no CT",), rois=tuple(rois))


def many(count: int) -> list[CaseOutcome]:
    """Patients of every kind, the same ones each time."""
    structures = ("Parotid_L", "Parotid_R", "Brainstem", "SpinalCord")
    outcomes = []
    for number in range(count):
        kind = zlib.crc32(str(number).encode())
        rois = [roi(name, name, volume_cm3=10.0 + number) for name in structures[: 1 + kind % 4]]
        rois += [roi("PTV", None, "left out", "A planning structure.")]
        rois += [roi("Schluckmuskel", None, "undecided", "Nobody knows it.")] * (kind % 3 == 0)
        rois += [roi("Larynx", "Larynx", "refused", f"It has contours on {number} slices without CT.")] * (kind % 5 == 0)
        warnings = [f"Parotid_L: {number} cm³ is above 50 cm³"] * (kind % 7 == 0)
        refusals = (f"file_{number:04d} is cut off",)
        outcomes.append(refused(number, *refusals) if kind % 11 == 0 else converted(number, *rois, warnings=warnings))
    return outcomes
