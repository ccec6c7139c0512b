// From the files a person chose to a judgement. The page and its tests go through `window.hitlCheck`.

const AWAKE = 25; // milliseconds of work between two looks at mouse and keyboard

/** A question asked of the files that is no judgement: nothing was checked. */
class NotChecked extends Error {}

/** A function to await now and then: it reports a share of the work done, and lets the browser breathe. */
function pacer(report) {
  let last = performance.now();
  const pace = async (share) => {
    if (performance.now() - last < AWAKE) return;
    report(share);
    await turn();
    last = performance.now();
  };
  pace.part = (from, to) => (share) => pace(from + share * (to - from));
  return pace;
}

/** The browser's next turn; setTimeout would wait a second in a hidden tab. */
function turn() {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = resolve;
    port2.postMessage(null);
  });
}

/**
 * The judgement of the one CSV among `files`, with its manifest if that is among them: the receipt's values, and
 * `header`, `accepted` ([item, label, annotator] each) and `redo` (parts of text). Throws NotChecked.
 */
async function hitlCheck(files, { hasFolder = false, report = () => {} } = {}) {
  const { file, beside } = chosen(Array.from(files));
  const named = { file: file.name, manifest: beside ? beside.name : null };
  const code = unreadFault(file, hasFolder);
  if (code) return { ...named, ...refused(code), redo: [] };
  const bytes = await bytesOf(file);
  if (bytes === null) return { ...named, ...refused("F_UNSTABLE"), redo: [] };
  const now = { seconds: Math.floor(Date.now() / 1000), micros: 0 }; // our clock has whole seconds, too
  const found = await judge(bytes, await manifestOf(beside), now, pacer(report));
  return { ...named, ...found, redo: found.held.length ? redoOf(found) : [] };
}

/** The CSV, and the manifest that belongs to it. */
function chosen(files) {
  const suffix = RULES.file.manifest_suffix;
  const main = files.filter((file) => !file.name.endsWith(suffix));
  if (!main.length) throw new NotChecked(`Choose the CSV file, too: a manifest (${suffix}) says nothing alone.`);
  if (main.length > 1) throw new NotChecked("Choose one CSV file at a time.");
  return { file: main[0], beside: files.find((file) => file.name === main[0].name + suffix) };
}

/** Why a file is refused unread, or null. */
function unreadFault(file, isFolder) {
  const code = nameFault(file.name);
  if (code) return code;
  if (isFolder) return "F_NOT_REGULAR";
  return file.size > sizeLimit() ? "F_TOO_LARGE" : null;
}

function nameFault(name) {
  const small = name.toLowerCase();
  if (!whole(RULES.file.name).test(name)) return "F_NAME_UNSAFE";
  if (RULES.file.archives.some((end) => small.endsWith(end))) return "F_ARCHIVE";
  return small.endsWith(".csv") ? null : "F_EXTENSION";
}

/** The most bytes that are read: more, where very many rows were asked for. */
function sizeLimit() {
  const { least_limit: least, most_limit: most, row_limit: row } = RULES.file;
  return Math.min(Math.max(least, row * rowLimit()), most);
}

/** A judgement of a file that was never read. */
function refused(code) {
  return judgement({ digest: "", frame: { header: [] }, verdict: "reject", reasons: [code], warnings: [] });
}

/** The bytes, or null when the file cannot be read any more: it was changed, moved, or is a folder. */
async function bytesOf(file) {
  try {
    return new Uint8Array(await file.arrayBuffer());
  } catch {
    return null;
  }
}

/** The manifest's bytes; null without one. One that cannot be taken in is no bytes at all, which is no manifest. */
async function manifestOf(beside) {
  if (!beside) return null;
  const bytes = beside.size > RULES.file.manifest_limit ? null : await bytesOf(beside);
  return bytes ?? new Uint8Array(0);
}

window.hitlCheck = hitlCheck;
