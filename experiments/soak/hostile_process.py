"""A hostile site as a process: ``python -m experiments.soak.hostile_process '<JSON>'``, what ``HostileSettings`` holds."""

import json
import sys
import time
from pathlib import Path

import torch
import yaml

from experiments.soak.hostile_site import HostileSettings, HostileSite
from src.exchange.grpc_transport import GrpcTransport
from src.exchange.server import ExchangeServer

_FETCH_EVERY_S = 20.0


def main(settings: HostileSettings) -> None:
    """Serves until it is killed."""
    torch.set_num_threads(1)
    workspace = Path(settings.workspace)
    plan = yaml.safe_load((workspace / "plan" / "plan.yaml").read_text(encoding="utf-8"))
    plan["data_loader"]["template"] = "src.dataloader.LiverCTLoader"
    site = HostileSite(settings, plan)
    certificates = workspace / "cert"
    files = {
        "certificate": certificates / "client" / f"col_{site.site}.crt",
        "private_key": certificates / "client" / f"col_{site.site}.key",
        "root_certificate": certificates / "cert_chain.crt",
    }
    peers = yaml.safe_load((workspace / "plan" / "peers.yaml").read_text(encoding="utf-8"))["peers"]
    server = ExchangeServer(site, bind_address=settings.listen, roster=site.roster, max_pulls=len(site.roster), **files)
    server.start()
    transport = GrpcTransport(peers, own=site.site, **files)
    print(f"{site.site} serves", flush=True)
    while True:
        site.fetch_honest(transport)
        time.sleep(_FETCH_EVERY_S)


if __name__ == "__main__":
    main(HostileSettings(**json.loads(sys.argv[1])))
