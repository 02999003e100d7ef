"""The report says everything, to people alone: whatever a name holds is text, and the file asks nobody for anything."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from data_prep.conversion.printable import printable
from data_prep.conversion.report import csp_hash, write_report
from tests.data_prep.conversion.made_up_outcomes import HOSTILE_NAMES, PICTURE, converted, many, refused, roi

VOID = {"meta", "input", "img", "br"}
ELEMENTS = set(
    re.findall(
        r"\w+",
        """html head meta title style body header main section div h1 h2 h3 p ul li pre a bdi span strong code br img
        table thead tbody tr th td details summary input select option button script""",
    )
)


class Page(HTMLParser):
    """A parsed report: refuses what is not balanced, collects what is in it."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict]] = []
        self.text = ""
        self.ids: dict[str, str] = {}
        self._within: list[str] = []
        self.feed(html)
        self.close()
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag, attrs):
        assert len({name for name, _ in attrs}) == len(attrs), f"an attribute stands twice in {tag}"
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
            self._within.append(dict(attrs).get("id", ""))

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-1:]}"
        self.open.pop()
        self._within.pop()

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("script", "style"):
            self.text += data
            for name in filter(None, self._within):
                self.ids[name] = self.ids.get(name, "") + data

    def of(self, tag: str) -> list[dict]:
        return [attributes for name, attributes in self.tags if name == tag]


def written(tmp_path: Path, outcomes, **named) -> tuple[str, Page]:
    path = tmp_path / "conversion_report.html"
    write_report(path, **({"site": "north", "anatomy": "head_neck"} | named), outcomes=outcomes)
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]
    html = path.read_text(encoding="utf-8")
    return html, Page(html)


def test_no_patient_is_said(tmp_path):
    _, page = written(tmp_path, [])
    assert "No patient was found in the export" in page.text
    assert not page.of("details") and not page.of("img")


def test_the_answer_stands_first_and_the_warning_above_it(tmp_path):
    _, page = written(tmp_path, [converted(1), refused(2), converted(3)])
    assert "2 of 3 patients converted" in page.text
    assert page.text.index("It stays in the hospital") < page.text.index("2 of 3") < page.text.index("needs your attention")


def test_nothing_to_do_is_said(tmp_path):
    _, page = written(tmp_path, [converted(1)])
    assert "Nothing." in page.text


def test_every_patient_has_a_section_with_all_that_is_known(tmp_path):
    outcomes = many(200)
    _, page = written(tmp_path, outcomes)
    sections = page.of("details")
    assert sum(attributes.get("class") == "case" for attributes in sections) == 200
    for number, outcome in enumerate(outcomes, 1):
        section = page.ids[f"case-{number}"]
        assert outcome.case in section and outcome.status in section
        for line in (*outcome.found, *outcome.refusals, *outcome.warnings):
            assert line in section
        for one in outcome.rois:
            assert one.native in section and one.why in section and one.decision in section
    assert len(page.of("img")) == sum(outcome.picture_png_base64 is not None for outcome in outcomes)
    assert all(image["loading"] == "lazy" and image["alt"] for image in page.of("img"))


def test_what_needs_attention_is_counted(tmp_path):
    outcomes = many(200)
    _, page = written(tmp_path, outcomes)
    undecided = sum(one.decision == "undecided" for outcome in outcomes for one in outcome.rois)
    assert re.search(rf"Schluckmuskel\s*{undecided}\s*Nobody", page.ids["undecided"])
    assert "native,tg263\nSchluckmuskel,?\n" in page.ids["undecided"]
    num_refused = sum(outcome.status == "refused" for outcome in outcomes)
    assert re.search(rf"file_… is cut off\s*{num_refused}\D", page.ids["refused-patients"])
    assert "Larynx: It has contours on … slices without CT." in page.ids["refused-rois"]
    assert "Parotid_L: … cm³ is above 50 cm³" in page.ids["warnings"]


