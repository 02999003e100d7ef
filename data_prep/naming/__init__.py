"""What a hospital calls its structures -> TG-263 names, without guessing.

Read in this order: ``decision`` (what can be decided of a name), ``spelling`` (the forms in which names are compared),
``planning`` (names that are no organ), ``decide`` (the rules together), ``names_file`` (the site's own csv).
"""
