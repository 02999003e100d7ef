"""Toy sites in one process, connected in memory, and what they logged."""

import hashlib

import torch

from experiments.toy_learner import ToyLearner, exchange_settings, timing_settings, toy_site
from src.exchange.in_memory import InMemoryNetwork, InMemoryTransport

ROSTER = ["site_a", "site_b", "site_c", "site_d"]


class Federation:
    """Sites in one process, and what they logged."""

    def __init__(self, folder, roster=ROSTER, *, rounds=6, exchange=None, timing=None, learner=None, **changes):
        self.folder, self.network = folder, InMemoryNetwork()
        self.events = {site: [] for site in roster}
        self.settings = dict(
            rounds=rounds, exchange=exchange or exchange_settings(lock_step=True), timing=timing or timing_settings()
        )
        self.roster, self.learner, self.changes = roster, learner or {}, changes
        self.sites = {site: self.make(site) for site in roster}

    def make(self, site, transport=None, **changes):
        """A site as its process would make it; made again, it goes on from its folder."""
        alone = self.settings["exchange"].schedule == "none"
        made = toy_site(
            ToyLearner(site, **self.learner),
            self.roster,
            None if alone else transport or InMemoryTransport(self.network, site),
            self.folder / site,
            lambda **facts: self.events[site].append(facts),
            **self.settings,
            **{**self.changes, **changes},
        )
        self.network.register(site, made.served)
        return made

    def models(self):
        return torch.stack([site.learner.weights for site in self.sites.values()])

    def of(self, site, phase):
        return [event for event in self.events[site] if event["phase"] == phase]


def digest(site):
    return hashlib.sha256(site.learner.weights.numpy().tobytes()).hexdigest()
