"""Where inputs are kept for good: one folder a target, made by the fuzzer, smallest first, and all that it ever found."""

from pathlib import Path

CORPUS = Path(__file__).parent / "corpus"
