"""Messages and what they stand for; whatever a peer sends is read back exactly or refused."""

import math
import subprocess
import sys
from pathlib import Path

import pytest
from google.protobuf.message import DecodeError
from hypothesis import given, settings
from hypothesis import strategies as st

from src.exchange import messages, messages_pb2
from src.exchange.membership import Description, Greeting, LastExchange, Membership, SiteState
from src.exchange.transport import PeerRefused

REPOSITORY = Path(__file__).resolve().parents[3]

texts = st.text("abcXYZ019_-. äß的🫀", min_size=1, max_size=20) | st.sampled_from(["x" * 200, "肝" * 200])
whole = st.integers(0, 2**31 - 1)
digests = st.text("0123456789abcdef", min_size=64, max_size=64)
memberships = st.builds(
    Membership,
    protocol_version=whole,
    federation_id=texts,
    run_id=texts,
    roster_digest=texts,
    architecture_hash=texts,
    initial_digest=texts,
)
greetings = st.builds(Greeting, site=texts, membership=memberships, state=st.sampled_from(SiteState), is_question=st.booleans())
ages = st.floats(0, messages.MAX_AGE_S)
traffic = st.integers(0, messages.MAX_TRAFFIC_BYTES)


FEW = settings(max_examples=50)


@st.composite
def descriptions(draw):
    snapshot = {"sequence": 0, "sha256": "", "size_bytes": 0}
    if draw(st.booleans()):
        size_bytes = draw(st.integers(1, messages.MAX_SNAPSHOT_BYTES))
        snapshot = {"sequence": draw(st.integers(1, 2**31 - 1)), "sha256": draw(digests), "size_bytes": size_bytes}
    return Description(
        site=draw(texts),
        membership=draw(memberships),
        state=draw(st.sampled_from(SiteState)),
        round=draw(whole),
        epoch=draw(whole),
        snapshot_round=draw(whole),
        seen_epoch=draw(whole),
        seen_sequence=draw(whole),
        train_cases=draw(st.dictionaries(texts, whole, max_size=5)),
        valid_dice=draw(st.dictionaries(texts, st.floats(0, 1), max_size=5)),
        valid_cases=draw(st.dictionaries(texts, whole, max_size=5)),
        last_exchange=draw(st.none() | st.builds(LastExchange, peer=texts, outcome=texts, age_s=ages)),
        snapshot_age_s=draw(st.none() | ages),
        sent_bytes=draw(st.none() | traffic),
        received_bytes=draw(st.none() | traffic),
        code_version=draw(st.just("") | texts),
        unix_time_s=draw(st.none() | st.floats(0, messages.MAX_UNIX_TIME_S)),
        **snapshot,
    )


def sent(message):
    """As it comes out at the other end."""
    return type(message).FromString(message.SerializeToString())


@FEW
@given(greetings, st.none() | whole)
def test_a_question_comes_back_as_it_was(greeting, wanted_round):
    message = sent(messages.describe_request(greeting, wanted_round))
    assert messages.read_describe_request(message) == (greeting, wanted_round)


@FEW
@given(greetings, digests, st.integers(0, messages.MAX_SNAPSHOT_BYTES))
def test_a_pull_comes_back_as_it_was(greeting, sha256, offset):
    assert messages.read_pull_request(sent(messages.pull_request(greeting, sha256, offset))) == (greeting, sha256, offset)


@FEW
@given(descriptions())
def test_a_description_comes_back_as_it_was(description):
    assert messages.read_description(sent(messages.description_message(description))) == description


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(content):
    for kind, read in (
        (messages_pb2.DescribeRequest, messages.read_describe_request),
        (messages_pb2.PullRequest, messages.read_pull_request),
        (messages_pb2.Description, messages.read_description),
    ):
        try:
            message = kind.FromString(content)
        except DecodeError:
            continue
        with pytest.raises(PeerRefused) as refused:  # nothing this short has five texts of a membership and a site's name
            read(message)
        assert refused.value.reason == "message"


@pytest.fixture
def described():
    membership = Membership(federation_id="f", run_id="1", roster_digest="r", architecture_hash="a", initial_digest="i")
    return Description(
        site="site_b",
        membership=membership,
        state=SiteState.TRAINING,
        round=3,
        epoch=1,
        sequence=2,
        snapshot_round=3,
        sha256="0" * 64,
        size_bytes=10,
        train_cases={"Parotid_L": 1},
    )


