"""``python -m src.predict optimise``: a saved model becomes an OpenVINO model of 8-bit integers, as good on a site's own cases.

Reading order: ``validation_cases`` (what as good means), ``calibration`` (what the ranges of the numbers are learned from),
``quantise``, ``command``.
"""
