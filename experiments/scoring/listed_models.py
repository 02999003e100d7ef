"""``models.json`` of a training run: which arm each saved model belongs to, whose it is, and whose patients it is for."""

import json
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from src.errors import ModelCardError

LAST, BEST = "last", "best"
WHICH = (LAST, BEST)
_FIELDS = {"arm", "model_site", "which", "path"}


@dataclass(frozen=True, kw_only=True)
class ListedModel:
    """One row of ``models.json``.

    Attributes:
        arm: what of the study it belongs to.
        model_site: the site whose model it is; None when all share it.
        which: of ``WHICH``: after the last round, or the best on the site's validation patients.
        path: of the file, relative to the run folder.
    """

    arm: str
    model_site: str | None
    which: str
    path: str

    def patient_sites(self, sites: list[str], *, own_site_only: bool) -> list[str]:
        """The sites whose patients it is scored on: a best model, chosen at its own site, on that site's alone.

        Args:
            sites: that there are.
            own_site_only: keep every model that is not shared at its own site.
        """
        if self.model_site is None or (self.which == LAST and not own_site_only):
            return sites
        return [site for site in sites if site == self.model_site]


def read_listed_models(run_folder: Path) -> list[ListedModel]:
    """The models of a finished training run, in the order of the file.

    Raises:
        ModelCardError: the file is missing, damaged or empty, names a model twice, or names one that is not in the run folder.
    """
    path = run_folder / "models.json"
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _refused(run_folder, f"none that can be read ({error.__class__.__name__})") from error
    if not isinstance(rows, list) or not rows:
        raise _refused(run_folder, "none")
    models = [_model(run_folder, row) for row in rows]
    names = [(model.arm, model.model_site, model.which) for model in models]
    if twice := sorted({str(name) for name in names if names.count(name) > 1}):
        raise _refused(run_folder, f"{twice[0]} twice")
    return models


def _model(run_folder: Path, row: object) -> ListedModel:
    if not isinstance(row, dict) or set(row) != _FIELDS:
        raise _refused(run_folder, f"a row {row!r} without exactly {', '.join(sorted(_FIELDS))}")
    texts = [row["arm"], row["path"], row["which"], *([] if row["model_site"] is None else [row["model_site"]])]
    if not all(isinstance(text, str) and text for text in texts) or row["which"] not in WHICH:
        raise _refused(run_folder, f"a row {row!r}, 'which' being none of {', '.join(WHICH)} or a name not a word")
    inside = PurePosixPath(row["path"])
    if inside.is_absolute() or ".." in inside.parts or inside.suffix != ".safetensors":
        raise _refused(run_folder, f"the path '{row['path']}', not of a .safetensors below the run folder")
    if not (run_folder / inside).is_file():
        raise _refused(run_folder, f"'{row['path']}', which is not there")
    return ListedModel(**row)


def _refused(run_folder: Path, found: str) -> ModelCardError:
    return ModelCardError(
        f"expected the saved models in '{run_folder.name}/models.json', found {found}; train the run again, to its end"
    )
