"""What several checks need and one thread works out: a property whose value, or whose failure, is kept."""

from collections.abc import Callable
from threading import Lock, RLock


class Unavailable(Exception):
    """What a check needs cannot be had; ``__cause__`` says why, and the check that is about it reports it.

    Args:
        what: in words, as in "needs the plan".
    """

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


class shared_fact:
    """A method as a property: the first thread computes, others wait for it, and all get the same.

    Args:
        what: its name in words.
    """

    _making = Lock()

    def __init__(self, what: str) -> None:
        self.what = what

    def __call__(self, compute: Callable) -> "shared_fact":
        self.compute, self.__doc__ = compute, compute.__doc__
        return self

    def __set_name__(self, owner: type, name: str) -> None:
        self.slot = f"_fact_{name}"

    def __get__(self, instance, owner=None):
        if instance is None:
            return self
        with self._making:
            slot = instance.__dict__.setdefault(self.slot, {"lock": RLock()})
        with slot["lock"]:
            if "value" not in slot and "error" not in slot:
                try:
                    slot["value"] = self.compute(instance)
                except Exception as error:  # whatever it is, the check that owns it says it
                    slot["error"] = error
        if "error" not in slot:
            return slot["value"]
        if isinstance(slot["error"], Unavailable):
            raise slot["error"]
        raise Unavailable(self.what) from slot["error"]
