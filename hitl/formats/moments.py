"""The times that tools write, as RFC 3339 in UTC. A time without a zone is none: nobody knows which was meant."""

import re
from datetime import UTC, datetime

_OURS = re.compile(r".{10}T.{8}([.].{6})?Z")
"""A sound time that is written as we would."""


def utc(value: object) -> str:
    """An ISO 8601 time with its zone, or seconds since 1970, in UTC and to the microsecond; "" when it is neither.

    >>> utc("2026-11-21T04:00:06.154101Z"), utc("2026-11-21 05:00:06+01:00"), utc("2026-11-21 05:00:06"), utc(1.5)
    ('2026-11-21T04:00:06.154101Z', '2026-11-21T04:00:06Z', '', '1970-01-01T00:00:01.500000Z')
    """
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return spelled(datetime.fromtimestamp(value, UTC))
        at = datetime.fromisoformat(value) if isinstance(value, str) and value[:1].isdigit() else None
    except (ValueError, OverflowError, OSError):
        return ""
    if at is None or at.tzinfo is None:
        return ""
    return value if isinstance(value, str) and _OURS.fullmatch(value) else spelled(at)


def spelled(at: datetime) -> str:
    """A moment as we write it."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
