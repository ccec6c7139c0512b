"""What a vendor can do about a reason, in the words of somebody who works in a spreadsheet."""

from collections.abc import Mapping
from typing import Final

from hitl.delivery.reasons import Reason

_SAVE = "In Excel: File, Save As, type “CSV UTF-8 (Comma delimited)”."
_PACK = "Copy it from batch.csv of the pack; format the column as Text before you paste."
_REST = "Nothing to do."

ADVICE: Final[Mapping[Reason, str]] = {
    Reason.F_EMPTY: "Look whether you chose the right file, and save it again.",
    Reason.F_NO_ROWS: "Look whether the answers are in another sheet; save the sheet that holds them.",
    Reason.F_NOT_REGULAR: "Choose the CSV file itself, not a folder or a shortcut.",
    Reason.F_NAME_UNSAFE: "Rename the file, for example to answers.csv.",
    Reason.F_EXTENSION: "Save it as a CSV; renaming a workbook is not enough. "
    f"{_SAVE} What a tool exported: hitl check.",
    Reason.F_ARCHIVE: "Unpack it first.",
    Reason.F_BINARY: f"Open it and save the sheet as a CSV. {_SAVE}",
    Reason.F_TOO_LARGE: "Send only the rows of this pack, in several files if need be.",
    Reason.F_TOO_MANY_ROWS: "Look whether other files were pasted in; send only the rows of this pack.",
    Reason.F_TOO_MANY_COLUMNS: "Look whether rows and columns were swapped; begin from batch.csv again.",
    Reason.F_FIELD_TOO_LARGE: 'Look for a cell that begins with " and never ends; a quote inside a cell is doubled.',
    Reason.F_ENCODING: _SAVE,
    Reason.F_NUL: f"Open it in the program it came from, and save it again. {_SAVE}",
    Reason.F_DELIMITER: f"Semicolons or tabs come from regional settings. {_SAVE} Or use batch.csv from the pack.",
    Reason.F_QUOTING: 'Look for a single " in a cell. A quote inside a quoted cell is written twice.',
    Reason.F_TRUNCATED: "The copy or the upload was cut short: save or copy the file again.",
    Reason.F_HEADER_MISSING: "Put the header row of batch.csv back as the first row.",
    Reason.F_HEADER_WIDTH: "Look for commas in cells that are not quoted; a spreadsheet's own export quotes them.",
    Reason.F_HEADER_REPEATED: "Send each file on its own, or paste only the rows under the first header.",
    Reason.F_COLUMN_MISSING: "Name the columns exactly as in batch.csv: item_id, label, annotator_id.",
    Reason.F_COLUMN_DUPLICATE: "Remove or rename one of the two.",
    Reason.F_COLUMN_BLANK: "Remove the column without a name, or name it.",
    Reason.F_WRONG_ROUND: "Check this file with the pack it belongs to.",
    Reason.F_TOO_MANY_BAD_ROWS: "Look at the first rows below: the same fault is most likely behind all of them.",
    Reason.F_GOLD_FAIL: "Look whether a column was sorted, shifted or filled down apart from the others.",
    Reason.F_MANIFEST_HASH: "Make the manifest again after the last change to the file, or send none.",
    Reason.F_MANIFEST_ROWS: "Look whether rows are missing; if not, correct the number in the manifest.",
    Reason.F_MANIFEST_INVALID: "Correct the manifest, or send none: it is not required.",
    Reason.F_SCHEMA_VERSION: "Answer with the classes of this pack's batch.csv and guideline.",
    Reason.F_INSTRUCTIONS: "Read the guideline.md of this pack; it differs from the one you worked with.",
    Reason.F_DUPLICATE_DELIVERY: _REST,
    Reason.F_ROUND_CLOSED: "Ask us whether a later round will ask for these items again.",
    Reason.F_EXPORT: "Export it again as the note says, or send a CSV.",
    Reason.R_NOT_TAKEN: "Let the annotator hand the answer in, and export again; leave the row out if nobody does.",
    Reason.F_UNSTABLE: "Close the program that writes the file, and try again.",
    Reason.R_CELL_COUNT: "Look for a comma in a cell that is not quoted, or for a cell that is missing.",
    Reason.R_EMBEDDED_ROWS: 'Look for a single " before the swallowed rows, and remove it.',
    Reason.R_UNTERMINATED_LAST_ROW: "Look whether the last row is whole, then save the file again.",
    Reason.R_HEADER_REPEATED: "Delete this row.",
    Reason.R_ID_EMPTY: _PACK,
    Reason.R_ID_UNKNOWN: f"Spreadsheets change ids that look like numbers or dates. {_PACK}",
    Reason.R_ID_OTHER_ROUND: "Move the row to the file for that round.",
    Reason.R_DUP_CONFLICT: "Decide on one answer and delete the other rows.",
    Reason.R_RELABEL_CONFLICT: "Leave the row out, or add a column supersedes that names the earlier delivery.",
    Reason.R_SUPERSEDES_UNKNOWN: "Copy the delivery from the receipt of the file whose answer you replace.",
    Reason.R_LABEL_EMPTY: "Give a class; when nobody can tell, write the word for a skip.",
    Reason.R_LABEL_UNKNOWN: "Use one of the classes, spelled exactly as shown.",
    Reason.R_LABEL_CASE: "Write the class with the same capital and small letters.",
    Reason.R_LABEL_RETIRED: "Use one of the classes of this pack.",
    Reason.R_ANNOTATOR_EMPTY: "Write the id of the person who answered.",
    Reason.R_ANNOTATOR_UNKNOWN: "Use the id as it stands on the roster, or ask us to add the person.",
    Reason.R_ANSWERED_BEFORE: "Have somebody else answer it; MANIFEST.json names under answered who did before.",
    Reason.R_ANNOTATOR_GOLD_FAIL: "Ask this annotator how they understood the guideline.",
    Reason.R_TIME_FORMAT: "Write the time as shown, and format the column as Text.",
    Reason.R_TIME_NO_ZONE: "Add Z for UTC, or an offset such as +01:00.",
    Reason.R_TIME_FUTURE: "Look at the clock and the time zone of the computer the row came from.",
    Reason.R_TIME_BEFORE_EXPORT: "Look at the year and the time zone; answers cannot be older than the pack.",
    Reason.R_SECONDS_FORMAT: "Write digits and a point only: no unit, no comma.",
    Reason.R_SECONDS_RANGE: "Give the seconds for one item, or leave the column out.",
    Reason.R_FIELD_TOO_LONG: "Shorten the cell.",
    Reason.R_CONTROL_CHARS: "Type the cell again instead of pasting it.",
    Reason.R_ECHO_CHANGED: "Restore the value from batch.csv, and look whether rows were sorted apart.",
    Reason.W_BOM: _REST,
    Reason.W_EOL: _REST,
    Reason.W_BLANK_LINES: _REST,
    Reason.W_TRIMMED: _REST,
    Reason.W_NORMALISED: _REST,
    Reason.W_EXTRA_COLUMN: "Leave the column out if it is not meant for us.",
    Reason.W_COLUMN_ORDER: _REST,
    Reason.W_OPTIONAL_COLUMN_MISSING: "Give these columns if you have them; they are optional.",
    Reason.W_DUP_IDENTICAL: "Nothing to do; a repeated answer is paid once.",
    Reason.W_MISSING_ITEMS: "Send the other items in this or in a later file.",
    Reason.W_CLOCK_SKEW: "Set the clock of the computer that the times came from.",
    Reason.W_ECHO_FORMAT: _REST,
    Reason.W_GOLD_MISSING: "Send the items that are missing.",
}


def advice(code: str) -> str:
    """What to do about the reason `code`; nothing for a code that an older receipt may carry."""
    return {str(reason): text for reason, text in ADVICE.items()}.get(code, "")
