"""Splits: sizes, seeds, and every structure in every split where counts allow."""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_prep.__main__ import main
from data_prep.stratify import deal_splits, split_sizes
from src.data.dataset import SPLITS, Dataset
from src.data.dataset_writer import DatasetWriter
from src.errors import DatasetError
from tests.data_prep.conftest import ct_ZYX, image_of, labels_ZYX

FRACTIONS = (0.6, 0.15, 0.25)
fractions_of_one = st.tuples(st.integers(1, 20), st.integers(0, 20), st.integers(0, 20)).map(lambda t: [x / sum(t) for x in t])
sites = st.dictionaries(
    st.integers(0, 999).map("case_{:03}".format), st.lists(st.sampled_from("ABCDEF"), unique=True), min_size=3, max_size=40
)


@given(num_cases=st.integers(3, 500), fractions=fractions_of_one)
def test_sizes_add_up_follow_the_fractions_and_leave_no_wanted_split_empty(num_cases, fractions):
    sizes = split_sizes(num_cases, fractions)
    assert sum(sizes.values()) == num_cases
    for split, fraction in zip(SPLITS, fractions, strict=True):
        assert (sizes[split] > 0) == (fraction > 0)
        assert abs(sizes[split] - num_cases * fraction) <= 2  # 1 by rounding, 1 given to a split that had none


@pytest.mark.parametrize(
    ("num_cases", "fractions", "message"),
    [
        (0, FRACTIONS, "at least 3 cases"),
        (2, FRACTIONS, "at least 3 cases.*found 2"),
        (9, (0, 0.5, 0.5), "training above 0"),
        (9, (0.6, 0.2, 0.1), "sum 1"),
        (9, (1.2, -0.2, 0), "sum 1"),
        (9, (0.5, 0.5), "three fractions"),
        (9, (float("nan"), 0.5, 0.5), "three fractions"),
    ],
)
def test_impossible_splits_are_refused(num_cases, fractions, message):
    with pytest.raises(DatasetError, match=message):
        split_sizes(num_cases, fractions)


@settings(max_examples=40, deadline=None)
@given(site=sites, seed=st.integers(0, 5), data=st.data())
def test_every_case_once_in_the_right_number_whatever_the_order(site, seed, data):
    splits = deal_splits(site, FRACTIONS, seed)
    sizes = split_sizes(len(site), FRACTIONS)
    assert set(splits) == set(site)
    assert Counter(splits.values()) == Counter(sizes)
    shuffled = dict(data.draw(st.permutations(list(site.items()))))
    assert deal_splits(shuffled, FRACTIONS, seed) == splits


@settings(max_examples=30, deadline=None)
@given(num_cases=st.integers(6, 40), data=st.data())
def test_a_rare_structure_of_three_cases_is_in_every_split(num_cases, data):
    rare = data.draw(st.sets(st.integers(0, num_cases - 1), min_size=3, max_size=6))
    site = {f"case_{i:02}": ["Brainstem", *(["OpticChiasm"] if i in rare else [])] for i in range(num_cases)}
    splits = deal_splits(site, FRACTIONS, 0)
    assert {splits[f"case_{i:02}"] for i in rare} == set(SPLITS)


def test_a_structure_that_is_everywhere_is_everywhere_in_proportion():
    site = {f"case_{i:02}": ["A"] if i % 2 else ["A", "B"] for i in range(40)}
    splits = deal_splits(site, FRACTIONS, 3)
    assert Counter(splits[case] for case in site if "B" in site[case]) == {"train": 12, "valid": 3, "test": 5}


def test_another_seed_is_another_split():
    site = {f"case_{i:02}": ["A"] for i in range(30)}
    assert len({tuple(deal_splits(site, FRACTIONS, seed).values()) for seed in range(5)}) == 5


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    writer = DatasetWriter(tmp_path / "north", anatomy="head_neck", site="north")
    mask = image_of((labels_ZYX("Brain stem") > 0).astype("uint8"))
    for i in range(8):
        writer.add_case(f"case_{i}", image_of(ct_ZYX(i)), {"Brainstem": mask})
    return tmp_path / "north"


def test_the_command_writes_once_and_again_only_when_told(dataset: Path, capsys):
    assert main(["split", str(dataset), "--seed", "1", "--fractions", "0.5,0.25,0.25"]) == 0
    first = {case: record.split for case, record in Dataset.open(dataset).cases.items()}
    assert Counter(first.values()) == {"train": 4, "valid": 2, "test": 2}
    index = (dataset / "dataset.json").read_bytes()
    assert main(["split", str(dataset), "--seed", "2"]) == 1
    assert "8 of 8 cases of 'north' have a split already" in capsys.readouterr().err
    assert (dataset / "dataset.json").read_bytes() == index
    assert main(["split", str(dataset), "--seed", "2", "--again"]) == 0
    assert {case: record.split for case, record in Dataset.open(dataset).cases.items()} != first


def test_cases_that_came_later_train_and_nobody_else_moves(dataset: Path, capsys):
    assert main(["split", str(dataset), "--new-to-training"]) == 1
    assert "no case of 'north' has a split yet" in capsys.readouterr().err
    assert main(["split", str(dataset)]) == 0
    before = {case: record.split for case, record in Dataset.open(dataset).cases.items()}
    writer = DatasetWriter(dataset, anatomy="head_neck", site="north")
    writer.add_case("late", image_of(ct_ZYX(99)), {})
    assert main(["split", str(dataset), "--new-to-training"]) == 0
    assert {case: record.split for case, record in Dataset.open(dataset).cases.items()} == {**before, "late": "train"}


@pytest.mark.parametrize("fractions", ["0,0.5,0.5", "0.6,0.4", "a,b,c", "0.9,0.3,0"])
def test_an_empty_training_split_cannot_be_asked_for(dataset: Path, fractions, capsys):
    index = (dataset / "dataset.json").read_bytes()
    assert main(["split", str(dataset), "--fractions", fractions]) == 1
    assert "expected" in capsys.readouterr().err
    assert (dataset / "dataset.json").read_bytes() == index


def test_a_dataset_of_two_cases_cannot_be_split_in_three(tmp_path: Path, capsys):
    writer = DatasetWriter(tmp_path / "tiny", anatomy="head_neck", site="tiny")
    for i in range(2):
        writer.add_case(f"case_{i}", image_of(ct_ZYX(i)), {})
    assert main(["split", str(tmp_path / "tiny")]) == 1
    assert "expected at least 3 cases" in capsys.readouterr().err
    assert main(["split", str(tmp_path)]) == 1
    assert "found no dataset.json" in capsys.readouterr().err
