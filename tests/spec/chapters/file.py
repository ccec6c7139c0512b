"""What kind of file we take."""

from tests.spec.batch import HEADER, row, rows, sound, whole, written
from tests.spec.rule import Chapter, Sent, accepted, held, rejected, rule, sends

ZIP = Sent(b"PK\x03\x04 and so on", "(a ZIP archive with answers.csv in it)", name="answers.csv")
PDF = Sent(
    b"%PDF-1.7 and so on", "(a PDF, or an old Excel workbook, or a page saved from a browser)", name="answers.csv"
)

CHAPTER = Chapter(
    "The file",
    "One plain text file in the format that Excel calls *CSV UTF-8 (comma delimited)*. What cannot be read for "
    "certain is sent back whole: nothing in it is taken, and you send it again once it is mended.",
    (
        rule(
            "Send the batch back as a CSV file",
            "Fill in your columns of `batch.csv` and save it. That is all: this file is accepted, every row of it.",
            sends(
                written(rows(), show=(1, 2)),
                accepted(),
                "Only the first two rows are shown; the other eleven are like them.",
            ),
        ),
        rule(
            "Send the CSV itself, not an archive, a workbook or a page",
            "We look at what is in the file, not only at its name. Nothing is unpacked or converted, because cells of "
            "a workbook have lost their leading zeros and dates already.",
            sends(ZIP, rejected("F_ARCHIVE")),
            sends(PDF, rejected("F_BINARY")),
        ),
        rule(
            "Give it a plain name that ends in .csv",
            "Use letters, digits, dot, dash and underscore, 120 at most, and begin with a letter, a digit or an "
            "underscore.",
            sends(sound().called("acme_r0002-final.v2.csv"), accepted()),
            sends(sound().called("answers (final).csv"), rejected("F_NAME_UNSAFE")),
            sends(sound().called("answers.xlsx"), rejected("F_EXTENSION")),
        ),
        rule(
            "Send a finished file, not a shortcut to one",
            "A link, a folder or a device is never opened. A file that a program still writes to is not taken.",
            sends(Sent(sound().data, "(a shortcut to elsewhere.csv)", kind="link"), rejected("F_NOT_REGULAR")),
            sends(Sent(sound().data, "(a file that is still being saved)", kind="growing"), rejected("F_UNSTABLE")),
        ),
        rule(
            "Save it as UTF-8",
            "In Excel choose *CSV UTF-8*, not plain *CSV*: other encodings change letters without a word. The "
            "invisible mark that Excel writes at the start is fine.",
            sends(
                Sent(b"\xef\xbb\xbf" + sound().data, sound().shown),
                accepted("W_BOM"),
                "Saved as *CSV UTF-8*, with the mark of Excel:",
            ),
            sends(
                sound().in_encoding("cp1252"),
                rejected("F_ENCODING"),
                "Saved as plain *CSV* on Windows, so that the é of zoé is no UTF-8:",
            ),
            sends(
                sound().in_encoding("utf-16-le"),
                rejected("F_NUL"),
                "Saved as *Unicode text*, with two bytes a letter:",
            ),
        ),
        rule(
            "There must be rows in it",
            "An empty file, or a header alone, is a failed export, not an answer.",
            sends(whole("\n\n", show="(nothing but empty lines)"), rejected("F_EMPTY")),
            sends(written([]), rejected("F_NO_ROWS")),
        ),
        rule(
            "Do not send far more than was asked for",
            "A file with three times the rows of the pack, thousands of columns, or one endless cell is some other "
            "file, or has lost a quote. Files of more than the size limit are not opened.",
            sends(
                written(rows() * 12).seen_as("(the rows of rule 1.1, pasted twelve times)"),
                rejected("F_TOO_MANY_ROWS"),
            ),
            sends(
                whole(",".join([*HEADER, *(f"c{n}" for n in range(2_000))]) + "\n", show="(a header of 2,008 columns)"),
                rejected("F_TOO_MANY_COLUMNS"),
            ),
            sends(
                row(comment="x" * 140_000).seen_as("(a file in which one comment has 140,000 letters)"),
                rejected("F_FIELD_TOO_LARGE"),
            ),
            sends(Sent(sound().data, "(a file of several gigabytes)", kind="huge"), rejected("F_TOO_LARGE")),
        ),
        rule(
            "The file must be whole",
            "A file that stops in the middle of a row was cut on its way. Where only the last line end is missing we "
            "cannot tell, so the last row is held: `T12,other` may once have been more.",
            sends(
                Sent(
                    sound().data[:-30],
                    "...\nT11,Lost, or “lost”?,60,delivery,zoé,2025-03-10T09:20:00Z,8.5,\nT12,Do you an",
                ),
                rejected("F_TRUNCATED"),
            ),
            sends(
                Sent(
                    sound().data.rstrip(b"\n"),
                    "...\nT12,Do you answer on Sundays?,0,other,ann,2025-03-10T09:22:00Z,10.5,",
                ),
                held("R_UNTERMINATED_LAST_ROW", rows=(13,)),
                "No line end after the last row:",
            ),
        ),
        rule(
            "Line ends and empty lines do not matter",
            "Windows and Unix line ends are both fine, and so are empty lines, as Excel leaves them at the end. What "
            "is odd is accepted and said.",
            sends(written(rows(), ending="\r\n").seen_as("(the file of rule 1.1)"), accepted(), "Saved on Windows:"),
            sends(
                Sent(sound().data.replace(b"\n", b"\r\n", 3), sound().shown),
                accepted("W_EOL"),
                "Edited on two systems, so that some lines end in the Windows way and others do not:",
            ),
            sends(
                Sent(sound().data + b",,,,,,,\n\n", "...\n,,,,,,,\n\n"),
                accepted("W_BLANK_LINES"),
            ),
        ),
    ),
)
