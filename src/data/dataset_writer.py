"""Makes datasets, so that whatever moment it is stopped at, what is on disk is a valid one."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path

import SimpleITK as sitk

from src.data.case_files import partial_folder, write_beside
from src.data.dataset import SCHEMA_VERSION, SPLITS, TOOL, CaseRecord, Dataset, check_anatomy, check_name
from src.errors import CaseError, DatasetError

INDEX_PARTIAL = ".dataset.json.partial"


class DatasetWriter:
    """Makes a dataset case by case; whatever moment it is stopped at, what is on disk is a valid dataset.

    A case is written beside its final place and renamed into it, and only then recorded in ``dataset.json``, which is itself
    replaced as a whole.

    Args:
        path: the folder; made if it is not there. An existing dataset of the same anatomy and site is continued.
        anatomy: one of ``ANATOMIES``.
        site: the site's name.
        provenance: free facts written into ``dataset.json``; nothing that identifies a patient.

    Raises:
        DatasetError: the folder holds something else, or a dataset of another anatomy or site.
    """

    def __init__(self, path: Path | str, *, anatomy: str, site: str, provenance: Mapping | None = None) -> None:
        check_anatomy(anatomy)
        check_name("site", site)
        path = Path(path)
        if (path / "dataset.json").exists():
            self.dataset = Dataset.open(path)
            if (self.dataset.anatomy, self.dataset.site) != (anatomy, site):
                raise DatasetError(
                    f"'{path.name}' already holds {self.dataset.anatomy} data of site {self.dataset.site}, "
                    f"not {anatomy} of {site}; choose another folder"
                )
        else:
            self.check_new(path)
            self.dataset = Dataset(path=path, anatomy=anatomy, site=site, provenance=dict(provenance or {}))
            (path / "cases").mkdir(parents=True, exist_ok=True)
            self._write_index()

    @staticmethod
    def check_new(path: Path) -> None:
        """Refuses a folder that a dataset cannot be started in; what was left by a start that was stopped is no hindrance.

        Raises:
            DatasetError: it holds something else.
        """
        if not path.exists():
            return
        started = {"cases", INDEX_PARTIAL}
        if {entry.name for entry in path.iterdir()} - started or any((path / "cases").glob("*")):
            raise DatasetError(f"'{path.name}' is not empty and not a dataset; choose another folder")

    def add_case(
        self,
        name: str,
        ct: sitk.Image,
        masks: Mapping[str, sitk.Image],
        *,
        split: str | None = None,
        checks: tuple[str, ...] = (),
    ) -> CaseRecord:
        """Checks and writes one case; a case of the same name is replaced.

        Args:
            name: pseudonym of the case.
            ct: HU on the planning CT's grid; written as int16, values beyond its range are refused.
            masks: TG-263 name -> mask on the same grid; every voxel above 0 belongs to it. One that is missing here is unknown.
            split: one of ``SPLITS`` or None.
            checks: warnings to record.

        Raises:
            CaseError: NaN or values beyond int16 in the CT, a mask on another grid.
            StructureError: a name that is not in the table.
        """
        check_name("case", name)
        if split is not None and split not in SPLITS:
            raise CaseError(name, f"expected split {', '.join(SPLITS)} or none, found '{split}'")
        write_beside(self.dataset.path, name, ct, masks)
        record = CaseRecord(
            name=name,
            split=split,
            spacing_mm=tuple(round(float(value), 4) for value in ct.GetSpacing()),
            structures=tuple(sorted(masks)),
            checks=tuple(checks),
        )
        self.place_case(record)
        return record

    def place_case(self, record: CaseRecord) -> None:
        """Moves a case from its ``partial_folder`` into its place and records it; a case of the same name is replaced."""
        final = self.dataset.path / "cases" / record.name
        if self.dataset.cases.pop(record.name, None):
            self._write_index()  # a stop between the next steps must not leave a record of files that are gone
        shutil.rmtree(final, ignore_errors=True)
        partial_folder(self.dataset.path, record.name).replace(final)
        self.record_case(record)

    def remove_case(self, name: str) -> None:
        """Takes a case out, its record first; one that is not there is no error."""
        if self.dataset.cases.pop(name, None):
            self._write_index()
        shutil.rmtree(self.dataset.path / "cases" / name, ignore_errors=True)

    def record_case(self, record: CaseRecord) -> None:
        """Writes a case whose folder is in place into ``dataset.json``."""
        self.dataset.cases[record.name] = record
        self._write_index()

    def set_splits(self, splits: Mapping[str, str]) -> None:
        """Records the split of the named cases, all at once."""
        for case, split in splits.items():
            self.dataset.cases[case] = replace(self.dataset.cases[case], split=split)
        self._write_index()

    def _write_index(self) -> None:
        content = {
            "schema_version": SCHEMA_VERSION,
            "tool": TOOL,
            "anatomy": self.dataset.anatomy,
            "site": self.dataset.site,
            "provenance": self.dataset.provenance,
            "cases": {
                name: {key: value for key, value in asdict(record).items() if key != "name"}
                for name, record in sorted(self.dataset.cases.items())
            },
        }
        partial = self.dataset.path / INDEX_PARTIAL
        partial.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
        partial.replace(self.dataset.path / "dataset.json")
