"""A target with a fault in it, to see that the fuzzer reports one."""


def seeds() -> list[bytes]:
    """An input that is fine."""
    return [b"fine"]


def check(content: bytes) -> None:
    """Breaks on every input with a capital letter."""
    assert content.islower() or not content.isalpha(), "a planted fault"
