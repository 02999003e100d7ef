"""The page as a browser and a reader find it: whole, alone, complete, and true to results.json."""

import base64
import copy
import re

import pytest

from data_prep.conversion.report import csp_hash
from experiments.report.blocks import DASH
from experiments.report.page import render_report, shown
from tests.experiments.report.conftest import HOSTILE
from tests.experiments.report.parsed import parse
from tests.experiments.small_study import ARMS, SITES, STRUCTURES

UNITS = {"MB": 1e6, "h": 3600.0, "%": 0.01}


def test_ids_are_unique_and_every_link_leads_somewhere(document):
    ids = [element.attributes["id"] for element in document.all() if "id" in element.attributes]
    links = [element.attributes["href"] for element in document.all("a")]
    assert len(ids) == len(set(ids)) and len(links) >= 16
    assert {f"#{name}" for name in ids} == set(links)


def test_it_loads_nothing(html, document):
    for element in document.all():
        assert element.tag not in ("link", "iframe", "object", "embed", "base", "form")
        for name, value in element.attributes.items():
            assert not name.startswith("on")
            if name in ("src", "href"):
                assert value.startswith(("data:image/", "#"))
    (style,) = document.all("style")
    assert "url(" not in style.text and "@import" not in style.text
    (script,) = document.all("script")
    assert not re.search(r"fetch|XMLHttp|import|eval|innerHTML", script.text)
    (policy,) = [one for one in document.all("meta") if one.attributes.get("http-equiv") == "Content-Security-Policy"]
    assert csp_hash(script.text) in policy.attributes["content"] and "default-src 'none'" in policy.attributes["content"]
    assert len(html) < 8e6


def test_tables_print_with_their_heads_and_whole_words(document):
    (style,) = document.all("style")
    print_rules = re.sub(r"/\*.*?\*/", "", style.text.partition("@media print")[2]).strip(" {")
    rules = {name.strip(): rule for name, rule in re.findall(r"([^{}]+)\{([^{}]*)\}", print_rules)}
    # Chromium repeats no head with a button in it as a box of its own: 1 of 12 pages of a long table had one.
    assert rules["th button"].strip() == "display: contents;" and "table-header-group" in rules["thead"]
    # Breaking anywhere makes columns so narrow that "shared" and "n seeds" break in the middle.
    assert [name for name, rule in rules.items() if "anywhere" in rule] == ["td:not(.number, .short)", "pre"]


def test_pictures_load_nothing_and_have_words(document):
    pictures = document.all("img")
    assert len(pictures) >= 8
    for picture in pictures:
        kind, content = picture.attributes["src"].split(";base64,")
        assert kind == "data:image/svg+xml" and picture.attributes["alt"]
        svg = base64.b64decode(content).decode()
        assert not re.search(r'(href|src)="(?!#|data:)', svg) and "<script" not in svg and "url(http" not in svg


def test_hostile_names_are_text(document):
    text = document.text
    for name in HOSTILE.values():
        assert shown(name) in text
    assert len(document.all("script")) == 1 and "\u202e" not in text
    assert not any("example.org" in str(element.attributes.get("src")) for element in document.all())


def test_every_arm_site_and_structure_is_named(document):
    text = document.text
    for name in [*(arm.name for arm in ARMS), *SITES, *STRUCTURES]:
        assert shown(HOSTILE.get(name, name)) in text


def test_every_number_of_a_table_is_one_of_the_results_and_shown_rounded(document, hostile_results):
    known, seen = numbers_of(hostile_results) | sums_of(hostile_results), 0
    for head, cell in number_cells(document):
        attributes = cell.attributes
        for name in ("data-low", "data-high"):
            assert name not in attributes or float(attributes[name]) in known
        if not attributes["data-sort"]:
            assert cell.text == DASH or cell.text.startswith("not tested")
            continue
        value, seen = float(attributes["data-sort"]), seen + 1
        assert value in known, head
        if cell.text == "< 0.001":
            assert value < 0.001
            continue
        text = re.match(r"[+−]?[\d ]+(\.\d+)?", cell.text).group().strip()
        unit = UNITS.get(re.split(r"[ ,]+", head)[-1], 1.0)
        digits = len(text.partition(".")[2])
        assert abs(float(text.replace("−", "-").replace(" ", "")) - value / unit) <= 0.5001 * 10**-digits
    assert seen > 500


