"""The tables of benchmarks/README.md, each between two marks of its own: what a benchmark measured, it writes."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

PAGE = Path(__file__).with_name("README.md")


def put(name: str, *tables: Sequence[Mapping[str, Any]], by: Sequence[str] = ()) -> None:
    """Write the tables, one below the other, in the place called `name`.

    With `by`, rows that stand there stay, but for those that are equal in these columns to a new one.
    """
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    before, rest = PAGE.read_text(encoding="utf-8").split(begin)
    there, after = rest.split(end)
    shown = [_shown(rows) for rows in tables if rows]
    if by:
        shown = [_joined(_rows(there), [row for rows in shown for row in rows], by)]
    made = "\n\n".join(table(rows) for rows in shown if rows)
    PAGE.write_text(f"{before}{begin}\n{made}\n{end}{after}", encoding="utf-8")


def _shown(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    return [{key: _cell(value) for key, value in row.items()} for row in rows]


def _rows(text: str) -> list[dict[str, str]]:
    """The rows of the tables of a Markdown text."""
    found, heads = [], None
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if not line.startswith("|"):
            heads = None
        elif heads is None:
            heads = cells
        elif any(cells) and set(cells) != {"---"}:
            found.append(dict(zip(heads, cells, strict=True)))
    return found


def _joined(old: list[dict[str, str]], new: list[dict[str, str]], by: Sequence[str]) -> list[dict[str, str]]:
    """The new rows, and the old ones that they do not replace, sorted by the columns of `by`, numbers as such."""
    key = {id(row): tuple(row.get(name, "") for name in by) for row in (*old, *new)}
    fresh = {key[id(row)] for row in new}
    kept = [row for row in old if key[id(row)] not in fresh]
    return sorted((*kept, *new), key=lambda row: [_order(cell) for cell in key[id(row)]])


def _order(cell: str) -> tuple[float, str]:
    plain = cell.replace(",", "")
    return (float(plain), "") if plain.isdecimal() else (0.0, cell)


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as a table of Markdown, a column for every key."""
    heads = list(dict.fromkeys(key for row in rows for key in row))
    lines = [heads, ["---"] * len(heads), *([_cell(row.get(head, "")) for head in heads] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(value: object) -> str:
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.3g}" if isinstance(value, float) else str(value).replace("|", "\\|").replace("\n", " ")
