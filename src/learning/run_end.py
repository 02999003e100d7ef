"""The end of a site's run: what the peers' final models still teach, the model that is the site's own, and the federation's.

What it leaves: ``last`` (the site's own model, completed) and ``consensus`` (the federation's), beside ``best`` of the rounds.
"""

import logging
from collections.abc import Sequence
from copy import deepcopy
from typing import TYPE_CHECKING

from src.evaluation.dice import StructureDice, macro_mean
from src.evaluation.validation import dice_facts
from src.exchange.learner import PeerModel
from src.learning.completion import complete, teacher_weights
from src.learning.consensus import consensus
from src.learning.peer_settings import CompletionSettings
from src.model.state import load_network_state, network_state

if TYPE_CHECKING:
    from src.learning.peer_learner import PeerLearner

logger = logging.getLogger(__name__)


class RunEnd:
    """What is done with the final models.

    Args:
        learner: the site's.
        settings: of the completion phase.
    """

    def __init__(self, learner: "PeerLearner", settings: CompletionSettings) -> None:
        self.learner, self.settings = learner, settings

    def finish(self, rounds: int, finals: Sequence[PeerModel], chain_end: str | None) -> list[dict]:
        """Completes the site's model, then makes the consensus; nothing, when the site is alone.

        Args:
            rounds: done.
            finals: of the sites present, ours included as the others see it. Those that fail on our patients (see
                ``PeerJudge``) neither teach nor count.
            chain_end: the site whose model is the federation's; None makes an average.

        Returns:
            Events for the log.
        """
        others = [model for model in finals if model.manifest.site != self.learner.site]
        if not others:
            return []
        useless = self._useless(finals)
        finals, others = ([model for model in models if model.manifest.site not in useless] for models in (finals, others))
        # The consensus is of what was published, so it does not matter that our own model changes first.
        return [*self._complete(rounds, others), {**self._agree(rounds, finals, chain_end), "useless": useless}]

    def _useless(self, finals: Sequence[PeerModel]) -> list[str]:
        """Sites whose final model our patients show to be of no use, such as noise of the right norm; as in every round."""
        learner = self.learner
        own = next((model for model in finals if model.manifest.site == learner.site), None)
        # Published before the rounds alone, as theirs were: what we are now would make all of them look worse.
        own_dice = learner.dice if own is None else learner.judge.look(own, {}).dice
        others = [model for model in finals if model is not own]
        useless = [model.manifest.site for model in others if not learner.judge.look(model, own_dice).acceptable]
        if useless:
            logger.warning(
                "%s: the final models of %s are not used, they fail on our patients", learner.site, ", ".join(useless)
            )
        return useless

    def _complete(self, rounds: int, others: Sequence[PeerModel]) -> list[dict]:
        learner = self.learner
        missing = [channel for channel, cases in enumerate(learner.cases_C) if not cases]
        weights = {model.manifest.site: teacher_weights(model.manifest, learner.structures) for model in others}
        useful = [model for model in others if any(weights[model.manifest.site][channel] for channel in missing)]
        networks = [self._network_of(model) for model in useful] if self.settings.steps else []
        teachers = [(network, weights[model.manifest.site]) for network, model in zip(networks, useful, strict=False)]
        facts = complete(
            learner.local,
            teachers,
            missing,
            self.settings,
            predictor=learner.runner.predictor,
            validate=lambda: macro_mean(self._own_dice()),
            dilation_mm=learner.learning.region_dilation_mm,
            site=learner.site,
            round_number=rounds,
        )
        facts["teachers"] = sorted(model.manifest.site for model in useful)
        if not facts["taught"] or facts["undone"]:
            return [facts]
        learner.dice = learner.dice_of(learner.network)
        learner.kept.write("last", learner.card(rounds, learner.trained(), learner.dice), network_state(learner.network))
        return [facts, {"phase": "validate", "after": "completion", **dice_facts(learner.dice)}]

    def _agree(self, rounds: int, finals: Sequence[PeerModel], chain_end: str | None) -> dict:
        learner = self.learner
        chosen = [model for model in finals if chain_end is None or model.manifest.site == chain_end]
        if not chosen:
            return {"phase": "consensus", "sites": [], "left_out": f"{chain_end}, whose model it would be, was not there"}
        tensors, cases_C = consensus(chosen, learner.structures)
        if chain_end is not None:
            # A model that has been at every site knows what any of them contours.
            cases_C = [chosen[0].manifest.row_cases[name] for name in learner.structures]
        network = deepcopy(learner.network)
        load_network_state(network, tensors, origin="the consensus")
        trained = [name for name, cases in zip(learner.structures, cases_C, strict=True) if cases]
        dice = learner.dice_of(network, trained)
        learner.kept.write("consensus", learner.card(rounds, trained, dice), tensors)
        return {
            "phase": "consensus",
            "sites": sorted(model.manifest.site for model in chosen),
            **dice_facts(dice),
        }

    def _own_dice(self) -> dict[str, StructureDice]:
        """Of the structures contoured here: what completion may not spoil."""
        learner = self.learner
        own = [name for name, cases in zip(learner.structures, learner.cases_C, strict=True) if cases]
        return learner.dice_of(learner.network, own)

    def _network_of(self, model: PeerModel):
        network = deepcopy(self.learner.network)
        tensors = {name: tensor.numpy() for name, tensor in model.read().items()}
        load_network_state(network, tensors, origin=model.manifest.site)
        return network
