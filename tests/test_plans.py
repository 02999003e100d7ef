"""Plans that should differ in one thing only differ in nothing else; they are written out in full, so nothing else watches."""

import pytest
import yaml

from tests.conftest import REPOSITORY

PLAN = REPOSITORY / "plan"


def settings(name: str) -> dict:
    """A plan's entries by dotted name."""

    def leaves(content, prefix=""):
        for key, value in content.items():
            if isinstance(value, dict) and value:
                yield from leaves(value, f"{prefix}{key}.")
            else:
                yield f"{prefix}{key}", value

    return dict(leaves(yaml.safe_load((PLAN / "plans" / name / "plan.yaml").read_text(encoding="utf-8"))))


def differing(first: str, second: str) -> set[str]:
    one, other = settings(first), settings(second)
    return {name for name in one.keys() | other.keys() if one.get(name) != other.get(name)}


def test_the_default_plan_is_fedavg_for_head_and_neck():
    assert (PLAN / "plan.yaml").read_bytes() == (PLAN / "plans" / "fedavg_head_neck" / "plan.yaml").read_bytes()


@pytest.mark.parametrize("anatomy", ["head_neck", "liver", "phantom"])
def test_fedprox_is_fedavg_with_its_term(anatomy):
    assert differing(f"fedavg_{anatomy}", f"fedprox_{anatomy}") == {"task_runner.settings.proximal_mu"}


def test_pooled_takes_the_steps_of_six_sites():
    assert differing("fedavg_head_neck", "pooled_head_neck") == {"task_runner.settings.steps_per_round"}
    steps = {name: settings(name)["task_runner.settings.steps_per_round"] for name in ("fedavg_head_neck", "pooled_head_neck")}
    assert steps["pooled_head_neck"] == 6 * steps["fedavg_head_neck"]


ANATOMIES = ["head_neck", "liver", "phantom"]
EXCHANGE, LEARNING = "collaborator.settings.exchange.", "collaborator.settings.learning."
# What belongs to an aggregator, to its collaborator, or says that there is none.
OF_THE_KIND = ("aggregator.", "assigner.", "collaborator.", "tasks.", "network.settings.agg_")


@pytest.mark.parametrize("anatomy", ANATOMIES)
@pytest.mark.parametrize("scheme", ["gossip", "cyclic", "individual"])
def test_plans_without_an_aggregator_train_what_fedavg_trains(scheme, anatomy):
    assert [name for name in differing(f"fedavg_{anatomy}", f"{scheme}_{anatomy}") if not name.startswith(OF_THE_KIND)] == []
    fedavg, plan = settings(f"fedavg_{anatomy}"), settings(f"{scheme}_{anatomy}")
    # FedAvg's last round only validates.
    assert plan["collaborator.settings.rounds"] == fedavg["aggregator.settings.rounds_to_train"] - 1


@pytest.mark.parametrize("anatomy", ANATOMIES)
def test_individual_is_gossip_without_an_exchange(anatomy):
    found = differing(f"gossip_{anatomy}", f"individual_{anatomy}")
    assert found == {EXCHANGE + "schedule", "collaborator.settings.completion.steps"}


@pytest.mark.parametrize("anatomy", ANATOMIES)
def test_cyclic_is_gossip_in_one_chain(anatomy):
    of_exchange = {EXCHANGE + name for name in ("schedule", "warm_up_rounds", "exchange_every", "local_rounds_at_end")}
    of_learning = {LEARNING + name for name in ("rule", "opt_treatment", "peer_tolerance")}
    found = differing(f"gossip_{anatomy}", f"cyclic_{anatomy}") | {EXCHANGE + "exchange_every"}
    assert found == of_exchange | of_learning | {"collaborator.settings.completion.steps"}


@pytest.mark.parametrize("anatomy", ANATOMIES)
def test_the_shares_of_a_run_are_those_that_the_comments_name(anatomy):
    plan, rounds = settings(f"gossip_{anatomy}"), settings(f"gossip_{anatomy}")["collaborator.settings.rounds"]
    assert plan[EXCHANGE + "warm_up_rounds"] == max(1, round(0.1 * rounds))
    assert plan[LEARNING + "ramp_rounds"] in (int(0.15 * rounds), int(0.15 * rounds) + 1)
    steps, rate = (plan[f"collaborator.settings.completion.{name}"] for name in ("steps", "learning_rate"))
    assert steps == 2 * plan["task_runner.settings.steps_per_round"]
    assert rate == pytest.approx(plan["task_runner.settings.optimisation.learning_rate"] / 3, rel=0.15)


@pytest.mark.parametrize("scheme", ["gossip", "cyclic", "individual"])
def test_head_and_neck_and_liver_differ_in_what_they_train_alone(scheme):
    found = differing(f"{scheme}_head_neck", f"{scheme}_liver")
    assert {name for name in found if not name.startswith("data_loader.")} == set()
