"""The first row, and which columns there are."""

from tests.spec.batch import HEADER, Row, headed, rows, sound, text, whole, written
from tests.spec.rule import Chapter, Sent, accepted, held, rejected, rule, sends

FEWER = ("item_id", "label", "annotator_id")
MOVED = ("label", "annotator_id", "labeled_at", "seconds", "comment", "subject", "amount", "item_id")


def with_note() -> list[Row]:
    return [{**row, "team": "night shift"} for row in rows()]


def beheaded() -> Sent:
    """A faultless answer without its header."""
    plain = written(rows(), show=(1, 2))
    return Sent(plain.data.split(b"\n", 1)[1], plain.shown.split("\n", 1)[1])


CHAPTER = Chapter(
    "The header and the columns",
    "The first row of the file is the first row of `batch.csv`. Columns are told apart by their names, which must be "
    "exact.",
    (
        rule(
            "Cells are separated by commas",
            "Excel writes semicolons where Windows is set to a comma in numbers. Set the list separator of Windows to "
            "a comma, or save the file with LibreOffice.",
            sends(
                whole(
                    text([HEADER, *[[row[name] for name in HEADER] for row in rows()]], delimiter=";"),
                    show="item_id;subject;amount;label;annotator_id;labeled_at;seconds;comment\n...",
                ),
                rejected("F_DELIMITER"),
            ),
        ),
        rule(
            "The first row is the header",
            "No title above it, and no file without it: the first answer would be lost as a header.",
            sends(beheaded(), rejected("F_HEADER_MISSING")),
        ),
        rule(
            "`item_id`, `label` and `annotator_id` must be there, under exactly these names",
            "`Label`, `labels` or ` label` is another name. Items are never matched by their place in the file.",
            sends(headed(",label,", ",Label,"), rejected("F_COLUMN_MISSING")),
        ),
        rule(
            "Each column has one name of its own",
            "With two columns called `label` it would be a guess which of them counts. A column without a name is one "
            "that a spreadsheet added, and something may have moved with it.",
            sends(headed("amount,label", "label,label"), rejected("F_COLUMN_DUPLICATE")),
            sends(headed("subject,", ","), rejected("F_COLUMN_BLANK")),
        ),
        rule(
            "Times, seconds and comments may be left out",
            "The three columns that must be there are enough. We say which of the others we miss.",
            sends(written(rows(), FEWER, show=(1, 2)), accepted("W_OPTIONAL_COLUMN_MISSING")),
        ),
        rule(
            "Columns may stand in any order, and more may be added",
            "A column that we do not know is kept with the file, and not used.",
            sends(written(rows(), MOVED, show=(1, 2)), accepted("W_COLUMN_ORDER")),
            sends(written(with_note(), (*HEADER, "team"), show=(1, 2)), accepted("W_EXTRA_COLUMN")),
        ),
        rule(
            "Every row has as many cells as the header",
            "A single row that does not fit is held: see the next chapter. When most do not, a column was lost or "
            "added in the header, and every cell may stand under the wrong name.",
            sends(headed("item_id,subject,amount,", "item_id,subject,"), rejected("F_HEADER_WIDTH")),
        ),
        rule(
            "Send joined files apart",
            "A header that stands in the file again shows that two files were put together. One that a tool repeats "
            "on each page is held like a row; one with the mark of a second file refuses all.",
            sends(
                Sent(sound().data + sound().data.split(b"\n")[0] + b"\n", f"...\n{','.join(HEADER)}\n"),
                held("R_HEADER_REPEATED", rows=(14,)),
            ),
            sends(
                Sent((b"\xef\xbb\xbf" + sound().data) * 2, f"...\n(the mark of Excel){','.join(HEADER)}\n..."),
                rejected("F_HEADER_REPEATED"),
            ),
        ),
    ),
)
