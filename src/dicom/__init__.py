"""What a planning system exported, read from the headers alone and never from file names.

Read in this order: ``objects`` (what the rest passes on), ``open_file`` and ``element`` (pydicom, kept quiet), ``header`` (one
file; ``ct_header``, ``structure_set_header``, ``identifiers``), ``export`` (a folder: the ``listing`` of its files,
``patients``, ``series``, ``lost_files``), ``ct_series`` (is a series one regular grid? ``scouts``, ``slice_spacing``),
``ct_pixels`` (its HU; ``pixel_format``, ``compressed``, ``codestream``), ``structure_set`` (an RTSTRUCT's ROIs;
``strict_elements``, ``contour_data``, ``character_set``), ``pairing`` (which CT it was drawn on), ``frames`` (do their
millimetres mean the same?), ``choice`` (which of several is converted).
"""
