// Text as Python sees it. JavaScript trims other spaces, has no casefold, and knows the Unicode of the browser's
// year: RULES.unicode brings the tables of the Python that will judge the delivery, so that both read alike.

const SPACES = new Set(RULES.unicode.space);
const QUOTES = new Set(RULES.patterns.quotes);
const FOLDED = new Map(Array.from(RULES.unicode.fold_from, (mark, n) => [mark, RULES.unicode.fold_to[n]]));
const WHOLE_FLOAT = whole(RULES.patterns.whole_float);

/** A pattern that must match a whole text, as Python's fullmatch does. */
function whole(pattern) {
  return new RegExp(`^(?:${pattern})$`);
}

/** Whether a code point lies in runs of [first, one after the last, ...]: then an odd number of edges is passed. */
function isIn(runs, point) {
  let low = 0;
  let high = runs.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (runs[middle] <= point) low = middle + 1;
    else high = middle;
  }
  return low % 2 === 1;
}

function isAscii(text) {
  for (let n = 0; n < text.length; n += 1) if (text.charCodeAt(n) > 127) return false;
  return true;
}

/** `text` without the marks at its ends; Python's str.strip. Every mark is one code unit. */
function strip(text, marks = SPACES) {
  let start = 0;
  let end = text.length;
  while (start < end && marks.has(text[start])) start += 1;
  while (end > start && marks.has(text[end - 1])) end -= 1;
  return start || end < text.length ? text.slice(start, end) : text;
}

const BLANK = new Set(" ");

/** `text` without plain spaces at its ends. */
function trim(text) {
  return strip(text, BLANK);
}

/** How many characters Python counts: a pair of surrogates is one. */
function lengthOf(text) {
  let pairs = 0;
  for (let n = 0; n < text.length - 1; n += 1) if ((text.charCodeAt(n) & 0xfc00) === 0xd800) pairs += 1;
  return text.length - pairs;
}

function isLongerThan(text, limit) {
  return text.length > limit && lengthOf(text) > limit;
}

/** `text` in a normal form; a character that Python does not know stays, whatever this browser knows of it. */
function normal(form, text) {
  if (isAscii(text)) return text;
  let done = "";
  let run = "";
  for (const mark of text) {
    if (isIn(RULES.unicode.unassigned, mark.codePointAt(0))) {
      done += run.normalize(form) + mark;
      run = "";
    } else run += mark;
  }
  return done + run.normalize(form);
}

function casefold(text) {
  return Array.from(text, (mark) => FOLDED.get(mark) ?? mark).join("");
}

function isFormat(mark) {
  return isIn(RULES.unicode.format, mark.codePointAt(0));
}

/** Cc in Unicode's words: it has not changed since 1991. */
function isControl(mark) {
  const point = mark.codePointAt(0);
  return point < 0x20 || (point >= 0x7f && point < 0xa0);
}

/** What stays of a word when case, spaces, quotes and invisible characters are left out. */
function fold(text) {
  const seen = isAscii(text) ? text : Array.from(normal("NFKC", text)).filter((mark) => !isFormat(mark)).join("");
  const bare = casefold(strip(strip(strip(seen), QUOTES)));
  const number = WHOLE_FLOAT.exec(bare);
  return number ? number[1] : bare;
}

/** Digits of any script as 0 to 9. */
function asciiDigits(text) {
  if (isAscii(text)) return text;
  return Array.from(text, (mark) => digit(mark.codePointAt(0)) ?? mark).join("");
}

function digit(point) {
  const zero = RULES.unicode.zeros.find((one) => one <= point && point < one + 10);
  return zero === undefined ? undefined : String(point - zero);
}

/** `text` as a page may show it: nothing that hides or reorders what stands beside it. */
function visible(text) {
  return Array.from(text, seen).join("");
}

function seen(mark) {
  const point = mark.codePointAt(0);
  if (!isIn(RULES.unicode.hidden, point)) return mark;
  if (point < 0x20) return String.fromCodePoint(0x2400 + point);
  return point === 0x7f ? "\u2421" : `\u27e8U+${point.toString(16).toUpperCase().padStart(4, "0")}\u27e9`;
}

/** The template of a text with its places filled. */
function filled(template, places) {
  return template.replace(/\{(\w+)\}/g, (_, name) => String(places[name]));
}

function expectedText(name, places = {}) {
  return filled(RULES.expected[name], places);
}

// How the pack writes a cell that a spreadsheet would run, and the way back.

function neutral(text) {
  const first = firstOf(normal("NFKC", firstOf(stripStart(text, SPACES))));
  const plain = stripStart(text, BLANK)[0] ?? "";
  const risky = (first && RULES.patterns.starters.includes(first)) || (plain && RULES.patterns.controls.includes(plain));
  return risky ? `'${text}` : text;
}

function firstOf(text) {
  return text ? String.fromCodePoint(text.codePointAt(0)) : "";
}

function original(text) {
  return text.startsWith("'") && neutral(text.slice(1)) === text ? text.slice(1) : text;
}

function stripStart(text, marks) {
  let start = 0;
  while (start < text.length && marks.has(text[start])) start += 1;
  return text.slice(start);
}
