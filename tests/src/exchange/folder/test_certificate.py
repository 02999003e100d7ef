"""Whose certificate lies in a folder: judged as OpenSSL judges one in a handshake, and the same ones OpenFL makes are good."""

from datetime import datetime, timedelta, timezone

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from openfl.cryptography.ca import generate_root_cert, generate_signing_csr, sign_certificate
from openfl.cryptography.participant import generate_csr

from src.errors import FederationError
from src.exchange.folder.certificate import certified_key
from src.exchange.folder.site_keys import SiteKeys, fingerprint, is_signed, wrap
from src.exchange.transport import PeerRefused
from tests.src.exchange.folder.folder_sites import RsaAuthority, rsa_key
from tests.src.exchange.tls import ExchangeAuthority


def refusal(certificate, site, authorities, now=None):
    with pytest.raises(PeerRefused) as refused:
        certified_key(certificate, site, authorities, now)
    assert refused.value.reason == "certificate"
    return str(refused.value)


def chain_of(authority):
    return x509.load_pem_x509_certificates(authority.chain.read_bytes())


@pytest.mark.slow
def test_the_certificates_that_openfl_makes_are_good_and_their_keys_are_rsa(tmp_path):
    root_key, root = generate_root_cert()
    signer_key, request = generate_signing_csr()
    signer = sign_certificate(request, root_key, root.subject, ca=True)
    key, request = generate_csr("site_b", server=False)
    certificate = sign_certificate(request, signer_key, signer.subject)
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    found = certified_key(pem, "site_b", [signer, root])
    assert isinstance(found, rsa.RSAPublicKey) and found.key_size == 3072
    assert fingerprint(found) == fingerprint(key.public_key())
    assert "not signed by" in refusal(pem, "site_b", [root])
    assert "not signed by" in refusal(pem, "site_b", [signer])


def test_the_wrong_name_the_wrong_day_and_the_wrong_authority_are_refused(authority, tmp_path):
    pem, chain = authority.issue("site_b")["certificate"].read_bytes(), chain_of(authority)
    assert certified_key(pem, "site_b", chain).key_size == 2048
    assert "expected a certificate of site_a, found one of site_b" in refusal(pem, "site_a", chain)
    now = datetime.now(timezone.utc)
    for days in (-3, 3):
        assert "today is" in refusal(pem, "site_b", chain, now + timedelta(days=days))
    assert "not signed by" in refusal(pem, "site_b", chain_of(RsaAuthority(tmp_path / "theirs", "theirs")))
    assert "not signed by" in refusal(pem, "site_b", [])
    assert "X.509" in refusal(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "site_b", chain)


def test_a_certificate_that_may_not_sign_makes_no_other(tmp_path):
    authority = RsaAuthority(tmp_path, signer_may_sign=False)
    pem = authority.issue("site_b")["certificate"].read_bytes()
    assert "may not sign" in refusal(pem, "site_b", chain_of(authority))


def test_an_elliptic_key_is_refused_and_what_makes_a_good_one_is_said(tmp_path):
    authority = ExchangeAuthority(tmp_path / "elliptic")
    pem = authority.issue("site_b")["certificate"].read_bytes()
    assert "RSA key of at least 2048 bits" in refusal(pem, "site_b", chain_of(authority))


def test_a_key_of_another_certificate_and_files_that_are_none_are_named(authority, tmp_path):
    paths = authority.issue("site_b")
    with pytest.raises(FederationError, match=r"expected the key of site_b\.crt"):
        SiteKeys("site_b", **{**paths, "private_key": authority.issue("site_c")["private_key"]})
    with pytest.raises(FederationError, match="expected a key without a password"):
        SiteKeys("site_b", **{**paths, "private_key": paths["certificate"]})
    with pytest.raises(FederationError, match="found none"):
        SiteKeys("site_b", **{**paths, "root_certificate": tmp_path / "nowhere"})
    with pytest.raises(PeerRefused, match="expected a certificate of site_a"):
        SiteKeys("site_a", **paths)


def test_a_wrapped_key_opens_for_its_owner_under_its_label_alone(keys):
    wrapped = wrap(rsa_key("site_a").public_key(), b"k" * 32, b"label")
    assert keys["site_a"].unwrap(wrapped, b"label") == b"k" * 32
    for site, label, text in [("site_b", b"label", wrapped), ("site_a", b"other", wrapped), ("site_a", b"label", b"short")]:
        with pytest.raises(PeerRefused, match="not wrapped for this site"):
            keys[site].unwrap(text, label)


def test_a_signature_is_of_its_bytes_and_its_key(keys):
    signature = keys["site_a"].sign(b"content")
    ours, others = rsa_key("site_a").public_key(), rsa_key("site_b").public_key()
    assert is_signed(ours, signature, b"content")
    assert not is_signed(ours, signature, b"contents") and not is_signed(others, signature, b"content")
    assert not is_signed(ours, b"", b"content")
