"""A fingerprint that came from elsewhere is read whole or refused with a reason, whatever is in it."""

import copy
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data_prep.agreement.reading import read_fingerprints
from src.errors import DatasetError
from tests.data_prep.agreement.sites import fingerprint, grid, write


def test_sites_come_in_the_order_of_their_names(tmp_path):
    read = read_fingerprints(write(tmp_path, fingerprint("south", train="<5"), fingerprint("north")))
    assert [site.site for site in read] == ["north", "south"]
    assert [site.train_cases for site in read] == [20, None]
    assert read[0].spacing_mm["z"][50.0] == 3.0
    assert read[0].structures["Brainstem"].hu[50.0] == 35


ENDLESS = grid(100) | {"95": 10**400}
REFUSED = {
    "two are of one site": ([fingerprint("north"), fingerprint("north")], "two fingerprints are of site north"),
    "two anatomies": ([fingerprint("north"), fingerprint("south", anatomy="liver")], "head_neck: north; liver: south"),
    "an unknown anatomy": ([fingerprint("north", anatomy="foot")], "expected anatomy"),
    "a newer version": ([fingerprint("north", fingerprint_version=2)], "version 2, this version reads 1"),
    "a path for a name": ([fingerprint("../x")], "expected a site name"),
    "an unknown structure": ([fingerprint("north", structures={"Tail": (9, 0)})], "no fingerprint"),
    "no spacing": ([fingerprint("north", spacing_mm={})], "no fingerprint"),
    "falling percentiles": ([fingerprint("north", spacing_mm=dict.fromkeys("xyz", grid(3, -0.5)))], "no fingerprint"),
    "a negative count": ([fingerprint("north", cases={"train": -1})], "no fingerprint"),
    "a number without end": ([fingerprint("north", size_voxels=dict.fromkeys("xyz", ENDLESS))], "no fingerprint"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_refused(what, tmp_path):
    sites, expected = REFUSED[what]
    paths = []
    for number, site in enumerate(sites):
        path = tmp_path / f"{number}.json"
        path.write_text(json.dumps(site))
        paths.append(path)
    with pytest.raises(DatasetError, match=expected):
        read_fingerprints(paths)


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b" " * 1_000_001])
def test_no_fingerprint_at_all(content, tmp_path):
    path = tmp_path / "north.json"
    path.write_bytes(content)
    with pytest.raises(DatasetError, match=r"north.json"):
        read_fingerprints([path])
    with pytest.raises(DatasetError, match=r"expected the fingerprint south.json, found no such file"):
        read_fingerprints([tmp_path / "south.json"])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


def branches(node, path=()):
    yield path
    if isinstance(node, dict):
        for key in node:
            yield from branches(node[key], (*path, key))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_part_replaced_by_anything_is_read_or_refused(tmp_path, data):
    site = copy.deepcopy(fingerprint("north"))
    path = data.draw(st.sampled_from(sorted(filter(None, branches(site)), key=str)))
    parent = site
    for key in path[:-1]:
        parent = parent[key]
    parent[path[-1]] = data.draw(JSON)
    file = tmp_path / "north.json"
    file.write_text(json.dumps(site))
    try:
        assert read_fingerprints([file])[0].anatomy in ("head_neck", "liver")
    except DatasetError as error:
        assert str(error)
