"""What each section of a plan may hold, and what no two may say together."""

import inspect
from collections.abc import Mapping

from openfl.interface.aggregation_functions.core import AggregationFunction

from src.errors import PlanSettingError
from src.peer_plan import check_peer_plan, is_peer_plan
from src.plan_signature import check_call, check_keys, check_kind, import_template

# What OpenFL itself passes to the class a section names.
_PASSED_BY_OPENFL = {
    "aggregator": {
        "aggregator_uuid", "federation_uuid", "authorized_cols", "assigner", "compression_pipeline",
        "straggler_handling_policy", "initial_tensor_dict",
    },
    "assigner": {"tasks", "authorized_cols", "rounds_to_train"},
    "collaborator": {
        "collaborator_name", "aggregator_uuid", "federation_uuid", "client", "task_runner", "task_config",
        "compression_pipeline", "secure_aggregation",
    },
    "data_loader": {"data_path"},
    "task_runner": {"data_loader"},
    "compression_pipeline": set(),
    "straggler_handling_policy": set(),
}  # fmt: skip
_OPTIONAL_SECTIONS = {"compression_pipeline", "straggler_handling_policy"}
# Of an aggregator alone.
_AGGREGATOR_SECTIONS = {"tasks", "straggler_handling_policy"}
# Both ends are built from this section, and both swallow what they do not know.
_NETWORK = {"agg_addr": str, "agg_port": int, "use_tls": bool, "require_client_auth": bool, "transport_protocol": str}
_TASK_ARGUMENTS_BY_OPENFL = {"self", "col_name", "round_num", "input_tensor_dict"}


def check_plan(config: object) -> None:
    """Refuses a plan of which anything is unknown, missing, of the wrong kind, or contradicts another section.

    Args:
        config: the parsed plan.

    Raises:
        PlanSettingError: naming section and setting.
    """
    without_aggregator = is_peer_plan(config)
    sections = {*_PASSED_BY_OPENFL, "network", "tasks"} - (_AGGREGATOR_SECTIONS if without_aggregator else set())
    check_keys("plan", config, sections, sorted(sections - _OPTIONAL_SECTIONS))
    classes = {}
    for section, passed in _PASSED_BY_OPENFL.items():
        if section in config:
            classes[section] = _check_section(section, config[section], passed)
    _check_network(config["network"])
    if without_aggregator:
        check_peer_plan(config)
    else:
        _check_tasks(config["tasks"], classes["task_runner"])
        _check_across(config)


def _check_section(section: str, content: object, passed_by_openfl: set[str]) -> type:
    if isinstance(content, Mapping) and "defaults" in content:
        raise PlanSettingError(f"{section}.defaults: OpenFL reads nothing there and says nothing; write the settings out")
    check_keys(section, content, ("template", "settings"), ("template",))
    template = import_template(section, content["template"])
    check_call(f"{section}.settings", template, content.get("settings"), passed_by_openfl)
    return template


def _check_network(content: object) -> None:
    check_keys("network", content, ("settings",), ("settings",))
    settings = content["settings"]
    check_keys("network.settings", settings, _NETWORK, ("agg_addr", "agg_port", "use_tls", "require_client_auth"))
    for name, value in settings.items():
        check_kind(f"network.settings.{name}", value, _NETWORK[name])
    if settings["agg_addr"] == "auto":
        raise PlanSettingError(
            "network.settings.agg_addr: 'auto' writes each machine's own name into the plan, so every site would get another "
            "federation; write the aggregator's name"
        )
    if not 0 < settings["agg_port"] < 65536:
        raise PlanSettingError(f"network.settings.agg_port: expected 1 to 65535, found {settings['agg_port']}")
    if settings.get("transport_protocol", "grpc") != "grpc":
        raise PlanSettingError(f"network.settings.transport_protocol: expected grpc, found '{settings['transport_protocol']}'")


def _check_tasks(tasks: object, task_runner: type) -> None:
    check_keys("tasks", tasks, tasks if isinstance(tasks, Mapping) else ())
    for name, task in tasks.items():
        if name == "settings" and not task:
            continue  # OpenFL writes an empty one into every section of a plan it copies
        where = f"tasks.{name}"
        check_keys(where, task, ("function", "kwargs", "aggregation_type"), ("function",))
        function = getattr(task_runner, str(task["function"]), None)
        if not inspect.isfunction(function):
            raise PlanSettingError(f"{where}.function: {task_runner.__name__} has no task '{task['function']}'")
        check_call(f"{where}.kwargs", function, task.get("kwargs"), _TASK_ARGUMENTS_BY_OPENFL)
        if "aggregation_type" in task:
            aggregation = _check_section(f"{where}.aggregation_type", task["aggregation_type"], set())
            if not issubclass(aggregation, AggregationFunction):
                raise PlanSettingError(f"{where}.aggregation_type.template: {aggregation.__name__} does not aggregate")


def _check_across(config: Mapping) -> None:
    """What each section may say, but not both together."""
    rounds = (config["aggregator"].get("settings") or {}).get("rounds_to_train")
    schedule_rounds = (config["task_runner"].get("settings") or {}).get("schedule_rounds")
    if rounds is not None and rounds < 2:
        raise PlanSettingError(
            f"aggregator.settings.rounds_to_train: expected at least 2, the last only validates; found {rounds}"
        )
    if rounds is not None and schedule_rounds is not None and schedule_rounds < rounds - 1:
        raise PlanSettingError(
            f"task_runner.settings.schedule_rounds ({schedule_rounds}) must not be below the training rounds "
            f"(aggregator.settings.rounds_to_train {rounds} - 1 closing validation = {rounds - 1}): the learning rate "
            "would be 0"
        )
    _check_assigned_tasks(config)


def _check_assigned_tasks(config: Mapping) -> None:
    parameters = inspect.signature(import_template("assigner", config["assigner"]["template"])).parameters
    settings = config["assigner"].get("settings") or {}
    # OpenFL's collaborator tells training from validation by these letters in the task's name.
    for role, letters in (("validation_task", "valid"), ("training_task", "train")):
        if role not in parameters:
            continue
        name = settings.get(role, parameters[role].default)
        if name not in config["tasks"]:
            raise PlanSettingError(f"tasks: expected '{name}', which assigner.{role} names; found {', '.join(config['tasks'])}")
        if letters not in name:
            raise PlanSettingError(f"assigner.settings.{role}: expected a name with '{letters}' in it, found '{name}'")
        if role == "training_task" and "aggregation_type" not in config["tasks"][name]:
            raise PlanSettingError(
                f"tasks.{name}: setting 'aggregation_type' is missing; OpenFL would average the rows of structures that a site "
                "does not contour"
            )
