"""``python -m experiments.compare``: every scheme of a study on the same patients, with the same steps.

A study file says what is compared. It becomes a list of jobs: searches for a learning rate, the choice among them, trainings,
and scores on the validation patients. Each job is a process of its own and leaves a file when it is done, so that the same
command goes on from wherever it was stopped. Test patients have no part in any of this.

Read ``study_file`` and ``study`` (what is asked for), ``resolved`` (what a study folder was asked for before), ``plans`` and
``arms`` (what a scheme trains and leaves), ``jobs`` (all there is to do), ``run`` with ``scheduler`` and ``processes`` (how it
is done), and ``job`` (one of them, in its own process) with ``learning_rate``. ``estimate``, ``measure`` and ``journal`` are
for the time left. Where the files lie stands in ``experiments.study_folder``.
"""
