"""Who pulls from whom: a pure function of roster, own name, exchange number and seed."""

SCHEDULES = ("one_peer_exponential", "base_k_plus_1", "random", "ring", "full", "chain", "none")