def test_what_does_not_exist_is_a_dash_and_never_0(document, hostile_results):
    rows = [row for row in hostile_results["missing_structures"] if row["dice"] is None]
    assert rows
    (table,) = [one for one in document.all("table") if "over the other sites" in one.all("caption")[0].text]
    shown_cells = [[cell.text for cell in row.all("td")] for row in table.all("tr")[1:]]
    for row in rows:
        (found,) = [cells for cells in shown_cells if cells[:3] == [shown(row[key]) for key in ("site", "structure", "arm")]]
        assert found[4] == DASH and found[5] == "0"
    assert not re.search(r"\b(nan|None|inf)\b", document.all("main")[0].text)


def test_the_answer_comes_first(document, hostile_results):
    first = document.all("section")[0]
    assert first.attributes["id"] == "answer"
    for sentence in hostile_results["answer"]:
        assert shown(sentence) in first.text


@pytest.fixture(scope="module")
def nothing(results) -> dict:
    """Results of a study of which next to nothing exists."""
    empty = copy.deepcopy(results) | {
        "primary": None,
        "wall_clock": {},
        "learning_curves": {},
        "learning_rates": {},
        "heat_maps": {},
    }
    for name in (
        "comparisons",
        "non_inferiority",
        "against_individual",
        "sensitivity",
        "best_models",
        "seed_spread",
        "patients",
    ):
        empty[name] = []
    for name in ("missing_structures", "left_out", "costs", "advice", "worst_cases", "not_done"):
        empty[name] = []
    empty["estimates"] = {"own_site": [], "cross_site": []}
    empty["metrics"] = {name: {"own_site": []} for name in empty["metrics"]}
    return empty


def test_empty_parts_are_said_in_words(nothing):
    sections = parse(render_report(nothing, command="x", registration="none: y")).all("section")
    for section, words in {
        "answer": "No primary hypothesis could be tested",
        "structures": "No arm has scores",
        "sites": "No model was scored",
        "learning-curves": "No training run left any validation",
        "costs": "No finished run says what it cost",
        "wall-clock": "No finished run to simulate",
        "missing-structures": "Every site drew every structure",
        "left-out": "No scheme was trained without a site",
        "advice": "not two candidates",
        "worst-cases": "No patient was scored",
        "learning-rates": "No learning rate was searched",
        "not-done": "Every scheme of the study was trained",
        "making": "none: y",
    }.items():
        (found,) = [one for one in sections if one.attributes["id"] == section]
        assert words in found.text


def numbers_of(value) -> set[float]:
    """Every number of the results, those that stand in words (a learning rate as a key) too."""
    if isinstance(value, dict):
        return set().union(*(numbers_of(key) | numbers_of(entry) for key, entry in value.items()))
    if isinstance(value, list):
        return set().union(*map(numbers_of, value))
    if isinstance(value, str):
        return {float(value)} if re.fullmatch(r"[\d.]+(e-\d+)?", value) else set()
    return set() if value is None else {float(value)}


def sums_of(results: dict) -> set[float]:
    """What the page adds up or counts itself."""
    sums = {float(len(arm["seeds"])) for arm in results["arms"]}
    for row in results["costs"]:
        total = row["total"]
        for names in (("sent_bytes", "received_bytes"), ("closing_sent_bytes", "closing_received_bytes")):
            if total[names[0]] is not None:
                sums.add(float(sum(total[name] for name in names)))
    return sums


def number_cells(document):
    """Heads and cells of the columns of numbers."""
    for table in document.all("table"):
        heads = table.all("th")
        for row in table.all("tbody")[0].all("tr"):
            cells = row.all("td")
            assert len(cells) == len(heads)
            for head, cell in zip(heads, cells, strict=True):
                if head.attributes["data-kind"] == "number":
                    yield head.text, cell
