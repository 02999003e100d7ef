"""What a contour of an adult's organ normally looks like: ``normal_anatomy.yaml``, which names its sources."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import yaml

from src.data.structures import load_structures

NORMAL_ANATOMY_YAML = Path(__file__).with_name("normal_anatomy.yaml")


@dataclass(frozen=True, kw_only=True)
class NormalAnatomy:
    """What is normal for one structure.

    Attributes:
        volume_cm3: least and most of the whole organ; None where there is no limit.
        source: where ``volume_cm3`` comes from; "" where there is none.
        median_hu: range of the median of its voxels, or None where it may hold anything.
        contoured_in_part: sites draw only a part of it, or the CT shows only a part.
        in_pieces: it may lie in several pieces.
    """

    volume_cm3: tuple[float | None, float | None] = (None, None)
    source: str = ""
    median_hu: tuple[float, float] | None = None
    contoured_in_part: bool = False
    in_pieces: bool = False


@lru_cache(maxsize=1)
def load_normal_anatomy() -> dict[str, NormalAnatomy]:
    """TG-263 name -> what is normal, for every structure of plan/structures.yaml; one without a row has no limits.

    Raises:
        StructureError: the file has a row of a structure that the table lacks.
    """
    content = yaml.safe_load(NORMAL_ANATOMY_YAML.read_text(encoding="utf-8"))
    tissues, table = content["tissues"], load_structures()
    normal = {structure.name: NormalAnatomy() for structure in table}
    for name, row in content["structures"].items():
        normal[table[name].name] = NormalAnatomy(
            volume_cm3=tuple(row.get("volume_cm3", (None, None))),
            source=row.get("source", ""),
            median_hu=tuple(tissues[row["tissue"]]) if "tissue" in row else None,
            contoured_in_part=row.get("contoured_in_part", False),
            in_pieces=row.get("in_pieces", False),
        )
    return normal
