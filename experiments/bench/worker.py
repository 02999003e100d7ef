"""An object in a process of its own, asked over a pipe."""

import multiprocessing
import os
from collections.abc import Callable

_END_S = 10.0


class Worker:
    """A process that makes an object and answers for it; a context manager after which the process is gone.

    Args:
        make: importable; called with the arguments in the new process.
    """

    def __init__(self, make: Callable, *arguments: object) -> None:
        context = multiprocessing.get_context("spawn")  # gRPC does not bear a fork
        self._line, far_end = context.Pipe()
        self._process = context.Process(target=_answer, args=(far_end, make, arguments), daemon=True)
        self._process.start()
        far_end.close()

    def __enter__(self) -> "Worker":
        return self

    def __exit__(self, *error) -> None:
        self._line.close()
        self._process.join(_END_S)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    def ask(self, method: str, *arguments: object) -> object:
        """Calls a method of the object and waits for what it returns; raises what it raises."""
        self.send(method, *arguments)
        return self.receive()

    def send(self, method: str, *arguments: object) -> None:
        """Begins a call; ``receive`` waits for its end."""
        self._line.send((method, arguments))

    def receive(self) -> object:
        """The answer to the last ``send``."""
        try:
            answer = self._line.recv()
        except EOFError:
            raise RuntimeError("a process of the benchmark has ended; what it said last stands above") from None
        if isinstance(answer, Exception):
            raise answer
        return answer


def _answer(line, make: Callable, arguments: tuple) -> None:
    made = make(*arguments)
    while True:
        try:
            method, given = line.recv()
        except EOFError:
            # gRPC's threads and OpenFL's would hold a normal exit up.
            os._exit(0)
        try:
            answer = getattr(made, method)(*given)
        except Exception as error:
            answer = RuntimeError(f"{method}: {type(error).__name__}: {error}")
        line.send(answer)
