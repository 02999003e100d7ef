"""Every promise of docs/security.md names tests, and these exist."""

import re

import pytest

from tests.conftest import REPOSITORY

PAGE = REPOSITORY / "docs" / "security.md"
LINK = re.compile(r"\[(test_\w+)\]\((\.\./tests/[\w/]+\.py)\)")


def promises() -> list[tuple[str, list[tuple[str, str]]]]:
    """Each promise, and the name and file of each test that shows it."""
    section = PAGE.read_text(encoding="utf-8").partition("\n## Promises\n")[2].partition("\n## ")[0]
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("|")]
    told = [row for row in rows if row[0].strip() != "promise" and set(row[0].strip()) != {"-"}]
    return [(row[0].strip(), LINK.findall(row[1])) for row in told]


def test_there_are_promises_against_each_adversary():
    assert len(promises()) >= 25
    text = PAGE.read_text(encoding="utf-8")
    for adversary in ("on the network", "an impostor", "a malicious peer", "a hostile folder", "gets hold of files"):
        assert re.search(rf"^### Against .*{adversary}", text, re.MULTILINE), adversary


@pytest.mark.parametrize(("promise", "tests"), promises(), ids=lambda value: value[:40] if isinstance(value, str) else "")
def test_each_promise_is_shown_by_tests_that_exist(promise, tests):
    assert tests, f"nothing shows: {promise}"
    for name, file in tests:
        path = PAGE.parent / file
        assert path.is_file(), f"{file} is not there"
        assert re.search(rf"^def {name}\(", path.read_text(encoding="utf-8"), re.MULTILINE), f"{file} has no {name}"


def test_every_test_that_the_page_names_is_in_a_row():
    text = PAGE.read_text(encoding="utf-8")
    assert len(LINK.findall(text)) == sum(len(tests) for _, tests in promises())
    assert len(re.findall(r"\]\(\.\./tests/", text)) == len(LINK.findall(text)), "a link to a test that is none"
