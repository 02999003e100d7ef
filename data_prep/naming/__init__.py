"""What a hospital calls its structures -> TG-263 names, without guessing.

Read in this order: ``decision`` (what can be decided of a name), ``spelling`` (the forms in which names are compared),
``planning`` (signs of what is no organ), ``tables`` and ``vocabulary`` (the words there are), ``reading`` (a name as words),
``judgement`` (what the words amount to), ``decide`` (the rules together) and ``doubles``; ``names_file`` is the site's own csv,
``survey`` the names of a whole export, ``import_names`` those of an import.
"""
