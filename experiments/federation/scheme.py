"""The two kinds of federation: with an aggregator that averages, and without one, where sites exchange with each other.

All that differs between them when a federation is started on one machine stands in these two classes.
"""

import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import yaml

from experiments.federation.plan import free_ports, is_listening
from experiments.federation.traffic import Traffic, traffic_of_exchanges, traffic_of_rounds
from experiments.federation.workspaces import AGGREGATOR, AUTHORITY
from src.exchange.folder.shared_folder import folder_peers
from src.exchange.reachability import DIRECT, GRPC, kind_of, transport_between
from src.model.trained_structures import INIT_CARD
from src.peer_plan import is_peer_plan

FQDN = "localhost"
Launch = Callable[..., None]
Wait = Callable[[Callable[[], bool]], None]


class Scheme(Protocol):
    """What a run asks of either kind.

    Attributes:
        authority: the participant that signs certificates and makes the first weights.
        reporters: participants that write metrics beside the sites.
        model_files: what each site saves.
    """

    authority: str
    reporters: Sequence[str]
    model_files: Sequence[str]

    def authority_commands(self) -> list[list[str]]:
        """The fx commands by which the authority makes what signs, and its own certificate if it needs one."""

    def hand_out(self, workspaces: Mapping[str, Path]) -> None:
        """Gives each site what it needs beside plan and certificate; the first weights are made."""

    def start(self, launch: Launch, wait: Wait) -> None:
        """Starts what runs, by ``launch(participant, *fx_arguments)``; ``wait`` returns once something is true."""

    def traffic(self, events: Mapping[str, Sequence[dict]], model_bytes: int) -> dict[str, Traffic]:
        """What went over the network, by site."""


def scheme_of(plan: dict, sites: Sequence[str]) -> Scheme:
    """The kind of federation a plan describes; writes into the plan who takes part and where, so before its hash is taken."""
    return PeerScheme(plan, sites) if is_peer_plan(plan) else AggregatorScheme(plan, sites)


class AggregatorScheme:
    """An aggregator and its sites, which know its address from the plan."""

    authority = AGGREGATOR
    reporters = (AGGREGATOR,)
    model_files = ("best.safetensors", "last.safetensors")

    def __init__(self, plan: dict, sites: Sequence[str]) -> None:
        self.sites = sites
        (self.port,) = free_ports(1)
        plan["network"]["settings"].update(agg_addr=FQDN, agg_port=self.port, use_tls=True, require_client_auth=True)

    def authority_commands(self) -> list[list[str]]:
        return [
            ["workspace", "certify"],
            ["aggregator", "generate-cert-request", "--fqdn", FQDN],
            ["aggregator", "certify", "--fqdn", FQDN, "--silent"],
        ]

    def hand_out(self, workspaces: Mapping[str, Path]) -> None:
        """Nothing: the aggregator sends the first weights."""

    def start(self, launch: Launch, wait: Wait) -> None:
        launch(AGGREGATOR, "aggregator", "start")
        # What keeps it from listening is said before any site has read a patient.
        wait(lambda: is_listening(self.port))
        for site in self.sites:
            launch(site, "collaborator", "start", "-n", site)

    def traffic(self, events: Mapping[str, Sequence[dict]], model_bytes: int) -> dict[str, Traffic]:
        return traffic_of_rounds(self.sites, events, events[AGGREGATOR], model_bytes)


class PeerScheme:
    """Sites alone; an authority signs their certificates and makes the first weights, and has no part in the run."""

    authority = AUTHORITY
    reporters = ()

    def __init__(self, plan: dict, sites: Sequence[str]) -> None:
        self.sites, self.settings = sorted(sites), plan["collaborator"]["settings"]
        self.settings["roster"] = list(self.sites)
        alone = self.settings["exchange"]["schedule"] == "none" or len(self.sites) == 1
        self.model_files = ("best.safetensors", "last.safetensors", *([] if alone else ["consensus.safetensors"]))

    def authority_commands(self) -> list[list[str]]:
        return [["workspace", "certify"]]

    def hand_out(self, workspaces: Mapping[str, Path]) -> None:
        """The first weights, by hand as it were, and where the others are."""
        addresses = {site: f"127.0.0.1:{port}" for site, port in zip(self.sites, free_ports(len(self.sites)), strict=True)}
        shared = workspaces[AUTHORITY].parent / "shared_folder"
        weights = Path(self.settings["init_state_path"])
        for site in self.sites:
            for name in (weights, weights.with_name(INIT_CARD)):
                source, target = workspaces[AUTHORITY] / name, workspaces[site] / name
                if source.is_file():
                    target.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(source, target)
            content = self._peers_file(site, addresses, shared.resolve())
            if "folder" in content:
                shared.mkdir(exist_ok=True)
            (workspaces[site] / self.settings["peers_path"]).write_text(yaml.safe_dump(content), encoding="utf-8")

    def _peers_file(self, site: str, addresses: Mapping[str, str], shared: Path) -> dict:
        """What a site may know: addresses of those it can call, and the folder if it meets anybody there."""
        exchange = self.settings["exchange"]
        table, folder = exchange.get("reachability", {}), exchange.get("folder", False)

        def address_from_here(name: str) -> str | None:
            kinds = kind_of(table, site), kind_of(table, name)
            return addresses[name] if kinds[1] == DIRECT and transport_between(*kinds, folder=folder) == GRPC else None

        others = {name: address_from_here(name) for name in self.sites if name != site}
        content = {"listen": addresses[site] if kind_of(table, site) == DIRECT else None, "epoch": 1, "peers": others}
        return {**content, "folder": str(shared)} if folder_peers(self.sites, table, site, folder=folder) else content

    def start(self, launch: Launch, wait: Wait) -> None:
        for site in self.sites:
            launch(site, "collaborator", "start", "-n", site)

    def traffic(self, events: Mapping[str, Sequence[dict]], model_bytes: int) -> dict[str, Traffic]:
        return {site: traffic_of_exchanges(events[site]) for site in self.sites}
