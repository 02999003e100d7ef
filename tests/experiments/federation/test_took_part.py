"""Who took part, read from the files that sites really write."""

from experiments.federation.took_part import participation_text, read_participation
from src.exchange.inbox import RECEIVED, UNREACHABLE
from src.exchange.participation import FILE_NAME, Participation


def test_each_site_says_whom_it_met_and_who_is_missing_since_when(tmp_path):
    workspaces = {site: tmp_path / site for site in ("site_a", "site_b", "site_c")}
    peers = {"site_a": ["site_b", "site_c"], "site_b": ["site_a", "site_c"]}
    for site, others in peers.items():
        path = workspaces[site] / "logs" / site / FILE_NAME
        kept = Participation(site, others, quorum=0, missing_after_s=60, path=path, now_s=lambda: 1_000_000_000)
        kept.note(0, 1, {others[0]: RECEIVED}, [])
        if site == "site_a":
            kept.note("closing", 2, {"site_b": RECEIVED, "site_c": UNREACHABLE}, [])
    found = read_participation(workspaces)
    assert list(found) == ["site_a", "site_b"], "site_c never came as far as an exchange"
    _, first, second = participation_text(found).splitlines()
    assert first == "  site_a: 3, 2, 2; site_c missing since 2001-09-09T01:46:40+00:00"
    assert second == "  site_b: 3, 2, 2; site_c never heard of"
    assert participation_text({}) == ""
