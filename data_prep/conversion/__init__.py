"""An export -> a dataset and a report, patient by patient; one patient's failure never stops the others.

Read in this order: ``outcome`` (what is kept of a patient), ``pseudonym`` and ``redaction`` (nothing identifying leaves),
``patient`` (one patient, start to end, by way of ``candidates`` and ``roi``), ``jobs`` (many patients, a process each),
``every_patient`` and ``case_by_case`` (who is to be done, and how it gets into the dataset whatever happens); then what people
look at: ``planes``, ``sections``, ``sheet`` and ``picture``, and ``grouping``, ``overview``, ``report`` and ``summary``.
"""
