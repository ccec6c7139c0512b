// Judges a delivery as `hitl check --pack` does, one pass for its frame, one for its rows, one for the rows held back.

/** {code}: why bytes are no text at all, or null. */
function unreadable(bytes) {
  const { bom, archives, binaries, pages } = RULES.signatures;
  const head = String.fromCharCode(...bytes.subarray(0, 16));
  const startsWith = (starts, text = head) => starts.some((start) => text.startsWith(start));
  const isInk = (byte) => byte !== 32 && byte !== 9 && byte !== 10 && byte !== 13;
  if (!bytes.subarray(head.startsWith(bom) ? bom.length : 0).some(isInk)) return "F_EMPTY";
  if (startsWith(archives)) return "F_ARCHIVE";
  if (startsWith(binaries) || startsWith(pages, head.replace(/^[ \t\n\r\v\f]+/, "").toLowerCase())) return "F_BINARY";
  return bytes.includes(0) ? "F_NUL" : null;
}

function count(bytes, wanted) {
  let found = 0;
  for (let at = bytes.indexOf(wanted); at >= 0; at = bytes.indexOf(wanted, at + 1)) found += 1;
  return found;
}

function isBlank(cells) {
  return cells.every((cell) => !strip(cell));
}

/** The bytes seen as a table; `reasons` is empty when its rows can be read. */
async function survey(bytes, pace) {
  const last = bytes[bytes.length - 1];
  const frame = { bytes, text: "", header: [], rows: 0, lastRow: 0, filled: new Set(), reasons: [], warnings: new Set() };
  frame.isTerminated = last === LF || last === CR;
  frame.lineFeeds = count(bytes, LF);
  const reason = unreadable(bytes) ?? decode(frame);
  if (reason) return { ...frame, reasons: [reason] };
  const walk = new Walk(rowLimit());
  const stopped = (await walk.over(frame, pace)) || walk.measured(frame);
  const seen = { ...frame, header: walk.header, headerRow: walk.headerRow, reasons: stopped };
  if (stopped.length) return seen;
  return { ...seen, rows: walk.rows, lastRow: walk.records, filled: walk.filled(), warnings: walk.warnings(frame) };
}

/** More data rows than this cannot be an answer to the pack. */
function rowLimit() {
  return RULES.limits.row_factor * PACK.annotations + RULES.limits.row_slack;
}

/** Puts the text into the frame; F_ENCODING unless it is sound UTF-8 throughout. */
function decode(frame) {
  frame.hasBom = RULES.signatures.bom.split("").every((mark, n) => frame.bytes[n] === mark.charCodeAt(0));
  try {
    const body = frame.bytes.subarray(frame.hasBom ? RULES.signatures.bom.length : 0);
    frame.text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(body);
    return null;
  } catch {
    return "F_ENCODING";
  }
}

/** What is learned from one pass over the rows. */
class Walk {
  constructor(rowLimit) {
    Object.assign(this, { rowLimit, header: [], headerRow: 1, rows: 0, records: 0, odd: 0, last: 0, blanks: 0 });
    this.endings = new Set();
    this.unfilled = [];
  }

  /** The reasons to stop, or null at the end of the text. */
  async over(frame, pace) {
    const reader = new CsvReader(frame.text);
    try {
      for (let n = 0; ; n += 1) {
        if (n % 512 === 0) await pace(reader.at / frame.text.length);
        const cells = reader.next();
        if (cells === null) return null;
        const reasons = this.step(cells, reader.ending);
        if (reasons.length) return reasons;
      }
    } catch (fault) {
      if (!(fault instanceof CsvFault)) throw fault;
      return [broken(frame, fault)];
    }
  }

  step(cells, ending) {
    if (ending) this.endings.add(ending);
    if (this.header.length) this.records += 1;
    if (isBlank(cells)) {
      this.blanks += 1;
      return [];
    }
    return this.header.length ? this.counted(cells) : this.started(cells);
  }

  started(cells) {
    this.header = cells;
    this.headerRow = this.blanks + 1;
    this.unfilled = Array.from(cells.keys());
    return headerReasons(cells);
  }

  counted(cells) {
    const { header } = this;
    this.rows += 1;
    this.last = cells.length;
    if (this.rows > this.rowLimit) return ["F_TOO_MANY_ROWS"];
    if (cells[0].startsWith("\ufeff") && cells.length === header.length) {
      if ([cells[0].slice(1), ...cells.slice(1)].every((cell, n) => cell === header[n])) return ["F_HEADER_REPEATED"];
    }
    if (cells.length !== header.length) this.odd += 1;
    else if (this.unfilled.length) this.unfilled = this.unfilled.filter((n) => !strip(cells[n]));
    return [];
  }

  measured(frame) {
    if (!this.rows) return ["F_NO_ROWS"];
    if (this.last < this.header.length && !frame.isTerminated) return ["F_TRUNCATED"];
    return this.odd * 2 > this.rows ? ["F_HEADER_WIDTH"] : [];
  }

