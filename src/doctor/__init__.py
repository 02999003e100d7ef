"""What could stop a site's run, found before it does: one line for each check, with the cause and what to type.

    python -m src.doctor -n <site> -p <plan>

It reads, calls and asks; it writes nothing, here or at a peer, and may run beside the site itself.

Reading order:

* ``finding`` (one line), ``workplace`` (what the checks look at, worked out once), ``run`` (all checks side by side), ``lines``
* what is here: ``packages``, ``plan_file``, ``certificate``, ``state_folder``, ``own_port``, ``dataset``, ``network_model``
* what the machine has: ``disk``, ``memory``, ``gpu``, ``shared_memory``, ``file_handles``; ``needs`` is what a run takes
* the others: ``addresses``, ``reachable``, ``shared_folder``, ``peer_answer``, ``peers``, ``clock``, ``federation_structures``,
  ``aggregator``
"""
