"""Python, and the packages whose versions matter."""

import re
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from src.doctor.finding import Finding, failed, ok, warning
from src.doctor.workplace import Workplace
from src.environment import check_python
from src.errors import OarError

# The template's list: in a workspace, and in the repository that it is made from.
_LISTS = (Path("requirements.txt"), Path("workspace/requirements.txt"))
_NAMED = ("numpy", "grpcio", "torch", "openfl")
_REQUIREMENT = re.compile(r"(?P<name>[A-Za-z0-9_.-]+)(?P<ranges>[<>=!].*)?")
_RANGE = re.compile(r"(?P<sign>>=|<|==)(?P<version>[0-9.]+)")


def check_interpreter(place: Workplace) -> Iterator[Finding]:
    """The running Python."""
    found = ".".join(map(str, sys.version_info[:3]))
    try:
        check_python()
    except OarError as error:
        yield failed("python", error, "python3.11 -m venv venv && . venv/bin/activate && pip install -r requirements.txt")
    else:
        yield ok("python", found)


def check_packages(place: Workplace) -> Iterator[Finding]:
    """Every package of the workspace's list, in the versions it asks for."""
    listed = next((path for path in _LISTS if path.is_file()), None)
    if listed is None:
        yield warning("packages", "found no requirements.txt here to compare with", "cd <workspace>")
        return
    faults = [fault for line in listed.read_text(encoding="utf-8").splitlines() if (fault := _fault(line.strip()))]
    if faults:
        wanted = " ".join(f'"{requirement}"' for requirement, _ in faults)
        yield failed("packages", "; ".join(words for _, words in faults), f"pip install {wanted}")
    else:
        yield ok("packages", ", ".join(f"{name} {version(name)}" for name in _NAMED))


def _fault(requirement: str) -> tuple[str, str] | None:
    """A requirement that is not met, and what is wrong; None when all is well."""
    match = _REQUIREMENT.fullmatch(requirement)
    if match is None:
        return None
    name, ranges = match["name"], match["ranges"] or ""
    try:
        found = version(name)
    except PackageNotFoundError:
        return requirement, f"expected {requirement}, found no {name}"
    if all(_holds(found, one["sign"], one["version"]) for one in _RANGE.finditer(ranges)):
        return None
    return requirement, f"expected {name} {ranges}, found {found}"


def _holds(found: str, sign: str, bound: str) -> bool:
    ours, theirs = _numbers(found), _numbers(bound)
    length = max(len(ours), len(theirs))
    ours, theirs = ours + [0] * (length - len(ours)), theirs + [0] * (length - len(theirs))
    return {">=": ours >= theirs, "<": ours < theirs, "==": ours == theirs}[sign]


def _numbers(text: str) -> list[int]:
    """The release part of a version: 2.13.0+cpu is 2, 13, 0."""
    return [int(part) for part in re.match(r"[0-9]+(\.[0-9]+)*", text)[0].split(".")]
