"""The scores of saved models, and who may look at the test patients.

``score_training_run`` scores one run: ``listed_models`` says which models it left, ``scored_model`` applies one,
``patient_scan`` reads a patient once for all of them, ``score_row`` and ``score_file`` are what is written and read back.
``score_study`` does so for a whole study. Test patients are read only after ``registration`` found the study's choices
committed and ``look`` wrote the look down.
"""

from experiments.scoring.registration import check_registered
from experiments.scoring.registration_error import RegistrationError
from experiments.scoring.score_file import read_scores
from experiments.scoring.score_row import METRICS, ScoreFileError, ScoreRow, as_score
from experiments.scoring.study import score_study
from experiments.scoring.training_run import score_training_run

__all__ = [
    "METRICS",
    "RegistrationError",
    "ScoreFileError",
    "ScoreRow",
    "as_score",
    "check_registered",
    "read_scores",
    "score_study",
    "score_training_run",
]
