"""The ways to compute one and the same network that ``make bench PART=predict`` compares."""

from collections.abc import Callable, Mapping
from pathlib import Path

from src.predict.engine import Engine
from src.predict.openvino_model import convert, read_optimised, write_optimised
from src.predict.optimise import command

PLAIN = "PyTorch float32"
INT8 = "OpenVINO 8-bit integers"


def make_folders(network: Path, data: Path, cache: Path, folder: Path) -> tuple[Path, Path]:
    """The network as OpenVINO models in float32 and in 8-bit integers; made once for each network.

    Args:
        network: a ``.safetensors`` file.
        data: the dataset whose cases the 8-bit integers are calibrated and checked with.
        cache: of its prepared cases.
        folder: where they are kept.

    Raises:
        OarError: OpenVINO or NNCF is not installed, or 8-bit integers lose too much.
    """
    from src.file_digest import file_digest
    from src.model.saved_model import load_saved_model

    digest = file_digest(network)
    in_floats, in_integers = (folder / f"{kind}-{digest[:12]}" for kind in ("float32", "int8"))
    if not in_floats.is_dir():
        saved = load_saved_model(network, overlap=0.25, precision="float32")
        model = convert(saved.predictor.network.cpu(), saved.card.patch_voxels)
        write_optimised(in_floats, model, saved.card, source={"model_sha256": digest})
    if not in_integers.is_dir():
        command.main(
            ["--model", str(network), "--data", str(data), "--output", str(in_integers), "--cache", str(cache)],
        )
    return in_floats, in_integers


def open_engine(name: str, paths: Mapping[str, str], overlap: float) -> Engine:
    """An engine by its name.

    Args:
        name: of ``ENGINES``.
        paths: of ``network``, ``float32`` and ``int8``.
        overlap: of the sliding windows.
    """
    return ENGINES[name](paths, overlap)


def _openvino(kind: str, precision: str) -> Callable[[Mapping, float], Engine]:
    return lambda paths, overlap: read_optimised(Path(paths[kind]), overlap=overlap, precision=precision).engine


def _pytorch(precision: str, *, channels_last: bool = False, compiled: bool = False) -> Callable[[Mapping, float], Engine]:
    def make(paths: Mapping, overlap: float) -> Engine:
        import torch

        from src.model.saved_model import load_saved_model

        predictor = load_saved_model(Path(paths["network"]), overlap=overlap, precision=precision).predictor
        network = predictor.network.eval()
        if channels_last:
            network = _channels_last(network)
        if compiled:
            network = torch.compile(network)
            with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16"):
                for batch in (2, 1):  # of all windows, and of the last when their number is odd
                    network(torch.zeros(batch, 1, *predictor._windows.roi_size))
        return predictor.applied_to(network)

    return make


def _channels_last(network):
    """The same network on tensors whose channels lie next to each other."""
    import torch

    network.to(memory_format=torch.channels_last_3d)
    network.register_forward_pre_hook(lambda _, given: (given[0].contiguous(memory_format=torch.channels_last_3d),))
    return network


ENGINES: dict[str, Callable[[Mapping, float], Engine]] = {
    PLAIN: _pytorch("float32"),
    "PyTorch bfloat16": _pytorch("bfloat16"),
    "PyTorch bfloat16, channels last": _pytorch("bfloat16", channels_last=True),
    "PyTorch bfloat16, compiled": _pytorch("bfloat16", compiled=True),
    "OpenVINO float32": _openvino("float32", "float32"),
    "OpenVINO bfloat16": _openvino("float32", "bfloat16"),
    INT8: _openvino("int8", "auto"),
}