  filled() {
    const empty = new Set(this.unfilled.map((n) => this.header[n]));
    return new Set(this.header.filter((name) => !empty.has(name)));
  }

  warnings(frame) {
    const agreed = [...RULES.columns.required, ...RULES.columns.optional];
    const given = this.header.filter((name) => agreed.includes(name));
    const filled = this.filled();
    const isUsed = (name) => filled.has(name) || (name === "comment" && this.header.includes(name));
    const seen = [
      ["W_BOM", frame.hasBom],
      ["W_EOL", this.endings.has("\r") || (this.endings.has("\r\n") && this.endings.has("\n"))],
      ["W_BLANK_LINES", this.blanks > 0],
      ["W_COLUMN_ORDER", given.join() !== agreed.filter((name) => given.includes(name)).join()],
      ["W_OPTIONAL_COLUMN_MISSING", !RULES.columns.optional.every(isUsed)],
    ];
    return new Set(seen.filter(([, found]) => found).map(([code]) => code));
  }
}

/** What a fault of the CSV means: in sound CSV quotes come in pairs, so an odd one is open to the end. */
function broken(frame, fault) {
  if (count(frame.bytes, QUOTE) % 2) return frame.isTerminated ? "F_QUOTING" : "F_TRUNCATED";
  return fault.isTooLong ? "F_FIELD_TOO_LARGE" : "F_QUOTING";
}

function headerReasons(header) {
  const { required } = RULES.columns;
  if (header.length > RULES.limits.columns) return ["F_TOO_MANY_COLUMNS"];
  const absent = required.filter((name) => !header.includes(name));
  if (absent.length === required.length) return [isForeign(header.join(",")) ? "F_DELIMITER" : "F_HEADER_MISSING"];
  const faults = [
    ["F_COLUMN_MISSING", absent.length > 0],
    ["F_COLUMN_DUPLICATE", new Set(header).size < header.length],
    ["F_COLUMN_BLANK", header.some((name) => !strip(name))],
  ];
  return faults.filter(([, found]) => found).map(([code]) => code);
}

/** Whether the header is there, but with other marks between its cells. */
function isForeign(line) {
  const quote = new Set('"');
  const names = (mark) => new Set(line.split(mark).map((cell) => strip(cell, quote)));
  return [";", "\t", "|"].some((mark) => RULES.columns.required.every((name) => names(mark).has(name)));
}

/** Each data row that is not blank: its number from 1, blank rows counted, and its cells. */
async function eachRow(frame, pace, visit) {
  const reader = new CsvReader(frame.text);
  let cells = reader.next();
  while (isBlank(cells)) cells = reader.next();
  for (let row = 1; ; row += 1) {
    if (row % 256 === 0) await pace(reader.at / frame.text.length);
    cells = reader.next();
    if (cells === null) return;
    if (!isBlank(cells)) visit(row, cells);
  }
}

/** Every row judged alone: the sound ones, the faults by row, what each (item, annotator) was given, and who got two. */
async function readRows(reader, pace) {
  const rows = { sound: [], faults: new Map(), claims: new Map(), torn: new Set(), people: new Map(), idle: 0 };
  await eachRow(reader.frame, pace, (row, cells) => {
    const { item, annotator, answer, fault, idle } = reader.read(row, cells);
    const key = JSON.stringify([item, annotator]);
    if (item !== null) claim(rows, key, item, answer);
    if (fault) rows.faults.set(row, fault);
    else rows.sound.push({ row, item, annotator, answer, key });
    if (idle) rows.idle += 1;
  });
  return rows;
}

function claim(rows, key, item, answer) {
  if (!rows.claims.has(key)) {
    rows.claims.set(key, answer);
    rows.people.set(item, (rows.people.get(item) ?? 0) + 1);
  } else if (rows.claims.get(key) !== answer) rows.torn.add(key);
}

/** {accepted, duplicate}: the answers that are new; the others become duplicates, or faults in `rows`. */
function settle(rows) {
  const accepted = new Map();
  let duplicate = 0;
  for (const answer of rows.sound) {
    if (rows.torn.has(answer.key)) rows.faults.set(answer.row, twoAnswers(answer));
    else if (accepted.has(answer.key)) duplicate += 1;
    else if (rows.people.get(answer.item) > overlapOf(answer.item)) rows.faults.set(answer.row, tooMany(answer));
    else accepted.set(answer.key, answer);
  }
  return { accepted: Array.from(accepted.values()), duplicate };
}

function overlapOf(item) {
  return PACK.overlap.get(item) ?? PACK.defaultOverlap;
}

function twoAnswers({ answer }) {
  return new RowFault("R_DUP_CONFLICT", "label", { value: answer, expected: expectedText("one_answer") });
}

function tooMany({ item }) {
  const expected = expectedText("overlap", { count: overlapOf(item) });
  return new RowFault("R_DUP_CONFLICT", "item_id", { value: item, expected });
}

