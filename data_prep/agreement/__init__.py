"""What sites tell each other before they train together, and what follows for the plan; no voxel and no patient leaves a site.

Read in this order: ``src.privacy`` (no figure comes from fewer than five patients), ``measure`` (one case), ``fingerprint``
(a site), ``reading`` (a file that somebody sent), ``spacing``, ``window`` and ``structures`` (what the plan should say, and
why).
"""
