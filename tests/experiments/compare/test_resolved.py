import pytest
import yaml

from experiments.compare.errors import StudyError
from experiments.compare.resolved import Resolved, begun_schemes
from tests.experiments.compare.conftest import SITES, small_study

OTHER_PLAN = "schemes.gossip: runs of this study folder were made with another plan"


@pytest.fixture
def resolve(three_sites):
    def of(dotted=None, value=None, schemes=None, seeds=None):
        return Resolved.of(small_study(dotted, value).only(schemes, seeds), three_sites, SITES)

    return of


def test_it_is_read_as_it_was_written(resolve, tmp_path):
    resolve().write(tmp_path)
    assert Resolved.read(tmp_path) == resolve()
    content = yaml.safe_load((tmp_path / "study.yaml").read_text())
    assert content["name"] == "small" and list(content["sites"]) == SITES
    assert content["schemes"]["gossip"]["seeds"] == [0] and len(content["schemes"]["gossip"]["plan_sha256"]) == 64
    assert [path.name for path in tmp_path.iterdir()] == ["study.yaml"]


def test_more_schemes_and_seeds_may_be_asked_for(resolve):
    first, later = resolve(schemes=["gossip"], seeds=[0, 2]), resolve(schemes=["gossip", "fedavg"], seeds=[1])
    seeds = {name: scheme.seeds for name, scheme in later.joined(first, ["gossip"]).study.schemes.items()}
    assert seeds["gossip"] == (0, 1, 2) and seeds["fedavg"] == (1,) and seeds["pooled"] == ()


@pytest.mark.parametrize(
    ("dotted", "value", "said"),
    [
        ("rounds", 5, "rounds: runs of this study folder were made with 4, found 5"),
        ("learning_rates", [0.003], "learning_rates"),
        ("search_seed", 1, "search_seed"),
        ("cross_site", False, "cross_site"),
        ("local_finish_rounds", 0, "local_finish_rounds"),
        (
            "changes",
            ["task_runner.settings.steps_per_round=6"],
            OTHER_PLAN,
        ),
        (
            "schemes.gossip.changes",
            ["task_runner.settings.overlap=0.5"],
            OTHER_PLAN,
        ),
        ("schemes.gossip.without", ["site_c"], "schemes.gossip.without: "),
        ("schemes.cyclic.learning_rate_of", "gossip", "schemes.cyclic.learning_rate_of: "),
        ("schemes.gossip.silent", {"site": "site_c", "from_round": 2}, "schemes.gossip.silent: "),
    ],
)
def test_what_would_change_a_run_that_is_there_is_refused(resolve, dotted, value, said):
    changed = resolve(dotted, value)
    with pytest.raises(StudyError) as refused:
        changed.joined(resolve(), ["gossip", "cyclic"])
    assert said in str(refused.value) and "choose another RUN" in str(refused.value)
    # Before any run is there, everything may change.
    assert changed.joined(resolve(), []) == changed


@pytest.mark.parametrize(
    ("dotted", "value"),
    [
        ("comparisons", []),
        ("advice", ["gossip"]),
        ("hypothesis.text", "better"),
        ("schemes.fedavg.changes", ["task_runner.settings.overlap=0.5"]),
        ("schemes.new", {"plan": "fedprox"}),
    ],
)
def test_what_changes_no_run_that_is_there_may_change(resolve, dotted, value):
    assert resolve(dotted, value).joined(resolve(), ["gossip"]) == resolve(dotted, value)


def test_a_scheme_with_runs_cannot_leave_the_study(resolve):
    extra = resolve("schemes.extra", {"plan": "fedprox"})
    with pytest.raises(StudyError, match=r"schemes\.extra: expected in the study file"):
        resolve().joined(extra, ["extra"])


def test_other_patients_are_another_study(resolve, three_sites, tmp_path):
    for site in SITES:
        (tmp_path / site).mkdir()
        text = (three_sites / site / "dataset.json").read_text()
        (tmp_path / site / "dataset.json").write_text(text.replace('"test"', '"valid"') if site == "site_b" else text)
    with pytest.raises(StudyError, match="other cases or splits for site_b;"):
        Resolved.of(small_study(), tmp_path, SITES).joined(resolve(), [])


def test_begun_is_what_left_a_folder(tmp_path):
    assert begun_schemes(tmp_path) == []
    (tmp_path / "search" / "gossip" / "lr_0.01").mkdir(parents=True)
    (tmp_path / "train" / "fedavg" / "seed_0").mkdir(parents=True)
    assert begun_schemes(tmp_path) == ["fedavg", "gossip"]
