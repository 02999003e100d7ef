"""The exchange between sites: schedule, snapshots, checks, transports, and the loop that ties them together.

Knows nothing of CTs or structures' meaning, and nothing of OpenFL except in ``collaborator.py``.

Reading order: ``settings``, ``schedule``, ``membership``, ``manifest``, ``snapshot``, ``checks``, ``ledger``, ``outbox``,
``transport`` (and its two implementations), ``fetch``, ``checkpoint``, ``learner``, ``gossip``, ``closing``, ``collaborator``.
"""
