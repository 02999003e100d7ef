"""The names of an import of masks: one mapping for all cases, refused as long as a name is open."""

from collections.abc import Iterable, Mapping

from data_prep.naming.decide import decide_name
from data_prep.naming.decision import NameDecision
from src.errors import StructureError


def resolve_names(
    native_names: Iterable[str], anatomy: str, names: Mapping[str, str | None], *, skip_unmatched: bool
) -> dict[str, str]:
    """Finds the TG-263 name of every native name.

    Args:
        native_names: what the site calls its structures, of all cases together: two of them may mean one structure, as long as
            no case has both.
        anatomy: one of ``ANATOMIES``; a structure of another one counts as unmatched.
        names: what ``read_names`` gave; goes before everything else.
        skip_unmatched: leave unmatched names out instead of refusing.

    Returns:
        native name -> TG-263 name, without those left out.

    Raises:
        StructureError: names without a structure that names.csv does not leave out, all of them listed.
    """
    decisions = [decide_name(native, anatomy, names) for native in sorted(set(native_names))]
    unmatched = [each for each in decisions if each.structure is None and each.confidence != "override"]
    if unmatched and not skip_unmatched:
        raise StructureError(
            f"expected names that plan/structures.yaml knows for {anatomy}, found {len(unmatched)} others: "
            + ", ".join(f"'{each.native}' ({_hint(each)})" for each in unmatched)
            + "; map them in a file for --names (columns native,tg263; an empty tg263 leaves one out) or pass --skip-unmatched"
        )
    return {each.native: each.structure for each in decisions if each.structure}


def _hint(decision: NameDecision) -> str:
    return f"{', '.join(decision.suggested[:2])}?" if decision.suggested else decision.why


def one_native_each(case: str, native_names: Iterable[str], matched: Mapping[str, str]) -> dict[str, str]:
    """TG-263 name -> native name of one case; names that were left out are dropped.

    Raises:
        StructureError: two native names of the case stand for one structure.
    """
    chosen: dict[str, str] = {}
    for native in native_names:
        if native not in matched:
            continue
        other = chosen.setdefault(matched[native], native)
        if other != native:
            raise StructureError(
                f"case {case}: '{other}' and '{native}' both stand for {matched[native]}; leave one out with an empty tg263 in "
                "a file for --names"
            )
    return chosen
