"""The report of a study: one HTML file that is read without help, without a network and on paper.

``page`` turns the results into ``sections`` made of ``blocks`` (paragraphs, pictures, tables) and renders them; ``figures``
draws, one picture a file, and ``palette`` gives each arm its colour and marker. ``worst_case_pictures`` is the only part that
reads patients and models. Nothing is computed here that the results do not hold: a number that they lack is a dash.
"""
