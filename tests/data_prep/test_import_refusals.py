"""Bad input of an import: a clear message, an exit code that is not 0, and an output folder as it was before."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from data_prep.__main__ import main
from src.data.dataset import Dataset
from src.data.dataset_writer import DatasetWriter
from tests.data_prep.conftest import ROOT, Hospital, contents, ct_ZYX, image_of, labels_ZYX


def no_ct(h: Hospital):
    (h.folder / "images" / "case_2.nii.gz").unlink()


def no_label_map(h: Hospital):
    (h.folder / "labels" / "case_2.nii.gz").unlink()


def text_for_a_ct(h: Hospital):
    (h.folder / "images" / "case_2.nii.gz").write_text("not an image")


def half_a_ct(h: Hospital):
    path = h.folder / "images" / "case_2.nii.gz"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def two_volumes(h: Hospital):
    h.add_case("case_2", ct=sitk.JoinSeries([image_of(ct_ZYX()), image_of(ct_ZYX(1))]))


def shifted_grid(h: Hospital):
    h.add_case("case_2", labels=image_of(labels_ZYX("Brain stem"), origin=(-18.0, -30.0, 100.0)))


def smaller_grid(h: Hospital):
    h.add_case("case_2", labels=image_of(labels_ZYX("Brain stem")[:-1]))


def strange_label(h: Hospital):
    labels = labels_ZYX("Brain stem")
    labels[0, 0, 0] = 77
    h.add_case("case_2", labels=image_of(labels))


def half_a_label(h: Hospital):
    h.add_case("case_2", labels=image_of(labels_ZYX("Brain stem").astype(np.float32) / 2))


def nan_in_the_ct(h: Hospital):
    hu = ct_ZYX().astype(np.float32)
    hu[2, 3, 4] = np.nan
    h.add_case("case_2", ct=image_of(hu))


def beyond_int16(h: Hospital):
    h.add_case("case_2", ct=image_of(ct_ZYX().astype(np.int32) * 100))


def unknown_structures(h: Hospital):
    h.write("labels.csv", "label,name", "1,Brainstem", "2,Couch", "3,Spinal-Canal")


def of_the_other_anatomy(h: Hospital):
    h.write("labels.csv", "label,name", "1,Brainstem", "2,Spleen", "3,Larynx")


def two_names_for_one(h: Hospital):
    h.write("labels.csv", "label,name", "1,Parotid-Lt", "2,LeftParotid", "3,Larynx")


def contoured_but_unnamed(h: Hospital):
    h.write("cases.csv", "case,site,contoured", "case_1,north,LeftParotid Larynx")


def a_name_as_case(h: Hospital):
    h.write("cases.csv", "case,site", "case_1,north", "DOE^JANE,north")


def a_case_twice(h: Hospital):
    h.write("cases.csv", "case,site", "case_1,north", "case_1,south")


def no_site(h: Hospital):
    h.write("cases.csv", "case", "case_1")


def no_rows(h: Hospital):
    h.write("cases.csv", "case,site")


def unknown_split(h: Hospital):
    h.write("cases.csv", "case,site,split", "case_1,north,training")


def no_table(h: Hospital):
    (h.folder / "cases.csv").unlink()


def no_images_folder(h: Hospital):
    (h.folder / "images").rename(h.folder / "elsewhere")


def label_zero(h: Hospital):
    h.write("labels.csv", "label,name", "0,Brainstem")


def foreign_output(h: Hospital):
    (h.output / "north").mkdir(parents=True)
    (h.output / "north" / "thesis.txt").write_text("ten years of work")


def dataset_of_another_anatomy(h: Hospital):
    h.write("cases.csv", "case,site", "case_1,a_new_site", "case_2,north")
    DatasetWriter(h.output / "north", anatomy="liver", site="north")


BAD_INPUT = {
    no_ct: r"case case_2: .*CT.*found none",
    no_label_map: r"case case_2: .*label map.*found none",
    text_for_a_ct: r"case case_2: .*readable NIfTI",
    half_a_ct: r"case case_2: its CT is cut off",
    two_volumes: r"case case_2: .*one 3D volume.*4 dimensions",
    shifted_grid: r"case case_2: .*another grid.*origin",
    smaller_grid: r"case case_2: .*another grid.*size",
    strange_label: r"case case_2: .*holds 77",
    half_a_label: r"case case_2: .*holds 0\.5",
    nan_in_the_ct: r"case case_2: .*NaN",
    beyond_int16: r"case case_2: .*within int16",
    unknown_structures: r"(?s)2 others.*'Couch'.*'Spinal-Canal'.*--skip-unmatched",
    of_the_other_anatomy: r"'Spleen' \(Spleen is not of this anatomy\)",
    two_names_for_one: r"both stand for Parotid_L",
    contoured_but_unnamed: r"case case_1: .*found Larynx",
    a_name_as_case: r"cases.csv, line 3: .*pseudonym",
    a_case_twice: r"line 3: .*twice",
    no_site: r"columns case, site.*no site",
    no_rows: r"at least one row",
    unknown_split: r"line 2: .*found 'training'",
    no_table: r"cases.csv.*no such file",
    no_images_folder: r"--images 'images', found none",
    label_zero: r"label number above 0",
    foreign_output: r"'north' is not empty and not a dataset",
    dataset_of_another_anatomy: r"already holds liver data",
}


@pytest.mark.parametrize("spoil", BAD_INPUT, ids=lambda spoil: spoil.__name__)
def test_bad_input_is_refused_and_nothing_is_written(spoil, hospital: Hospital, capsys):
    spoil(hospital)
    before = contents(hospital.folder)
    assert main(hospital.command()) == 1
    message = capsys.readouterr().err
    assert message.startswith("error: ")
    assert re.search(BAD_INPUT[spoil], message), message
    assert contents(hospital.folder) == before
    assert str(hospital.folder) not in message  # no path of this machine
    assert "DOE" not in message  # no patient


def test_a_mask_file_on_another_grid_is_refused(hospital: Hospital, capsys):
    hospital.add_mask("case_1", "LeftParotid")
    hospital.add_mask("case_2", "LeftParotid", image_of(labels_ZYX("LeftParotid"), spacing=(2.0, 2.0, 2.5)))
    before = contents(hospital.folder)
    assert main(hospital.command(contours="masks")) == 1
    assert "case case_2: the mask of Parotid_L lies on another grid" in capsys.readouterr().err
    assert contents(hospital.folder) == before


def test_a_missing_mask_file_is_refused(hospital: Hospital, capsys):
    hospital.add_mask("case_1", "LeftParotid")
    hospital.write("cases.csv", "case,site,contoured", "case_1,north,LeftParotid;Larynx")
    assert main(hospital.command(contours="masks")) == 1
    assert "mask 'Larynx'" in capsys.readouterr().err
    assert not hospital.output.exists()


def test_the_real_command_ends_with_the_message_and_exit_code(hospital: Hospital):
    nan_in_the_ct(hospital)
    ended = subprocess.run(
        [sys.executable, "-m", "data_prep", *hospital.command()],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 1
    assert "NaN" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not hospital.output.exists()


def test_a_killed_import_leaves_a_valid_dataset_and_the_same_command_completes_it(openkbp: Path, tmp_path: Path):
    rows = (openkbp / "cases.csv").read_text().splitlines()
    (tmp_path / "cases.csv").write_text(
        "\n".join([rows[0], *(row for row in rows if ",site_d," in row or ",site_c," in row)]) + "\n"
    )
    argv = ["--table", str(tmp_path / "cases.csv"), "--images", str(openkbp / "ct"), "--labels", str(openkbp / "label")]
    options = ["--label-map", "data_prep/maps/openkbp.csv", "--anatomy", "head_neck", "--output", str(tmp_path / "out")]
    command = [sys.executable, "-m", "data_prep", "import-nifti", *argv, *options]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    cases = tmp_path / "out" / "site_d" / "cases"
    give_up = time.monotonic() + 60
    while len(list(cases.glob("openkbp*"))) < 5 and process.poll() is None and time.monotonic() < give_up:
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL  # it was still at work
    for site in ("site_d", "site_c"):
        dataset = Dataset.open(tmp_path / "out" / site)
        assert len(dataset.cases) < {"site_d": 35, "site_c": 19}[site]
        for case, record in dataset.cases.items():
            dataset.read_ct(case)
            for name in record.structures:
                dataset.read_mask(case, name)
    subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, check=True, timeout=120)
    assert [len(Dataset.open(tmp_path / "out" / site).cases) for site in ("site_d", "site_c")] == [35, 19]
