"""The table of structures against TG-263 itself, and against the names seen in the field."""

import csv
import itertools
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from src.data.structures import ANATOMIES, STRUCTURES_YAML, fold, load_structures
from src.errors import StructureError

TG263 = Path(__file__).resolve().parents[4] / "shared" / "data" / "tg263"
TABLE = load_structures()
NAMES = [structure.name for structure in TABLE]
# TG-263 knows both; above the pelvis they are one organ, and the table says so.
SAME_ORGAN = {"Colon": "Bowel_Large"}


def tg263(name: str) -> list[dict[str, str]]:
    if not TG263.is_dir():
        pytest.skip("the TG-263 lists are not on this machine (../shared/data/tg263)")
    with (TG263 / name).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_every_name_is_in_both_tg263_lists():
    assert set(NAMES) <= {row["tg263_primary_name"] for row in tg263("tg263_names_gacou54.csv")}
    assert set(NAMES) <= {row["TG263-Primary Name"] for row in tg263("tg263_to_snomed_hl7_mcode.csv")}


def test_tg263s_own_reverse_order_names_are_understood():
    reverse = {row["TG263-Primary Name"]: row["TG-263-Reverse Order Name"] for row in tg263("tg263_to_snomed_hl7_mcode.csv")}
    assert {name: TABLE.match(reverse[name]) for name in NAMES} == {name: name for name in NAMES}


def test_no_other_tg263_name_is_mistaken_for_one_of_ours():
    others = {row["tg263_primary_name"] for row in tg263("tg263_names_gacou54.csv")} - set(NAMES)
    assert {name: TABLE.match(name) for name in others if TABLE.match(name)} == SAME_ORGAN


@pytest.mark.parametrize("anatomy", ANATOMIES)
def test_each_anatomy_has_at_least_fifteen(anatomy):
    assert len(TABLE.of_anatomy(anatomy)) >= 15


@pytest.mark.parametrize(
    ("native", "name"),
    {
        "LeftParotid": "Parotid_L",  # OpenKBP
        "RightParotid": "Parotid_R",
        "Mandible": "Bone_Mandible",
        "Parotid-Lt": "Parotid_L",  # DeepMind
        "Orbit-Rt": "Eye_R",
        "Lacrimal-Lt": "Glnd_Lacrimal_L",
        "Spinal cord": "SpinalCord",  # LUNG1
        "Lung L": "Lung_L",
        "Lt Lung": "Lung_L",
        "kidney_left": "Kidney_L",  # TotalSegmentator
        "adrenal_gland_right": "Glnd_Adrenal_R",
        "inferior_vena_cava": "V_Venacava_I",
        "small_bowel": "Bowel_Small",
        "submandibular_gland_left": "Glnd_Submand_L",
        "eye_lens_right": "Lens_R",
        "OpticNerve_L": "OpticNrv_L",  # SegRap, PDDCA
        "PharynxConst": "Musc_Constrict",
        "OralCavity": "Cavity_Oral",
        "BrainStem": "Brainstem",
        "RK": "Kidney_R",  # FLARE
        "LAG": "Glnd_Adrenal_L",
        "IVC": "V_Venacava_I",
        "right kidney": "Kidney_R",  # AMOS, BTCV
        "postcava": "V_Venacava_I",
        "left_kidney": "Kidney_L",  # WORD
        "colon": "Bowel_Large",
        "Glnd_Thyroid": "Glnd_Thyroid",  # HaN-Seg
        "Oesophagus": "Esophagus",
    }.items(),
)
def test_names_seen_in_the_field_are_understood(native, name):
    assert TABLE.match(native) == name


@pytest.mark.parametrize(
    "native",
    ["adrenal", "Spinal-Canal", "Esophagus_S", "Parotid", "Parotids", "Kidneys", "GTV-1", "Parotid_L_PRV", "Eye_AL", "", "L"],
)
def test_a_name_that_could_mean_something_else_is_never_guessed(native):
    assert TABLE.match(native) is None


