"""Why a delivery, or one of its rows, is not taken as it is: every code, with its meaning in a line.

`F_` refuses the file, `R_` holds one row back, `W_` takes the row and says what was unusual.
"""

from enum import StrEnum
from typing import Self


class Code(StrEnum):
    """A code a receipt may carry; `meaning` is one line for whoever sent the file."""

    meaning: str

    def __new__(cls, code: str, meaning: str) -> Self:
        reason = str.__new__(cls, code)
        reason._value_ = code
        reason.meaning = meaning
        return reason


class Reason(Code):
    """The codes of deliveries."""

    F_EMPTY = "F_EMPTY", "the file holds nothing"
    F_NO_ROWS = "F_NO_ROWS", "there is a header, and no row under it"
    F_NOT_REGULAR = "F_NOT_REGULAR", "this is a link, a folder or a device; send a plain file"
    F_NAME_UNSAFE = "F_NAME_UNSAFE", "name the file with letters, digits, dot, dash and underscore only (120 at most)"
    F_EXTENSION = "F_EXTENSION", "the file's name must end in .csv"
    F_ARCHIVE = "F_ARCHIVE", "the file is compressed; send the CSV itself"
    F_BINARY = "F_BINARY", "the file is a workbook, a page or an image, not CSV text"
    F_TOO_LARGE = "F_TOO_LARGE", "the file is over the size limit"
    F_TOO_MANY_ROWS = "F_TOO_MANY_ROWS", "the file has many more rows than the pack asked for"
    F_TOO_MANY_COLUMNS = "F_TOO_MANY_COLUMNS", "the header has far too many columns"
    F_FIELD_TOO_LARGE = (
        "F_FIELD_TOO_LARGE",
        "one cell is so long that the file cannot be trusted; look for a stray quote",
    )
    F_ENCODING = "F_ENCODING", "the text is not UTF-8; save it as CSV UTF-8"
    F_NUL = "F_NUL", "the file holds NUL bytes: it is damaged, or in another encoding"
    F_DELIMITER = "F_DELIMITER", "cells must be separated by commas, not by semicolons, tabs or bars"
    F_QUOTING = "F_QUOTING", "a quote is open or misplaced; a quote inside a cell is written twice"
    F_TRUNCATED = "F_TRUNCATED", "the file stops in the middle of a row; send it again whole"
    F_HEADER_MISSING = "F_HEADER_MISSING", "the first row must be the header of the pack's batch.csv"
    F_HEADER_WIDTH = "F_HEADER_WIDTH", "most rows have another number of cells than the header"
    F_HEADER_REPEATED = "F_HEADER_REPEATED", "several files were joined into one; send them apart"
    F_COLUMN_MISSING = "F_COLUMN_MISSING", "item_id, label and annotator_id must be there, under exactly these names"
    F_COLUMN_DUPLICATE = "F_COLUMN_DUPLICATE", "two columns have the same name"
    F_COLUMN_BLANK = "F_COLUMN_BLANK", "a column has no name"
    F_WRONG_ROUND = "F_WRONG_ROUND", "these answers are for the pack of another round"
    F_TOO_MANY_BAD_ROWS = "F_TOO_MANY_BAD_ROWS", "so many rows are wrong that one fault must be behind them"
    F_GOLD_FAIL = "F_GOLD_FAIL", "the answers do not fit the items; look for a shifted or sorted column"
    F_MANIFEST_HASH = "F_MANIFEST_HASH", "the manifest announces other bytes than these"
    F_MANIFEST_ROWS = "F_MANIFEST_ROWS", "the manifest announces another number of rows than the file has"
    F_MANIFEST_INVALID = (
        "F_MANIFEST_INVALID",
        "the manifest is not sound JSON, or names an earlier delivery that we do not have",
    )
    F_SCHEMA_VERSION = "F_SCHEMA_VERSION", "the manifest names another list of classes than the pack's"
    F_INSTRUCTIONS = "F_INSTRUCTIONS", "the manifest names another guideline than the pack's"
    F_DUPLICATE_DELIVERY = "F_DUPLICATE_DELIVERY", "exactly this file was taken before; nothing to do"
    F_ROUND_CLOSED = "F_ROUND_CLOSED", "the round is closed; the file is kept, and not used"
    F_EXPORT = "F_EXPORT", "this export of a labeling tool cannot be taken; the note says why, and which one can"
    F_UNSTABLE = "F_UNSTABLE", "the file changed while it was read; send it when it is complete"

    R_NOT_TAKEN = "R_NOT_TAKEN", "the tool marks this answer: it is a machine's, a draft, or was rejected"
    R_CELL_COUNT = "R_CELL_COUNT", "the row has more or fewer cells than the header"
    R_EMBEDDED_ROWS = "R_EMBEDDED_ROWS", "a cell has swallowed other rows; look for a stray quote"
    R_UNTERMINATED_LAST_ROW = "R_UNTERMINATED_LAST_ROW", "the last row has no line end, so it may be cut"
    R_HEADER_REPEATED = "R_HEADER_REPEATED", "the header stands here again"
    R_ID_EMPTY = "R_ID_EMPTY", "the row names no item"
    R_ID_UNKNOWN = "R_ID_UNKNOWN", "the pack has no item of exactly this id"
    R_ID_OTHER_ROUND = "R_ID_OTHER_ROUND", "the item was sent out in another round; it cannot be answered here"
    R_DUP_CONFLICT = "R_DUP_CONFLICT", "the item has more answers than were asked for; none of them is taken"
    R_SUPERSEDES_UNKNOWN = (
        "R_SUPERSEDES_UNKNOWN",
        "the row supersedes a delivery that this round never had",
    )
    R_RELABEL_CONFLICT = (
        "R_RELABEL_CONFLICT",
        "another answer of this annotator was taken before, and stands until this one supersedes it",
    )
    R_LABEL_EMPTY = "R_LABEL_EMPTY", "the label is empty; an item nobody could decide is a skip, written out"
    R_LABEL_UNKNOWN = "R_LABEL_UNKNOWN", "the label is not one of the classes"
    R_LABEL_CASE = "R_LABEL_CASE", "the label is a class but for capital letters"
    R_LABEL_RETIRED = "R_LABEL_RETIRED", "the label was a class once, and is none now"
    R_ANNOTATOR_EMPTY = "R_ANNOTATOR_EMPTY", "the row does not say who answered"
    R_ANNOTATOR_UNKNOWN = "R_ANNOTATOR_UNKNOWN", "the annotator is not on the roster under exactly this id"
    R_ANSWERED_BEFORE = "R_ANSWERED_BEFORE", "this annotator answered the item in an earlier round; it asks for another"
    R_ANNOTATOR_GOLD_FAIL = "R_ANNOTATOR_GOLD_FAIL", "this annotator's answers are no better than chance"
    R_TIME_FORMAT = "R_TIME_FORMAT", "the time is not written as 2026-11-21T09:00:00Z"
    R_TIME_NO_ZONE = "R_TIME_NO_ZONE", "the time has no zone; add Z or an offset such as +01:00"
    R_TIME_FUTURE = "R_TIME_FUTURE", "the time lies after the delivery"
    R_TIME_BEFORE_EXPORT = "R_TIME_BEFORE_EXPORT", "the time lies before the pack was made"
    R_SECONDS_FORMAT = "R_SECONDS_FORMAT", "seconds must be a plain number such as 12.5"
    R_SECONDS_RANGE = "R_SECONDS_RANGE", "seconds must be more than 0 and at most 86400"
    R_FIELD_TOO_LONG = "R_FIELD_TOO_LONG", "a cell is longer than a spreadsheet can hold (32767 characters)"
    R_CONTROL_CHARS = "R_CONTROL_CHARS", "a cell holds invisible control characters"
    R_ECHO_CHANGED = "R_ECHO_CHANGED", "a value of the pack came back changed, so the answer may be for another item"

    W_BOM = "W_BOM", "the invisible mark that spreadsheets write at the start of a file was left out"
    W_EOL = "W_EOL", "line ends are mixed or of the old Mac kind"
    W_BLANK_LINES = "W_BLANK_LINES", "blank rows were left out"
    W_TRIMMED = "W_TRIMMED", "spaces around an id or a label were left out"
    W_NORMALISED = "W_NORMALISED", "accents of an id or a label were composed as in the pack"
    W_EXTRA_COLUMN = "W_EXTRA_COLUMN", "a column nobody asked for was not used"
    W_COLUMN_ORDER = "W_COLUMN_ORDER", "columns came in another order than in the pack"
    W_OPTIONAL_COLUMN_MISSING = "W_OPTIONAL_COLUMN_MISSING", "labeled_at, seconds or comment was not given"
    W_DUP_IDENTICAL = "W_DUP_IDENTICAL", "an answer came more than once, and counts once"
    W_MISSING_ITEMS = "W_MISSING_ITEMS", "some items still wait for an answer"
    W_CLOCK_SKEW = "W_CLOCK_SKEW", "a time lies a few minutes after the delivery"
    W_ECHO_FORMAT = "W_ECHO_FORMAT", "a number of the pack came back written in another way"
    W_GOLD_MISSING = "W_GOLD_MISSING", "the items that were left out look chosen; a person will look"
