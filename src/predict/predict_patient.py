"""One CT, start to end: onto the working grid, through the networks, back onto its own grid, checked, written."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from src.case_checks.mask_facts import MaskFacts, mask_facts
from src.data.dataset import TOOL
from src.data.preprocessing import GridGeometry, Preprocessing, array_XYZ, to_working_grid
from src.model.ct_fingerprint import compare_ct, measure_ct
from src.predict.case_warnings import find_warnings, refuse_no_ct
from src.predict.choice import Choice, DrawnBy
from src.predict.ensemble import structure_logits
from src.predict.native_field import native_field
from src.predict.nifti_output import mask_of, write_mask
from src.predict.planning_ct import PlanningCT
from src.predict.prediction_file import Prediction, PredictionSettings, made_with, write_prediction
from src.predict.whole_folder import whole_folder
from src.rtstruct.origin import Origin
from src.rtstruct.structure_field import StructureField
from src.rtstruct.write import write_rtstruct

NIFTI, RTSTRUCT = "nifti", "rtstruct"
RTSTRUCT_FILE = "rtstruct.dcm"


@dataclass
class _Drawn:
    """What has been drawn so far: of RTSTRUCTs the cut fields, of the rest no more than its measures."""

    fields: list[StructureField] = field(default_factory=list)
    facts: dict[str, MaskFacts] = field(default_factory=dict)
    unlike: list[str] = field(default_factory=list)


def predict_patient(
    ct: PlanningCT, choice: Choice, settings: PredictionSettings, folder: Path, done: Callable[[str], None] = lambda step: None
) -> Prediction:
    """Draws on one CT and writes what came out.

    Args:
        ct: to draw on.
        choice: which model draws which structure.
        settings: what the user chose.
        folder: of this CT; whole afterwards, or as before.
        done: called ``num_steps`` times, with what was done.

    Returns:
        What stands in ``prediction.json``.

    Raises:
        CaseError: the CT holds no HU, or a network's values are no numbers.
        DicomError: the CT lacks identifiers that an RTSTRUCT needs.
        DiskError: the disk is full or refuses.
    """
    began = time.monotonic()
    refuse_no_ct(ct.label, ct.image)
    origin = _origin(choice)
    with whole_folder(folder) as partial:
        drawn = _Drawn()
        for group in _by_working_grid(choice.drawn):
            _draw(ct, group, settings, partial, drawn, done)
        of_models = [note for model in choice.models for note in model.notes]
        warnings = [*find_warnings(ct.label, ct.image, drawn.facts), *drawn.unlike, *ct.notes, *of_models]
        if RTSTRUCT in settings.formats and drawn.fields:
            write_rtstruct(partial / RTSTRUCT_FILE, ct.stack, drawn.fields, origin=origin)
        elif RTSTRUCT in settings.formats:
            warnings.append("nothing was found, so there is no RTSTRUCT")
        prediction = Prediction(
            label=ct.label,
            made_with=made_with(choice, settings, ct.sha256()),
            volumes_cm3={name: round(facts.volume_cm3, 3) for name, facts in drawn.facts.items()},
            warnings=tuple(dict.fromkeys(warnings)),
            size=ct.image.GetSize(),
            spacing_mm=ct.image.GetSpacing(),
            seconds=round(time.monotonic() - began, 2),
        )
        write_prediction(partial, prediction, choice)
    done("written")
    return prediction


def num_steps(choice: Choice) -> int:
    """How often ``predict_patient`` says that something is done."""
    return len(choice.models) + len(choice.drawn) + 1


def _draw(
    ct: PlanningCT,
    group: list[DrawnBy],
    settings: PredictionSettings,
    folder: Path,
    drawn: _Drawn,
    done: Callable[[str], None],
) -> None:
    """Structures of one working grid, one after the other: on the CT's own grid a structure alone takes 30 MB and more."""
    hu_XYZ, grid = _on_working_grid(ct, group[0].models[0].preprocessing)
    drawn.unlike += _unlike_training(ct, group, hu_XYZ)
    logits = structure_logits(ct.label, group, hu_XYZ, done)
    for one in group:
        structure = native_field(one.structure, logits.pop(one.structure), grid, ct.native)
        mask = mask_of(structure, ct.image)
        drawn.facts[one.structure] = mask_facts(mask)
        if NIFTI in settings.formats:
            write_mask(folder, one.structure, mask)
        if RTSTRUCT in settings.formats and not structure.is_empty:
            drawn.fields.append(structure)
        done(one.structure)


def _on_working_grid(ct: PlanningCT, preprocessing: Preprocessing) -> tuple[np.ndarray, GridGeometry]:
    image = to_working_grid(ct.image, preprocessing)
    return array_XYZ(image), GridGeometry.of(image)


def _unlike_training(ct: PlanningCT, group: list[DrawnBy], hu_XYZ: np.ndarray) -> list[str]:
    """In what the CT is unlike the training CTs of the models; where they say the same, once."""
    measured = measure_ct(ct.native, hu_XYZ, group[0].models[0].preprocessing.spacing_mm)
    models = {model.sha256: model for one in group for model in one.models}.values()
    said = dict.fromkeys(sentence for model in models for sentence in compare_ct(model.card.fingerprint, measured))
    return [f"the CT: {sentence}" for sentence in said]


def _by_working_grid(drawn: tuple[DrawnBy, ...]) -> Iterator[list[DrawnBy]]:
    groups: dict[Preprocessing, list[DrawnBy]] = {}
    for one in drawn:
        groups.setdefault(one.models[0].preprocessing, []).append(one)
    yield from groups.values()


def _origin(choice: Choice) -> Origin:
    models = choice.models
    first = models[0]
    more = f" and {len(models) - 1} more, see prediction.json" if len(models) > 1 else ""
    description = f"{first.name}, round {first.card.round}, SHA-256 {first.sha256[:12]}{more}"
    return Origin(label="openfl-oar", description=description, software_version=TOOL)
