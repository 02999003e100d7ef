"""Structures are proposed where enough cases have them, in the order of plan/structures.yaml."""

from data_prep.agreement.reading import read_fingerprints
from data_prep.agreement.structures import propose_structures, structure_rows, structure_warnings
from tests.data_prep.agreement.sites import fingerprint, write


def sites(folder) -> list:
    north = fingerprint("north", structures={"Parotid_L": (20, 0), "Brainstem": (18, 30), "Larynx": ("<5", 0)})
    south = fingerprint("south", structures={"Brainstem": (7, 30), "Larynx": ("<5", 0), "Lips": (0, 0)})
    return read_fingerprints(write(folder, north, south))


def test_proposals_by_number_of_sites(tmp_path):
    assert propose_structures(sites(tmp_path), min_sites=1) == ["Brainstem", "Parotid_L"]
    assert propose_structures(sites(tmp_path), min_sites=2) == ["Brainstem"]


def test_rows_tell_small_counts_as_such_and_leave_them_out_of_sums(tmp_path):
    assert structure_rows(sites(tmp_path)) == [
        ("Brainstem", "18", "7", "2", "25"),
        ("Parotid_L", "20", "", "1", "20"),
        ("Larynx", "<5", "<5", "0", "0"),
    ]


def test_a_structure_of_one_site_is_a_warning(tmp_path):
    (warning,) = structure_warnings(sites(tmp_path), ["Brainstem", "Parotid_L"])
    assert warning.startswith("Parotid_L is contoured at north alone")
    assert structure_warnings(sites(tmp_path)[:1], ["Brainstem", "Parotid_L"]) == []
