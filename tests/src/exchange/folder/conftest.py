"""Two sites that share a folder and have read each other's cards."""

import os

import pytest

from tests.src.exchange.folder.folder_sites import RsaAuthority, Site, meet

SNAPSHOT_BYTES = 3_000_001


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    return RsaAuthority(tmp_path_factory.mktemp("pki") / "ours")


@pytest.fixture(scope="session")
def keys(authority):
    return {site: authority.keys(site) for site in ("site_a", "site_b", "site_c")}


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "shared"
    folder.mkdir()
    return folder


@pytest.fixture
def site_a(tmp_path, folder, keys):
    return Site(keys["site_a"], folder, tmp_path / "a", b"of site_a")


@pytest.fixture
def site_b(tmp_path, folder, keys, site_a):
    site_b = Site(keys["site_b"], folder, tmp_path / "b", os.urandom(SNAPSHOT_BYTES))
    meet(site_a, site_b)
    return site_b
