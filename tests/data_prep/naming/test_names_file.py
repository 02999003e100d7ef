"""A site's names.csv as people and spreadsheets write it."""

import pytest

from data_prep.naming.decide import decide_name
from data_prep.naming.names_file import read_names
from src.errors import DatasetError, StructureError


def written(tmp_path, text: str, encoding: str = "utf-8"):
    path = tmp_path / "names.csv"
    path.write_bytes(text.encode(encoding))
    return path


def test_no_file_is_no_names():
    assert read_names(None) == {}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_what_spreadsheets_write(tmp_path, encoding, separator, line_end):
    rows = (("native", "tg263", "why"), ("Drüse Ä", "Parotid_L", "x"), ("Müll", "", ""), ('"a, b; c"', "Larynx", ""))
    names = read_names(written(tmp_path, line_end.join(separator.join(row) for row in rows), encoding))
    found = {native: decide_name(native, "head_neck", names) for native in ("drüse_ä", "MÜLL", "A,b;C")}
    assert {native: (each.structure, each.confidence) for native, each in found.items()} == {
        "drüse_ä": ("Parotid_L", "override"),
        "MÜLL": (None, "override"),
        "A,b;C": ("Larynx", "override"),
    }


def test_a_composed_and_a_decomposed_accent_are_one(tmp_path):
    names = read_names(written(tmp_path, "native,tg263\nDru\u0308se,Larynx\n"))
    assert decide_name("Dr\u00fcse", "head_neck", names).structure == "Larynx"


def test_a_question_mark_is_not_yet_a_decision(tmp_path):
    names = read_names(written(tmp_path, "native,tg263\nParotis,?\nLarynx,?\n"))
    assert names == {}
    assert decide_name("Parotis", "head_neck", names).open


def test_rows_that_a_spreadsheet_left_empty_are_none(tmp_path):
    path = tmp_path / "names.csv"
    path.write_text("native;tg263;confidence\n;;\nKehle;Larynx;unknown\n;;\n", encoding="utf-8")
    assert read_names(path) == {"kehle": "Larynx"}


def test_signs_count_so_that_a_variant_stays_apart(tmp_path):
    names = read_names(written(tmp_path, "native,tg263\nParotid_L^a,\n"))
    assert decide_name("Parotid_L", "head_neck", names).structure == "Parotid_L"


def test_lines_of_comment_may_stand_first(tmp_path):
    assert read_names(written(tmp_path, "# ours; since 2019\n#\nnative,tg263\nfoo,Larynx\n")) == {"foo": "Larynx"}


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("native,tg263\nfoo,Larynx\n\nFOO,\n", DatasetError, "names.csv, line 4: 'FOO' stands twice"),
        ("native,tg263\nfoo,?\nFOO,?\n", DatasetError, "line 3: 'FOO' stands twice"),
        ("native,tg263\n,Larynx\n", DatasetError, "line 2: expected the name that your site uses"),
        ("native,tg263\nfoo,Parotid_l\n", StructureError, "line 2: .*'Parotid_l'; did you mean .*Parotid_L"),
        ("# a\nnative;tg263\nfoo;bar\n", StructureError, "line 3: .*'bar'"),
        ("name,tg263\nfoo,Larynx\n", DatasetError, "columns native, tg263 in names.csv, found no native"),
        ("native,tg263\n", DatasetError, "at least one row"),
        ("", DatasetError, "columns native, tg263"),
    ],
)
def test_a_bad_file_is_refused_with_its_line(tmp_path, text, error, message):
    with pytest.raises(error, match=message):
        read_names(written(tmp_path, text))


def test_another_encoding_and_a_missing_file_are_refused(tmp_path):
    with pytest.raises(DatasetError, match="save it as 'CSV UTF-8'"):
        read_names(written(tmp_path, "native,tg263\nDrüse,Larynx\n", "cp1252"))
    with pytest.raises(DatasetError, match="no such file"):
        read_names(tmp_path / "none.csv")
