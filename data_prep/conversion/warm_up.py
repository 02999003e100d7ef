"""Imported once by the process that patients' processes are forked from, so that none of them reads the same tables again.

Only what starts no thread: a thread does not live on in a forked process, and who waits for it waits for ever. So no image is
touched here.
"""

from data_prep.conversion import patient  # noqa: F401 - its imports are the slowest
from data_prep.conversion.ordinary_words import ordinary_words
from data_prep.naming.decide import decide_names
from src.case_checks.normal_anatomy import load_normal_anatomy
from src.data.structures import ANATOMIES, load_structures

load_structures()
load_normal_anatomy()
ordinary_words()
for anatomy in ANATOMIES:
    decide_names(["Parotid gland left", "PTV 60", "no word of it is known"], anatomy, {}, drawn=[True] * 3)
