"""Which scheme a study's report advises a site to use for each structure: the ``advice`` of its results.json.

Where the report shows no difference, the study's simplest candidate that is not shown worse is taken: studies list their
candidates from the simplest on. Where it had too few patients to say anything, the simplest that can draw the structure is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from src.errors import ModelCardError
from src.exchange.strict_json import JsonFault, strict_json

_DEEPEST = 64
_LARGEST_BYTES = 1 << 28


@dataclass(frozen=True, kw_only=True)
class Advised:
    """For one structure at one site.

    Attributes:
        schemes: those that may be used, the one to take first; never empty.
        why: the report's verdict and what follows from it, in plain words.
    """

    schemes: tuple[str, ...]
    why: str


def read_advice(path: Path, site: str) -> dict[str, Advised]:
    """What a results.json advises one site.

    Args:
        path: the file, as ``make report`` writes it.
        site: whose patients are to be drawn on.

    Returns:
        Structure -> advice.

    Raises:
        ModelCardError: the file is none, holds no advice, or none for the site.
    """
    results = _read(path)
    candidates, rows = _candidates(path, results), results["advice"]
    sites = sorted({row["site"] for row in rows})
    if site not in sites:
        raise ModelCardError(f"expected advice for '{site}' in '{path.name}', found it for {', '.join(sites)}; check --site")
    patients = "test" if results["final"] else "validation"
    return {row["structure"]: _advised(row, candidates, patients) for row in rows if row["site"] == site}


def _read(path: Path) -> Mapping:
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise _refused(path, "a file of more than 256 MiB")
        content = strict_json(path.read_bytes(), _DEEPEST)
    except OSError as error:
        raise _refused(path, f"none that can be read ({error.strerror})") from None
    except JsonFault as fault:
        raise _refused(path, f"that it {fault}") from None
    if not isinstance(content, dict) or not _is_results(content):
        raise _refused(path, "another kind of file")
    if not content["advice"]:
        raise _refused(path, "no advice in it; its study names no candidates under 'advice'")
    return content


def _is_results(content: Mapping) -> bool:
    rows, study = content.get("advice"), content.get("study")
    return (
        isinstance(rows, list)
        and isinstance(study, dict)
        and isinstance(content.get("final"), bool)
        and all(map(_is_row, rows))
    )


def _is_row(row: object) -> bool:
    if not isinstance(row, dict) or not all(isinstance(row.get(name), str) for name in ("site", "structure", "verdict")):
        return False
    lists = (row.get("use"), list(row["means"]) if isinstance(row.get("means"), dict) else None)
    return all(isinstance(names, list) and all(isinstance(name, str) for name in names) for names in lists)


def _candidates(path: Path, results: Mapping) -> list[str]:
    candidates = results["study"].get("advice")
    if not isinstance(candidates, list) or not all(isinstance(name, str) for name in candidates) or not candidates:
        raise _refused(path, "no candidates under study.advice")
    return candidates


def _advised(row: Mapping, candidates: Sequence[str], patients: str) -> Advised:
    """In the study's order, but for a single one that is shown best."""
    said = f"the report says '{row['verdict']}' on {patients} patients"
    use = sorted(row["use"], key=lambda name: candidates.index(name) if name in candidates else len(candidates))
    if len(use) == 1:
        return Advised(schemes=tuple(use), why=said)
    if use:
        return Advised(schemes=tuple(use), why=f"{said} ({', '.join(row['use'])}): the study's simplest of these")
    with_scores = [name for name in candidates if name in row["means"]]
    return Advised(schemes=tuple(with_scores or candidates), why=f"{said}: the study's simplest candidate that can draw it")


def _refused(path: Path, found: str) -> ModelCardError:
    return ModelCardError(f"expected the results.json of a report at '{path.name}', found {found}; see `make report`")
