"""The folder of one simulated run: begun once, gone on with after a stop, done when ``done.json`` says so."""

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import yaml

from experiments.federation.plan import plan_bytes
from experiments.federation.results import describe_dataset, git_commit, write_config
from experiments.study_folder import DONE
from src.data.dataset import Dataset
from src.errors import FederationError
from src.exchange.state_lock import state_lock
from src.exchange.whole_file import write_whole


class RunFolder:
    """A run folder.

    Args:
        path: made when the run begins.
        plan: of the run.
        datasets: by site.
        identity: what else makes a run this one and no other, as plain values.

    Attributes:
        state: what is needed to go on, until the run is done.
    """

    def __init__(self, path: Path, plan: dict, datasets: Mapping[str, Dataset], identity: dict) -> None:
        self.path, self.state = path, path / "state"
        self._plan, self._datasets, self._identity = plan, datasets, identity
        self._config = path / "config"

    @property
    def is_done(self) -> bool:
        """Whether everything is there."""
        return (self.path / DONE).is_file()

    def check(self, *, resume: bool) -> None:
        """Looks whether the run may begin or go on here; writes nothing.

        Args:
            resume: whether a folder in use may be gone on with.

        Raises:
            FederationError: the folder is in use and must not be, is no run folder, or holds another run.
        """
        if not self.path.exists() or (self.path.is_dir() and not any(self.path.iterdir())):
            return
        if not resume:
            raise FederationError(
                f"expected an empty or new run folder, found '{self.path.name}' in use; choose another --output, or --resume"
            )
        if self._config.is_dir():
            self._check_same()
        elif not self.path.is_dir() or {entry.name for entry in self.path.iterdir()} != {self.state.name}:
            raise FederationError(f"expected a run folder to go on with, found no config in '{self.path.name}'; choose another")

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Holds the folder for this process.

        Raises:
            FederationError: another process holds it.
        """
        with ExitStack() as stack:
            try:
                stack.enter_context(state_lock(self.state))
            except FederationError as error:
                raise FederationError(
                    f"expected to be alone in '{self.path.name}', found another simulation at work there; wait until it is done"
                ) from error
            yield

    def begin(self, facts: dict) -> None:
        """Writes ``config``, unless an earlier start did.

        Args:
            facts: what to record beside what makes the run.
        """
        if not self._config.is_dir():
            new = self.state / "new"
            shutil.rmtree(new, ignore_errors=True)
            new.mkdir()
            write_config(new, plan_bytes(self._plan), self._datasets, {**self._identity, **facts})
            (new / "config").rename(self._config)
            new.rmdir()

    def write(self, name: str, content: object) -> None:
        """Writes a JSON file, whole."""
        write_whole(self.path / name, [(json.dumps(content, indent=1) + "\n").encode()])

    def finish(self, seconds: float) -> None:
        """Says that everything is there, and forgets what going on would need."""
        self.write(DONE, {"seconds": round(seconds, 1), "git_commit": git_commit()})
        self.clear()

    def clear(self) -> None:
        """Removes what is only needed to go on."""
        shutil.rmtree(self.state, ignore_errors=True)

    def _check_same(self) -> None:
        described = {site: describe_dataset(dataset) for site, dataset in self._datasets.items()}
        expected = {"the plan": self._plan, **self._identity, "sites": described}
        facts = json.loads((self._config / "run.json").read_text(encoding="utf-8"))
        found = {**facts, "the plan": yaml.safe_load((self._config / "plan.yaml").read_bytes())}
        if different := [name for name, value in expected.items() if found.get(name) != value]:
            raise FederationError(
                f"expected the run that '{self.path.name}' was begun with, found another by {', '.join(different)}; give the "
                "same as then, or choose another --output"
            )
