"""Contours in millimetres -> a mask on the CT's grid, accurate below the voxel.

Read in this order: ``plane`` (points -> slice and pixel coordinates), ``polygon`` (which pixel centres lie inside; area),
``duplicates`` (the same contour stored twice), ``roi_mask`` (all contours of an ROI together).
"""
