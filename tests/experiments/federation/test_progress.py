import io
import json

from rich.console import Console

from experiments.federation.progress import MetricsReader, Progress


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
