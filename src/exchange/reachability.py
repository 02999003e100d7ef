"""Who can meet whom, from what the plan says of each site: the schedule follows from it, so all sites must agree on it.

============  ================================================================================================
``direct``    calls the others and is called by them; what a site is that the plan's table does not name
``outbound``  calls the others, nobody can call it: it brings its snapshot along to the direct sites
``folder``    neither calls nor is called: it meets the others in a synchronised folder
============  ================================================================================================

Two sites meet over gRPC if both call and one of them can be called, else in the folder: two folder sites always, any others
only if the plan's ``folder`` says that all sites mount it.
"""

from collections.abc import Mapping, Sequence

from src.errors import PlanSettingError

DIRECT, OUTBOUND, FOLDER = "direct", "outbound", "folder"
REACHABILITIES = (DIRECT, OUTBOUND, FOLDER)
GRPC = "grpc"

_WHERE = "collaborator.settings.exchange.reachability"


def kind_of(table: Mapping[str, str], site: str) -> str:
    """What kind of site a table says a site is; ``direct`` when it does not name it."""
    return table.get(site, DIRECT)


def transport_between(first: str, second: str, *, folder: bool = False) -> str | None:
    """What two sites meet over.

    Args:
        first, second: kinds, of ``REACHABILITIES``; their order does not matter.
        folder: whether all sites mount the folder.

    Returns:
        ``grpc`` or ``folder``; None when they cannot meet.
    """
    kinds = {first, second}
    if FOLDER not in kinds and DIRECT in kinds:
        return GRPC
    return FOLDER if folder or kinds == {FOLDER} else None


def can_meet(first: str, second: str, *, folder: bool = False) -> bool:
    """Whether two kinds of sites can exchange at all; see ``transport_between``."""
    return transport_between(first, second, folder=folder) is not None


def meeting_peers(roster: Sequence[str], table: Mapping[str, str], site: str, *, folder: bool = False) -> tuple[str, ...]:
    """Whom a site can meet, sorted; never itself."""
    own = kind_of(table, site)
    return tuple(peer for peer in sorted(roster) if peer != site and can_meet(own, kind_of(table, peer), folder=folder))


def brings_to(roster: Sequence[str], table: Mapping[str, str], site: str, *, folder: bool = False) -> tuple[str, ...]:
    """To whom a site must bring its snapshots, because they cannot fetch them: the direct sites, if it is ``outbound``."""
    if kind_of(table, site) != OUTBOUND:
        return ()
    return tuple(peer for peer in meeting_peers(roster, table, site, folder=folder) if kind_of(table, peer) == DIRECT)


def brought_by(roster: Sequence[str], table: Mapping[str, str], site: str) -> tuple[str, ...]:
    """Who may bring snapshots to a site: the outbound sites, if it is ``direct``; sorted."""
    return tuple(peer for peer in sorted(roster) if site in brings_to(roster, table, peer))


def components(roster: Sequence[str], table: Mapping[str, str], *, folder: bool = False) -> tuple[tuple[str, ...], ...]:
    """The groups of sites that know of each other, directly or through others of the group.

    Returns:
        Each group sorted, by first name; a single one when everybody's knowledge can reach everybody. Empty for no sites.
    """
    left, groups = sorted(roster), []
    while left:
        group, new = set(), {left[0]}
        while new:
            group |= new
            new = {peer for site in new for peer in meeting_peers(left, table, site, folder=folder)} - group
        groups.append(tuple(sorted(group)))
        left = [site for site in left if site not in group]
    return tuple(groups)


def check_connected(roster: Sequence[str], table: Mapping[str, str], *, folder: bool = False) -> None:
    """Refuses a table by which some sites never hear of others.

    Raises:
        PlanSettingError: names who never meets, or an entry that is not a site or not a kind.
    """
    check_kinds(table)
    if unknown := sorted(set(table) - set(roster)):
        raise PlanSettingError(
            f"{_WHERE}: expected sites of the roster ({', '.join(sorted(roster))}), found {', '.join(unknown)}; "
            "remove or rename them"
        )
    groups = components(roster, table, folder=folder)
    if len(groups) > 1:
        named = [", ".join(f"{site} ({kind_of(table, site)})" for site in group) for group in groups]
        raise PlanSettingError(
            f"{_WHERE}: expected that every site can hear of every other, found that these never meet: {'; '.join(named)}. "
            "Outbound sites need a direct one, which they call; a site with kind folder needs exchange.folder: true, "
            "and the folder mounted at every site"
        )


def check_kinds(table: object) -> None:
    """Refuses what is no table of kinds.

    Raises:
        PlanSettingError: naming the entry.
    """
    if not isinstance(table, Mapping):
        raise PlanSettingError(f"{_WHERE}: expected 'site: kind' lines, or {{}} for none, found {table!r:.80}")
    for site, kind in table.items():
        if kind not in REACHABILITIES:
            raise PlanSettingError(f"{_WHERE}.{site}: expected one of {', '.join(REACHABILITIES)}, found {kind!r:.80}")
