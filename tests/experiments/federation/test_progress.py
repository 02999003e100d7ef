import io
import json

from rich.console import Console

from experiments.federation.progress import MetricsReader, Progress
from experiments.silent_site import SilentSite


def line(**event) -> str:
    return json.dumps(event) + "\n"


def test_a_line_is_read_once_and_only_when_complete(tmp_path):
    file = tmp_path / "metrics.jsonl"
    reader = MetricsReader({"a": file})
    assert reader.read() == []
    whole = line(round=0, phase="train", loss=1.0)
    file.write_text(whole + whole[:9])
    assert reader.read() == [{"round": 0, "phase": "train", "loss": 1.0}]
    assert reader.read() == []
    file.write_text(whole + whole)
    assert len(reader.read()) == 1
    assert len(reader.events["a"]) == 2


def test_off_a_terminal_each_round_is_one_line_once_all_sites_reported(tmp_path):
    files = {site: tmp_path / f"{site}.jsonl" for site in "ab"}
    output = io.StringIO()
    with Progress(MetricsReader(files), Console(file=output, width=200)) as progress:
        files["a"].write_text(line(round=0, phase="validate", mean_dice=0.25) + line(round=0, phase="train", loss=0.5))
        progress.look()
        assert output.getvalue() == ""
        files["b"].write_text(line(round=0, phase="validate", mean_dice=None))
        progress.look()
        progress.look()
    assert output.getvalue().count("\n") == 1
    assert "round 0  validate  mean Dice: a 0.250  b -" in output.getvalue()


def test_nobody_waits_for_a_site_that_is_gone(tmp_path):
    files = {site: tmp_path / f"{site}.jsonl" for site in "ab"}
    both, alone = line(round=0, phase="train", loss=0.5), line(round=1, phase="train", loss=0.25)
    files["a"].write_text(both + alone)
    files["b"].write_text("")
    output = io.StringIO()
    silent = SilentSite(site="b", from_round=1)
    with Progress(MetricsReader(files), Console(file=output, width=200), silent) as progress:
        progress.look()
        assert "round 1  train     loss: a 0.250" in output.getvalue() and "round 0" not in output.getvalue()
        files["b"].write_text(both)
        progress.look()
    assert "round 0  train     loss: a 0.500  b 0.500" in output.getvalue()


def shown(tmp_path, **lines_of_sites: str) -> str:
    """What is printed off a terminal for files with these contents."""
    files = {}
    for site, content in lines_of_sites.items():
        files[site] = tmp_path / f"{site}.jsonl"
        files[site].write_text(content)
    output = io.StringIO()
    with Progress(MetricsReader(files), Console(file=output, width=200)) as progress:
        progress.look()
    return output.getvalue()


def test_exchanges_are_told_when_they_happen_whatever_round_others_are_in(tmp_path):
    pulled = line(round=3, phase="exchange", site="a", peer="b", outcome="received", received_bytes=2_500_000, sent_bytes=0)
    missed = line(round=4, phase="exchange", site="a", peer="c", outcome="unreachable", received_bytes=0, sent_bytes=0)
    text = shown(tmp_path, a=pulled + line(round=3, phase="train", site="a", loss=1.0) + missed, b="")
    assert "round 3  exchange  a <- b: 2.5 MB" in text
    assert "round 4  exchange  a <- c: unreachable" in text
    assert "train" not in text


def test_sites_at_different_rounds_are_shown_round_by_round(tmp_path):
    def rounds(count):
        return "".join(line(round=number, phase="train", site="x", loss=float(number)) for number in range(count))

    text = shown(tmp_path, a=rounds(3), b=rounds(1))
    assert "round 0  train     loss: a 0.000  b 0.000" in text and "round 1" not in text


def test_what_comes_after_the_last_round_is_told(tmp_path):
    text = shown(tmp_path, a=line(round=5, phase="consensus", site="a", sites=["a", "b"]))
    assert "round 5  consensus  a" in text


def test_on_a_terminal_the_table_counts_what_was_exchanged(tmp_path):
    file = tmp_path / "a.jsonl"
    event = {"round": 1, "phase": "exchange", "peer": "b", "outcome": "received"}
    file.write_text(2 * line(**event, received_bytes=1_000_000, sent_bytes=3_000_000))
    output = io.StringIO()
    console = Console(file=output, width=200, force_terminal=True)
    with Progress(MetricsReader({"a": file}), console) as progress:
        progress.look()
        console.print(progress._table())
    assert "MB in" in output.getvalue() and "2.0" in output.getvalue() and "6.0" in output.getvalue()
