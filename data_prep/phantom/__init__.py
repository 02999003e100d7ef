"""Phantoms: random CTs with known contours, for the demo, the tests and benchmarks.

The order of things: ``shapes`` (implicit bodies) -> ``anatomy`` (parts with their usual place) -> ``abdomen`` and ``head_neck``
(the two tables) -> ``patient`` (one random body on one grid) -> ``tissue`` and ``texture`` (HU) -> ``contouring`` (masks as one
site draws them) -> ``site_shift`` (how sites differ) -> ``case`` -> ``generate`` (datasets on disk) -> ``command``.

Coordinates are millimetres of the patient: x grows to the patient's left, y to the back, z to the head, as in DICOM. Arrays
here are (X, Y, Z) in those directions.
"""