@pytest.mark.parametrize(
    ("entry", "value"),
    [
        ("site", ""),
        ("site", "x" * 201),
        ("site", "two\nlines"),
        ("state", 0),
        ("state", 4),
        ("round", 2**31),
        ("sequence", 0),
        ("sequence", 2**32 - 1),
        ("sha256", ""),
        ("sha256", "0" * 63),
        ("sha256", "A" * 64),
        ("size_bytes", 0),
        ("size_bytes", 2**63),
    ],
)
def test_an_impossible_entry_is_refused_by_name(described, entry, value):
    message = messages.description_message(described)
    setattr(message, entry, value)
    with pytest.raises(PeerRefused, match=entry) as refused:
        messages.read_description(message)
    assert refused.value.reason == "message"


@pytest.mark.parametrize("name", ["train_cases", "valid_cases"])
@pytest.mark.parametrize(
    "table",
    [{"Parotid_L": 2**31}, {"": 1}, {"a\tb": 1}, {f"structure_{number}": 1 for number in range(1001)}],
)
def test_an_impossible_table_of_cases_is_refused(described, name, table):
    message = messages.description_message(described)
    getattr(message, name).update(table)
    with pytest.raises(PeerRefused, match=name):
        messages.read_description(message)


# What is for people.

NOT_AMOUNTS = [math.nan, math.inf, -math.inf, -1e-9]


@pytest.mark.parametrize(
    "table",
    [*({"Parotid_L": value} for value in (*NOT_AMOUNTS, 1.0000001)), {"": 0.5}, {f"s{number}": 0.5 for number in range(1001)}],
)
def test_an_impossible_dice_is_refused(described, table):
    message = messages.description_message(described)
    message.valid_dice.update(table)
    with pytest.raises(PeerRefused, match="valid_dice"):
        messages.read_description(message)


@pytest.mark.parametrize(
    ("entry", "value"),
    [
        *(("snapshot_age_s", value) for value in (*NOT_AMOUNTS, 1.1e10)),
        *(("unix_time_s", value) for value in (*NOT_AMOUNTS, 1.1e11)),
        ("sent_bytes", 2**61),
        ("received_bytes", 2**64 - 1),
        ("code_version", "0.1\n"),
        ("code_version", "1" * 201),
    ],
)
def test_an_impossible_entry_for_people_is_refused_by_name(described, entry, value):
    message = messages.description_message(described)
    setattr(message, entry, value)
    with pytest.raises(PeerRefused, match=entry) as refused:
        messages.read_description(message)
    assert refused.value.reason == "message"


@pytest.mark.parametrize(
    "changes",
    [{"peer": ""}, {"peer": "\x1b[2J"}, {"outcome": ""}, {"outcome": "x" * 201}, *({"age_s": age} for age in NOT_AMOUNTS)],
)
def test_an_impossible_last_exchange_is_refused(described, changes):
    message = messages.description_message(described)
    message.last_exchange.CopyFrom(
        messages_pb2.LastExchange(**{"peer": "site_c", "outcome": "received", "age_s": 1.0, **changes})
    )
    with pytest.raises(PeerRefused, match="last_exchange"):
        messages.read_description(message)


def test_a_peer_of_an_older_version_says_nothing_for_people(described):
    message = messages.description_message(described)
    newer = [field.name for field in message.DESCRIPTOR.fields if field.number > 12]
    assert len(newer) == 8
    for name in newer:
        message.ClearField(name)
    found = messages.read_description(sent(message))
    assert found == described
    assert (found.valid_dice, found.valid_cases, found.code_version) == ({}, {}, "")
    assert found.last_exchange is found.snapshot_age_s is found.sent_bytes is found.received_bytes is found.unix_time_s is None


def test_the_committed_code_is_what_the_definition_generates(tmp_path):
    pytest.importorskip("grpc_tools")
    command = ["grpc_tools.protoc", "-I.", f"--python_out={tmp_path}", f"--grpc_python_out={tmp_path}"]
    subprocess.run([sys.executable, "-m", *command, "src/exchange/messages.proto"], cwd=REPOSITORY, check=True)
    for name in ("messages_pb2.py", "messages_pb2_grpc.py"):
        assert (tmp_path / "src/exchange" / name).read_text() == (REPOSITORY / "src/exchange" / name).read_text()
