"""Compares a section's settings with the explicit parameters of the class or function they go to."""

import inspect
import types
import typing
from collections.abc import Callable, Collection, Mapping
from difflib import get_close_matches
from importlib import import_module
from typing import Any

from src.errors import PlanSettingError


def import_template(where: str, template: object) -> Any:
    """The class a plan names.

    Args:
        where: section, for the message.
        template: dotted name.

    Raises:
        PlanSettingError: it is not a dotted name, its module does not import, or the module has no such class.
    """
    if not isinstance(template, str) or "." not in template:
        raise PlanSettingError(f"{where}.template: expected a class as package.module.Class, found {template!r}")
    module_name, name = template.rsplit(".", 1)
    try:
        module = import_module(module_name)
    except ImportError as error:
        raise PlanSettingError(
            f"{where}.template: expected a class that can be imported, found '{template}' ({error})"
        ) from error
    if not inspect.isclass(getattr(module, name, None)):
        classes = [key for key, value in vars(module).items() if inspect.isclass(value)]
        raise PlanSettingError(f"{where}.template: {module_name} has no class '{name}'{_hint(name, classes)}")
    return getattr(module, name)


def check_keys(where: str, found: object, known: Collection[str], required: Collection[str] = ()) -> None:
    """Refuses a mapping with a key too many or too few.

    Raises:
        PlanSettingError: naming the key, and the nearest known one.
    """
    if not isinstance(found, Mapping):
        raise PlanSettingError(f"{where}: expected settings as 'name: value', found {found!r}")
    for key in found:
        if key not in known:
            raise PlanSettingError(f"{where}: unknown setting '{key}'{_hint(str(key), known)}")
    for key in required:
        if key not in found:
            raise PlanSettingError(f"{where}: setting '{key}' is missing; write it out, see plan/README.md")


def check_call(where: str, target: Callable, settings: object, passed_by_openfl: Collection[str] = ()) -> None:
    """Refuses settings that are not exactly what a class or function takes.

    Args:
        where: section, for the message.
        target: what is called with them; ``**kwargs`` of its signature count for nothing.
        settings: what the plan gives; None is the empty mapping.
        passed_by_openfl: parameters that are not the plan's to give.

    Raises:
        PlanSettingError: one is unknown, missing, or of another kind than its annotation says.
    """
    settings = {} if settings is None else settings
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    parameters = {
        name: parameter
        for name, parameter in inspect.signature(target).parameters.items()
        if parameter.kind in named and name not in passed_by_openfl
    }
    required = [name for name, parameter in parameters.items() if parameter.default is parameter.empty]
    check_keys(where, settings, parameters, required)
    hints = typing.get_type_hints(target.__init__ if inspect.isclass(target) else target)
    for name, value in settings.items():
        check_kind(f"{where}.{name}", value, hints.get(name, Any))


def check_kind(where: str, value: object, hint: Any) -> None:
    """Refuses a value that is not of the kind an annotation names.

    Raises:
        PlanSettingError: saying what was expected.
    """
    if _fits(value, hint):
        return
    hinted = getattr(hint, "__name__", str(hint)) if not typing.get_args(hint) else str(hint)
    raise PlanSettingError(f"{where}: expected {hinted}, found {value!r}{_yaml_hint(value, hint)}")


def _fits(value: object, hint: Any) -> bool:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return any(_fits(value, argument) for argument in arguments)
    if hint in (None, types.NoneType):
        return value is None
    if hint in (int, float):
        return isinstance(value, int if hint is int else int | float) and not isinstance(value, bool)
    if hint in (str, bool, dict, list):
        return isinstance(value, hint)
    if origin is list:
        return isinstance(value, list) and all(_fits(entry, arguments[0]) for entry in value)
    if origin is dict:
        return isinstance(value, dict) and all(_fits(entry, arguments[1]) for entry in value.values())
    return True


def _yaml_hint(value: object, hint: Any) -> str:
    """YAML 1.1 takes 1e-3 for text; says so."""
    if hint is not float or not isinstance(value, str):
        return ""
    try:
        float(value)
    except ValueError:
        return ""
    return f"; YAML reads {value} as text, write the number with a decimal point, as in 1.0e-3"


def _hint(name: str, known: Collection[str]) -> str:
    near = get_close_matches(name, list(known), n=1)
    if near:
        return f"; did you mean '{near[0]}'?"
    return f"; known are {', '.join(sorted(known))}" if known else "; it takes none"
