"""What a push sends, in the order gRPC asks for it: the announcement, and from where the other side says on, the bytes."""

from collections.abc import Callable, Iterator
from pathlib import Path
from queue import SimpleQueue

from src.exchange import messages, messages_pb2, wire


class PushParts:
    """The parts of one push; gRPC takes them from a thread of its own.

    Args:
        snapshot: the file.
        size_bytes: of it, as announced.
        count: takes the size of each piece that gRPC has taken.
    """

    def __init__(self, snapshot: Path, size_bytes: int, count: Callable[[int], object]) -> None:
        self.size_bytes = size_bytes
        self._snapshot, self._count = snapshot, count
        self._offset: SimpleQueue[int | None] = SimpleQueue()
        self._stopped = False

    def after(self, announcement: messages_pb2.PushPart) -> Iterator[messages_pb2.PushPart]:
        """The announcement and, once ``begin_at`` was called, the rest."""
        yield announcement
        offset = self._offset.get()
        if offset is None:
            return
        with self._snapshot.open("rb", buffering=0) as file:
            file.seek(offset)
            while not self._stopped and (data := file.read(wire.PUSH_PIECE_BYTES)):
                yield messages.data_part(data)
                self._count(len(data))

    def begin_at(self, offset: int) -> None:
        """Lets the bytes follow from there on."""
        self._offset.put(offset)

    def stop(self) -> None:
        """Ends them, wherever they are."""
        self._stopped = True
        self._offset.put(None)
