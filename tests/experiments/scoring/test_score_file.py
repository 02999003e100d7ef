import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.scoring import ScoreFileError, ScoreRow, read_scores
from experiments.scoring.score_file import write_scores
from src.evaluation.structure_metrics import STATUSES
from tests.experiments.scoring.test_score_row import content_of

ROWS = [ScoreRow(**{**content_of(status), "patient": f"p{number}"}) for number, status in enumerate(STATUSES)]


@given(order=st.permutations(ROWS))
def test_what_is_written_is_read_back_whatever_the_order(tmp_path_factory, order):
    path = tmp_path_factory.mktemp("scores") / "seed_0.jsonl"
    write_scores(path, order)
    assert read_scores(path) == ROWS
    assert len(path.read_text().splitlines()) == len(ROWS) and "NaN" not in path.read_text()
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_a_folder_is_read_as_a_whole_and_no_row_twice(tmp_path):
    write_scores(tmp_path / "gossip" / "seed_0.jsonl", ROWS)
    write_scores(tmp_path / "fedavg" / "seed_1.jsonl", [replace(row, arm="fedavg") for row in ROWS])
    assert {row.arm for row in read_scores(tmp_path)} == {"fedavg", "gossip"} and len(read_scores(tmp_path)) == 8
    write_scores(tmp_path / "gossip" / "seed_1.jsonl", ROWS[:1])
    with pytest.raises(ScoreFileError, match=r"gossip/seed_1\.jsonl, line 1: expected one row"):
        read_scores(tmp_path)


def test_a_file_without_rows_has_none_and_a_missing_one_is_refused(tmp_path):
    write_scores(tmp_path / "seed_0.jsonl", [])
    assert read_scores(tmp_path) == []
    for missing in (tmp_path / "seed_1.jsonl", tmp_path / "none"):
        with pytest.raises(ScoreFileError, match="found none; score the runs first"):
            read_scores(missing)


@pytest.mark.parametrize("line", ["", "{", "[]", "7", "{}", json.dumps({**content_of("compared"), "more": 1}), '{"dice": 0.5}'])
def test_a_line_that_is_no_row_is_refused_with_its_place(tmp_path, line):
    path = tmp_path / "seed_0.jsonl"
    path.write_text(json.dumps(content_of("compared")) + "\n" + line + "\n")
    with pytest.raises(ScoreFileError, match=r"seed_0\.jsonl, line 2"):
        read_scores(path)


def test_a_row_that_contradicts_itself_is_refused_with_its_place(tmp_path):
    path = tmp_path / "seed_0.jsonl"
    path.write_text(json.dumps({**content_of("compared"), "status": "missed"}) + "\n")
    with pytest.raises(ScoreFileError, match=r"seed_0\.jsonl, line 1: expected volumes of 'missed'"):
        read_scores(path)
