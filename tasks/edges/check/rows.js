// Reads one row of a delivery: an answer, or the first thing that is wrong with it.

const NAMED = new Set([...RULES.columns.required, ...RULES.columns.optional]);
const FILLED_IN = ["label", ...RULES.columns.optional];
const SKIP = RULES.columns.skip;
const WHITE_CONTROLS = new Set("\t\r\n");

class RowReader {
  /** `frame` as `survey` gives it; `isVouched`: the manifest names the file's digest, so that it is known to be whole. */
  constructor(frame, isVouched, now) {
    Object.assign(this, { frame, isVouched, now, header: frame.header, warnings: new Set() });
    const used = frame.header.map((name, n) => [name, n]);
    this.at = new Map(used.filter(([name]) => frame.filled.has(name) || RULES.columns.required.includes(name)));
    this.echoed = Array.from(this.at).filter(([name]) => PACK.names.has(name));
    this.own = Array.from(this.at).filter(([name]) => !PACK.names.has(name));
    this.items = new Vocabulary(PACK.items.keys());
    this.labels = new Vocabulary([...PACK.classes, SKIP]);
    this.annotators = new Vocabulary(PACK.annotators);
    if (frame.header.some((name) => !PACK.names.has(name) && !NAMED.has(name) && !RULES.columns.known.includes(name))) {
      this.warnings.add("W_EXTRA_COLUMN");
    }
  }

  /** {item, annotator, answer, fault, idle}: the first three are there once they are sound, a fault or not. */
  read(row, cells) {
    const reading = { item: null, annotator: null, answer: null, fault: null, idle: false };
    try {
      this.fill(reading, row, cells);
    } catch (fault) {
      if (!(fault instanceof RowFault)) throw fault;
      reading.fault = fault;
    }
    return reading;
  }

  fill(reading, row, cells) {
    this.checkShape(row, cells);
    const item = this.item(this.cell(cells, "item_id"));
    reading.idle = this.isIdle(cells);
    if (reading.idle) throw new RowFault("R_LABEL_EMPTY", "label", { expected: classesText() });
    const answer = this.answer(this.cell(cells, "label"));
    const annotator = this.annotator(this.cell(cells, "annotator_id"));
    reading.idle = (PACK.answered.get(item) ?? []).includes(annotator);
    if (reading.idle) {
      const value = this.cell(cells, "annotator_id");
      throw new RowFault("R_ANSWERED_BEFORE", "annotator_id", { value, expected: expectedText("another") });
    }
    Object.assign(reading, { item, answer, annotator });
    this.checkRest(item, cells);
  }

  checkRest(item, cells) {
    const [time, seconds] = [this.cell(cells, "labeled_at"), this.cell(cells, "seconds")];
    if (time !== null && isAhead(time, this.now)) this.warnings.add("W_CLOCK_SKEW");
    if (seconds !== null) checkSeconds(seconds);
    for (const [column, n] of this.own) checkText(cells[n], column);
    this.checkEcho(item, cells);
  }

  /** The cell of a column; null when the delivery does not use the column at all. */
  cell(cells, column) {
    return this.at.has(column) ? cells[this.at.get(column)] : null;
  }

  checkShape(row, cells) {
    const { header, frame } = this;
    if (cells.length !== header.length) {
      const expected = expectedText("cells", { count: header.length });
      throw new RowFault("R_CELL_COUNT", "", { value: String(cells.length), expected });
    }
    if (cells.every((cell, n) => cell === header[n])) {
      throw new RowFault("R_HEADER_REPEATED", "", { expected: expectedText("one_header") });
    }
    if (row === frame.lastRow && !frame.isTerminated && !this.isVouched) {
      throw new RowFault("R_UNTERMINATED_LAST_ROW", "", { expected: expectedText("whole_row") });
    }
    for (const [column, n] of this.own) {
      if (column !== "item_id" && /[\r\n]/.test(cells[n]) && swallows(cells[n])) {
        throw new RowFault("R_EMBEDDED_ROWS", column, { value: cells[n], expected: expectedText("one_row_a_line") });
      }
    }
  }

  /** Whether nobody worked on the row: it has no label, and nothing else but perhaps who is to give one. */
  isIdle(cells) {
    return FILLED_IN.every((name) => !strip(this.cell(cells, name) ?? ""));
  }

  item(cell) {
    const found = this.items.find(cell);
    if (found) return this.warned(found);
    if (!strip(cell)) throw new RowFault("R_ID_EMPTY", "item_id", { value: cell, expected: expectedText("item") });
    const proposed = this.items.near(cell);
    throw new RowFault("R_ID_UNKNOWN", "item_id", { value: cell, expected: expectedText("item_exact"), proposed });
  }

  answer(cell) {
    const found = this.labels.find(cell);
    if (found) return this.warned(found);
    const near = this.labels.near(cell);
    const proposed = near || this.labels.typoOf(cell);
    throw new RowFault(labelCode(cell, near), "label", { value: cell, expected: classesText(), proposed });
  }

  annotator(cell) {
    const trimmed = trim(cell);
    const fault = (code, more) => new RowFault(code, "annotator_id", { value: cell, ...more });
    if (!trimmed) throw fault("R_ANNOTATOR_EMPTY", { expected: expectedText("annotator") });
    if (!PACK.annotators.length) {
      if (Array.from(trimmed).some((mark) => isControl(mark) || isFormat(mark))) throw fault("R_CONTROL_CHARS");
      return this.warned({ word: trimmed, warning: trimmed === cell ? null : "W_TRIMMED" });
    }
    const found = this.annotators.find(cell);
    if (found) return this.warned(found);
    throw fault("R_ANNOTATOR_UNKNOWN", { expected: expectedText("roster"), proposed: this.annotators.near(cell) });
  }

  warned({ word, warning }) {
    if (warning) this.warnings.add(warning);
    return word;
  }

  checkEcho(item, cells) {
    if (!PACK.has_values) return;
    const exported = PACK.items.get(item);
    for (const [column, n] of this.echoed) {
      const value = exported[PACK.names.get(column)];
      if (cells[n] === value || isSameText(cells[n], value)) continue;
      if (!isSameValue(cells[n], value)) {
        const expected = value || expectedText("empty");
        throw new RowFault("R_ECHO_CHANGED", column, { value: cells[n], expected, proposed: value });
      }
      this.warnings.add("W_ECHO_FORMAT");
    }
  }
}

/** Whether a cell holds lines that are rows: an exported id among cells, below the first line. */
function swallows(cell) {
  const lines = cell.split(/[\r\n]+/).slice(1);
  return lines.some((line) => line.includes(",") && line.split(",").some((part) => PACK.items.has(part)));
}

function labelCode(cell, near) {
  const text = trim(cell);
  if (!text) return "R_LABEL_EMPTY";
  if (near && casefold(text) === casefold(near)) return "R_LABEL_CASE";
  const isHidden = (mark) => (isControl(mark) && !WHITE_CONTROLS.has(mark)) || isFormat(mark);
  return Array.from(text).some(isHidden) ? "R_CONTROL_CHARS" : "R_LABEL_UNKNOWN";
}

function classesText() {
  const shown = PACK.classes.slice(0, RULES.limits.shown_classes);
  const count = PACK.classes.length - shown.length;
  const more = count ? expectedText("more_classes", { count }) : "";
  return expectedText("classes", { classes: shown.join(", "), more, skip: SKIP });
}
