"""The snapshots a site offers: immutable files, the newest few kept.

Published by the training loop, looked up by the server's threads. A file that is deleted while somebody reads it stays readable
to the one who has it open, as POSIX has it.
"""

import logging
import re
import threading
from collections.abc import Mapping
from pathlib import Path

import torch

from src.exchange.manifest import Manifest
from src.exchange.snapshot import SnapshotFault, SnapshotFile, describe_file, write_snapshot

logger = logging.getLogger(__name__)

_NAME = re.compile(r"epoch(\d+)-sequence(\d+)-round(\d+)\.snapshot")
_PARTIAL = re.compile(r"\..*\.partial")


class Outbox:
    """A folder of one run's snapshots; any thread may call anything.

    Args:
        folder: made if it is not there. Snapshots of an earlier start are offered again; half-written and damaged ones are
            deleted, other files are left alone.
        keep: newest snapshots kept, by epoch and sequence; at least 1.
    """

    def __init__(self, folder: Path, keep: int) -> None:
        if keep < 1:
            raise ValueError(f"expected to keep at least 1 snapshot, found {keep}")
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._keep = folder, keep
        self._publishing, self._looking = threading.Lock(), threading.Lock()
        self._files = _scan(folder)
        self._delete_old()

    def publish(self, manifest: Manifest, tensors: Mapping[str, torch.Tensor], wire_dtype: str) -> SnapshotFile:
        """Writes a snapshot and offers it from now on; the same one again changes nothing.

        Args:
            manifest, tensors, wire_dtype: as ``write_snapshot``.

        Raises:
            SnapshotFault: as ``write_snapshot``; or ``sequence``: its numbers are taken by other bytes, or are not the newest.
            OSError: the disk is full or refuses.
        """
        with self._publishing:
            published = self._find(manifest)
            if published is not None:
                return self._compared(published, manifest, tensors, wire_dtype)
            newest = self.newest()
            if newest is not None and _order(manifest) < _order(newest.manifest):
                raise SnapshotFault(
                    "sequence",
                    f"expected epoch and sequence beyond {_order(newest.manifest)}, found {_order(manifest)}; "
                    "if this site's state was lost, raise its epoch",
                )
            file = write_snapshot(self._folder / _file_name(manifest), manifest, tensors, wire_dtype)
            with self._looking:
                self._files[_order(manifest)] = file
            self._delete_old()
            return file

    def newest(self) -> SnapshotFile | None:
        """The one of the highest epoch and sequence; None when there is none."""
        return max(self._offered(), key=lambda file: _order(file.manifest), default=None)

    def of_round(self, round_number: int) -> SnapshotFile | None:
        """The newest with so many rounds of training behind it; None when there is none, or none any more."""
        found = [file for file in self._offered() if file.manifest.round == round_number]
        return max(found, key=lambda file: _order(file.manifest), default=None)

    def rounds(self) -> set[int]:
        """The rounds of which there is one."""
        return {file.manifest.round for file in self._offered()}

    def by_digest(self, sha256: str) -> SnapshotFile | None:
        """The one with these bytes; None when there is none, or none any more."""
        return next((file for file in self._offered() if file.sha256 == sha256), None)

    def _offered(self) -> list[SnapshotFile]:
        with self._looking:
            return list(self._files.values())

    def _find(self, manifest: Manifest) -> SnapshotFile | None:
        with self._looking:
            return self._files.get(_order(manifest))

    def _compared(self, published: SnapshotFile, manifest: Manifest, tensors: Mapping, wire_dtype: str) -> SnapshotFile:
        # Ends in .partial, so that a site killed here finds it again as half-written.
        beside = self._folder / f".{_file_name(manifest)}.again.partial"
        try:
            again = write_snapshot(beside, manifest, tensors, wire_dtype)
        finally:
            beside.unlink(missing_ok=True)
        if again.sha256 != published.sha256:
            raise SnapshotFault(
                "sequence",
                f"epoch and sequence {_order(manifest)} were published with other bytes, and peers may have learnt from them; "
                "if this site's state was lost, raise its epoch",
            )
        return published

    def _delete_old(self) -> None:
        with self._looking:
            old = [self._files.pop(order) for order in sorted(self._files)[: -self._keep]]
        for file in old:
            file.path.unlink(missing_ok=True)


def _order(manifest: Manifest) -> tuple[int, int]:
    return manifest.epoch, manifest.sequence


def _file_name(manifest: Manifest) -> str:
    return f"epoch{manifest.epoch}-sequence{manifest.sequence}-round{manifest.round}.snapshot"


def _scan(folder: Path) -> dict[tuple[int, int], SnapshotFile]:
    """The snapshots of an earlier start, by epoch and sequence."""
    files = {}
    for path in sorted(folder.iterdir()):
        if _PARTIAL.fullmatch(path.name):
            path.unlink()
        elif _NAME.fullmatch(path.name):
            try:
                file = describe_file(path)
                if path.name != _file_name(file.manifest):
                    raise SnapshotFault("name", f"holds {_file_name(file.manifest)}")
            except SnapshotFault as fault:
                logger.warning("a published snapshot was damaged and is no longer offered: %s (%s)", path.name, fault)
                path.unlink()
                continue
            files[_order(file.manifest)] = file
    return files
