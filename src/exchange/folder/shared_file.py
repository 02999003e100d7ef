"""Files in a folder that others write to as well: what is opened is a file and nothing else, what is written is there whole.

Readers never list the folder: they open the names they expect, so that thousands of other files cost nothing, and neither
'name (1).card' nor 'NAME.card' is anybody's card.
"""

import itertools
import os
import re
import secrets
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")
# Names looked through for what is ours and outdated; a folder with more of them is somebody's mischief.
_MOST_NAMES = 100_000


class FileFault(Exception):
    """Why a file of the folder cannot be used: not there, not whole (yet), or no plain file; it may be another one later."""


def card_name(site: str) -> str:
    """The name of a site's card.

    Raises:
        ValueError: the site's name cannot be part of a file's.
    """
    if not _NAME.fullmatch(site):
        raise ValueError(f"expected a site's name in lower case that a file can have, found {site!r:.80}")
    return f"{site}.card"


def model_name(site: str, epoch: int, sequence: int) -> str:
    """The name of a site's snapshot."""
    return f"{site}-{epoch}-{sequence}.model"


def open_plain(path: Path) -> BinaryIO:
    """Opens a file for reading, unbuffered, if it is one: no link, no pipe, no device.

    Raises:
        FileFault: it is none, or it cannot be opened.
    """
    try:
        # Without O_NONBLOCK a named pipe would hold us until somebody writes to it.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise FileFault(f"expected the file {path.name}, found none that can be opened ({error.strerror})") from error
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise FileFault(f"expected {path.name} to be a plain file, found something else")
        return os.fdopen(descriptor, "rb", buffering=0)
    except BaseException:
        os.close(descriptor)
        raise


def read_plain(path: Path, most_bytes: int) -> bytes:
    """A small file's content.

    Raises:
        FileFault: as ``open_plain``, or it is larger.
    """
    with open_plain(path) as file:
        content = read_exactly(file, most_bytes + 1)
    if len(content) > most_bytes:
        raise FileFault(f"expected at most {most_bytes} bytes in {path.name}, found more")
    return content


def read_exactly(file: BinaryIO, num_bytes: int) -> bytes:
    """So many bytes, or fewer at the file's end.

    Raises:
        FileFault: the folder refuses to give them.
    """
    parts, left = [], num_bytes
    try:
        while left and (part := file.read(left)):
            parts.append(part)
            left -= len(part)
    except OSError as error:
        raise FileFault(f"a file of the folder cannot be read ({error.strerror})") from error
    return b"".join(parts)


def write_shared(path: Path, chunks: Iterable[bytes]) -> None:
    """Writes a file under a name that nobody reads, flushes it, and renames it into place.

    The other name is drawn, and must be new: whoever can write to the folder could have put a link to one of our own files
    there.

    Args:
        path: its folder exists.
        chunks: the content in order; what they raise is passed on.

    Raises:
        OSError: the folder is gone, full, or refuses; what was at ``path`` is still there.
    """
    partial = path.with_name(f".{path.name}.{secrets.token_hex(8)}.partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
    try:
        with os.fdopen(descriptor, "wb") as file:
            for chunk in chunks:
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def own_files(folder: Path, site: str) -> Iterator[Path]:
    """Snapshots of a site, by their names, and what it left half-written; conflict copies are not among them."""
    name = re.escape(site)
    ours = re.compile(rf"{name}-\d+-\d+\.model|\.{name}(-\d+-\d+\.model|\.card)\.[0-9a-f]{{16}}\.partial")
    with os.scandir(folder) as entries:
        found = [entry.name for entry in itertools.islice(entries, _MOST_NAMES) if ours.fullmatch(entry.name)]
    return (folder / name for name in found)
