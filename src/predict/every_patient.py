"""One CT after the other; one that fails stops no other, and what is there already is not made again."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from tqdm import tqdm

from src.error_place import error_place
from src.errors import CaseError, DiskError, OarError
from src.predict.choice import Choice
from src.predict.planning_ct import PlanningCT, WaitingCT
from src.predict.predict_patient import RTSTRUCT, num_steps, predict_patient
from src.predict.prediction_file import Prediction, PredictionSettings, made_with, read_made_with
from src.rtstruct.ct_identity import check_references


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of one CT.

    Attributes:
        label: of the CT.
        prediction: what was made; None where it failed or was there.
        failure: why it failed, in plain words; "" where it did not.
    """

    label: str
    prediction: Prediction | None = None
    failure: str = ""


@dataclass(frozen=True, kw_only=True)
class Job:
    """What is done with every CT.

    Attributes:
        choice: which model draws which structure.
        settings: what the user chose.
        output: a folder per CT is made in it.
        overwrite: replace what was made with other models, settings or voxels.
    """

    choice: Choice
    settings: PredictionSettings
    output: Path
    overwrite: bool = False

    def run(self, waiting: Sequence[WaitingCT], console: Console) -> list[Outcome]:
        """Predicts on each; without a terminal a line tells of each one that is done.

        Raises:
            DiskError: the output's disk is full or refuses; no other CT would fare better.
        """
        outcomes = []
        with tqdm(total=len(waiting), desc="patients", unit="patient", disable=None) as patients:
            for ct in waiting:
                with tqdm(total=num_steps(self.choice), desc=ct.label, unit="step", disable=None, leave=False) as steps:
                    outcomes.append(self._outcome(ct, _shown(steps)))
                patients.update()
                if not console.is_terminal:
                    console.print(_line(outcomes[-1]), highlight=False, markup=False, soft_wrap=True)
        return outcomes

    def _outcome(self, waiting: WaitingCT, done: Callable[[str], None]) -> Outcome:
        try:
            return Outcome(label=waiting.label, prediction=self._predict(waiting, done))
        except DiskError:
            raise
        except OarError as error:
            failure = str(error).removeprefix(f"case {waiting.label}: ")
        except MemoryError:
            failure = "it needs more memory than there is"
        except Exception as error:  # its text may quote a path or a header
            failure = f"an error of the prediction itself: {error_place(error)}; please report these words"
        return Outcome(label=waiting.label, failure=failure)

    def _predict(self, waiting: WaitingCT, done: Callable[[str], None]) -> Prediction | None:
        ct = waiting.read()
        if RTSTRUCT in self.settings.formats:
            check_references(ct.stack)
        folder = self.output / ct.label
        if folder.exists() and not self.overwrite:
            self._check_same(ct, folder)
            return None
        return predict_patient(ct, self.choice, self.settings, folder, done)

    def _check_same(self, ct: PlanningCT, folder: Path) -> None:
        if read_made_with(folder) != made_with(self.choice, self.settings, ct.sha256()):
            raise CaseError(
                ct.label,
                "expected its folder in the output to be made with these models, settings and this CT, found another; choose "
                "another --output, or replace it with --overwrite",
            )


def _shown(steps: tqdm) -> Callable[[str], None]:
    def done(step: str) -> None:
        steps.set_postfix_str(step, refresh=False)
        steps.update()

    return done


def _line(outcome: Outcome) -> str:
    if outcome.failure:
        return f"{outcome.label}: failed"
    if outcome.prediction is None:
        return f"{outcome.label}: there already"
    found = sum(volume > 0 for volume in outcome.prediction.volumes_cm3.values())
    return f"{outcome.label}: {found} structures, {outcome.prediction.seconds:.1f} s"


def failed(outcomes: Sequence[Outcome]) -> Iterator[Outcome]:
    """Those that failed."""
    return (outcome for outcome in outcomes if outcome.failure)
