"""What a planning system exported, read from the headers alone and never from file names.

Read in this order: ``objects`` (what the rest passes on), ``header`` (one file), ``export`` (a folder: the ``listing`` of its
files, ``patients``, ``series``, structure sets), ``ct_series`` (is a series one regular grid? ``scouts``, ``slice_spacing``),
``ct_pixels`` (its HU; ``pixel_format``, ``compressed``), ``structure_set`` (an RTSTRUCT's ROIs;
``strict_elements``, ``contour_data``, ``character_set``), ``pairing`` (which CT it was drawn on), ``frames`` (do their
millimetres mean the same?), ``choice`` (which of several is converted).
"""
