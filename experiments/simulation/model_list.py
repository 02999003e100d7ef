"""Which models a run left, by arm: what stands in ``models.json``."""

from collections.abc import Collection, Iterable
from pathlib import Path

from experiments.federation.workspaces import AGGREGATOR
from src.errors import FederationError


def models_of_peers(scheme: str, schedule: str, sites: Iterable[str], gone: Collection[str] = ()) -> list[dict]:
    """The arms of sites that exchange with each other, or train alone.

    A chain has one model, that at its end. Otherwise each site has its own (arm ``<scheme>``), and where sites exchange they
    agree on one (arm ``<scheme>_consensus``), which each of them keeps a copy of.

    Args:
        scheme: name of the arm.
        schedule: of the exchange.
        sites: their names.
        gone: those of them that were not there at the end, and have no copy.
    """
    sites = sorted(sites)
    present = [site for site in sites if site not in gone]
    agree = schedule != "none" and len(present) > 1
    shared = f"save/{present[0]}/consensus.safetensors"
    if schedule == "chain" and agree:
        return [_model(scheme, None, "last", shared)]
    own = models_of_sites(scheme, sites, "save")
    return [*own, _model(f"{scheme}_consensus", None, "last", shared)] if agree else own


def models_of_server(scheme: str) -> list[dict]:
    """The one model that an aggregator's sites share."""
    return [_model(scheme, None, which, f"save/{AGGREGATOR}/{which}.safetensors") for which in ("last", "best")]


def models_of_sites(arm: str, sites: Iterable[str], folder: str) -> list[dict]:
    """The last and the best model of each site, below a folder of the run."""
    return [
        _model(arm, site, which, f"{folder}/{site}/{which}.safetensors") for site in sorted(sites) for which in ("last", "best")
    ]


def check_models(run: Path, models: Iterable[dict]) -> None:
    """Makes sure that every model of a list is there.

    Raises:
        FederationError: one is not.
    """
    if missing := [model["path"] for model in models if not (run / model["path"]).is_file()]:
        raise FederationError(f"expected the run to leave {missing[0]}, found none; look into its logs")


def _model(arm: str, site: str | None, which: str, path: str) -> dict:
    return {"arm": arm, "model_site": site, "which": which, "path": path}
