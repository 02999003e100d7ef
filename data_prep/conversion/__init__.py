"""An export -> a dataset and a report, patient by patient; one patient's failure never stops the others.

Read in this order: ``outcome`` and ``outcome_store`` (what is kept of a patient), ``who_is_who`` (who a case is, with
``src.pseudonyms``), ``redaction`` (nothing identifying leaves; ``dates``, ``identifier_forms``, ``folded_text``,
``ordinary_words``, ``redactors``), ``patient`` (one patient, start to end, by way of ``candidates`` and ``roi``), ``jobs``
(many patients, a process each; ``job_process``, ``warm_up``), ``every_patient`` and ``case_by_case`` (who is to be done, and
how it gets into the dataset whatever happens; ``source``, ``folders``, ``lock``); then what people look at: ``planes``,
``sections``, ``layout``, ``sheet`` and ``picture``, and ``found``, ``grouping``, ``overview``, ``report`` and ``summary``.
"""
