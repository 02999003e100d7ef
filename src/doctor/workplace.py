"""What the checks look at: a site's name, plan and files, and what follows from them, worked out once, when first asked."""

import hashlib
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

from src.data.dataset import Dataset
from src.doctor.shared_fact import Unavailable, shared_fact
from src.errors import DatasetError, PlanSettingError
from src.exchange.membership import Membership, roster_digest
from src.exchange.peers_file import PeersFile, read_peers
from src.exchange.reachability import FOLDER, kind_of, transport_between
from src.peer_plan import is_peer_plan
from src.plan_signature import check_kind, import_template

_LONGEST_LOADING_S = 180.0


class Workplace:
    """A workspace as one site sees it; paths are relative to the current folder, as for ``fx``.

    Args:
        site: name, as given to ``fx`` with ``-n``.
        plan: file.
        data_config: OpenFL's list of ``name,path`` lines.
    """

    def __init__(self, site: str, plan: Path, data_config: Path = Path("plan/data.yaml")) -> None:
        self.site, self.plan, self.data_config = site, plan, data_config
        self.certificate = Path(f"cert/client/col_{site}.crt")
        self.private_key = Path(f"cert/client/col_{site}.key")
        self.chain = Path("cert/cert_chain.crt")
        # When loading the packages of the run began and ended, by the monotonic clock; None before.
        self._loading_from: float | None = None
        self._loaded_at: float | None = None

    def left_s(self, began: float, limit_s: float) -> float:
        """Seconds that are left of a limit. The time that loading takes does not count: on a busy machine that is a minute.

        Args:
            began: when what is limited began, by the monotonic clock.
            limit_s: for it, beside loading.
        """
        now = time.monotonic()
        if self._loading_from is None:
            return began + limit_s - now
        loaded_at = min(self._loaded_at or now, self._loading_from + _LONGEST_LOADING_S)
        return max(began, loaded_at) + limit_s - now

    @shared_fact("a plan that can be read")
    def config(self) -> Mapping[str, Any]:
        """The parsed plan, as it stands: nothing in it is checked but that it is a table."""
        try:
            content = yaml.safe_load(self.plan.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
            raise PlanSettingError(f"expected a plan at '{self.plan}', found none that can be read ({reason})") from error
        if not isinstance(content, Mapping):
            raise PlanSettingError(f"expected a plan at '{self.plan}', found no 'section:' lines in it")
        return content

    @property
    def has_peers(self) -> bool:
        """Whether the sites of the plan exchange with each other, without an aggregator."""
        return is_peer_plan(self.config)

    @property
    def exchanges(self) -> bool:
        """Whether other sites are called at all; False with an aggregator, and where each site trains alone."""
        return self.has_peers and self.setting("collaborator.settings.exchange.schedule", str) != "none"

    @property
    def needs_certificate(self) -> bool:
        """Whether anything is called over TLS."""
        return self.exchanges or (not self.has_peers and self.setting("network.settings.use_tls", bool))

    def setting(self, dotted: str, kind: type) -> Any:
        """One entry of the plan.

        Raises:
            Unavailable: it is not there, or of another kind.
        """
        value: Any = self.config
        for name in dotted.split("."):
            if not isinstance(value, Mapping) or name not in value:
                raise Unavailable(f"{dotted} in the plan")
            value = value[name]
        try:
            check_kind(dotted, value, kind)
        except PlanSettingError as error:
            raise Unavailable(f"{dotted} in the plan") from error
        return value

    @property
    def roster(self) -> list[str]:
        """The names of all sites."""
        return self.setting("collaborator.settings.roster", list[str])

    @property
    def reachability(self) -> dict[str, str]:
        """What the plan says of who can be called; empty when it says nothing."""
        return self._of_exchange("reachability", dict, {})

    @property
    def all_mount_folder(self) -> bool:
        """Whether the plan says that all sites mount the synchronised folder."""
        return self._of_exchange("folder", bool, False)

    @property
    def folder_peers(self) -> tuple[str, ...]:
        """Whom this site meets in the synchronised folder."""
        table = self.reachability
        own = kind_of(table, self.site)
        others = [name for name in self.roster if name != self.site]
        return tuple(
            name for name in others if transport_between(own, kind_of(table, name), folder=self.all_mount_folder) == FOLDER
        )

    def _of_exchange(self, name: str, kind: type, default: Any) -> Any:
        exchange = self.setting("collaborator.settings.exchange", dict)
        return self.setting(f"collaborator.settings.exchange.{name}", kind) if name in exchange else default

    @shared_fact("a plan that can be read")
    def federation_id(self) -> str:
        """The federation's name as ``fx`` makes it.

        Source: OpenFL 1.9, ``Plan._ensure_settings_in_sections`` and ``Plan.hash``: the file's name and the first 8 digits of
        the SHA-384 of the plan, parsed, with ``settings`` in every section, and written out again.
        """
        sections = {name: dict(content or {}) for name, content in self.config.items()}
        for content in sections.values():
            if content.get("settings") is None:
                content["settings"] = {}
        return f"{self.plan.name}_{hashlib.sha384(yaml.dump(sections).encode()).hexdigest()[:8]}"

    @shared_fact("plan/peers.yaml")
    def peers(self) -> PeersFile:
        """Where the others are."""
        return read_peers(Path(self.setting("collaborator.settings.peers_path", str)), self.roster, self.site)

    @property
    def state_folder(self) -> Path:
        """What a restart of this site goes on from."""
        return Path(self.setting("collaborator.settings.state_path", str)) / self.site

    @shared_fact("the path of this site's dataset")
    def data_path(self) -> Path:
        """The dataset's folder, as ``fx collaborator start`` finds it."""
        expected = f"expected a line '{self.site},<path>' in {self.data_config}"
        try:
            lines = self.data_config.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise DatasetError(f"{expected}, found no such file") from error
        entries = [line.rstrip().split(",", maxsplit=1) for line in lines if line.rstrip() and not line.startswith("#")]
        paths = {entry[0]: entry[1] for entry in entries if len(entry) == 2}
        if self.site not in paths:
            raise DatasetError(f"{expected}, found {', '.join(sorted(paths)) or 'no site'}")
        return Path(paths[self.site])

    @shared_fact("a dataset that can be opened")
    def dataset(self) -> Dataset:
        """The site's dataset; no voxel is read."""
        return Dataset.open(self.data_path)

    @shared_fact("the packages of the run")
    def program(self) -> None:
        """Imports what the run is made of, with PyTorch, MONAI and OpenFL: seconds, in which others can be called.

        One thread alone, one module after the other: MONAI's import each other in circles, and break when two threads begin.
        """
        self._loading_from = time.monotonic()
        try:
            self._load()
        finally:
            self._loaded_at = time.monotonic()

    def _load(self) -> None:
        import src.exchange.initial_model
        import src.plan_check
        import src.task_runner  # noqa: F401

        for section in self.config.values():
            with suppress(Exception):  # the plan's own check says what is wrong with it
                import_template("", section["template"])

    @shared_fact("a network that can be built")
    def runner(self):
        """The plan's task runner without data: network, preprocessing and loader's class."""
        self.program  # noqa: B018
        from src.plan_check import build_task_runner

        return build_task_runner(self.config)

    @shared_fact("the first weights")
    def initial_digest(self) -> str:
        """The digest of the weights all sites begin with; the runner then holds them."""
        from src.doctor.first_weights import digest_of

        return digest_of(Path(self.setting("collaborator.settings.init_state_path", str)), self.runner)

    @shared_fact("network and first weights")
    def membership(self) -> Membership:
        """What the others must agree on, as ``GossipCollaborator`` says it."""
        return Membership(
            federation_id=self.federation_id,
            run_id=self.setting("collaborator.settings.run_id", str),
            roster_digest=roster_digest(self.roster),
            initial_digest=self.initial_digest,
            architecture_hash=self.runner.card().architecture_hash(),
        )

    @shared_fact("the answers of the peers")
    def answers(self) -> dict:
        """What each peer answered, by name; see ``peer_answer``."""
        from src.doctor.peer_answer import ask_all

        return ask_all(self)
