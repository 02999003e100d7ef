"""How a federation without an aggregator stands, seen from one site: ``python -m src.status -n <site> -p <plan> [--watch]``.

It asks, and changes nothing: not at a peer, not in this site's run, beside which it may be started at any time.

Reading order: ``asker`` (who asks, from the plan), ``card`` (what is known of a site), ``own_state`` (of this one, from its
files), ``took_part`` (in its run), ``indirect`` (of who cannot be called), ``last_seen`` (who answered when), ``ask`` (all at
once), ``overview`` (what that comes to), ``table``, ``facts``, ``__main__``.
"""
