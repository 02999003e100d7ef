"""Contours in millimetres -> a mask on the CT's grid, accurate below the voxel.

Read in this order: ``plane`` (points -> slice and pixel coordinates), ``slices`` (which contours make which slice),
``polygon`` (which pixel centres lie inside; area), ``duplicates`` (the same contour stored twice), ``slice_mask`` (all contours
of a slice together), ``roi_mask`` (all slices of an ROI together, and why it is done this way).
"""
