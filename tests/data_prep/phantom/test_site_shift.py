"""Sites are unlike, from the seed alone, and no structure is lost to all of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_prep.phantom.case import ANATOMIES
from data_prep.phantom.site_shift import SiteShift, case_generator, draw_site_shift, split_generator


def shift_of(anatomy: str, seed: int, site: int) -> SiteShift:
    chosen = ANATOMIES[anatomy]
    return draw_site_shift(
        seed, site, structures=chosen.structures, optional=chosen.optional, trimmable=chosen.trimmable, spacing_mm=(3, 3, 3)
    )


@given(st.sampled_from(sorted(ANATOMIES)), st.integers(0, 2**40), st.integers(0, 25))
def test_a_shift_follows_from_seed_and_site(anatomy, seed, site):
    shift = shift_of(anatomy, seed, site)
    assert shift == shift_of(anatomy, seed, site)
    assert shift != shift_of(anatomy, seed, site + 1)
    assert shift != shift_of(anatomy, seed + 1, site)
    assert set(shift.contour_margin_mm) == set(ANATOMIES[anatomy].structures)
    assert max(map(abs, shift.contour_margin_mm.values())) <= 1.3


@given(st.sampled_from(sorted(ANATOMIES)), st.integers(0, 1000))
def test_six_sites_lack_different_structures_and_together_lack_none(anatomy, seed):
    missing = [shift_of(anatomy, seed, site).never_contoured for site in range(6)]
    assert missing[0] == ()
    assert len(set(missing)) == 6
    assert all(2 <= len(names) <= 4 for names in missing[1:])


@pytest.mark.parametrize("anatomy", ANATOMIES)
def test_partners_are_missing_together(anatomy):
    for site in range(1, 8):
        missing = shift_of(anatomy, 3, site).never_contoured
        assert {name[:-2] for name in missing if name.endswith("_L")} == {name[:-2] for name in missing if name.endswith("_R")}


def test_random_streams_of_cases_sites_and_splits_are_apart():
    first_numbers = [case_generator(0, site, case).random() for site in range(3) for case in range(3)]
    first_numbers += [split_generator(0, site).random() for site in range(3)]
    assert len(set(first_numbers)) == len(first_numbers)
