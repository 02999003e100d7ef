"""Two sites of a synchronised folder; keys are drawn at each start and lie nowhere but in a folder that is removed."""

import tempfile
from functools import cache
from pathlib import Path

from src.exchange.folder.site_keys import SiteKeys
from tests.src.exchange.folder.folder_sites import RsaAuthority


@cache
def site_keys(site: str) -> SiteKeys:
    """Of ``site_a``, who reads, or ``site_b``, who wrote."""
    return _authority().keys(site)


@cache
def authorities() -> bytes:
    """The authority's chain in PEM."""
    return _authority().chain.read_bytes()


@cache
def _authority() -> RsaAuthority:
    return RsaAuthority(Path(_folder().name))


@cache
def _folder() -> tempfile.TemporaryDirectory:
    return tempfile.TemporaryDirectory(prefix="fuzz-keys-")
