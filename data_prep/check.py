"""``check``: looks for what would spoil a training, without changing anything; exit 1 when something is refused."""

import argparse
from collections import defaultdict
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import SimpleITK as sitk
from rich.console import Console
from rich.table import Table
from tqdm import tqdm

from data_prep.count_table import print_counts
from src.case_checks.case import check_measured
from src.case_checks.ct import check_record
from src.case_checks.finding import Finding, refused
from src.case_checks.listing import check_listing
from src.case_checks.mask_facts import mask_facts
from src.data.dataset import CaseRecord, Dataset
from src.errors import CaseError

NUM_WORKERS = 2  # threads: SimpleITK reads outside Python's lock
MAX_CASES_NAMED = 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the command's options."""
    parser.add_argument("datasets", type=Path, nargs="+", metavar="dataset")


def run(arguments: argparse.Namespace) -> int:
    """Checks every dataset; 1 when one of them is refused, 0 otherwise."""
    datasets = [Dataset.open(path) for path in arguments.datasets]
    worst = 0
    for dataset in datasets:
        findings = check_dataset(dataset)
        print_counts({dataset.site: dataset})
        _print_findings(dataset.site, findings)
        worst |= any(finding.severity == "refused" for finding in findings)
    return int(worst)


def check_dataset(dataset: Dataset) -> list[Finding]:
    """Everything that is wrong or odd in one dataset, refused first."""
    findings = list(check_listing(dataset))
    digests: dict[str, list[str]] = defaultdict(list)
    with ThreadPoolExecutor(NUM_WORKERS) as pool:
        checked = pool.map(lambda record: check_case(dataset, record), dataset.cases.values())
        for record, (found, digest) in zip(
            dataset.cases.values(),
            tqdm(checked, total=len(dataset.cases), desc=f"checking {dataset.site}", unit="case", disable=None),
            strict=True,
        ):
            findings += found
            if digest:
                digests[digest].append(record.name)
    for same in digests.values():
        findings += [refused(case, f"its CT is that of {same[0]}: one patient stands twice") for case in same[1:]]
    return sorted(set(findings), key=lambda finding: (finding.severity, finding.what, finding.case or ""))


def check_case(dataset: Dataset, record: CaseRecord) -> tuple[list[Finding], str | None]:
    """The findings on one case, and the digest of its CT's voxels (None where it cannot be read)."""
    findings: list[Finding] = []
    try:
        ct = dataset.read_ct(record.name)
    except CaseError as error:
        return [_unusable(error)], None
    findings += check_record(record, ct)
    masks = {}
    for name in record.structures:
        if not dataset.mask_path(record.name, name).is_file():
            continue  # told by check_listing
        try:
            masks[name] = mask_facts(dataset.read_mask(record.name, name))
        except CaseError as error:
            findings.append(_unusable(error))
    findings += check_measured(record.name, ct, masks)
    return findings, sha256(sitk.GetArrayViewFromImage(ct).tobytes()).hexdigest()


def _unusable(error: CaseError) -> Finding:
    return refused(error.case, str(error).removeprefix(f"case {error.case}: "))


def _print_findings(site: str, findings: Iterable[Finding]) -> None:
    cases_of: dict[tuple[str, str], list[str]] = defaultdict(list)
    for finding in findings:
        cases_of[finding.severity, finding.what] += [finding.case] if finding.case else []
    if not cases_of:
        print(f"{site}: nothing to report\n")
        return
    table = Table("", "what", "cases", title=f"{site}: findings", title_justify="left", show_lines=True)
    for (severity, what), cases in cases_of.items():
        more = f" and {len(cases) - MAX_CASES_NAMED} more" if len(cases) > MAX_CASES_NAMED else ""
        style = "bold red" if severity == "refused" else "yellow"
        table.add_row(f"[{style}]{severity}[/]", what, ", ".join(cases[:MAX_CASES_NAMED]) + more or "the dataset")
    Console().print(table)
