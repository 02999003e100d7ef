"""A pool holds every case of every site, unchanged, and touches none of them."""

import os
from pathlib import Path

import pytest

from data_prep.__main__ import main
from src.data.dataset import Dataset
from src.data.dataset_writer import DatasetWriter
from tests.data_prep.conftest import contents, ct_ZYX, image_of, labels_ZYX

MASK = image_of((labels_ZYX("Brain stem") > 0).astype("uint8"))


def make_site(root: Path, site: str, cases: dict[str, str], anatomy: str = "head_neck") -> Path:
    writer = DatasetWriter(root / site, anatomy=anatomy, site=site)
    for i, (case, split) in enumerate(cases.items()):
        writer.add_case(case, image_of(ct_ZYX(i)), {"Esophagus": MASK, "SpinalCord": MASK}, split=split, checks=("odd",))
    return root / site


@pytest.fixture
def two_sites(tmp_path: Path) -> list[str]:
    north = make_site(tmp_path, "north", {"n_1": "train", "n_2": "test"})
    return [str(north), str(make_site(tmp_path, "south", {"s_1": "valid"}))]


def test_cases_records_and_bytes_are_those_of_the_sites(two_sites, tmp_path):
    before = [contents(Path(site)) for site in two_sites]
    assert main(["pool", *two_sites, "--output", str(tmp_path / "all"), "--site", "everyone"]) == 0
    pooled = Dataset.open(tmp_path / "all")
    assert (pooled.site, pooled.anatomy) == ("everyone", "head_neck")
    assert pooled.provenance["site_of_case"] == {"n_1": "north", "n_2": "north", "s_1": "south"}
    for site in two_sites:
        for case, record in Dataset.open(site).cases.items():
            assert pooled.cases[case] == record
    files = {name: digest for site in before for name, digest in site.items() if name.startswith("cases")}
    assert {name: digest for name, digest in contents(tmp_path / "all").items() if name.startswith("cases")} == files
    assert [contents(Path(site)) for site in two_sites] == before


def test_files_are_linked_and_a_case_replaced_in_a_site_stays_in_the_pool(two_sites, tmp_path):
    assert main(["pool", *two_sites, "--output", str(tmp_path / "all")]) == 0
    pooled, north = Dataset.open(tmp_path / "all"), Dataset.open(two_sites[0])
    assert pooled.ct_path("n_1").samefile(north.ct_path("n_1"))
    before = contents(tmp_path / "all")
    DatasetWriter(two_sites[0], anatomy="head_neck", site="north").add_case("n_1", image_of(ct_ZYX(99)), {})
    assert contents(tmp_path / "all") == before


def test_without_hard_links_files_are_copied(two_sites, tmp_path, monkeypatch):
    def no_links(*_):
        raise OSError("this file system has no hard links")

    monkeypatch.setattr(os, "link", no_links)
    assert main(["pool", *two_sites, "--output", str(tmp_path / "all")]) == 0
    pooled, north = Dataset.open(tmp_path / "all"), Dataset.open(two_sites[0])
    assert not pooled.ct_path("n_1").samefile(north.ct_path("n_1"))
    assert pooled.ct_path("n_1").read_bytes() == north.ct_path("n_1").read_bytes()


def clashing(sites, root):
    return [*sites, str(make_site(root, "west", {"n_1": "train"}))]


def of_another_anatomy(sites, root):
    return [*sites, str(make_site(root, "west", {"w_1": "train"}, anatomy="liver"))]


def no_dataset(sites, root):
    (root / "empty").mkdir()
    return [*sites, str(root / "empty")]


def lacking_a_file(sites, root):
    Dataset.open(sites[0]).mask_path("n_2", "SpinalCord").unlink()
    return sites


def into_one_of_its_own(sites, root):
    Path(sites[1]).rename(root / "all")
    return [sites[0], str(root / "all")]


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (clashing, "more than one dataset (n_1)"),
        (of_another_anatomy, "found head_neck and liver"),
        (no_dataset, "found no dataset.json"),
        (lacking_a_file, "lacks SpinalCord.nii.gz"),
        (into_one_of_its_own, "choose another"),
    ],
)
def test_what_cannot_be_pooled_is_refused_and_nothing_is_written(spoil, message, two_sites, tmp_path, capsys):
    sites = spoil(two_sites, tmp_path)
    before = contents(tmp_path)
    assert main(["pool", *sites, "--output", str(tmp_path / "all")]) == 1
    assert message in capsys.readouterr().err
    assert contents(tmp_path) == before
