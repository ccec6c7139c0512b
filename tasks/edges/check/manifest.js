// The manifest that a vendor may send beside a file: NAME.csv.manifest.json.
// JSON.parse keeps the last of two equal keys without a word and cannot tell 1 from 1.0, so the text is read here.

const DEEPEST = 900; // lists within lists; Python stops near there, where it ran out of stack
const WORDS_OF_JSON = [
  ["null", null],
  ["true", true],
  ["false", false],
  ["NaN", NaN],
  ["Infinity", Infinity],
  ["-Infinity", -Infinity],
];
const NUMBER_OF_JSON = /(-?(?:0|[1-9][0-9]*))(\.[0-9]+)?([eE][-+]?[0-9]+)?/y;
const STRING_OF_JSON = /"((?:[^"\\\u0000-\u001f]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*)"/y;
const SPACE_OF_JSON = /[ \t\n\r]*/y;

/** JSON as Python reads it, but that no object may have a key twice: whole numbers are BigInt, objects are Maps. */
class JsonReader {
  constructor(text) {
    this.text = text;
    this.at = 0;
  }

  /** The one value of the text. Throws when there is another, or none. */
  whole() {
    const value = this.value(0);
    if (this.at < this.text.length) throw new SyntaxError("text after the end");
    return value;
  }

  value(depth) {
    if (depth > DEEPEST) throw new SyntaxError("too deep");
    this.match(SPACE_OF_JSON);
    const value = this.bare(depth);
    this.match(SPACE_OF_JSON);
    return value;
  }

  bare(depth) {
    if (this.text[this.at] === "{") return this.object(depth);
    if (this.text[this.at] === "[") return this.list(depth);
    if (this.text[this.at] === '"') return this.string();
    const word = WORDS_OF_JSON.find(([name]) => this.text.startsWith(name, this.at));
    if (!word) return this.number();
    this.at += word[0].length;
    return word[1];
  }

  match(pattern) {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    if (!found) throw new SyntaxError("no JSON");
    this.at = pattern.lastIndex;
    return found;
  }

  take(mark) {
    if (this.text[this.at] !== mark) return false;
    this.at += 1;
    return true;
  }

  must(mark) {
    if (!this.take(mark)) throw new SyntaxError(`no ${mark}`);
  }

  string() {
    return JSON.parse(this.match(STRING_OF_JSON)[0]);
  }

  number() {
    const [text, digits, point, exponent] = this.match(NUMBER_OF_JSON);
    if (point !== undefined || exponent !== undefined) return Number(text);
    if (digits.replace("-", "").length > RULES.limits.json_digits) throw new SyntaxError("too many digits");
    return BigInt(digits);
  }

  list(depth) {
    const values = [];
    this.must("[");
    this.match(SPACE_OF_JSON);
    if (this.take("]")) return values;
    do values.push(this.value(depth + 1));
    while (this.take(","));
    this.must("]");
    return values;
  }

  object(depth) {
    const values = new Map();
    this.must("{");
    this.match(SPACE_OF_JSON);
    if (this.take("}")) return values;
    do this.pair(values, depth);
    while (this.take(","));
    this.must("}");
    return values;
  }

  pair(values, depth) {
    this.match(SPACE_OF_JSON);
    const key = this.string();
    this.match(SPACE_OF_JSON);
    this.must(":");
    if (values.has(key)) throw new SyntaxError("a key is repeated");
    values.set(key, this.value(depth + 1));
  }
}

/** What the manifest's bytes (null: there is none) promise: {isValid, rows, texts}; rows is null when not said. */
function promisesOf(bytes) {
  const nothing = { isValid: true, rows: null, texts: new Map() };
  if (bytes === null) return nothing;
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return promised(new JsonReader(text).whole());
  } catch {
    return { ...nothing, isValid: false };
  }
}

function promised(values) {
  if (!(values instanceof Map)) throw new SyntaxError("no object");
  const rows = values.get("rows") ?? null;
  const said = RULES.patterns.promises.map((name) => [name, values.get(name)]).filter(([, value]) => isSaid(value));
  if ((rows !== null && typeof rows !== "bigint") || said.some(([, value]) => typeof value !== "string")) {
    throw new TypeError("a value has a wrong type");
  }
  return { isValid: true, rows, texts: new Map(said) };
}

/** Python's truth: nothing, zero and what is empty say nothing; NaN says something. */
function isSaid(value) {
  if (Array.isArray(value)) return value.length > 0;
  if (value instanceof Map) return value.size > 0;
  return Number.isNaN(value) || Boolean(value);
}

/** What the manifest says against the file it came with. */
function manifestReasons(promises, digest, frame) {
  const { texts, rows } = promises;
  const denies = (name, ...held) => texts.has(name) && !held.includes(texts.get(name));
  const counts = [frame.rows, frame.lineFeeds - 1].map(BigInt);
  const faults = [
    ["F_MANIFEST_INVALID", !promises.isValid],
    ["F_MANIFEST_HASH", denies("file_sha256", digest, digest.toUpperCase())],
    ["F_MANIFEST_ROWS", frame.rows > 0 && rows !== null && !counts.includes(rows)],
    ["F_WRONG_ROUND", denies("batch_id", PACK.round, PACK.batch_id)],
    ["F_SCHEMA_VERSION", denies("label_schema_sha256", PACK.label_schema_sha256)],
    ["F_INSTRUCTIONS", denies("instructions_sha256", PACK.instructions_sha256)],
  ];
  return faults.filter(([, found]) => found).map(([code]) => code);
}
