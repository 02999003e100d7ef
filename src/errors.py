"""Every error a user can cause or meet, in one tree.

::

    OarError                      anything this project refuses, with what to do about it
    ├── StructureError            a name that is not in plan/structures.yaml
    ├── DatasetError              a folder that is not a dataset, or not the one that was asked for
    │   ├── CaseError             one case of it: unreadable, wrong grid, impossible voxels
    │   └── DicomError            a DICOM file, series or RTSTRUCT that cannot be converted
    ├── PlanSettingError          a plan that asks for something that does not exist or cannot work
    ├── ModelCardError            weights that do not belong to this plan
    ├── LibraryMissing            a library of an optional extra that is not installed
    ├── AccuracyLost              a faster form of a model that draws worse than it may
    ├── ExportError               a model in another format that does not draw what the saved one draws
    ├── MetricInputError          two masks that cannot be compared
    ├── DiskError                 a disk of this site that is full, or that must not be written to; an OSError as well
    ├── DeviceError               a GPU that is gone, or has no memory left
    ├── UnforeseenFault           what no part of the program expected; a new start may mend it, or it is a mistake of ours
    └── FederationError           the run itself
        ├── AggregatorUnreachable     gone for longer than the plan allows
        ├── AggregatorRefused         reached, but it will not have us (name, certificate, federation)
        ├── NoUsableUpdate            every site's update of a round was refused
        ├── SiteProcessFailed         a process that the one-machine federation started ended badly
        ├── CheckpointError           a site's saved state cannot be read
        └── QuorumNotMet              fewer sites took part than the plan demands; all models are saved

Beside the tree stands ``Stopped``, which is no error: somebody asked the process to end.

What a process ends with: 0 all is well, 1 anything refused, 2 a mistyped command, 3 to 10 see ``exit_code`` of each class,
11 ``Stopped``, 12 the doctor's warnings, 13 ``UnforeseenFault``. Who starts a run again by itself goes by them: 1 is a refusal,
which stays one; 13 may be gone the next time.

A message says what was expected, what was found, and what to do. It never carries a patient identifier: cases are named by
their pseudonym.
"""


class OarError(Exception):
    """Base of every error this project raises on purpose; ``exit_code`` is what a command ends with."""

    exit_code = 1


class StructureError(OarError):
    """A structure name that is not in the table."""


class DatasetError(OarError):
    """A folder that is not a dataset, or not the one that was asked for."""


class CaseError(DatasetError):
    """One case that cannot be used.

    Args:
        case: the case's pseudonym.
        message: what was expected, what was found, what to do.
    """

    def __init__(self, case: str, message: str) -> None:
        super().__init__(f"case {case}: {message}")
        self.case = case


class DicomError(DatasetError):
    """A DICOM file, series or RTSTRUCT that cannot be converted; the message names files by their label alone."""


class PlanSettingError(OarError):
    """A setting of the plan that is unknown, missing, of the wrong type or out of range."""


class ModelCardError(OarError):
    """Weights whose card does not fit the plan, or that have no card."""


class LibraryMissing(OarError):
    """Something was asked for that needs a library of an optional extra, which is not installed."""


class AccuracyLost(OarError):
    """A faster form of a model that loses more accuracy than was allowed."""


class ExportError(OarError):
    """A model in another format that cannot be made, or does not draw what the saved model draws."""


class MetricInputError(OarError):
    """Two masks that cannot be compared."""


class DiskError(OarError, OSError):
    """A disk of this site that is full, or that must not be written to.

    An ``OSError`` as well: who deals with a folder that may refuse need not know which of the two it was told.
    """

    exit_code = 9


class DeviceError(OarError):
    """A GPU that is gone, or has no memory left."""

    exit_code = 10


class UnforeseenFault(OarError):
    """What no part of the program expected: a fault that may pass, or a mistake in the program."""

    exit_code = 13


class FederationError(OarError):
    """Something that stops a federation."""


class AggregatorUnreachable(FederationError):
    """The aggregator did not answer for longer than the plan allows."""

    exit_code = 3


class AggregatorRefused(FederationError):
    """The aggregator answered, and will not work with this site."""

    exit_code = 4


class NoUsableUpdate(FederationError):
    """A round in which not one site sent a usable update."""

    exit_code = 5


class SiteProcessFailed(FederationError):
    """A process of a one-machine federation ended with an error."""

    exit_code = 6


class CheckpointError(FederationError):
    """A site's saved state is there and cannot be read."""

    exit_code = 7


class QuorumNotMet(FederationError):
    """A run that is complete, with fewer sites in it than the plan demands."""

    exit_code = 8


class Stopped(BaseException):
    """Somebody asked this process to end, by SIGTERM or Ctrl-C.

    No ``Exception``, as ``KeyboardInterrupt`` is none: nothing that deals with faults on the way may take it for one.
    """

    exit_code = 11
