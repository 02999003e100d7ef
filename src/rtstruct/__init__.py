"""Predicted structures -> an RTSTRUCT on the CT's frame of reference.

Read in this order: ``structure_field`` (what a prediction hands over), ``contour_rings`` (the outline of one slice, below the
pixel), ``thinning`` (points that say nothing), ``keyhole`` (a hole joined to what lies around it), ``slice_contours`` (all of a
structure, in millimetres), ``origin`` (what made them), ``ct_identity`` (what is copied from the CT), ``structure_set`` (the
DICOM object), ``write`` (the file).
"""
