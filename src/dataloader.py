"""The loaders a plan names: patches of a site's prepared CTs for training, whole cases for validation.

Test cases are never opened here.
"""

from collections.abc import Iterator
from functools import cached_property
from multiprocessing import get_context
from pathlib import Path

import torch
from openfl.federated import PyTorchDataLoader
from torch.utils.data import DataLoader
from torch.utils.data import Dataset as TorchDataset

from src.data.augmentation import Augmentation, change_intensity, cut_patch, may_be_mirrored, mirror
from src.data.cache import CaseCache, PreparedCase
from src.data.dataset import CaseRecord, Dataset
from src.data.preprocessing import GridGeometry, Preprocessing, scale_hu
from src.data.sampling import PatchSampler, patch_generator
from src.data.structures import load_structures
from src.data.truth import Truth, cached_truth
from src.environment import check_numpy
from src.errors import DatasetError, PlanSettingError
from src.model.ct_fingerprint import make_ct_fingerprint, measure_ct
from src.plan_check import check_running_plan
from src.setting_range import check_number, check_whole


class CTLoader(PyTorchDataLoader):
    """What head-and-neck and liver loaders share.

    Args:
        data_path: a dataset folder (see ``src.data.dataset``); None builds nothing, for ``fx plan initialize``.
        structures: TG-263 names in channel order.
        spacing_mm, window_hu, body_margin_mm: see ``Preprocessing``.
        patch_voxels: training patch and sliding window in X, Y, Z.
        batch_size: patches a step.
        background_share: share of patches drawn anywhere, 0 to 1.
        augmentation: see ``Augmentation``.
        cache_path: folder of prepared cases.
        num_workers: processes that cut patches; 0 cuts them in the training process.
        random_seed: of everything random here.

    Raises:
        PlanSettingError: a setting is of the wrong kind, out of range, or a structure does not belong to the anatomy.
        DatasetError: the folder is not a dataset, is of another anatomy, or has no training case.
    """

    anatomy: str
    may_mirror: bool

    def __init__(
        self,
        data_path: str | None,
        *,
        structures: list[str],
        spacing_mm: list[float],
        window_hu: list[float],
        body_margin_mm: float,
        patch_voxels: list[int],
        batch_size: int,
        background_share: float,
        augmentation: dict[str, float],
        cache_path: str,
        num_workers: int,
        random_seed: int,
    ) -> None:
        check_numpy()
        check_running_plan()
        super().__init__(batch_size=batch_size, random_seed=random_seed)
        self.structures = self._check_structures(structures)
        self.preprocessing = Preprocessing(
            spacing_mm=tuple(spacing_mm), window_hu=tuple(window_hu), body_margin_mm=body_margin_mm
        )
        self.patch_voxels = _check_patch(patch_voxels)
        self.augmentation = self._check_augmentation(augmentation)
        self.background_share = check_number("data_loader.background_share", background_share, 0, 1)
        self.num_workers = check_whole("data_loader.num_workers", num_workers, 0)
        check_whole("data_loader.batch_size", batch_size, 1)
        check_whole("data_loader.random_seed", random_seed, 0)
        self.train_cases: list[PreparedCase] = []
        self.valid_cases: list[PreparedCase] = []
        self._round = _RoundSteps(batch_size)
        self._batches: DataLoader | None = None
        if data_path is not None:
            self._open(data_path, Path(cache_path))

    def _open(self, data_path: str, cache_path: Path) -> None:
        self.dataset = Dataset.open(data_path)
        if self.dataset.anatomy != self.anatomy:
            raise DatasetError(
                f"expected a {self.anatomy} dataset for {type(self).__name__}, found one of {self.dataset.anatomy}; "
                "check plan/data.yaml and the plan"
            )
        if not self.dataset.cases_of("train"):
            raise DatasetError(
                f"the dataset of {self.dataset.site} has no training case; run 'python -m data_prep split' on it first"
            )
        cache_path.mkdir(parents=True, exist_ok=True)
        self.cache = CaseCache(cache_path, self.preprocessing, self.structures)
        self.train_cases = [self.cache.prepare(self.dataset, record) for record in self.dataset.cases_of("train")]
        self.valid_cases = [self.cache.prepare(self.dataset, record) for record in self.dataset.cases_of("valid")]
        patches = _Patches(self, PatchSampler(self.train_cases, self.patch_voxels, self.background_share))
        self._batches = DataLoader(
            patches,
            batch_sampler=self._round,
            num_workers=self.num_workers,
            persistent_workers=self.num_workers > 0,
            # A forked worker would inherit gRPC's threads in an undefined state.
            multiprocessing_context=get_context("forkserver") if self.num_workers else None,
            prefetch_factor=4 if self.num_workers else None,
        )

    def get_feature_shape(self) -> tuple[int, ...]:
        """Channels and size of a training patch, (1, X, Y, Z)."""
        return (1, *self.patch_voxels)

    def get_train_data_size(self) -> int:
        """Number of training cases."""
        return len(self.train_cases)

    def get_valid_data_size(self) -> int:
        """Number of validation cases; 0 when the site has none."""
        return len(self.valid_cases)

    def train_cases_with(self) -> list[int]:
        """Per channel, the number of training cases in which it is contoured."""
        return [sum(bool(case.contoured_C[c]) for case in self.train_cases) for c in range(len(self.structures))]

    @cached_property
    def ct_fingerprint(self) -> dict:
        """What the training CTs are like, as far as it may be told; see ``src.model.ct_fingerprint``."""
        return make_ct_fingerprint(
            [
                measure_ct(GridGeometry.of(self.dataset.read_geometry(case.name)), case.hu_XYZ, self.preprocessing.spacing_mm)
                for case in self.train_cases
            ]
        )

    def training_batches(self, round_number: int, num_steps: int) -> Iterator[dict[str, torch.Tensor]]:
        """The batches of one round: a pure function of seed, site and round, however many workers there are.

        Yields:
            ``image`` float32 (B, 1, X, Y, Z) in −1 … 1, ``bits`` int32 (B, X, Y, Z), ``contoured`` bool (B, C).
        """
        self._round.begin(round_number, num_steps)
        yield from self._batches

    def truth(self, case: PreparedCase) -> Truth:
        """The contoured masks of a validation case on its CT's own grid."""
        record: CaseRecord = self.dataset.cases[case.name]
        return cached_truth(self.cache.folder, case.key, self.dataset, record, self.structures)

    def partners(self) -> list[int]:
        """Per channel, the channel of the same organ on the other side; its own for an unpaired organ."""
        table = load_structures()
        return [self.structures.index(table[name].partner or name) for name in self.structures]

    def _check_structures(self, structures: list[str]) -> tuple[str, ...]:
        if not isinstance(structures, list) or not structures or len(set(structures)) != len(structures):
            raise PlanSettingError(f"data_loader.structures: expected a list of different TG-263 names, found {structures}")
        table = load_structures()
        for name in structures:
            if self.anatomy not in table[name].anatomies:
                raise PlanSettingError(f"data_loader.structures: {name} is not a structure of {self.anatomy}")
        return tuple(structures)

    def _check_augmentation(self, settings: dict[str, float]) -> Augmentation:
        try:
            augmentation = Augmentation(**settings)
        except TypeError as error:
            raise PlanSettingError(f"data_loader.augmentation: {error}") from error
        if augmentation.mirror_probability and not self.may_mirror:
            raise PlanSettingError(f"augmentation.mirror_probability: {self.anatomy} is not symmetric; set it to 0")
        if augmentation.mirror_probability:
            table = load_structures()
            for name in self.structures:
                if table[name].partner and table[name].partner not in self.structures:
                    raise PlanSettingError(
                        f"augmentation.mirror_probability: {name} is mirrored into {table[name].partner}, which the plan "
                        "does not name; name both or set it to 0"
                    )
        return augmentation


