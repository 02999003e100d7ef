"""Small tables of scores."""

from collections.abc import Mapping, Sequence

from experiments.statistics.score import Score


def one(scheme: str, value: float, *, patient="p0", site="site_a", structure="Brainstem", seed=0, model_site=None) -> Score:
    """One score."""
    return Score(
        scheme=scheme,
        seed=seed,
        model_site=model_site,
        patient=patient,
        patient_site=site,
        structure=structure,
        value=value,
    )


def of_patients(values: Mapping[str, Sequence[float]], site: str = "site_a", structure: str = "Brainstem") -> list[Score]:
    """Per scheme one score a patient, all of one site, structure and seed."""
    return [
        one(scheme, value, patient=f"p{number:02d}", site=site, structure=structure)
        for scheme, of_scheme in values.items()
        for number, value in enumerate(of_scheme)
    ]
