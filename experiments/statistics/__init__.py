"""What a table of scores says about the schemes, and what it does not: one idea a file.

``score`` is one number and ``views`` choose which models' numbers to look at; ``study`` checks that every scheme was scored on
the same patients. ``series`` is one scheme or one paired difference; ``averages`` are its two means, ``counts`` what is behind
them, ``seed_spread`` how far they move with the seed. ``resampling`` draws the patients, ``studentised`` makes the interval,
``estimate`` joins them. ``signed_rank`` tests a pair, ``holm`` corrects many, ``pairs`` joins the two. ``non_inferiority``
answers the study's question and ``advice`` each site's. ``calibration`` shows on ``simulation`` how often the intervals are
right. Higher scores are better throughout.

All results are plain dataclasses without NaN: ``dataclasses.asdict`` of them is JSON, None is a number that does not exist.
"""

# A cell with fewer patients is shown, and never tested nor given an interval. Even five cannot reach p < 0.05 in a two-sided
# signed-rank test: its smallest p is 2 / 2^5.
MIN_PATIENTS = 5
