"""The public OpenKBP patients as six sites: the study's data, made from the challenge's own repository.

Source of the form of the files: Babier et al., "OpenKBP: The open-access knowledge-based planning grand challenge and dataset",
Medical Physics 48:5549 (2021), and the README of github.com/ababier/open-kbp.
"""
