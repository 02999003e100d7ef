"""What only a study can be refused for."""

from src.errors import OarError


class StudyError(OarError):
    """A study file that says something impossible, or a study folder that belongs to another study."""


class JobsFailed(OarError):
    """Some jobs of a study failed; the others were done."""

    exit_code = 6
