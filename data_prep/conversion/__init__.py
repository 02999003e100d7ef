"""An export -> a dataset and a report, patient by patient; one patient's failure never stops the others.

Read in this order: ``outcome`` (what is kept of a patient), ``pseudonym`` and ``redaction`` (nothing identifying leaves),
``patient`` (one patient, start to end), ``jobs`` (many patients, a process each), ``picture`` and ``report`` (to look at).
"""
