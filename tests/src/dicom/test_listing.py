"""Labels count files without telling anything of them, their folders' order included."""

import pytest

from src.dicom.listing import list_files


@pytest.mark.parametrize("above", ["", "all/2024"])
def test_the_order_of_labels_is_not_that_of_the_patients_folders(tmp_path, above):
    names = [f"Patient{letter}" for letter in "ABCDEFGHIJKL"]
    for name in names:
        for file in ("CT/1", "CT/2", "RS"):
            path = tmp_path / above / name / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(name)
    listed = [item.file for item in list_files(tmp_path)]
    assert [file.label for file in listed] == [f"file_{number:04d}" for number in range(1, 37)]
    assert listed == [item.file for item in list_files(tmp_path)]
    in_order = [file.path.read_text() for file in listed[::3]]
    assert [file.path.read_text() for file in listed] == [
        name for name in in_order for _ in range(3)
    ]  # a patient's stay together
    assert sorted(in_order) == names
    assert in_order not in (names, names[::-1])


def test_another_patients_files_change_nothing_in_the_order_of_those_that_are_there(tmp_path):
    def add(name: str) -> None:
        for file in ("1", "2"):
            (tmp_path / name).mkdir(exist_ok=True)
            (tmp_path / name / file).write_text(name)

    for name in "ADQZ":
        add(name)
    before = [item.file.path for item in list_files(tmp_path)]
    add("K")
    assert [path for item in list_files(tmp_path) if (path := item.file.path).parent.name != "K"] == before
