"""What a plan without an aggregator may hold: settings of the exchange, and what no two of them may say together."""

from collections.abc import Mapping, Sequence

from src.data.dataset import check_name
from src.errors import DatasetError, PlanSettingError
from src.exchange.noise.accountant import accounting_library
from src.exchange.settings import ExchangeSettings, TimingSettings
from src.learning.peer_settings import CompletionSettings, LearningSettings
from src.plan_signature import check_call
from src.setting_range import check_whole

GOSSIP_COLLABORATOR = "src.exchange.collaborator.GossipCollaborator"
NO_AGGREGATOR, NO_ASSIGNER = "src.no_aggregator.NoAggregator", "src.no_aggregator.NoAssigner"
NO_ADDRESS = "no-aggregator"
_LOSSLESS = "openfl.pipelines.NoCompressionPipeline"
_NESTED = {
    "exchange": ExchangeSettings,
    "learning": LearningSettings,
    "completion": CompletionSettings,
    "timing": TimingSettings,
}
_WHERE = "collaborator.settings"


def is_peer_plan(config: object) -> bool:
    """Whether the sites of a plan exchange with each other: it names the gossip collaborator, or no aggregator."""
    named = {"aggregator": NO_AGGREGATOR, "collaborator": GOSSIP_COLLABORATOR}
    sections = config if isinstance(config, Mapping) else {}
    return any(isinstance(sections.get(key), Mapping) and sections[key].get("template") == it for key, it in named.items())


def check_peer_plan(config: Mapping) -> None:
    """Refuses settings of the exchange that are unknown, missing, out of range, or contradict others of the plan.

    Args:
        config: the parsed plan; each section is known to hold what its class takes.

    Raises:
        PlanSettingError: naming section and setting.
    """
    _check_templates(config)
    settings = config["collaborator"]["settings"]
    _check_names(settings["roster"], settings["run_id"])
    nested = {name: _build(name, kind, settings[name]) for name, kind in _NESTED.items()}
    nested["exchange"].check_roster(settings["roster"])
    _check_noise(nested["exchange"])
    _check_rounds(config, settings["rounds"], nested["exchange"])
    _check_rule(nested["exchange"], nested["learning"], len(settings["roster"]))
    _check_equal(config, f"{_WHERE}.init_state_path", "aggregator.settings.init_state_path")
    network = config["network"]["settings"]
    if network["agg_addr"] != NO_ADDRESS or not network["use_tls"] or not network["require_client_auth"]:
        raise PlanSettingError(
            f"network.settings: expected agg_addr {NO_ADDRESS}, use_tls true and require_client_auth true; there is nobody to "
            "call, and sites exchange over mutual TLS only"
        )
    if proximal_mu := _of_task_runner(config, "proximal_mu"):
        raise PlanSettingError(
            "task_runner.settings.proximal_mu: expected 0, FedProx's term pulls towards an aggregator's model; found "
            f"{proximal_mu}"
        )


def _build(name: str, kind: type, content: dict) -> object:
    check_call(f"{_WHERE}.{name}", kind, content)
    return kind(**content)


def _check_templates(config: Mapping) -> None:
    expected = {"aggregator": NO_AGGREGATOR, "assigner": NO_ASSIGNER, "collaborator": GOSSIP_COLLABORATOR}
    if "compression_pipeline" in config:
        expected["compression_pipeline"] = _LOSSLESS
    for section, template in expected.items():
        if config[section]["template"] != template:
            raise PlanSettingError(
                f"{section}.template: expected {template}, as in every plan whose sites exchange with each other, found "
                f"{config[section]['template']}"
            )


def _check_names(roster: Sequence[str], run_id: str) -> None:
    try:
        for name in roster:
            check_name("site", name)
        check_name("run", run_id)
    except DatasetError as error:
        raise PlanSettingError(f"{_WHERE}: {error}") from error
    if not roster or list(roster) != sorted(set(roster)):
        raise PlanSettingError(f"{_WHERE}.roster: expected the sites' names, sorted, each once, found {list(roster)}")


def _check_noise(exchange: ExchangeSettings) -> None:
    if exchange.noise is not None:
        # A plan that no site could run is refused before any begins.
        accounting_library()


def _check_rounds(config: Mapping, rounds: int, exchange: ExchangeSettings) -> None:
    check_whole(f"{_WHERE}.rounds", rounds, 1)
    _check_equal(config, f"{_WHERE}.rounds", "aggregator.settings.rounds_to_train")
    schedule_rounds = _of_task_runner(config, "schedule_rounds")
    if schedule_rounds is not None and schedule_rounds < rounds:
        raise PlanSettingError(
            f"task_runner.settings.schedule_rounds ({schedule_rounds}) must not be below {_WHERE}.rounds ({rounds}): the "
            "learning rate would be 0"
        )
    if exchange.schedule != "none" and all(exchange.exchange_at(number, rounds) is None for number in range(rounds)):
        raise PlanSettingError(
            f"{_WHERE}: no exchange in {rounds} rounds with warm_up_rounds {exchange.warm_up_rounds} and local_rounds_at_end "
            f"{exchange.local_rounds_at_end}; give more rounds, or fewer alone, or schedule none"
        )


def _check_rule(exchange: ExchangeSettings, learning: LearningSettings, num_sites: int) -> None:
    if exchange.schedule == "chain" and learning.rule != ["adopt"]:
        raise PlanSettingError(
            f"{_WHERE}.learning.rule: expected [adopt] with schedule chain, which hands one model on, found {learning.rule}"
        )
    if exchange.peers_per_exchange > max(1, num_sites - 1):
        raise PlanSettingError(
            f"{_WHERE}.exchange.peers_per_exchange: expected at most the {num_sites - 1} other sites of the roster, found "
            f"{exchange.peers_per_exchange}"
        )
    if learning.co_training and (exchange.schedule == "full" or exchange.peers_per_exchange > 1):
        raise PlanSettingError(
            f"{_WHERE}.learning.rule: {learning.co_training} learns from one peer at a time; set peers_per_exchange 1 and "
            "another schedule than full"
        )


def _check_equal(config: Mapping, first: str, second: str) -> None:
    values = [config[section]["settings"][name] for section, _, name in (key.split(".") for key in (first, second))]
    if values[0] != values[1]:
        raise PlanSettingError(f"{first} ({values[0]}) and {second} ({values[1]}) must be the same")


def _of_task_runner(config: Mapping, name: str) -> object:
    """A setting of the task runner; None where its class has no such."""
    return (config["task_runner"].get("settings") or {}).get(name)
