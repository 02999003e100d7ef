"""The error of the test guard."""

from src.errors import OarError


class RegistrationError(OarError):
    """Test patients may not be read: what was chosen is not written down, not committed, or the look is not logged."""
