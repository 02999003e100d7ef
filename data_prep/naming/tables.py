"""The two tables of words in ``maps/``, as they stand in their files; each is read once."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import yaml

from data_prep.csv_file import read_csv

_MAPS = Path(__file__).resolve().parents[1] / "maps"


@lru_cache(maxsize=1)
def name_words() -> Mapping:
    """Words of many languages that names are made of, as ``name_words.yaml`` groups them."""
    return yaml.safe_load((_MAPS / "name_words.yaml").read_text(encoding="utf-8"))


@lru_cache(maxsize=1)
def listed_names() -> list[dict[str, str]]:
    """Every name of TG-263, with the columns ``name`` and ``reverse_order_name``."""
    return read_csv(_MAPS / "tg263_names.csv", ("name", "reverse_order_name"))
