"""Numbers as people read them. The same value is spelled the same on every page and in every terminal."""

from datetime import UTC, datetime
from decimal import Decimal

from hitl import money as exact

_PERCENT = {"accuracy", "balanced_accuracy"}
_WORDS = {"balanced_accuracy": "balanced accuracy", "macro_f1": "macro F1"}
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
NONE = "–"


def words(name: str) -> str:
    """The name of a metric in words."""
    return _WORDS.get(name, name.replace("_", " "))


def opening(text: str) -> str:
    """`text` as the start of a sentence: `Macro F1`, where `str.capitalize` would make `Macro f1`."""
    return text[:1].upper() + text[1:]


def measured(metric: str, value: float | None) -> str:
    """A metric's value: accuracies in percent, the others as they are.

    >>> measured("accuracy", 0.8712), measured("macro_f1", 0.8712)
    ('87.1 %', '0.871')
    """
    if value is None:
        return NONE
    return percent(value) if metric in _PERCENT else f"{value:.3f}"


def between(metric: str, low: float | None, high: float | None) -> str:
    """An interval of a metric, `74.6 to 82.1 %`; a dash when it has none."""
    if low is None or high is None:
        return NONE
    return f"{measured(metric, low).removesuffix(' %')} to {measured(metric, high)}"


def difference(metric: str, value: float) -> str:
    """A signed difference of a metric: in points of percent for accuracies.

    >>> difference("accuracy", -0.012)
    '−1.2'
    """
    return signed(100 * value, 1) if metric in _PERCENT else signed(value, 3)


def signed(value: float, digits: int) -> str:
    """`value` with its sign, zero without one, and a real minus."""
    text = f"{value:+.{digits}f}"
    return text[1:] if not float(text) else text.replace("-", "−")


def unit(metric: str) -> str:
    """What `difference` counts in: `points of accuracy`, or `macro F1`."""
    return f"points of {words(metric)}" if metric in _PERCENT else words(metric)


def percent(share: float, digits: int = 1) -> str:
    """A share in percent."""
    return f"{100 * share:.{digits}f} %"


def part(some: int, of: int) -> str:
    """`12 of 27 (44 %)`; a dash when there is nothing to be part of."""
    return f"{some:,} of {of:,} ({percent(some / of, 0)})" if of else NONE


def many(count: int, noun: str, plural: str = "") -> str:
    """A count with its noun: `1 item`, `1,200 items`."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def money(amount: Decimal, currency: str) -> str:
    """An amount with at least two decimals, none lost.

    >>> money(Decimal("6.6"), "EUR")
    '6.60 EUR'
    """
    whole, part = exact.spelled(amount).split(".")
    return f"{int(whole):,}.{part} {currency}"


def moment(at: str) -> str:
    """An RFC 3339 time of the ledger for a reader: `21 November 2026, 09:00 UTC`; itself when it is no time."""
    try:
        time = datetime.fromisoformat(at)
    except ValueError:
        return at
    utc = time.astimezone(UTC) if time.tzinfo else time
    return f"{utc.day} {_MONTHS[utc.month - 1]} {utc:%Y, %H:%M} UTC"
