from copy import deepcopy

import pytest

from experiments.results.answer import answer
from experiments.results.wording import direction, evidence, percent, signed


def with_pairs(results, *evidence):
    """The results as if the federated arms had been found so: (value, low, high, p, rank correlation) each."""
    changed = deepcopy(results)
    for pair, (value, low, high, p_holm, ranks) in zip(changed["against_individual"], evidence, strict=True):
        pair["difference"] |= {"value": value, "low": low, "high": high}
        pair["p_holm"] = p_holm
        pair["test"]["rank_biserial"] = ranks
    return changed


BETTER = (0.02, 0.01, 0.03, 0.001, 0.9)
WORSE = (-0.02, -0.03, -0.01, 0.001, -0.9)
UNCLEAR = (0.004, -0.01, 0.02, 0.4, 0.1)


def federating(results):
    return [sentence for sentence in answer(results) if "individual" in sentence and "against" not in sentence]


def test_what_pays_is_named_with_its_evidence(small_results):
    said = federating(with_pairs(small_results, BETTER, UNCLEAR, WORSE))
    assert said[0] == (
        "Federating pays: better than individual on each site's own patients is gossip (+0.020 Dice (95 % interval +0.010 to"
        " +0.030), Holm-corrected p = 0.001)."
    )
    assert said[1].startswith("Worse than individual on each site's own patients is fedavg_local (−0.020 Dice")
    assert said[2].startswith("No difference from individual is shown for fedavg (+0.004 Dice")


def test_when_nothing_is_shown_nothing_is_claimed(small_results):
    said = federating(with_pairs(small_results, UNCLEAR, UNCLEAR, UNCLEAR))
    assert said[0].startswith("It is not shown that federating pays: no difference from individual is shown for gossip")
    assert not any(sentence.startswith("Federating pays") or "highest mean" in sentence for sentence in said)


def test_of_several_that_pay_the_means_are_ranked_without_a_claim(small_results):
    said = answer(with_pairs(small_results, BETTER, BETTER, BETTER))
    (ranking,) = [sentence for sentence in said if "highest mean" in sentence]
    assert ranking.startswith("Of these the highest mean Dice has gossip (gossip 0.7")
    assert ranking.endswith("the order is no evidence by itself.")


@pytest.mark.parametrize(
    ("evidence", "expected"),
    [
        (BETTER, 1),
        (WORSE, -1),
        (UNCLEAR, 0),
        ((0.1, -0.7, 0.6, 0.001, 1.0), 0),  # the test alone
        ((0.02, 0.01, 0.03, 0.2, 0.4), 0),  # the interval alone
        ((0.02, 0.01, 0.03, 0.01, -0.4), 0),  # the mean against the ranks
        ((0.02, None, None, None, 1.0), 0),  # too few
    ],
)
def test_a_difference_is_shown_when_test_interval_mean_and_ranks_agree(small_results, evidence, expected):
    pair = with_pairs(small_results, evidence, UNCLEAR, UNCLEAR)["against_individual"][0]
    assert direction(pair) == expected


@pytest.mark.parametrize(
    ("found", "caveat"),
    [
        ((0.1, -0.7, 0.6, 0.001, 1.0), "Holm-corrected p = 0.001, but the interval holds 0"),
        ((0.02, 0.01, 0.03, 0.01, -0.4), "Holm-corrected p = 0.010, but mean and ranks disagree"),
        (BETTER, "Holm-corrected p = 0.001"),
        (UNCLEAR, "Holm-corrected p = 0.400"),
    ],
)
def test_a_small_p_that_shows_nothing_is_explained(small_results, found, caveat):
    assert evidence(with_pairs(small_results, found, UNCLEAR, UNCLEAR)["against_individual"][0]).endswith(caveat)


def test_bytes_are_those_of_the_cost_table(small_results):
    (row,) = [row for row in small_results["costs"] if row["arm"] == "gossip"]
    whole, without_closing = [sentence for sentence in answer(small_results) if "bytes" in sentence]
    assert f"{percent(row['plain_fedavg']['total'])} of the bytes of plain FedAvg" in whole
    assert f"{percent(row['same_schedule_fedavg']['total'])} of those of FedAvg on its own schedule" in whole
    assert f"it is {percent(row['plain_fedavg']['total_without_closing'])} of" in without_closing


def test_validation_patients_confirm_nothing_and_test_patients_do_not_say_so(small_results):
    assert any("These are validation patients" in sentence for sentence in answer(small_results))
    final = {**small_results, "split": "test", "final": True}
    assert not any("on whom choices were made" in sentence for sentence in answer(final))


def test_what_was_not_done_is_said(small_results):
    assert answer({**small_results, "not_done": ["gossip seed 2"]})[-1] == "Not done: gossip seed 2."


def test_one_seed_says_nothing_of_the_next(small_results):
    alone = [{**row, "standard_deviation": None} for row in small_results["seed_spread"]]
    assert any("One seed each" in sentence for sentence in answer({**small_results, "seed_spread": alone}))


@pytest.mark.parametrize(("value", "text"), [(0.0134, "+0.013"), (-0.004, "−0.004"), (0.0, "+0.000")])
def test_differences_have_a_sign(value, text):
    assert signed(value) == text


@pytest.mark.parametrize(
    ("tested", "said"),
    [
        (BETTER, "gossip is not inferior to pooled by the margin of 0.02 Dice; it is better: "),
        (UNCLEAR, "Dice; that it is better is not shown, though the interval lies above 0: "),
    ],
)
def test_the_primary_answer_claims_no_more_than_the_test_of_the_same_pair(small_results, tested, said):
    results = deepcopy(small_results)
    value, low, high, p_holm, ranks = tested
    (pair,) = [pair for pair in results["comparisons"] if pair["difference"]["minus"] == "pooled"]
    pair["difference"] |= {"value": value, "low": low, "high": high}
    pair |= {"p_holm": p_holm, "test": {**pair["test"], "rank_biserial": ranks}}
    results["primary"] |= {"verdict": "not inferior", "superior": True}
    sentences = answer(results)
    assert said in sentences[0]
    assert any(sentence.startswith("gossip is better than pooled") for sentence in sentences) == (tested is BETTER)


def test_what_an_arm_never_learned_is_said_where_it_is_compared(small_results):
    assert not any("never learned" in sentence for sentence in answer(small_results))
    found = {"num_contoured": 38, "by_arm": {"gossip": 6, "individual": 2}}
    said = answer({**small_results, "never_learned": found})[1]
    assert said.startswith("Of 38 contoured organs of patients some were never learned at their own site: 6 by gossip and 2 by")
