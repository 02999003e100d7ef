"""A folder that is there whole or not at all, whatever moment its writer is stopped at."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from src.exchange.whole_file import to_disk
from src.machine_fault import writing


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """Makes an empty folder beside a place, and moves it there when all went well; what is there then is replaced.

    Args:
        folder: the place; files of a run that was killed lie in ``.<name>.partial`` and are deleted by the next one.

    Yields:
        The folder to write in.

    Raises:
        DiskError: the disk is full or refuses; as with every other exception, what was at ``folder`` is still there.
    """
    partial, replaced = (folder.with_name(f".{folder.name}.{what}") for what in ("partial", "replaced"))
    with writing(folder):
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        try:
            yield partial
            for path in partial.iterdir():
                to_disk(path)
            shutil.rmtree(replaced, ignore_errors=True)
            if folder.exists():
                folder.replace(replaced)
            partial.replace(folder)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise
        to_disk(folder.parent)
        shutil.rmtree(replaced, ignore_errors=True)
