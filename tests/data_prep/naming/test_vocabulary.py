"""The words by themselves: none means two things, and no two of them glued together are read as the other side."""

import csv

import pytest

from data_prep.naming.decide import decide_name
from data_prep.naming.planning import TARGET_MARKS
from data_prep.naming.spelling import spellings
from data_prep.naming.tables import listed_names, name_words
from data_prep.naming.vocabulary import sides_of, tg263_names, vocabulary
from src.data.structures import load_structures
from tests.conftest import SHARED_DATA

TABLE = load_structures()
MEANT = [(word, each) for word, found in sorted(vocabulary().items()) for each in found]
ORGAN_WORDS = [(word, each) for word, each in MEANT if each.kind == "organ"]
SIDE_WORDS = [(word, each) for word, each in MEANT if each.kind == "side" and each.value != "unknown"]
# Glued, these are another word: a plural, an adjective, Danish for the liver. None of them is the other side of a pair.
READ_AS_ONE = {"lips", "levres", "labios", "tiroides", "leveren"}


def test_no_word_has_two_meanings():
    assert {word: found for word, found in vocabulary().items() if len(found) > 1} == {}


def test_no_word_of_an_organ_holds_a_mark_of_a_target():
    words = {word for word, each in MEANT if each.kind in ("organ", "plural", "unsure", "side", "both", "harmless")}
    assert [word for word in words for mark in TARGET_MARKS if mark in word] == []


def test_every_organ_of_the_table_has_words():
    listed = name_words()["organs"]
    assert set(listed) == set(sides_of())


def test_umlauts_may_be_written_with_an_e():
    assert spellings("Ohrspeicheldrüse") == {"ohrspeicheldruse", "ohrspeicheldruese"}
    assert spellings("Œil gauche") == {"oeilgauche"}


def test_every_organ_word_alone_is_its_organ_or_a_question_of_the_side():
    for word, organ in ORGAN_WORDS:
        names = sides_of()[organ.value]
        decision = decide_name(word, TABLE[names[0]].anatomies[0], {})
        assert decision.structure == names[0] if len(names) == 1 else set(decision.suggested) == set(names), word


def test_no_word_of_a_paired_organ_is_another_one_with_a_side_glued_to_it():
    """Else "carotida rt lt" is a left "carotid art": a side is lost, and the other one decides."""
    words = {word for word, each in ORGAN_WORDS if len(sides_of()[each.value]) == 2}
    glued = {parts for word in words for side, _ in SIDE_WORDS for parts in ((word, side), (side, word))}
    assert [parts for parts in glued if "".join(parts) in words] == []


@pytest.mark.slow
def test_every_organ_word_beside_every_side_word_is_that_side_or_nothing():
    unread = []
    for word, organ in ORGAN_WORDS:
        names = sides_of()[organ.value]
        anatomy = TABLE[names[0]].anatomies[0]
        for side_word, side in SIDE_WORDS:
            fits = not side.languages or bool(side.languages & organ.languages)
            expected = f"{organ.value}_{side.value}" if fits and len(names) == 2 else None
            for native in (word + side_word, side_word + word):
                found = decide_name(native, anatomy, {}).structure
                assert found in (expected, None) or native in READ_AS_ONE, native
                unread += [native] if expected and not found else []
    # These could be read in two ways, "rene s" and "renes": a person decides.
    assert len(unread) <= 15, unread


def test_our_list_of_tg263_is_the_published_one():
    path = SHARED_DATA / "tg263" / "tg263_to_snomed_hl7_mcode.csv"
    if not path.is_file():
        pytest.skip("the TG-263 lists are not on this machine (../shared/data/tg263)")
    with path.open(encoding="utf-8") as file:
        published = {
            row["TG263-Primary Name"].strip(): row["TG-263-Reverse Order Name"].strip() for row in csv.DictReader(file)
        }
    ours = {row["name"]: row["reverse_order_name"] for row in listed_names()}
    assert ours == published
    assert len(tg263_names()) > 1000
