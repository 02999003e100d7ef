"""Whoever keeps the folder can hold back and nothing else: every file flipped, cut, doubled, swapped or forged, by law."""

import contextlib
import json
import os
import random
import shutil
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from src.exchange.folder.card import card_bytes, read_card
from src.exchange.folder.card_file import opened_body, read_signed_card, sealed_card
from src.exchange.folder.shared_file import FileFault
from src.exchange.transport import PeerRefused, PeerUnreachable
from tests.src.exchange.folder.folder_sites import RsaAuthority, Site, meet

MODEL, CARD = "site_b-1-8.model", "site_b.card"
CONTENT = random.Random(0).randbytes(40_000)
slow_setup = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def scene(tmp_path_factory, keys):
    """Two sites that have met, and every file of their folder as it was then."""
    base = tmp_path_factory.mktemp("scene")
    folder = base / "shared"
    folder.mkdir()
    site_a, site_b = Site(keys["site_a"], folder, base / "a"), Site(keys["site_b"], folder, base / "b", CONTENT)
    meet(site_a, site_b)
    return site_a, folder, {path.name: path.read_bytes() for path in folder.iterdir()}, base / "pulled"


def outcome(scene):
    """What a reader makes of the folder as it is now: the true model, or nothing; any other exception fails the test."""
    site_a, _, _, target = scene
    target.unlink(missing_ok=True)
    try:
        site_a.pull("site_b", site_a.describe("site_b"), target)
    except (PeerUnreachable, PeerRefused) as error:
        assert str(error).isprintable() and len(str(error)) < 1000
        assert not target.exists()
        return error
    assert target.read_bytes() == CONTENT, "another model than that of site_b"
    return None


def restore(scene):
    _, folder, files, _ = scene
    for name, content in files.items():
        (folder / name).write_bytes(content)


@slow_setup
@given(name=st.sampled_from([CARD, MODEL]), place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_whichever_bit_is_flipped_nothing_is_believed(scene, name, place, bit):
    content = bytearray(scene[2][name])
    content[int(place * len(content))] ^= 1 << bit
    (scene[1] / name).write_bytes(content)
    try:
        assert outcome(scene) is not None
    finally:
        restore(scene)
    assert outcome(scene) is None


@slow_setup
@given(
    name=st.sampled_from([CARD, MODEL]),
    begin=st.floats(0, 1),
    end=st.floats(0, 1),
    filling=st.sampled_from(["cut", "zeros", "doubled", "noise"]),
)
def test_whatever_part_is_cut_or_filled_nothing_is_believed(scene, name, begin, end, filling):
    content = scene[2][name]
    first, last = sorted((int(begin * len(content)), int(end * len(content))))
    part = content[first:last]
    new = {"cut": b"", "zeros": bytes(len(part)), "doubled": part + part, "noise": os.urandom(len(part))}[filling]
    (scene[1] / name).write_bytes(content[:first] + new + content[last:])
    try:
        assert outcome(scene) is not None or new == part
    finally:
        restore(scene)


def test_files_of_one_site_under_the_names_of_another_are_nobodys(scene):
    _, folder, files, _ = scene
    for source in files:
        for target in (CARD, MODEL):
            if source != target:
                (folder / target).write_bytes(files[source])
                assert outcome(scene) is not None, f"{source} as {target}"
                restore(scene)


@pytest.mark.parametrize(
    "certificate",
    ["of another authority", "of another site", "expired", "not yet valid", "by a site"],
)
def test_who_has_no_certificate_in_the_name_cannot_speak_for_it(scene, authority, keys, tmp_path, certificate):
    """A perfect card, signed by somebody; whoever wrote it has all that site_b has but the certificate."""
    _, folder, files, _ = scene
    signed = read_signed_card(files[CARD], "site_b", keys["site_a"])
    forger = forging_keys(certificate, authority, tmp_path)
    recipients = {"site_a": read_signed_card(files["site_a.card"], "site_a", keys["site_a"]).public_key}
    (folder / CARD).write_bytes(sealed_card(b"{}", forger, recipients, epoch=1, number=signed.number + 1))
    try:
        refused = outcome(scene)
    finally:
        restore(scene)
    assert isinstance(refused, PeerRefused) and refused.reason == "certificate"


class Forger:
    """Signs cards with any certificate, unasked whether it is one."""

    def __init__(self, paths, key, site="site_b"):
        self.site, self.certificate_pem, self._key = site, paths["certificate"].read_bytes(), key

    def sign(self, content):
        pss = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=padding.PSS.DIGEST_LENGTH)
        return self._key.sign(content, pss, hashes.SHA256())


def forging_keys(kind, authority, folder):
    key_of, key = authority._key_of, authority._key_of("site_b")
    match kind:
        case "of another authority":
            return Forger(RsaAuthority(folder, "theirs").issue("site_b"), key)
        case "of another site":
            return Forger(authority.issue("site_c", file="forged"), key_of("site_c"))
        case "expired":
            return Forger(authority.issue("site_b", days=(-9, -1), file="forged"), key)
        case "not yet valid":
            return Forger(authority.issue("site_b", days=(1, 9), file="forged"), key)
        case "by a site":
            theirs = RsaAuthority(folder, key_of=key_of)
            theirs._signer = key_of("site_c")  # a certificate of a site, used as an authority
            return Forger(theirs.issue("site_b"), key)


def test_a_signature_by_another_key_under_the_right_certificate_is_none(scene, authority, keys):
    _, folder, files, _ = scene
    forger = Forger(authority.issue("site_b", file="forged"), authority._key_of("site_c"))
    recipients = {"site_a": read_signed_card(files["site_a.card"], "site_a", keys["site_a"]).public_key}
    (folder / CARD).write_bytes(sealed_card(b"{}", forger, recipients, epoch=1, number=99))
    try:
        assert isinstance(outcome(scene), PeerUnreachable)
    finally:
        restore(scene)