@given(st.sampled_from([spelling for row in TABLE for spelling in (row.name, *row.synonyms)]), st.data())
def test_case_and_separators_do_not_matter(spelling, data):
    letters = [data.draw(st.sampled_from([letter.lower(), letter.upper()])) for letter in fold(spelling)]
    gaps = data.draw(st.lists(st.sampled_from(["", " ", "_", "-", ".", "__"]), min_size=len(letters), max_size=len(letters)))
    noisy = "".join(letter + gap for letter, gap in zip(letters, gaps, strict=True))
    assert TABLE.match(noisy) == TABLE.match(spelling) is not None


@given(st.text(max_size=12))
def test_folding_twice_is_folding_once(text):
    assert fold(fold(text)) == fold(text)


def test_partners_are_the_two_sides_and_exclude_each_other():
    sided = {name for name in NAMES if name.endswith(("_L", "_R"))}
    assert {name for name in NAMES if TABLE[name].partner} == sided
    for name in sided:
        partner = TABLE[name].partner
        assert (partner[:-1], {partner[-1], name[-1]}) == (name[:-1], {"L", "R"})
        assert partner in TABLE[name].excludes
        assert TABLE[partner].tolerance_mm == TABLE[name].tolerance_mm
        assert TABLE[partner].anatomies == TABLE[name].anatomies


def test_every_tolerance_has_a_source_and_every_gap_says_so():
    for structure in TABLE:
        missing = structure.tolerance_source == "no published value used"
        assert missing == (structure.tolerance_mm is None), structure.name
        assert structure.tolerance_mm is None or 0 < structure.tolerance_mm <= 10


def test_colours_can_be_told_apart():
    for a, b in itertools.combinations(TABLE, 2):
        assert sum(abs(x - y) for x, y in zip(a.colour_rgb, b.colour_rgb, strict=True)) >= 40, (a.name, b.name)
    assert all(0 <= value <= 255 for structure in TABLE for value in structure.colour_rgb)


def test_an_unknown_name_comes_with_a_suggestion():
    with pytest.raises(StructureError, match=r"Parotid_l.*did you mean.*Parotid_L"):
        TABLE["Parotid_l"]


def spoiled(tmp_path: Path, change) -> Path:
    content = yaml.safe_load(STRUCTURES_YAML.read_text(encoding="utf-8"))
    change(content["structures"])
    path = tmp_path / "structures.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: rows["Kidney_L"].update(partner="Spleen"), "not the other way round"),
        (lambda rows: rows["Spleen"].update(excludes=["Brain"]), "not the other way round"),
        (lambda rows: rows["Spleen"].update(synonyms=["lobe", "LIVER"]), "stands for both"),
        (lambda rows: rows["Spleen"].update(tolerance=3), "unknown key tolerance"),
        (lambda rows: rows["Spleen"].update(anatomies=["pelvis"]), "unknown anatomy pelvis"),
        (lambda rows: rows["Spleen"].update(partner="Splean"), "did you mean Spleen"),
    ],
)
def test_a_table_that_contradicts_itself_is_refused(tmp_path, change, message):
    with pytest.raises(StructureError, match=message):
        load_structures(spoiled(tmp_path, change))


def test_a_missing_table_is_refused(tmp_path):
    with pytest.raises(StructureError, match="found no file"):
        load_structures(tmp_path / "structures.yaml")


def test_the_digest_follows_every_byte(tmp_path):
    path = tmp_path / "structures.yaml"
    path.write_bytes(STRUCTURES_YAML.read_bytes())
    assert load_structures(path).digest == TABLE.digest
    (tmp_path / "changed").mkdir()
    other = tmp_path / "changed" / "structures.yaml"
    other.write_bytes(STRUCTURES_YAML.read_bytes().replace(b"tolerance_mm: 5.0", b"tolerance_mm: 4.0", 1))
    assert load_structures(other).digest != TABLE.digest
