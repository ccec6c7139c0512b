"""Money is exact: a decimal, spelled with every digit that it has."""

from decimal import Decimal


def spelled(amount: Decimal) -> str:
    """An amount of money in all its digits, two decimals at least.

    >>> spelled(Decimal("1.50000")), spelled(Decimal("0.0125"))
    ('1.50', '0.0125')
    """
    whole, _, part = f"{amount:f}".partition(".")
    return f"{whole}.{part.rstrip('0').ljust(2, '0')}"
