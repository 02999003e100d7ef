"""What the plan says about clipping and noise; every number is checked once, here."""

from dataclasses import dataclass

from src.errors import PlanSettingError
from src.setting_range import check_number

WHERE = "collaborator.exchange.noise"
_LARGEST = 1e6


@dataclass(frozen=True, kw_only=True)
class NoiseSettings:
    """Clipping of a site's whole difference from the first weights, and normal noise on it.

    Attributes:
        clip_norm: greatest Euclidean norm of the difference, over all weights together; above 0.
        noise_multiplier: standard deviation of the noise on each weight, in units of ``clip_norm``; 0 clips alone, which
            promises nothing.
        delta: of the promise that is accounted for, see ``accountant``; above 0, below 1.
    """

    clip_norm: float
    noise_multiplier: float
    delta: float

    def __post_init__(self) -> None:
        check_number(f"{WHERE}.clip_norm", self.clip_norm, 1e-6, _LARGEST)
        check_number(f"{WHERE}.noise_multiplier", self.noise_multiplier, 0, _LARGEST)
        check_number(f"{WHERE}.delta", self.delta, 1e-12, 0.1)

    @property
    def noise_deviation(self) -> float:
        """Standard deviation of the noise on each weight."""
        return self.clip_norm * self.noise_multiplier


def read_noise(content: object) -> NoiseSettings | None:
    """The settings in a plan; None when it asks for none.

    Raises:
        PlanSettingError: an entry is unknown, missing or impossible.
    """
    if content is None:
        return None
    names = set(NoiseSettings.__dataclass_fields__)
    if not isinstance(content, dict) or set(content) != names:
        found = sorted(map(str, content)) if isinstance(content, dict) else repr(content)
        raise PlanSettingError(f"{WHERE}: expected {', '.join(sorted(names))}, or null for none, found {found}")
    return NoiseSettings(**content)
