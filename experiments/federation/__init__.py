"""A whole federation on one machine: a workspace per site, certificates, real fx processes, and what they leave behind.

Reading order: ``run`` (the whole in one function), ``scheme`` (with and without an aggregator), ``template``, ``plan``,
``workspaces``, ``certificates``, ``processes``, ``progress``, ``traffic``, ``results``.
"""
