"""What leaves a site when the plan asks for noise: its model's difference from the first weights, clipped, and normal noise.

Off unless ``collaborator.exchange.noise`` is set; docs/security.md says what it promises, what it does not, and what it costs.

Reading order: ``settings``, ``accountant`` (what it amounts to, by dp-accounting), ``normal`` (numbers that follow from a
secret key), ``record`` (the key, and what has left), ``leaving`` (puts them together; the one place through which weights
leave).
"""
