"""Reads ``plan/peers.yaml``: where the peers are, seen from this site.

The file is local. It is no part of the plan and of its hash: an address can change, or differ behind a firewall, and the
federation stays the same.
"""

from collections.abc import Collection, Hashable
from dataclasses import dataclass
from pathlib import Path

import yaml

from src.errors import PlanSettingError
from src.exchange.address import split_address
from src.setting_range import check_whole

_ENTRIES, _OPTIONAL = {"listen", "epoch", "peers"}, {"folder"}


@dataclass(frozen=True, kw_only=True)
class PeersFile:
    """What stands in the file.

    Attributes:
        listen: ``host:port`` this site serves on; None when it serves nothing and only calls.
        epoch: of this site, from 1; raised by its operator after a loss of its disk.
        peers: peer -> ``host:port``; None for a peer that this site cannot call.
        folder: the synchronised folder, as this site sees it; None when it has none.
    """

    listen: str | None
    epoch: int
    peers: dict[str, str | None]
    folder: Path | None = None


class _OnceLoader(yaml.SafeLoader):
    """YAML in which an entry stands once: of two addresses of a site the last would count, and nobody would know.

    Nor may it refer to itself: a few lines of references to references are a text of gigabytes to whoever prints them.
    """

    def compose_node(self, parent, index):
        if self.check_event(yaml.AliasEvent):
            raise PlanSettingError("plan/peers.yaml: expected every entry written out, found a reference such as *name")
        return super().compose_node(parent, index)

    def construct_mapping(self, node, deep=False):
        names = [self.construct_object(key, deep=True) for key, _ in node.value]
        twice = {name for name in names if isinstance(name, Hashable) and names.count(name) > 1}
        if twice:
            raise PlanSettingError(f"plan/peers.yaml: expected each entry once, found {sorted(map(str, twice))!r:.300} twice")
        return super().construct_mapping(node, deep)


def read_peers(path: Path, roster: Collection[str], own: str) -> PeersFile:
    """Reads and checks the file.

    Args:
        path: of the file.
        roster: all sites of the plan, ``own`` included.
        own: this site's name.

    Raises:
        PlanSettingError: it is not there, or an entry is unknown, missing or impossible; says which, and what to write.
    """
    content = _load(path)
    if not isinstance(content, dict) or set(content) - _OPTIONAL != _ENTRIES:
        found = f"{sorted(map(str, content))!r:.300}" if isinstance(content, dict) else type(content).__name__
        raise PlanSettingError(
            f"plan/peers.yaml: expected the entries epoch, listen and peers, and folder where there is one, found {found}"
        )
    return PeersFile(
        listen=_address("listen", content["listen"]),
        epoch=check_whole("plan/peers.yaml: epoch", content["epoch"], 1),
        peers=_peers(content["peers"], roster, own),
        folder=_folder(content.get("folder")),
    )


def _load(path: Path) -> object:
    try:
        return yaml.load(path.read_text(encoding="utf-8"), _OnceLoader)
    except FileNotFoundError as error:
        raise PlanSettingError(
            "plan/peers.yaml: expected this file with the address of every peer, found none; the template's shows how"
        ) from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        where = getattr(error, "problem_mark", None)
        line = f" at line {where.line + 1}" if where else ""
        raise PlanSettingError(f"plan/peers.yaml: expected readable YAML, found none{line} ({type(error).__name__})") from error


def _peers(table: object, roster: Collection[str], own: str) -> dict[str, str | None]:
    if not isinstance(table, dict):
        raise PlanSettingError(f"plan/peers.yaml: peers: expected 'site: host:port' lines, found {table!r:.80}")
    if own in table:
        raise PlanSettingError(f"plan/peers.yaml: peers.{own}: is this site itself; remove the line, 'listen' is its address")
    expected = set(roster) - {own}
    for name in table:
        if name not in expected:
            known = ", ".join(sorted(expected))
            shown = name if isinstance(name, str) and name.isprintable() and len(name) <= 80 else f"{name!r:.80}"
            raise PlanSettingError(
                f"plan/peers.yaml: peers.{shown}: is not in the plan's roster ({known}); remove or rename it"
            )
    for name in sorted(expected - set(table)):
        raise PlanSettingError(
            f"plan/peers.yaml: peers.{name}: is missing; add '{name}: host:port', or '{name}: null' if it cannot be called"
        )
    return {name: _address(f"peers.{name}", table[name]) for name in sorted(table)}


def _folder(value: object) -> Path | None:
    if value is None:
        return None
    if not isinstance(value, str) or not value.strip() or "\0" in value:
        raise PlanSettingError(
            f"plan/peers.yaml: folder: expected the path of the synchronised folder, or null for none, found {value!r:.80}"
        )
    return Path(value).expanduser()


def _address(where: str, value: object) -> str | None:
    if value is None:
        return None
    try:
        split_address(value)
    except ValueError as error:
        raise PlanSettingError(f"plan/peers.yaml: {where}: {error}, or null for none") from error
    return value
