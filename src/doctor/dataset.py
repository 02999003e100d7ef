"""This site's patients: that there are some, of the plan's anatomy, in each part, with contours the plan learns from.

Counts come from ``dataset.json``, sizes and voxels from headers; no CT is read, and of test cases nothing at all.
"""

from collections.abc import Iterator

from src.doctor.finding import Finding, failed, ok, warning
from src.doctor.shared_fact import Unavailable
from src.doctor.workplace import Workplace
from src.errors import CaseError
from src.plan_signature import import_template

# Enough to find a dataset that was copied in half; a header takes about a millisecond, more on a network drive.
_MOST_HEADERS = 40


def check_dataset(place: Workplace) -> Iterator[Finding]:
    """It opens, is of the plan's anatomy and this site's, and has cases to learn from and to validate on."""
    try:
        dataset = place.dataset
    except Unavailable as missing:
        name = place.site
        fix = f"fx collaborator create -n {name} -d data/{name}; python -m data_prep check data/{name}"
        yield failed("dataset", missing.__cause__, fix)
        return
    anatomy = _anatomy(place)
    train, valid = len(dataset.cases_of("train")), len(dataset.cases_of("valid"))
    path = place.data_path
    if anatomy is not None and dataset.anatomy != anatomy:
        fix = f"nano {place.data_config}; or take the plan of {dataset.anatomy} with -p"
        yield failed("dataset", f"expected CTs of {anatomy}, as the plan, found a dataset of {dataset.anatomy}", fix)
    elif not train:
        yield failed("dataset", f"no training case among {len(dataset.cases)}", f"python -m data_prep split {path}")
    elif broken := _broken_case(place):
        yield failed("dataset", broken, f"python -m data_prep check {path}")
    elif dataset.site != place.site:
        cause = f"expected the dataset of {place.site}, found one made at {dataset.site}"
        yield warning("dataset", cause, f"fx collaborator create -n {place.site} -d data/{place.site}")
    elif not valid:
        cause = f"{train} training cases and none for validation: no best model, and no Dice of this site"
        yield warning("dataset", cause, f"python -m data_prep split {path}")
    else:
        yield ok("dataset", f"{dataset.anatomy}, {train} cases to train on, {valid} to validate on")


def check_contours(place: Workplace) -> Iterator[Finding]:
    """How often each structure of the plan is contoured here, in training and in validation."""
    structures = place.setting("data_loader.settings.structures", list[str])
    dataset = place.dataset
    counts = {
        name: [sum(name in record.structures for record in dataset.cases_of(split)) for split in ("train", "valid")]
        for name in structures
    }
    found = ", ".join(f"{name} {train}+{valid}" for name, (train, valid) in counts.items())
    if not any(train for train, _ in counts.values()):
        here = sorted({name for record in dataset.cases.values() for name in record.structures})
        cause = f"no training case has a contour of the plan; found {', '.join(here) or 'none at all'}"
        yield failed(
            "contours", cause, "python -m data_prep names --help; convert again with the names of plan/structures.yaml"
        )
        return
    unjudged = [name for name, (train, valid) in counts.items() if train and not valid]
    if unjudged and dataset.cases_of("valid"):
        cause = f"train + validation: {found}; nothing here judges {', '.join(unjudged)}"
        yield warning("contours", cause, f"python -m data_prep split --help; more validation cases of {', '.join(unjudged)}")
    else:
        yield ok("contours", f"train + validation: {found}")


def _anatomy(place: Workplace) -> str | None:
    """Of the plan's loader; None when the plan is not in order, which has a line of its own."""
    try:
        place.program  # noqa: B018 - see there
        return import_template("data_loader", place.setting("data_loader.template", str)).anatomy
    except Exception:
        return None


def _broken_case(place: Workplace) -> str | None:
    """What is wrong with the first case that cannot be used; None when none is found."""
    dataset = place.dataset
    records = [*dataset.cases_of("train"), *dataset.cases_of("valid")]
    for number, record in enumerate(records):
        missing = [name for name in record.structures if not dataset.mask_path(record.name, name).is_file()]
        if missing:
            return f"case {record.name}: the mask of {missing[0]} is recorded and not there"
        if not dataset.ct_path(record.name).is_file():
            return f"case {record.name}: its CT is recorded and not there"
        if number >= _MOST_HEADERS:
            continue
        try:
            spacing_mm = dataset.read_geometry(record.name).GetSpacing()
        except CaseError as error:
            return str(error)
        if not all(0.1 <= value <= 20 for value in spacing_mm):
            return f"case {record.name}: voxels of {spacing_mm} mm, expected 0.1 to 20"
    return None