/** The reasons to refuse the file whole: a fault in one row in so many is a fault in how the file was made. */
function systematic(rows, delivered) {
  const bad = rows.faults.size - rows.idle;
  const begun = delivered - rows.idle;
  const isTooMany = bad > Math.max(RULES.limits.few_bad_rows, PACK.bad_row_share * begun);
  return isTooMany ? ["F_TOO_MANY_BAD_ROWS"] : [];
}

function completeItems(accepted) {
  const answered = new Map();
  for (const { item } of accepted) answered.set(item, (answered.get(item) ?? 0) + 1);
  let complete = 0;
  for (const item of PACK.items.keys()) if ((answered.get(item) ?? 0) >= overlapOf(item)) complete += 1;
  return complete;
}

/** The judgement of a file called `name`. Throws nothing, whatever the bytes are. */
async function judge(bytes, manifest, now, pace) {
  const digest = await sha256(bytes, pace.part(0, 0.1));
  const promises = promisesOf(manifest);
  const frame = await survey(bytes, pace.part(0.1, 0.3));
  const reasons = [...frame.reasons, ...manifestReasons(promises, digest, frame)];
  if (reasons.length) return rejected({ digest, frame, reasons, faults: new Map(), warnings: [] }, pace);
  const reader = new RowReader(frame, promises.texts.has("file_sha256"), now);
  const rows = await readRows(reader, pace.part(0.3, 0.8));
  const { accepted, duplicate } = settle(rows);
  const found = { digest, frame, faults: rows.faults, warnings: reader.warnings };
  const whole = systematic(rows, frame.rows);
  if (whole.length) return rejected({ ...found, reasons: whole }, pace);
  return taken({ ...found, accepted, duplicate }, pace);
}

/** Nothing is taken: a row with a fault of its own is held for that, every other one for the file's. */
async function rejected({ digest, frame, reasons, faults, warnings }, pace) {
  const ofFile = new RowFault(reasons[0]);
  const held = frame.rows ? await heldRows(frame, (row) => faults.get(row) ?? ofFile, pace) : [];
  const codes = [...new Set(reasons), ...codesOf(faults)];
  const seen = [...frame.warnings, ...warnings];
  return judgement({ digest, frame, verdict: "reject", reasons: codes, warnings: seen, held });
}

async function taken({ digest, frame, faults, warnings, accepted, duplicate }, pace) {
  const held = faults.size ? await heldRows(frame, (row) => faults.get(row), pace) : [];
  const seen = [...frame.warnings, ...warnings];
  if (duplicate) seen.push("W_DUP_IDENTICAL");
  if (completeItems(accepted) < PACK.items.size) seen.push("W_MISSING_ITEMS");
  const verdict = faults.size ? "quarantine" : "accept";
  return judgement({ digest, frame, verdict, reasons: codesOf(faults), warnings: seen, held, accepted, duplicate });
}

function codesOf(faults) {
  return Array.from(new Set(Array.from(faults.values(), (fault) => fault.code))).sort();
}

async function heldRows(frame, faultOf, pace) {
  const held = [];
  await eachRow(frame, pace.part(0.8, 1), (row, cells) => {
    const fault = faultOf(row);
    if (fault) held.push(heldRow(row, cells, fault));
  });
  return held;
}

function heldRow(row, cells, { code, column, value, expected, proposed }) {
  return { row, column, value: shown(value), code, expected: shown(expected), proposed, cells };
}

/** `text` short enough for a receipt. */
function shown(text) {
  const limit = RULES.limits.shown;
  return isLongerThan(text, limit) ? `${Array.from(text).slice(0, limit).join("")}...` : text;
}

/** What `judge` found, as plain values: delivered = accepted + held + duplicate, always. */
function judgement({ digest, frame, verdict, reasons, warnings, held = [], accepted = [], duplicate = 0 }) {
  const complete = completeItems(accepted);
  return {
    round: PACK.round,
    delivery: digest,
    verdict,
    reasons,
    warnings: Array.from(new Set(warnings)).sort(),
    rows: {
      delivered: accepted.length + held.length + duplicate,
      accepted: accepted.length,
      quarantined: held.length,
      duplicate,
    },
    held,
    header: frame.header,
    headerRow: frame.headerRow,
    accepted: accepted.map(({ item, answer, annotator }) => [item, answer, annotator]),
    items: { expected: PACK.items.size, complete, missing: PACK.items.size - complete },
  };
}

/** The held rows as a CSV, in parts of text: the cells as they came, then code, expected, proposed. */
function redoOf({ header, held }) {
  const { redo } = RULES.columns;
  const kept = Array.from(header.keys()).filter((n) => !redo.includes(header[n]));
  const line = ({ cells, code, expected, proposed }) => {
    const own = fitted(cells, header.length);
    return csvLine([...kept.map((n) => own[n]), code, expected, proposed]);
  };
  return [csvLine([...kept.map((n) => header[n]), ...redo]), ...held.map(line)];
}

/** `cells` under a header of `width` names: missing ones empty, and surplus text kept in the last one. */
function fitted(cells, width) {
  if (cells.length <= width) return [...cells, ...Array(width - cells.length).fill("")];
  return [...cells.slice(0, width - 1), cells.slice(width - 1).join(",")];
}
