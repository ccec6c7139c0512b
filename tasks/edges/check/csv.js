// A strict reader of CSV: what Python's csv.reader(strict=True) makes of a text opened with newline="".

const COMMA = 44;
const QUOTE = 34;
const LF = 10;
const CR = 13;

/** The text is no sound CSV; `isTooLong` when a cell went over the limit before anything else was wrong. */
class CsvFault {
  constructor(isTooLong = false) {
    this.isTooLong = isTooLong;
  }
}

/** Gives the rows of a text one by one; `ending` is the line end of the last row given, "" at the end of the text. */
class CsvReader {
  constructor(text) {
    this.text = text;
    this.at = 0;
    this.ending = "";
  }

  /** The cells of the next row (none for an empty line), or null when there is none. Throws CsvFault. */
  next() {
    if (this.at >= this.text.length) return null;
    const cells = [];
    if (this.endsLine()) return cells;
    for (;;) {
      cells.push(this.text.charCodeAt(this.at) === QUOTE ? this.quoted() : this.plain());
      if (this.text.charCodeAt(this.at) !== COMMA) break;
      this.at += 1;
    }
    this.endsLine();
    return cells;
  }

  /** Whether a line ends here; steps over its end. */
  endsLine() {
    const mark = this.text.charCodeAt(this.at);
    if (mark !== CR && mark !== LF) {
      this.ending = "";
      return false;
    }
    const isPair = mark === CR && this.text.charCodeAt(this.at + 1) === LF;
    this.ending = isPair ? "\r\n" : this.text[this.at];
    this.at += this.ending.length;
    return true;
  }

  /** A cell without quotes around it; quotes inside it are ordinary text. */
  plain() {
    const start = this.at;
    while (this.at < this.text.length && !isCellEnd(this.text.charCodeAt(this.at))) this.at += 1;
    return checkedLength(this.text.slice(start, this.at));
  }

  /** A cell in quotes; the end of the text is not its end. */
  quoted() {
    let cell = "";
    for (;;) {
      const start = this.at + 1;
      const end = this.text.indexOf('"', start);
      cell = checkedLength(cell + this.text.slice(start, end < 0 ? this.text.length : end));
      if (end < 0) throw new CsvFault();
      this.at = end + 1;
      if (this.text.charCodeAt(this.at) !== QUOTE) break;
      cell = checkedLength(`${cell}"`);
    }
    if (this.at < this.text.length && !isCellEnd(this.text.charCodeAt(this.at))) throw new CsvFault();
    return cell;
  }
}

function isCellEnd(mark) {
  return mark === COMMA || mark === LF || mark === CR;
}

function checkedLength(cell) {
  if (isLongerThan(cell, RULES.limits.field)) throw new CsvFault(true);
  return cell;
}

/** Cells as a line of CSV with every cell quoted. */
function csvLine(cells) {
  return `${cells.map((cell) => `"${cell.replaceAll('"', '""')}"`).join(",")}\n`;
}
