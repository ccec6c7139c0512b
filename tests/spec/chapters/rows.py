"""What a single row must be, and which item it speaks of."""

from tests.spec.batch import EARLIER, HEADER, Row, changed, row, rows, sound, written
from tests.spec.rule import Chapter, Sent, accepted, held, rejected, rule, sends


def line(item: str, new: str) -> Sent:
    """A faultless answer in which the line of an item is another."""
    old = next(one for one in sound().data.decode().splitlines() if one.startswith(item))
    return Sent(sound().data.replace(old.encode(), new.encode()), f"{','.join(HEADER)}\n...\n{new}\n...\n")


def of_another_round() -> list[Row]:
    return [{**one, "item_id": item} for one, (item, *_) in zip(rows(), EARLIER, strict=False)]


CHAPTER = Chapter(
    "Rows and items",
    "A row with a fault is held: it is not taken, and comes back to you in the redo file. The rows around it are "
    "taken.",
    (
        rule(
            "Rows may come in any order",
            "A row is known by its `item_id` and its `annotator_id`, never by its place.",
            sends(written(rows()[::-1], show=(1, 2)), accepted()),
        ),
        rule(
            "Put text with a comma, a quote or a line break in quotes",
            "Every spreadsheet does so by itself; a quote inside is written twice. A quote that is open swallows the "
            "rows after it, so the file is sent back, or the row that swallowed others is held.",
            sends(row(comment='she said "late", twice'), accepted()),
            sends(
                line("T11", 'T11,"Lost, or "lost"?",60,delivery,zoé,2025-03-10T09:20:00Z,8.5,'), rejected("F_QUOTING")
            ),
            sends(
                changed(T03={"comment": "x\nT04,billing,ann"}),
                held("R_EMBEDDED_ROWS"),
                "Here the comment of T03 holds a row of T04:",
            ),
        ),
        rule(
            "A row has as many cells as the header",
            "A comma too many, without quotes around its text, moves every cell after it.",
            sends(
                line("T03", "T03,Where, is my parcel?,8,delivery,ann,2025-03-10T09:12:00Z,10.5,"),
                held("R_CELL_COUNT"),
            ),
        ),
        rule(
            "A cell holds ordinary text, at most 32,767 letters",
            "That is what a spreadsheet can hold. Invisible control characters come from terminals and broken copies.",
            sends(
                row(comment="x" * 40_000).seen_as("(a comment of 40,000 letters in row 3)"),
                held("R_FIELD_TOO_LONG"),
            ),
            sends(
                row(comment="\x1b[31mred").seen_as("(a comment in row 3 that holds what a terminal prints in red)"),
                held("R_CONTROL_CHARS"),
            ),
        ),
        rule(
            "`item_id` is the one of batch.csv, letter for letter",
            "Capital and small letters differ. What is certainly meant is proposed in the redo file; you confirm it "
            "there. An id of an earlier pack cannot be answered in this one.",
            sends(row(item_id="t03"), held("R_ID_UNKNOWN", proposed="T03")),
            sends(row(item_id="T99"), held("R_ID_UNKNOWN"), "There is no such item, and nothing that is surely meant:"),
            sends(row(item_id=""), held("R_ID_EMPTY")),
            sends(row(item_id="S03"), held("R_ID_OTHER_ROUND"), "S03 went out in round r0001:", unseen=True),
            sends(
                written(of_another_round(), show=(1, 2)),
                rejected("F_WRONG_ROUND", also=("F_TOO_MANY_BAD_ROWS", "R_ID_OTHER_ROUND")),
                "The whole file answers the pack of r0001:",
                unseen=True,
            ),
        ),
        rule(
            "Spaces around an id or a label do no harm",
            "A space before or after is left out, and that is said.",
            sends(row(item_id="T03 ", label=" delivery"), accepted("W_TRIMMED")),
        ),
        rule(
            "When many rows are wrong, the file is sent back whole",
            "More than a fifth of the rows (and more than two): one mistake is behind them, such as a column that "
            "moved, and the rows that look right may be wrong too. Rows that nobody has begun do not count as wrong.",
            sends(
                changed(T01={"label": "yes"}, T02={"label": "no"}, T03={"label": "yes"}),
                rejected("F_TOO_MANY_BAD_ROWS", also=("R_LABEL_UNKNOWN",)),
            ),
        ),
    ),
)
