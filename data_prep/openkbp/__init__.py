"""The public OpenKBP patients as six sites: the study's data, made from the challenge's own repository.

Read in this order: ``sparse_file`` (the form of its files), ``patient`` (one patient, cut), ``study`` (which patient is which
case), ``command``.

Source of the form of the files: Babier et al., "OpenKBP: The open-access knowledge-based planning grand challenge and dataset",
Medical Physics 48:5549 (2021), and the README of github.com/ababier/open-kbp.
"""
