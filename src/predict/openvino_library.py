"""OpenVINO and NNCF, imported where they are needed, and kept from calling home.

Both send events over the internet when they are imported or used, unless ``openvino_telemetry`` cannot be imported, which both
provide for. A program that reads patients calls nobody, so to them that package is not there.
"""

import importlib
import logging
import sys
from types import ModuleType

from src.errors import LibraryMissing

INSTALL = "pip install 'openfl-oar[fast]', or pip install openvino nncf"


def import_openvino() -> ModuleType:
    """The package ``openvino``.

    Raises:
        LibraryMissing: it is not installed.
    """
    return _import_quiet("openvino")


def import_nncf() -> ModuleType:
    """The package ``nncf``.

    Raises:
        LibraryMissing: it is not installed.
    """
    import_openvino()
    # It makes its own class that of every logger made after it.
    logger_class = logging.getLoggerClass()
    try:
        return _import_quiet("nncf")
    finally:
        logging.setLoggerClass(logger_class)


def _import_quiet(name: str) -> ModuleType:
    # None in this place makes an import fail; see importlib's documentation of sys.modules.
    sys.modules.setdefault("openvino_telemetry", None)
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        raise LibraryMissing(
            f"expected the library {name}, found none; install it with {INSTALL}, or use the .safetensors file, for which "
            "PyTorch is enough"
        ) from error
