"""The deliveries: what each file brought, and the rows that were held back."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Literal, cast

from hitl.ledger import Facts
from hitl.report.sections.parts import Badge, Cell, Section, Table, columns, limited
from hitl.report.sections.sources import Sources
from hitl.report.spelled import NONE, many, moment, money
from hitl.visible import clipped, quoted

HELD = 200
VALUE = 80
FILES = 200
_TONES: Mapping[str, Literal["good", "bad", "fair"]] = {"accept": "good", "quarantine": "fair", "reject": "bad"}
_COUNTS = ("delivered", "accepted", "quarantined", "duplicate")


def section(sources: Sources) -> Section | None:
    """The files that were answered, refused ones too; None before the pack went out."""
    answered = (*sources.round.deliveries, *sources.round.refused)
    if not answered and not sources.round.done("exported"):
        return None
    if not answered:
        return Section("deliveries", "Deliveries", ("No file has come back.",))
    held = list(_held(sources))
    said = f"{many(len(answered), 'file')} came back; {many(len(held), 'row')} held for correction."
    return Section("deliveries", "Deliveries", (said,), tables=(_files(answered, sources), *_held_table(held)))


def _files(answered: tuple[Facts, ...], sources: Sources) -> Table:
    names = ("file", "sha256", "received", "verdict", "rows", "accepted", "held", "duplicate", "payable", "reasons")
    heads = columns(*names, number=("rows", "accepted", "held", "duplicate", "payable"), code=("sha256",))
    rows: list[tuple[Cell, ...]] = [_file(one, sources) for one in answered]
    kept, note = limited(rows, FILES, "files")
    return Table("Files", heads, kept, note, cards=True)


def _file(one: Facts, sources: Sources) -> tuple[Cell, ...]:
    receipt = sources.receipts.get(str(one["delivery"]), {})
    counts = cast(Mapping[str, int], one.get("rows") or {})
    verdict = str(one.get("verdict", "reject"))
    codes = [str(code) for key in ("reasons", "warnings") for code in cast(list[object], one.get(key) or ())]
    return (
        clipped(str(one.get("file", "")), VALUE),
        str(one["delivery"])[:12],
        moment(str(one.get("received_at") or receipt.get("received_at") or NONE)),
        Badge(clipped(verdict, VALUE), _TONES.get(verdict, "fair")),
        *(f"{counts.get(name, 0):,}" for name in _COUNTS),
        _payable(one, sources),
        clipped(", ".join(codes) or NONE, 2 * VALUE),
    )


def _payable(one: Facts, sources: Sources) -> str:
    payable = cast(Mapping[str, object], one.get("payable") or {})
    currency = str(payable.get("currency", sources.params.delivery.currency))
    return money(Decimal(str(payable.get("amount", "0"))), currency)


def _held(sources: Sources) -> Iterator[tuple[Cell, ...]]:
    for one in (*sources.round.deliveries, *sources.round.refused):
        receipt = sources.receipts.get(str(one["delivery"]), {})
        for row in cast(list[Mapping[str, object]], receipt.get("held") or ()):
            keys = ("row", "column", "value", "code", "expected", "proposed")
            yield (clipped(str(one.get("file", "")), VALUE), *(_value(row.get(key)) for key in keys))


def _value(value: object) -> str:
    return NONE if value is None else quoted(str(value), VALUE)


def _held_table(held: list[tuple[Cell, ...]]) -> tuple[Table, ...]:
    if not held:
        return ()
    heads = columns(
        "file",
        "row",
        "column",
        "value",
        "code",
        "expected",
        "proposed",
        number=("row",),
        code=("value", "code", "proposed"),
    )
    kept, note = limited(held, HELD, "held rows")
    return (Table("Rows held back", heads, kept, note, folded=len(held) > 12, cards=True),)
