"""The command makes what it was asked for, says what it made, and refuses what it cannot make."""

import argparse

import pytest

from data_prep.phantom import command
from src.data.dataset import Dataset
from src.errors import DatasetError


def parsed(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return parser.parse_args(words)


def test_it_makes_and_lists_every_site(tmp_path, capsys):
    words = ("--output", str(tmp_path / "root"), "--anatomy", "head_neck", "--sites", "2", "--cases", "4,3", "--seed", "2")
    assert command.run(parsed(*words)) == 0
    printed = capsys.readouterr().out
    assert "site_a  2 train, 1 valid, 1 test" in printed
    assert "site_b  1 train, 1 valid, 1 test" in printed
    assert [Dataset.open(tmp_path / "root" / name).anatomy for name in ("site_a", "site_b")] == ["head_neck"] * 2


@pytest.mark.parametrize(
    ("words", "expected"),
    [(("--sites", "3", "--cases", "5"), (5, 5, 5)), (("--cases", "6,4"), (6, 4)), ((), (24, 12, 8, 4))],
)
def test_cases_of_each_site_follow_from_the_arguments(tmp_path, monkeypatch, words, expected):
    asked = {}
    monkeypatch.setattr(command, "make_federation", lambda root, **arguments: asked.update(arguments) or [])
    command.run(parsed("--output", str(tmp_path), "--anatomy", "liver", *words))
    assert asked == {"anatomy": "liver", "cases_per_site": expected, "seed": 0, "size": "small"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--sites", "3", "--cases", "4,4"), "each of 3 sites, found 2"),
        (("--sites", "0", "--cases", "4"), "1 to 26 phantom sites, found 0"),
        (("--cases", "4,1"), "at least 3 cases"),
        (("--seed", "-3"), "seed of 0 or more"),
    ],
)
def test_what_cannot_be_met_is_refused(tmp_path, words, message):
    with pytest.raises(DatasetError, match=message):
        command.run(parsed("--output", str(tmp_path / "root"), "--anatomy", "liver", *words))
    assert not (tmp_path / "root").exists()


def test_counts_that_are_no_numbers_end_the_command(tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        parsed("--output", str(tmp_path), "--anatomy", "liver", "--cases", "4,many")
    assert ended.value.code == 2
    assert "4,many" in capsys.readouterr().err


def test_help_says_how_many_cases_each_split_gets(capsys):
    with pytest.raises(SystemExit):
        parsed("--help")
    assert "24 cases give 14, 4 and 6" in " ".join(capsys.readouterr().out.split())
