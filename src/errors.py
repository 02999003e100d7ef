"""Every error a user can cause or meet, in one tree.

::

    OarError                      anything this project refuses, with what to do about it
    ├── StructureError            a name that is not in plan/structures.yaml
    ├── DatasetError              a folder that is not a dataset, or not the one that was asked for
    │   ├── CaseError             one case of it: unreadable, wrong grid, impossible voxels
    │   └── DicomError            a DICOM file, series or RTSTRUCT that cannot be converted
    ├── PlanSettingError          a plan that asks for something that does not exist or cannot work
    ├── ModelCardError            weights that do not belong to this plan
    ├── MetricInputError          two masks that cannot be compared
    └── FederationError           the run itself
        ├── AggregatorUnreachable     gone for longer than the plan allows
        ├── AggregatorRefused         reached, but it will not have us (name, certificate, federation)
        ├── NoUsableUpdate            every site's update of a round was refused
        ├── SiteProcessFailed         a process that the one-machine federation started ended badly
        └── CheckpointError           a site's saved state cannot be read

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


class MetricInputError(OarError):
    """Two masks that cannot be compared."""


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
