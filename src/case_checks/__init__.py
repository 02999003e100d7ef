"""What is looked for in a prepared case, one idea a file; each yields findings and writes nothing.

``case`` joins them for ``data_prep check`` and ``convert``. ``listing`` compares ``dataset.json`` with the folders; ``ct``
looks at the CT; ``masks`` at empty, tiny, huge, doubled and overlapping masks; ``volume``, ``border``, ``pieces``, ``sides``,
``body`` and ``tissue`` at what a living patient's organs look like, which ``normal_anatomy.yaml`` says with its sources.
"""
