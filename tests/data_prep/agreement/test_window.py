"""One window for all: what the contoured structures need, within the bounds of the tissue; offsets are noticed."""

import pytest

from data_prep.agreement.reading import read_fingerprints
from data_prep.agreement.window import explain_window, hu_warnings, propose_window_hu
from tests.data_prep.agreement.sites import fingerprint, write


@pytest.mark.parametrize(
    ("contoured", "tissue", "expected"),
    [
        ((-492, 40, 1146), "soft", (-200, 300)),
        ((-492, 40, 1146), "bone", (-200, 1150)),
        ((-492, 40, 1146), "all", (-500, 1150)),
        ((-103, 60, 212), "soft", (-110, 220)),  # outwards to tens
        ((-1024, 40, 3071), "all", (-1000, 2000)),
        ((-980, -850, -500), "soft", None),  # lungs alone have no soft-tissue window
    ],
)
def test_proposals(contoured, tissue, expected, tmp_path):
    assert propose_window_hu(read_fingerprints(write(tmp_path, fingerprint("north", contoured=contoured))), tissue) == expected


def test_sites_count_by_their_cases(tmp_path):
    made = fingerprint("north", train=30, contoured=(-100, 0, 200)), fingerprint("south", train=10, contoured=(-140, 0, 240))
    sites = read_fingerprints(write(tmp_path, *made))
    assert propose_window_hu(sites, "soft") == (-110, 210)
    assert "between -110 and 210 HU" in explain_window(sites, "soft")[0]


def test_nobody_tells_their_hu(tmp_path):
    silent = fingerprint("north", train="<5", hu={"contoured": None, "body": None})
    assert propose_window_hu(read_fingerprints(write(tmp_path, silent)), "soft") is None


@pytest.mark.parametrize(("name", "difference", "warned"), [("Liver", 30, 0), ("Liver", 31, 1), ("Bone_Mandible", 200, 0)])
def test_an_offset_between_two_sites(name, difference, warned, tmp_path):
    """Soft organs alone: bone, and what holds air, differ by voxel size and habit."""
    sites = [fingerprint(site, structures={name: (9, hu)}) for site, hu in (("north", 60), ("south", 60 + difference))]
    found = hu_warnings(read_fingerprints(write(tmp_path, *sites)))
    assert len(found) == warned
    assert all("60 HU at north and 91 HU at south" in warning for warning in found)
