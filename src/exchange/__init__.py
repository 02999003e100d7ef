"""The exchange between sites: schedule, snapshots, checks, transports, and the loop that ties them together.

Knows nothing of CTs or structures' meaning, and nothing of OpenFL except in ``collaborator`` and ``initial_model``.

Reading order, by what they are about:

* who, when, how long: ``settings``, ``reachability``, ``schedule`` (``finite_time_graph``, ``round_robin``), ``membership``,
  ``peers_file``
* a model as a file: ``manifest``, ``tensor_layout``, ``snapshot_envelope``, ``model_memory``, ``snapshot``, ``outbox``
* what is done to a model before it leaves, if the plan asks for it: the package ``noise``
* what is believed: ``checks``, ``ledger``, ``identity``
* from site to site: ``transport`` (what any must do), ``in_memory``; ``messages``, ``grpc_transport``, ``server``, ``spool``
* of a site that nobody can call: ``courier`` brings, ``push_parts`` on the wire; ``reception`` lets in, ``brought`` keeps
* through a folder that is all that sites share: the package ``folder``; several ways at once: ``mixed_transport``
* one site's run: ``learner`` (who owns the model), ``inbox``, ``fetch``, ``served``, ``checkpoint``, ``participation``,
  ``gossip``, ``closing``
* under OpenFL: ``initial_model``, ``collaborator``
"""
