"""The completion phase: at the end the peers' final models teach the structures that this site never contoured, and only those.

With the teachers t, their weights n_tc (training cases of c, times reported Dice), and the missing structures M for which
some n_tc is above 0::

    q_c  = Σ_t n_tc p_tc / Σ_t n_tc                                target
    a_cv = | 2 Σ_t n_tc [p_tcv > 0.5] / Σ_t n_tc − 1 |             trust in voxel v: 1 where they agree, 0 where they tie
    L    = L_sup on the own structures + 1/|M| Σ_{c ∈ M} mean_{v ∈ R_c} a_cv KL( q_cv ‖ p_self,cv )

R_c is the region of a structure that is not contoured, see ``region``. The teachers are frozen; our optimiser is fresh, with a
constant rate. A small aorta came back only in this way (measured on phantoms), never by exchange alone.

Source: relative of ConDistFL, Wang et al. 2023, arXiv:2308.04070, there during training and from a global model.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from torch import nn

from src.exchange.manifest import Manifest
from src.learning.co_training import DivergenceTerm, SharedRegion, generators_of_its_own
from src.learning.companion import Batch
from src.learning.peer_settings import CompletionSettings
from src.learning.teachers import Agreement, Teachers
from src.learning.training import LocalTraining
from src.model.inference import Predictor
from src.model.state import unique_tensors


def teacher_weights(manifest: Manifest, structures: Sequence[str]) -> list[float]:
    """n_tc of one teacher: its training cases of each structure times the Dice it reports, 0 when it reports none."""
    return [manifest.train_cases[name] * (manifest.valid_dice[name] or 0.0) for name in structures]


def complete(
    local: LocalTraining,
    teachers: Sequence[tuple[nn.Module, Sequence[float]]],
    missing_channels: Sequence[int],
    settings: CompletionSettings,
    *,
    predictor: Predictor,
    validate: Callable[[], float],
    dilation_mm: float,
    site: str,
    round_number: int,
) -> dict:
    """The whole phase, undone when the site's own structures lose more than ``settings.largest_loss``.

    Left out when there is nothing to teach, and at a site without validation cases, where nothing would show the harm.

    Args:
        local: the site's training; its network learns in place, its optimiser is not touched.
        teachers: peers' networks, on the device of ours, and n_tc for each channel, such as ``teacher_weights``.
        missing_channels: never contoured in this site's training cases.
        settings: steps, rate, and what may be lost.
        predictor: of our network; measures how far we agree with the teachers on whole cases.
        validate: gives the mean validation Dice of the site's own structures of the present network; NaN without a case.
        dilation_mm: d of the region.
        site, round_number: batches and dropout follow from them; a number that no round of training had.

    Returns:
        Facts for the log: ``taught`` names; without any, ``left_out`` says why. Otherwise also ``undone``,
        ``mean_dice_before`` and ``_after``, soft Dice with the teachers ``agreement_before`` and ``_after`` by structure, both
        before any undoing, ``divergence`` by structure, ``loss``, ``steps``, ``dropped_steps``.
    """
    contoured = [cases > 0 for cases in local.data_loader.train_cases_with()]
    if wrong := [channel for channel in missing_channels if contoured[channel]]:
        raise ValueError(f"expected channels that this site does not contour, found {wrong}")
    group = Teachers(teachers, missing_channels, local.device)
    dice_before = validate() if group.channels and settings.steps else math.nan
    if math.isnan(dice_before):
        return {"phase": "completion", "taught": [], "left_out": _reason(settings, missing_channels, group)}
    before = {name: tensor.clone() for name, tensor in unique_tensors(local.network).items()}
    agreement = Agreement(group, predictor, local.data_loader)
    agreement_before = agreement.measure()
    companion = _FrozenTeachers(local, group, dilation_mm, site, round_number)
    optimisation = replace(local.optimisation, learning_rate=settings.learning_rate, warm_up_steps=0, decay_power=0)
    stepper = local.new_stepper(local.network, optimisation)
    trained = local.take_steps(stepper, site, round_number, settings.steps, companion)
    dice_after, agreement_after = validate(), agreement.measure()
    # A comparison with NaN is false: what can no longer be judged is undone too.
    undone = not dice_after >= dice_before - settings.largest_loss
    if undone:
        with torch.no_grad():
            for name, tensor in unique_tensors(local.network).items():
                tensor.copy_(before[name])
    names = [local.data_loader.structures[channel] for channel in group.channels]
    divergence_C = companion.term.mean_C()
    return {
        "phase": "completion",
        "taught": names,
        "undone": undone,
        "mean_dice_before": dice_before,
        "mean_dice_after": dice_after,
        "agreement_before": dict(zip(names, agreement_before, strict=True)),
        "agreement_after": dict(zip(names, agreement_after, strict=True)),
        "divergence": {name: divergence_C[channel] for name, channel in zip(names, group.channels, strict=True)},
        "loss": trained.mean_loss,
        "steps": settings.steps,
        "dropped_steps": companion.term.dropped_steps,
    }


def _reason(settings: CompletionSettings, missing_channels: Sequence[int], group: Teachers) -> str:
    if not settings.steps:
        return "the plan gives it no steps"
    if not missing_channels:
        return "every structure is contoured here"
    return "the site has no validation case to judge it by" if group.channels else "no peer contours what is missing here"


class _FrozenTeachers:
    """Adds the teachers' divergence to each step."""

    def __init__(self, local: LocalTraining, group: Teachers, dilation_mm: float, site: str, round_number: int) -> None:
        self.local, self.group = local, group
        weight_C = torch.zeros(len(local.data_loader.structures), device=local.device)
        weight_C[group.channels] = 1 / len(group.channels)
        self.term = DivergenceTerm(weight_C)
        self.taught_C = self.term.taught_C
        self._region = SharedRegion(local, dilation_mm, site, round_number)
        self._seed = local.seed_of(site, round_number, "teachers")

    def join(self, batch: Batch, own_logits_BCXYZ: torch.Tensor, step: int) -> torch.Tensor | None:
        with torch.no_grad(), generators_of_its_own(self.local.device, self._seed):
            logits = [self.local.logits(network, batch) for network in self.group.networks]
            target_BCXYZ, trust_BCXYZ = self.group.target(logits)
        region_BCXYZ = self._region(own_logits_BCXYZ, target_BCXYZ, batch, self.taught_C, step)
        return self.term(own_logits_BCXYZ, target_BCXYZ, region_BCXYZ, trust_BCXYZ)