class HeadNeckCTLoader(CTLoader):
    """Head and neck: nearly symmetric, so a patch may be mirrored with its partners swapped."""

    anatomy = "head_neck"
    may_mirror = True


class LiverCTLoader(CTLoader):
    """Liver and upper abdomen: nobody has the liver on the left, so nothing is ever mirrored."""

    anatomy = "liver"
    may_mirror = False


class _RoundSteps:
    """The (round, step, item) keys of a round's batches; as a batch sampler it lives in the training process."""

    def __init__(self, batch_size: int) -> None:
        self.batch_size = batch_size
        self.begin(0, 0)

    def begin(self, round_number: int, num_steps: int) -> None:
        self.round_number, self.num_steps = round_number, num_steps

    def __iter__(self) -> Iterator[list[tuple[int, int, int]]]:
        for step in range(self.num_steps):
            yield [(self.round_number, step, item) for item in range(self.batch_size)]

    def __len__(self) -> int:
        return self.num_steps


class _Patches(TorchDataset):
    """Cuts the patch that belongs to a (round, step, item) key; sent whole to the worker processes."""

    def __init__(self, loader: CTLoader, sampler: PatchSampler) -> None:
        self.sampler = sampler
        self.site, self.seed = loader.dataset.site, loader.random_seed
        self.preprocessing, self.augmentation = loader.preprocessing, loader.augmentation
        self.partner_C = loader.partners() if loader.augmentation.mirror_probability else []

    def __getitem__(self, key: tuple[int, int, int]) -> dict[str, torch.Tensor]:
        generator = patch_generator(self.seed, self.site, *key)
        place = self.sampler.draw(generator)
        case = self.sampler.cases[place.case]
        hu, bits = cut_patch(
            case.hu_XYZ,
            case.bits_XYZ,
            place.start_XYZ,
            [int(voxels) for voxels in self.sampler.patch_voxels],
            self.preprocessing.spacing_mm,
            self.augmentation,
            generator,
        )
        image = change_intensity(scale_hu(hu, self.preprocessing.window_hu), self.augmentation, generator)
        mirrored = generator.random() < self.augmentation.mirror_probability
        if mirrored and may_be_mirrored(case.contoured_C, self.partner_C):
            image, bits = mirror(image, bits, self.partner_C)
        return {"image": image[None], "bits": bits, "contoured": torch.from_numpy(case.contoured_C)}


def _check_patch(patch_voxels: list[int]) -> tuple[int, int, int]:
    if (
        not isinstance(patch_voxels, list)
        or len(patch_voxels) != 3
        or not all(isinstance(v, int) and v >= 8 for v in patch_voxels)
    ):
        raise PlanSettingError(f"data_loader.patch_voxels: expected three whole numbers of at least 8, found {patch_voxels}")
    return tuple(patch_voxels)