def test_links_lead_to_their_patient(tmp_path):
    outcomes = many(60)
    _, page = written(tmp_path, outcomes)
    links = [attributes["href"] for attributes in page.of("a")]
    assert links and {link.removeprefix("#") for link in links} <= set(page.ids)


def test_structures_without_a_patient_are_named(tmp_path):
    _, page = written(tmp_path, [converted(1, roi())], anatomy="liver")
    assert re.search(r"Parotid_L\s*1 of 1\s*28.2\s*28.2", page.ids["structures"])
    assert re.search(r"In no patient: [^.]*Liver", page.ids["structures"])


def test_all_refused(tmp_path):
    outcomes = [refused(number, "no CT", "the RTSTRUCT is cut off") for number in range(4)]
    _, page = written(tmp_path, outcomes)
    assert "0 of 4 patients converted" in page.text
    assert "structures" not in page.ids
    assert all("the RTSTRUCT is cut off" in page.ids[f"case-{number}"] for number in range(1, 5))


@pytest.mark.parametrize("native", HOSTILE_NAMES)
def test_hostile_text_is_text(tmp_path, native):
    rois = [roi(native, None, decision, native, notes=(native,)) for decision in ("undecided", "refused", "left out")]
    outcomes = [converted(1, roi(native, "Larynx", why=native), *rois, warnings=[native]), refused(2, native, rois=rois)]
    html, page = written(tmp_path, outcomes)
    plain, _ = written(tmp_path, [converted(1, roi("a", "Larynx", why="a")), refused(2)])
    assert printable(native) in page.text
    assert {tag for tag, _ in page.tags} <= ELEMENTS
    assert len(page.of("script")) == 1 and len(page.of("img")) == 1
    attributes = {name for _, attributes in page.tags for name in attributes}
    assert not [name for name in attributes if name.startswith("on")]
    assert script_of(html) == script_of(plain)
    assert not re.search(r"[\x00-\x09\x0b-\x1f]|[‪-‮]", re.sub(r"<pre>.*?</pre>", "", html, flags=re.DOTALL))


def script_of(html: str) -> str:
    (script,) = re.findall(r"<script>(.*?)</script>", html, flags=re.DOTALL)
    return script


def test_hostile_site_and_pseudonym_are_text(tmp_path):
    outcome = converted(1)
    object.__setattr__(outcome, "case", '"><b>x')
    _, page = written(tmp_path, [outcome], site="<i>'\"")
    assert {tag for tag, _ in page.tags} <= ELEMENTS
    assert "<i>'\"" in page.text and '"><b>x' in page.text


def test_the_file_asks_nobody_for_anything(tmp_path):
    html, page = written(tmp_path, many(5))
    policy = next(attributes["content"] for attributes in page.of("meta") if "http-equiv" in attributes)
    assert policy.startswith("default-src 'none'; img-src data:;")
    assert f"script-src '{csp_hash(script_of(html))}'" in policy, "the browser would not run the script"
    assert not page.of("link") and "url(" not in html and "@import" not in html
    sources = [value for _, attributes in page.tags for name, value in attributes.items() if name in ("src", "href")]
    assert all(value.startswith(("#case-", "data:image/png;base64,")) for value in sources)
    assert PICTURE in html


def test_same_outcomes_same_bytes(tmp_path):
    first, _ = written(tmp_path, many(30))
    second, _ = written(tmp_path, many(30))
    assert first == second


def test_the_path_is_not_in_the_report(tmp_path):
    html, _ = written(tmp_path, many(3))
    assert tmp_path.name not in html and str(tmp_path) not in html


def test_few_patients_are_open_and_many_are_not(tmp_path):
    _, few = written(tmp_path, [converted(1)])
    _, lots = written(tmp_path, many(50))
    assert all("open" in attributes for attributes in few.of("details"))
    assert not any("open" in attributes for attributes in lots.of("details"))


def test_a_picture_that_is_not_there_leaves_no_gap(tmp_path):
    _, page = written(tmp_path, [converted(1, picture=None)])
    assert not page.of("img")
