"""Who can meet whom, and which tables are refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.errors import PlanSettingError
from src.exchange.reachability import (
    REACHABILITIES,
    brings_to,
    brought_by,
    can_meet,
    check_connected,
    components,
    kind_of,
    meeting_peers,
    transport_between,
)

KINDS = st.sampled_from(REACHABILITIES)
NAMES = st.lists(st.sampled_from("abcdefgh"), min_size=1, unique=True)


@st.composite
def tables(draw):
    """A roster, and a table that names some of it."""
    names = draw(NAMES)
    return names, {name: draw(KINDS) for name in names if draw(st.booleans())}


@pytest.mark.parametrize(
    ("first", "second", "without", "mounted"),
    [
        ("direct", "direct", "grpc", "grpc"),
        ("direct", "outbound", "grpc", "grpc"),
        ("outbound", "outbound", None, "folder"),
        ("direct", "folder", None, "folder"),
        ("outbound", "folder", None, "folder"),
        ("folder", "folder", "folder", "folder"),
    ],
)
def test_what_two_kinds_of_sites_meet_over(first, second, without, mounted):
    for one, other in ((first, second), (second, first)):
        assert transport_between(one, other) == without
        assert transport_between(one, other, folder=True) == mounted
        assert can_meet(one, other) == (without is not None)


@given(tables(), st.booleans())
def test_meeting_is_mutual_and_who_brings_is_who_may(given_table, folder):
    names, table = given_table
    for site in names:
        peers = meeting_peers(names, table, site, folder=folder)
        assert site not in peers
        assert all(site in meeting_peers(names, table, peer, folder=folder) for peer in peers)
        taken = brings_to(names, table, site, folder=folder)
        assert set(taken) <= set(peers), "what cannot be met is not called"
        assert all(site in brought_by(names, table, peer) for peer in taken)
        assert not taken or kind_of(table, site) == "outbound"


@given(tables(), st.booleans())
def test_components_are_the_roster_in_parts_that_do_not_meet(given_table, folder):
    names, table = given_table
    groups = components(names, table, folder=folder)
    assert sorted(name for group in groups for name in group) == sorted(names)
    of = {name: group for group in groups for name in group}
    assert all(of[peer] is of[site] for site in names for peer in meeting_peers(names, table, site, folder=folder))
    if len(groups) > 1:
        with pytest.raises(PlanSettingError, match="never meet"):
            check_connected(names, table, folder=folder)
    else:
        check_connected(names, table, folder=folder)


def test_two_outbound_sites_alone_are_refused_by_name():
    with pytest.raises(PlanSettingError, match=r"never meet: site_a \(outbound\); site_b \(outbound\)\. Outbound sites need"):
        check_connected(["site_a", "site_b"], {"site_a": "outbound", "site_b": "outbound"})


def test_a_folder_site_among_others_needs_the_folder_at_all_sites():
    table = {"site_c": "folder"}
    with pytest.raises(PlanSettingError, match=r"site_c \(folder\).*exchange\.folder: true"):
        check_connected(["site_a", "site_b", "site_c"], table)
    check_connected(["site_a", "site_b", "site_c"], table, folder=True)
    check_connected(["site_a", "site_b"], dict.fromkeys(["site_a", "site_b"], "folder"))


def test_an_empty_table_means_that_all_are_direct():
    check_connected(["site_a", "site_b", "site_c"], {})
    assert meeting_peers(["site_b", "site_a", "site_c"], {}, "site_a") == ("site_b", "site_c")


@pytest.mark.parametrize(
    ("table", "fault"),
    [
        ({"site_x": "direct"}, r"expected sites of the roster \(site_a, site_b\), found site_x"),
        ({"site_a": "vpn"}, r"reachability\.site_a: expected one of direct, outbound, folder, found 'vpn'"),
        ({"site_a": ["outbound"]}, r"reachability\.site_a: expected one of"),
        (["outbound"], r"expected 'site: kind' lines"),
    ],
)
def test_an_impossible_table_is_refused(table, fault):
    with pytest.raises(PlanSettingError, match=fault):
        check_connected(["site_a", "site_b"], table)
