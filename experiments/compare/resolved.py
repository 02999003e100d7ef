"""``study.yaml`` of a study folder: what was asked for so far, with every default written out.

A later call may ask for more schemes and seeds. What would have made a run that is there come out otherwise is refused, because
the comparison would silently mix two studies.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

from experiments.compare.errors import StudyError
from experiments.compare.plans import digest_of, sites_of
from experiments.compare.study import Study
from experiments.compare.study_file import study_of
from experiments.study_folder import STUDY_FILE, read_study
from src.exchange.whole_file import write_whole

_COMMON = ("anatomy", "rounds", "local_finish_rounds", "learning_rates", "search_rounds", "search_seed", "cross_site")
_OF_SCHEME = ("pooled_data", "steps", "without", "learning_rate_of", "silent")


@dataclass(frozen=True, kw_only=True)
class Resolved:
    """A study, and the data it is of.

    Attributes:
        study: its schemes with the seeds asked for so far.
        data: folder with one dataset per site, as it was given last; for the report.
        sites: SHA-256 of each site's ``dataset.json``: who its patients are, and their split.
        plan_sha256: see ``digest_of``, by scheme.
    """

    study: Study
    data: str
    sites: dict[str, str]
    plan_sha256: dict[str, str]

    @classmethod
    def of(cls, study: Study, data: Path, sites: Sequence[str]) -> "Resolved":
        """A study with its data.

        Args:
            study: as asked for.
            data: folder with one dataset per site.
            sites: their names.

        Raises:
            OarError: a plan is missing, or a change of it is none.
        """
        digest_of_site = {site: _sha256(data / site / "dataset.json") for site in sorted(sites)}
        digests = {name: digest_of(study, scheme, sites_of(study, scheme, sites)) for name, scheme in study.schemes.items()}
        return cls(study=study, data=str(data), sites=digest_of_site, plan_sha256=digests)

    @classmethod
    def read(cls, folder: Path) -> "Resolved":
        """That of a study folder.

        Raises:
            StudyFolderError: there is none.
            StudyError: it was not written by this version.
        """
        content = read_study(folder)
        try:
            name, data, sites = (content.pop(key) for key in ("name", "data", "sites"))
            digests = {key: scheme.pop("plan_sha256") for key, scheme in content["schemes"].items()}
        except (AttributeError, KeyError, TypeError) as error:
            raise StudyError(f"'{folder.name}/{STUDY_FILE}' was not written by this version; choose another RUN") from error
        return cls(study=study_of(name, content), data=data, sites=sites, plan_sha256=digests)

    def content(self) -> dict:
        """What stands in the file."""
        content = {"name": self.study.name, **self.study.content(), "data": self.data, "sites": self.sites}
        for name, scheme in content["schemes"].items():
            scheme["plan_sha256"] = self.plan_sha256[name]
        return content

    def write(self, folder: Path) -> None:
        """Writes the file, whole."""
        write_whole(folder / STUDY_FILE, [yaml.safe_dump(self.content(), sort_keys=False, allow_unicode=True).encode()])

    def joined(self, before: "Resolved", begun: Sequence[str]) -> "Resolved":
        """This study with the seeds that were asked for before as well.

        Args:
            before: what stands in the study folder.
            begun: schemes that have a run there.

        Raises:
            StudyError: the two would train, choose or score a run that is there differently.
        """
        _check_sites(self.sites, before.sites)
        ours, theirs = self.content(), before.content()
        if begun:
            _check_same("", _COMMON, ours, theirs)
        for name in begun:
            if name in theirs["schemes"]:
                if name not in ours["schemes"]:
                    raise StudyError(f"schemes.{name}: expected in the study file, as runs of it are there; found it gone")
                _check_same(f"schemes.{name}.", _OF_SCHEME, ours["schemes"][name], theirs["schemes"][name])
                if self.plan_sha256[name] != before.plan_sha256[name]:
                    raise StudyError(
                        f"schemes.{name}: runs of this study folder were made with another plan; choose another RUN, or undo "
                        "what was changed in the study's changes, the scheme's, or plan/plans"
                    )
        schemes = {}
        for name, scheme in self.study.schemes.items():
            known = before.study.schemes[name].seeds if name in before.study.schemes else ()
            schemes[name] = replace(scheme, seeds=tuple(sorted({*scheme.seeds, *known})))
        return replace(self, study=replace(self.study, schemes=schemes))


def begun_schemes(folder: Path) -> list[str]:
    """Schemes of which the study folder has a run, or the beginning of one."""
    return sorted({path.name for part in ("search", "train") for path in folder.glob(f"{part}/*") if path.is_dir()})


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _check_sites(ours: Mapping[str, str], theirs: Mapping[str, str]) -> None:
    if different := sorted(site for site in {*ours, *theirs} if ours.get(site) != theirs.get(site)):
        raise StudyError(
            f"expected the data this study folder was made with, found other cases or splits for {', '.join(different)}; "
            "choose another RUN, or give the data of before"
        )


def _check_same(where: str, keys: Sequence[str], ours: Mapping, theirs: Mapping) -> None:
    for key in keys:
        if ours[key] != theirs[key]:
            raise StudyError(
                f"{where}{key}: runs of this study folder were made with {theirs[key]}, found {ours[key]}; choose another RUN "
                "for another study, or undo the change"
            )
