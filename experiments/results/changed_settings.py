"""What one scheme of a study has that another has not, in a few words."""

from collections.abc import Collection, Mapping

_WORDS = ("plan", "pooled_data", "steps")


def changed_settings(scheme: Mapping, base: Mapping, sites: Collection[str]) -> str:
    """What is not as in the base.

    Args:
        scheme, base: as they stand in study.yaml, each with ``learning_rate``, the one that it was trained with, where known.
        sites: of the study.

    Returns:
        Such as ``exchange_every=4``; empty where nothing differs.
    """
    found = [f"{name} {scheme.get(name)}" for name in _WORDS if scheme.get(name) != base.get(name)]
    changes, before = (_by_setting(entry.get("changes") or []) for entry in (scheme, base))
    found += [f"{_last(key)}={value}" for key, value in changes.items() if before.get(key) != value]
    found += [f"{_last(key)} as in the plan" for key in before if key not in changes]
    if set(scheme.get("without") or ()) != set(base.get("without") or ()):
        present = [site for site in sorted(sites) if site not in (scheme.get("without") or ())]
        found.append(f"{len(present)} sites ({', '.join(present)})")
    if scheme.get("silent") != base.get("silent"):
        silent = scheme.get("silent")
        found.append(f"{silent['site']} gone from round {silent['from_round']}" if silent else "nobody gone")
    if scheme.get("learning_rate") != base.get("learning_rate"):
        found.append(f"learning rate {scheme['learning_rate']:g}" if "learning_rate" in scheme else "learning rate unknown")
    return ", ".join(found)


def _by_setting(changes: Collection[str]) -> dict[str, str]:
    pairs = (change.partition("=") for change in changes)
    return {key.strip(): value.strip() for key, _, value in pairs}


def _last(dotted: str) -> str:
    return dotted.rpartition(".")[2]
