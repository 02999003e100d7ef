import json

from hypothesis import given
from hypothesis import strategies as st

from experiments.simulation.event_files import keep_events, unreported_bytes


def pulled(peer: str, num_bytes: int) -> dict:
    return {"round": 0, "phase": "exchange", "peer": peer, "received_bytes": num_bytes}


def test_a_line_that_was_cut_off_is_dropped_with_what_is_not_kept(tmp_path):
    path = tmp_path / "metrics.jsonl"
    lines = [json.dumps({"round": number}) + "\n" for number in range(3)]
    path.write_text("".join(lines) + '{"round": 1, "pha')
    keep_events(path, lambda event: event["round"] < 2)
    assert path.read_text() == "".join(lines[:2])


def test_a_file_of_which_nothing_was_written_to_its_end_becomes_empty(tmp_path):
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"rou')
    keep_events(path, lambda event: True)
    assert path.read_text() == ""
    keep_events(tmp_path / "none.jsonl", lambda event: True)
    assert not (tmp_path / "none.jsonl").exists()


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abc"), st.integers(0, 9), st.booleans()), max_size=20))
def test_what_was_pulled_and_not_said_is_unreported(pulls):
    events = {site: [] for site in "abc"}
    for receiver, sender, num_bytes, is_said in pulls:
        events[receiver].append(pulled(sender, num_bytes))
        if is_said:
            events[sender].append({"round": 0, "phase": "served", "sent_to": {receiver: num_bytes}})
    found = unreported_bytes(events)
    for sender in "abc":
        for receiver in "abc":
            unsaid = [n for r, s, n, said in pulls if (r, s) == (receiver, sender) and not said]
            assert found[sender][receiver] == sum(unsaid)
