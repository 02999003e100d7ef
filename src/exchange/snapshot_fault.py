"""The one error that a snapshot can meet."""


class SnapshotFault(Exception):
    """Why a snapshot cannot be written or believed.

    Args:
        reason: one word for the metrics: ``unreadable``, ``truncated``, ``oversized``, ``format``, ``manifest``, ``name``,
            ``shape``, ``dtype``, ``offsets``, ``digest``, ``not_finite``, ``value`` or ``sequence``.
        message: what was expected, what was found.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
