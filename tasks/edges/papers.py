"""Papers that go into every pack as they are."""

from pathlib import Path

_CONTRACT = Path(__file__).with_name("contract.md")


def contract() -> bytes:
    """The contract with a vendor, as docs/generate.py writes it."""
    return _CONTRACT.read_bytes()
