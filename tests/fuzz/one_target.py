"""Fuzzes one target until it finds something: ``python -m tests.fuzz.one_target card_file <folder> -max_total_time=60``.

The folder takes every input that reached something new, and is gone on from. The options are libFuzzer's. All of ``src`` is
instrumented, so that libFuzzer sees which lines and comparisons an input reaches.
"""

import sys
from importlib import import_module
from pathlib import Path

import atheris

from tests.fuzz.corpus_folder import CORPUS

_LIMITS = ["-max_len=16384", "-timeout=30", "-rss_limit_mb=4096", "-print_final_stats=1"]


def main() -> None:
    """As above; a name with a dot is a module of its own."""
    name, folder, *options = sys.argv[1:]
    with atheris.instrument_imports(include=["src"]):
        target = import_module(name if "." in name else f"tests.fuzz.targets.{name}")
        from tests.fuzz.recipe import mutated

    def mutate(content: bytes, largest_bytes: int, seed: int) -> bytes:
        return mutated(content, largest_bytes, seed, atheris.Mutate)

    found = Path(folder)
    found.mkdir(parents=True, exist_ok=True)
    for number, content in enumerate([*target.seeds(), *getattr(target, "fresh_seeds", list)()]):
        (found / f"seed-{number}").write_bytes(content)
    folders = [str(path) for path in (found, CORPUS / name) if path.is_dir()]
    # An input of parts, see ``recipe``, is changed part by part.
    by_parts = {"custom_mutator": mutate} if hasattr(target, "parted") else {}
    atheris.Setup([sys.argv[0], *_LIMITS, f"-artifact_prefix={found}/found-", *options, *folders], target.check, **by_parts)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
