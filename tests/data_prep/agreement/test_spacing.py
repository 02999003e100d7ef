"""One spacing for all: between what sites have, by cases, readable, and never finer than most of them."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data_prep.agreement.reading import read_fingerprints
from data_prep.agreement.spacing import explain_spacing, propose_spacing_mm, spacing_warnings
from tests.data_prep.agreement.sites import fingerprint, grid, write


def sites_of(folder, *rows: tuple[int, float, float]) -> list:
    """(training cases, x mm, z mm) of each site."""
    made = [fingerprint(f"site_{n}", train=cases, x_mm=x, z_mm=z) for n, (cases, x, z) in enumerate(rows)]
    return read_fingerprints(write(folder, *made))


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([(20, 0.977, 3.0)], (1.0, 1.0, 3.0)),
        ([(20, 1.17, 2.5)], (1.25, 1.25, 2.5)),
        ([(20, 3.906, 2.5)], (4.0, 4.0, 2.5)),
        ([(20, 4.69, 3.27)], (5.0, 5.0, 3.5)),
        ([(60, 1.0, 2.0), (20, 1.25, 5.0)], (1.25, 1.25, 2.0)),  # cases decide, but never finer than most sites have
        ([(20, 1.0, 2.0), (60, 1.25, 5.0)], (1.25, 1.25, 5.0)),
        ([(30, 0.8, 1.0), (31, 0.9, 3.0), (5, 1.4, 5.0)], (1.0, 1.0, 3.0)),
        ([(20, 0.5, 0.1)], (0.5, 0.5, 0.5)),
    ],
)
def test_proposals(rows, expected, tmp_path):
    assert propose_spacing_mm(sites_of(tmp_path, *rows)) == expected


ROWS = st.lists(st.tuples(st.integers(5, 200), st.floats(0.5, 6), st.floats(0.5, 8)), min_size=1, max_size=6)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ROWS, st.integers(2, 5))
def test_laws(tmp_path, rows, factor):
    x, y, z = propose_spacing_mm(sites_of(tmp_path, *rows))
    assert x == y
    assert x % 0.25 == z % 0.5 == 0
    assert x >= np.median([row[1] for row in rows]) - 0.025  # no finer than most sites have
    assert min(row[1] for row in rows) - 0.025 <= x <= max(row[1] for row in rows) + 0.5
    assert min(row[2] for row in rows) - 0.25 <= z <= max(row[2] for row in rows) + 0.25
    more = [(cases * factor, *spacing) for cases, *spacing in rows]
    assert propose_spacing_mm(sites_of(tmp_path, *more)) == (x, y, z)  # only shares of cases count
    assert propose_spacing_mm(sites_of(tmp_path, *rows[::-1])) == (x, y, z)


def test_a_site_of_few_cases_has_no_say(tmp_path):
    few = fingerprint("few", train="<5", spacing_mm=dict.fromkeys("xyz"), size_voxels=dict.fromkeys("xyz"))
    assert propose_spacing_mm(read_fingerprints(write(tmp_path, few))) is None
    assert propose_spacing_mm(read_fingerprints(write(tmp_path, few, fingerprint("north")))) == (1.0, 1.0, 3.0)


def test_the_reason_says_what_it_costs_and_what_others_would_do(tmp_path):
    sites = sites_of(tmp_path, (20, 1.0, 3.0))
    lines = explain_spacing(sites, (1.0, 1.0, 3.0))
    assert "500 x 500 x 300 mm becomes 500 x 500 x 100 voxels, 50.0 MB" in lines[1]
    assert "3.0 times as thick" in lines[2]
    assert len(explain_spacing(sites, (2.0, 2.0, 3.0))) == 2


def test_warnings_only_where_sites_differ_more_than_twofold(tmp_path):
    assert spacing_warnings(sites_of(tmp_path, (20, 1.0, 2.5), (20, 2.0, 5.0))) == []
    x, z = spacing_warnings(sites_of(tmp_path, (20, 1.0, 2.0), (20, 2.5, 5.0)))
    assert "pixel width" in x
    assert "1 mm at site_0, 2.5 mm at site_1" in x
    assert "slice spacing" in z
    one = read_fingerprints(write(tmp_path, fingerprint("north", spacing_mm=dict.fromkeys("xyz", grid(3, 0.5)))))
    assert spacing_warnings(one) == []
