"""Who took part in a run, from what each site wrote down of the others."""

from collections.abc import Mapping
from pathlib import Path

from src.exchange.participation import FILE_NAME, read_manifest


def read_participation(workspaces: Mapping[str, Path]) -> dict[str, dict]:
    """The last manifest of each site; sites without one, as in plans that exchange nothing, are left out.

    Args:
        workspaces: by site.
    """
    found = {site: read_manifest(workspace / "logs" / site / FILE_NAME) for site, workspace in workspaces.items()}
    return {site: manifest for site, manifest in found.items() if manifest is not None}


def participation_text(manifests: Mapping[str, dict]) -> str:
    """A line for each site: how many it expected, how many it met, and who was missing since when; empty without manifests."""
    if not manifests:
        return ""
    lines = ["who took part, as each site saw it (expected, met at least once, present at the end)"]
    for site, manifest in manifests.items():
        counts = f"{len(manifest['expected'])}, {manifest['met']}, {len(manifest['present'])}"
        gone = [f"{entry['site']} missing since {entry['since']}" for entry in manifest["missing"]]
        gone += [f"{name} never heard of" for name in manifest["unknown"]]
        lines.append(f"  {site}: {counts}" + (f"; {', '.join(gone)}" if gone else ""))
    return "\n".join(lines) + "\n"
