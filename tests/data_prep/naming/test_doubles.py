"""Two names for one structure in one structure set: neither is believed unless the site says which."""

from data_prep.naming.decide import decide_names


def decided(*natives: str, names=None, drawn=None):
    return [(each.structure, each.confidence) for each in decide_names(natives, "head_neck", names or {}, drawn=drawn)]


def test_both_become_a_question_that_names_both():
    first, second, third = decide_names(["Parotid_L", "Parotis li", "Larynx"], "head_neck", {})
    assert (first.structure, second.structure, third.structure) == (None, None, "Larynx")
    for decision in (first, second):
        assert decision.confidence == "ambiguous" and decision.suggested == ("Parotid_L",)
        assert "'Parotid_L' and 'Parotis li'" in decision.why


def test_two_contours_of_one_name_can_only_be_told_apart_in_the_planning_system():
    for decision in decide_names(["Parotid_L", "Parotid_L"], "head_neck", {"parotidl": "Parotid_L"}):
        assert decision.structure is None and "2 contours are called 'Parotid_L'" in decision.why


def test_the_one_in_names_csv_wins_and_the_other_is_left_out():
    names = {"parotisli": "Parotid_L"}
    assert decided("Parotid_L", "Parotis li", names=names) == [(None, "override"), ("Parotid_L", "override")]


def test_leaving_one_out_settles_it_too():
    assert decided("Parotid_L", "Parotis li", names={"parotisli": None}) == [("Parotid_L", "exact"), (None, "override")]


def test_two_in_names_csv_are_a_question_again():
    names = {"parotisli": "Parotid_L", "parotidl": "Parotid_L"}
    assert decided("Parotid_L", "Parotis li", names=names) == [(None, "ambiguous")] * 2


def test_what_nobody_drew_is_no_rival():
    found = decided("Parotid_L", "Parotis li", drawn=[False, True])
    assert found == [("Parotid_L", "exact"), ("Parotid_L", "rewritten")]
