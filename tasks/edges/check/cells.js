// Reads single cells: a time, a duration, a text, a value of the pack. Each is what it says, or throws a RowFault.

const NUMBER = whole(RULES.patterns.number);
const TIME = whole(RULES.patterns.time);
const CONTROL = new RegExp(RULES.patterns.control);
const LINE_ENDS = new RegExp(RULES.patterns.line_ends, "g");
const DECIMAL = /^([+-]?)(?:(\d+)(?:\.(\d*))?|\.(\d+))(?:[eE]([+-]?\d+))?$/;
const EXPORTED_AT = momentOf(PACK.exported_at);

/** What is wrong with a row: the reason, the column, the value, what was expected, and a certain fix if there is one. */
class RowFault {
  constructor(code, column = "", { value = "", expected = "", proposed = "" } = {}) {
    this.code = code;
    this.column = column;
    this.value = value;
    this.expected = expected || RULES.reasons[code].meaning;
    this.proposed = proposed;
  }
}

/** Whether a labeled_at lies a little after `now`; throws unless it is a moment between the pack and now. */
function isAhead(cell, now) {
  const at = parsedTime(cell);
  const skew = RULES.limits.skew_seconds;
  const fault = (code, text) => new RowFault(code, "labeled_at", { value: cell, expected: expectedText(text) });
  if (isLater(at, { ...now, seconds: now.seconds + skew })) throw fault("R_TIME_FUTURE", "time_past");
  if (isLater({ ...EXPORTED_AT, seconds: EXPORTED_AT.seconds - skew }, at)) {
    throw fault("R_TIME_BEFORE_EXPORT", "time_after_export");
  }
  return isLater(at, now);
}

function parsedTime(cell) {
  const text = trim(cell);
  const shape = TIME.exec(text);
  const fault = (code, name) => new RowFault(code, "labeled_at", { value: cell, expected: expectedText(name) });
  if (!shape) throw fault("R_TIME_FORMAT", "time");
  if (shape[2] === undefined) throw fault("R_TIME_NO_ZONE", "time_zone");
  const at = momentOf(text);
  if (!at) throw fault("R_TIME_FORMAT", "time_real");
  return at;
}

/** {seconds, micros} since 1970 of an RFC 3339 time, or null when there is no such day, hour or offset. */
function momentOf(text) {
  const [year, month, day, hour, minute, second] = text.slice(0, 19).split(/[^0-9]/).map(Number);
  const fraction = /\.([0-9]+)/.exec(text);
  const days = daysTo(year, month, day);
  const offset = offsetOf(text);
  if (days === null || offset === null || hour > 23 || minute > 59 || second > 59) return null;
  const micros = fraction ? Number(fraction[1].slice(0, 6).padEnd(6, "0")) : 0;
  return { seconds: days * 86400 + hour * 3600 + minute * 60 + second - offset, micros };
}

/** Days from 1970 to a day; null when the calendar has no such day (Date would roll over to the next month). */
function daysTo(year, month, day) {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  const isReal = year > 0 && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  return isReal ? date.getTime() / 86400000 : null;
}

/** Seconds east of UTC; null when the zone is a day away or more. */
function offsetOf(text) {
  const [, sign, hours, minutes] = /([+-])([0-9]{2}):([0-9]{2})$/.exec(text) ?? ["", "+", 0, 0];
  const seconds = Number(hours) * 3600 + Number(minutes) * 60;
  return seconds < 86400 ? seconds * (sign === "-" ? -1 : 1) : null;
}

function isLater(one, other) {
  return one.seconds > other.seconds || (one.seconds === other.seconds && one.micros > other.micros);
}

function checkSeconds(cell) {
  const fault = (code, text) => new RowFault(code, "seconds", { value: cell, expected: text });
  if (!NUMBER.test(trim(cell))) throw fault("R_SECONDS_FORMAT", expectedText("seconds"));
  const seconds = Number(trim(cell));
  const limit = RULES.limits.seconds;
  if (!(seconds > 0 && seconds <= limit)) throw fault("R_SECONDS_RANGE", expectedText("seconds_range", { limit }));
}

function checkText(cell, column) {
  const limit = RULES.limits.text;
  const fault = (code, text) => new RowFault(code, column, { value: cell, expected: text });
  if (isLongerThan(cell, limit)) throw fault("R_FIELD_TOO_LONG", expectedText("text_length", { limit }));
  if (column === "comment" && CONTROL.test(cell)) throw fault("R_CONTROL_CHARS", expectedText("text_plain"));
}

/** Equal but for the pack's apostrophe, the kind and number of line ends, or composed accents: none of it edited. */
function isSameText(cell, value) {
  const plain = (text) => normal("NFC", text.replace(LINE_ENDS, "\n"));
  return [value, neutral(value), original(value)].some((form) => plain(form) === plain(cell));
}

/** Equal as numbers or booleans: whole numbers in every digit, others as far as a spreadsheet keeps them. */
function isSameValue(cell, value) {
  const [left, right] = [cell, value].map((text) => strip(text).toLowerCase());
  if (left === right && (left === "true" || left === "false")) return true;
  const [one, other] = [decimalOf(cell), decimalOf(value)];
  if (!one || !other) return false;
  const isEqual = one.sign === other.sign && one.digits === other.digits && one.exponent === other.exponent;
  return isEqual || (isWhole(one) && isWhole(other) ? false : isClose(floatOf(one), floatOf(other)));
}

/** A decimal without zeros at its ends: {sign, digits, exponent}; null when the text is none, or out of all measure. */
function decimalOf(text) {
  const bare = strip(strip(text).replace(/^'/, ""));
  const shape = DECIMAL.exec(asciiDigits(bare).replaceAll("_", ""));
  if (!shape) return null;
  const [, sign, before = "", after = "", only = "", power = "0"] = shape;
  const digits = (before + after + only).replace(/^0+(?=.)/, "");
  const exponent = Number(power) - after.length - only.length;
  if (!(Math.abs(exponent + digits.length - 1) < RULES.limits.number_digits)) return null;
  const short = digits.replace(/0+$/, "");
  return short ? { sign, digits: short, exponent: exponent + digits.length - short.length } : ZERO;
}

const ZERO = { sign: "", digits: "0", exponent: 0 };

function isWhole(decimal) {
  return decimal.exponent >= 0;
}

function floatOf(decimal) {
  return Number(`${decimal.sign}${decimal.digits}e${decimal.exponent}`);
}

/** Python's math.isclose. */
function isClose(one, other) {
  if (one === other) return true;
  if (!Number.isFinite(one) || !Number.isFinite(other)) return false;
  return Math.abs(one - other) <= RULES.limits.number_tolerance * Math.max(Math.abs(one), Math.abs(other));
}
