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
