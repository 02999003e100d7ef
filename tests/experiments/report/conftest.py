"""The results of a small study, and its page, made once."""

import pytest

from experiments.report.page import render_report
from experiments.results import collect
from tests.experiments.report.parsed import Element, parse
from tests.experiments.small_study import make_small_datasets, make_small_study

# Names as an attacker or a careless researcher would choose them; all are of the study.
HOSTILE = {
    "gossip_consensus": "<script>alert(1)</script>\"'&amp;",
    "site_c": '"><img src=https://example.org/x onerror=alert(1)>',
    "Brainstem": "$x_{$ \u202estem</title></svg>",
}


@pytest.fixture(scope="package")
def study(tmp_path_factory):
    """A finished study's folder; read only."""
    return make_small_study(tmp_path_factory.mktemp("report") / "study")


@pytest.fixture(scope="package")
def results(study, tmp_path_factory) -> dict:
    """Of the validation patients; read only."""
    return collect(study, make_small_datasets(tmp_path_factory.mktemp("datasets")), "valid", num_resamples=300)


@pytest.fixture(scope="package")
def hostile_results(results) -> dict:
    """The same with hostile names."""
    return renamed(results)


@pytest.fixture(scope="package")
def html(hostile_results) -> str:
    """The page of hostile names."""
    return render_report(hostile_results, command="python -m experiments.report --study <x>", registration="gossip: 0123")


@pytest.fixture(scope="package")
def document(html) -> Element:
    """The same, read."""
    return parse(html)


def renamed(value):
    """The results with each of ``HOSTILE`` where its plain name stood as a name of its own."""
    if isinstance(value, dict):
        return {HOSTILE.get(key, key): renamed(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [renamed(entry) for entry in value]
    return HOSTILE.get(value, value) if isinstance(value, str) else value