def test_a_body_that_a_site_signed_and_nobody_can_use_is_refused_by_a_word(scene, keys):
    """The site itself means harm, or has another version: everything it says is looked at."""
    site_a, folder, files, _ = scene
    recipients = {"site_a": read_signed_card(files["site_a.card"], "site_a", keys["site_a"]).public_key}
    good = json.loads(card_of(files, keys))
    bodies = [b"", b"{}", b"[]", b"\xff", b"{" * 100, json.dumps({**good, "more": 1}).encode()]
    values = [
        None,
        True,
        7,
        -1,
        2**70,
        0.5,
        "x",
        [],
        {},
        [[]],
        [{}],
        {"site_a": 1},
        {"site_a": [1]},
        {"site_a": [1, 2, 3]},
        "A===",
    ]
    bodies += [json.dumps({**good, name: value}).encode() for name in good for value in values]
    bodies += [
        json.dumps({**good, "offers": [{**good["offers"][0], name: value}]}).encode()
        for name in good["offers"][0]
        for value in values
    ]
    for body in bodies:
        with contextlib.suppress(PeerRefused):
            card = read_card(body, "site_b")
            read_card(card_bytes(card), "site_b")
    for number, body in enumerate(random.Random(1).sample(bodies, 12), start=1000):
        (folder / CARD).write_bytes(sealed_card(body, keys["site_b"], recipients, epoch=1, number=number))
        outcome(scene)
    site_a.transport._newest.clear()
    restore(scene)
    assert outcome(scene) is None


def card_of(files, keys):
    """What the card of site_b says to site_a."""
    return opened_body(read_signed_card(files[CARD], "site_b", keys["site_a"]), keys["site_a"])


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300), st.booleans())
def test_no_bytes_are_more_than_a_fault(keys, content, is_begun):
    with pytest.raises(FileFault):
        read_signed_card((b"OARCARD\x01" if is_begun else b"") + content, "site_b", keys["site_a"])


# What the folder could do to the writer.


def test_a_link_in_the_place_of_an_own_file_is_replaced_and_never_followed(tmp_path, folder, keys):
    precious = tmp_path / "precious"
    precious.write_bytes(b"precious")
    for name in (CARD, MODEL, f".{CARD}.partial", f".{MODEL}.partial"):
        (folder / name).symlink_to(precious)
    site_b = Site(keys["site_b"], folder, tmp_path / "b")
    assert site_b.publication.renew()
    assert precious.read_bytes() == b"precious"
    assert not (folder / CARD).is_symlink() and not (folder / MODEL).is_symlink()


def test_what_was_taken_away_is_put_there_again(tmp_path, site_a, site_b, folder):
    """A snapshot at once; the card with the next refreshing, or the next thing to say."""
    for name in (CARD, MODEL):
        (folder / name).unlink()
    assert site_b.publication.renew()
    site_a.pull("site_b", site_a.describe("site_b"), tmp_path / "pulled")
    assert (tmp_path / "pulled").read_bytes() == site_b.service.snapshot.read_bytes()


def test_a_snapshot_sealed_again_is_sealed_with_another_key(site_b, folder):
    before = (folder / MODEL).read_bytes()
    (folder / MODEL).unlink()
    site_b.publication.renew()
    after = (folder / MODEL).read_bytes()
    assert len(after) == len(before) and after[:64] != before[:64]


def test_a_spoiled_snapshot_of_our_own_is_not_published(site_a, site_b, folder):
    described = site_a.describe("site_b")
    (folder / MODEL).unlink()
    greet = site_b.service.greet
    spoiled = bytes(described.size_bytes)
    site_b.service.snapshot.write_bytes(spoiled)
    site_b.service.greet = lambda *given, **named: replace(greet(*given, **named), sha256=described.sha256)
    site_b.service.open_snapshot = lambda *given: site_b.service.snapshot
    with pytest.raises(FileFault, match="outbox"):
        site_b.publication.renew()
    assert not (folder / MODEL).exists()
    assert not list(folder.glob(".*"))


def test_only_own_files_are_cleaned_up(tmp_path, site_a, site_b, folder):
    others = ["site_a-1-1.model", "site_b2-1-1.model", "site_b-1-1 (1).model", "site_b-1-1.model.txt", "notes.txt"]
    own = [
        "site_b-1-1.model",
        "site_b-7-1.model",
        ".site_b-1-1.model.0123456789abcdef.partial",
        ".site_b.card.0123456789abcdef.partial",
    ]
    for name in [*others, *own]:
        (folder / name).touch()
    site_b.service.snapshot.write_bytes(b"another model")
    site_b.publication.renew()
    assert {name for name in others if (folder / name).exists()} == set(others)
    assert not [name for name in own if (folder / name).exists()]


def test_who_lost_the_file_of_numbers_goes_on_from_its_own_card(tmp_path, site_a, site_b, folder, keys):
    described = site_a.describe("site_b")
    for _ in range(5):
        site_b.service.snapshot.write_bytes(os.urandom(50))
        site_b.publication.renew()
    site_a.describe("site_b")
    shutil.rmtree(tmp_path / "b")
    again = Site(keys["site_b"], folder, tmp_path / "b", b"begun anew")
    again.publication.renew()
    assert site_a.describe("site_b").sha256 != described.sha256
    (tmp_path / "b" / "seals.json").write_bytes(b"spoiled")
    again = Site(keys["site_b"], folder, tmp_path / "b", b"and again")
    again.publication.renew()
    assert site_a.describe("site_b").size_bytes == len(b"and again")
