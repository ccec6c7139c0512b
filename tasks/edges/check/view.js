// What the page shows. Whatever came out of a file goes through `say`, which makes text and nothing else.

const ROWS_SHOWN = 200;
const VALUE_SHOWN = 200;
const VERDICTS = {
  accept: { mood: "good", title: "Good to send" },
  quarantine: { mood: "fair", title: "Some rows need fixing" },
  reject: { mood: "bad", title: "This file will be refused" },
};

function find(id) {
  return document.getElementById(id);
}

/** An element of this name and class that holds texts and elements. */
function say(name, style, ...inside) {
  const element = document.createElement(name);
  if (style) element.className = style;
  element.append(...inside.map((one) => (typeof one === "string" ? visible(one) : one)));
  return element;
}

/** A value as somebody wrote it: white space kept, clipped, apart from the direction of the text around it. */
function value(text) {
  const marks = Array.from(text.slice(0, 4 * VALUE_SHOWN));
  const isClipped = marks.length > VALUE_SHOWN || text.length > 4 * VALUE_SHOWN;
  return say("bdi", "value-text", marks.slice(0, VALUE_SHOWN).join("") + (isClipped ? "\u2026" : ""));
}

function number(count) {
  return String(count).replace(/\B(?=([0-9]{3})+$)/g, ",");
}

function counted(count, one, many) {
  return `${number(count)} ${count === 1 ? one : many}`;
}

function verdictOf(result) {
  const { mood, title } = VERDICTS[result.verdict];
  const banner = say("div", `verdict ${mood}`, say("h2", "", title), say("p", "", sentence(result)));
  banner.append(say("p", "soft", say("bdi", "", result.file), result.manifest ? " with its manifest" : ""));
  return banner;
}

function sentence({ verdict, rows, items }) {
  const good = counted(rows.accepted + rows.duplicate, "row is", "rows are");
  const missing = items.missing ? ` ${counted(items.missing, "item", "items")} of the pack still wait for answers.` : "";
  if (verdict === "reject") return "Nothing in it would be taken. Below is what is wrong, and what to do.";
  if (verdict === "accept") return `${good} good, none would be held back.${missing}`;
  const held = counted(rows.quarantined, "row", "rows");
  return `${good} good and would be taken; ${held} would be held back until mended.${missing}`;
}

function countsOf({ verdict, rows, items }) {
  const isRefused = verdict === "reject";
  const tile = (name, count, note) =>
    say("div", "", say("dt", "", name), say("dd", "value", number(count)), say("dd", "soft", note));
  return say(
    "dl",
    "tiles",
    tile("Rows in the file", rows.delivered, "good + held + repeated"),
    tile("Good", rows.accepted, "would be taken"),
    tile("Held", rows.quarantined, isRefused ? "with the whole file" : "need fixing first"),
    tile("Repeated", rows.duplicate, "the same answer again"),
    tile("Items complete", items.complete, `of ${number(items.expected)} in the pack`),
  );
}

/** A list of codes, each with its meaning, what to do, and how many rows it holds. */
function reasonsOf(title, codes, held) {
  if (!codes.length) return "";
  const counts = new Map();
  for (const { code } of held) counts.set(code, (counts.get(code) ?? 0) + 1);
  return say("section", "", say("h2", "", title), say("ul", "reasons", ...codes.map((code) => reason(code, counts))));
}

function reason(code, counts) {
  const { meaning, advice } = RULES.reasons[code];
  // The meaning stands as it is where it begins with the name of a column.
  const title = /^[a-z]+_/.test(meaning) ? meaning : meaning[0].toUpperCase() + meaning.slice(1);
  const rows = counts.has(code) ? ` \u00b7 ${counted(counts.get(code), "row", "rows")}` : "";
  const line = say("li", "", say("strong", "", title), say("span", "soft", ` ${code}${rows}`));
  if (advice) line.append(say("p", "", advice));
  return line;
}

/** The rows with a fault of their own; those that are refused only with their file stand in the download. */
function heldOf(result) {
  if (!result.held.length) return "";
  const own = result.held.filter(({ code }) => code.startsWith("R_"));
  const section = say("section", "", say("h2", "", "Rows to fix"));
  if (own.length) {
    const note = `Rows are counted as in a spreadsheet: the header is row ${number(result.headerRow)}.`;
    section.append(say("p", "soft", note), heldTable(own.slice(0, ROWS_SHOWN), result.headerRow));
  }
  if (own.length > ROWS_SHOWN) section.append(say("p", "", `The first ${ROWS_SHOWN} of ${number(own.length)} are shown.`));
  const others = result.held.length - own.length;
  if (others) section.append(say("p", "", `${counted(others, "row is", "rows are")} refused only because the file is.`));
  section.append(downloadOf(result));
  return section;
}

function heldTable(held, headerRow) {
  const names = ["Row", "Column", "What stands there", "What was expected", "Proposed"];
  const head = say("thead", "", say("tr", "", ...names.map((name) => headCell(name, "col"))));
  const scroll = say("div", "scroll", say("table", "cards", head, say("tbody", "", ...held.map((one) => heldLine(one, headerRow)))));
  scroll.tabIndex = 0;
  scroll.setAttribute("role", "region");
  scroll.setAttribute("aria-label", "Rows to fix");
  return scroll;
}

function heldLine({ row, column, value: given, expected, code, proposed }, headerRow) {
  return say(
    "tr",
    "",
    headCell(number(row + headerRow), "row"),
    cell("Column", column || "whole row"),
    cell("Value", given || !column ? value(given) : say("span", "soft", "nothing")),
    cell("Expected", expected, say("span", "soft code", code)),
    cell("Proposed", proposed ? value(proposed) : ""),
  );
}

function headCell(text, scope) {
  const element = say("th", "", text);
  element.scope = scope;
  return element;
}

function cell(name, ...inside) {
  const element = say("td", "", ...inside);
  element.dataset.name = name;
  return element;
}

function downloadOf({ file, redo, verdict }) {
  const link = say("a", "button", "Download the rows to fix");
  link.href = URL.createObjectURL(new Blob(redo, { type: "text/csv" }));
  link.download = `${file.replace(/\.csv$/i, "")}.redo.csv`;
  link.id = "redo";
  const note = verdict === "reject"
    ? "The file itself must be mended and sent again; this copy says beside each row what was wrong."
    : "Mend the rows in it and send it back like any other file. The last three columns say what was wrong.";
  return say("div", "download", link, say("p", "soft", note));
}

function show(result) {
  const parts = [
    verdictOf(result),
    result.rows.delivered ? countsOf(result) : "",
    reasonsOf(result.verdict === "reject" ? "Why it will be refused" : "Why rows are held", result.reasons, result.held),
    heldOf(result),
    reasonsOf("Good to know", result.warnings, []),
  ];
  place(...parts.filter(Boolean));
}

/** Put an answer on the page. The banner that comes first gets the focus: it is read aloud, and Tab goes on from it. */
function place(banner, ...rest) {
  find("result").replaceChildren(banner, ...rest);
  banner.tabIndex = -1;
  banner.focus({ preventScroll: true });
  banner.scrollIntoView({ block: "nearest" });
}

/** One check at a time: of two, the later one counts. */
let current = 0;

async function start(files, hasFolder = false) {
  if (!files.length) return;
  current += 1;
  const mine = current;
  find("result").replaceChildren();
  progress(0);
  try {
    const result = await hitlCheck(files, { hasFolder, report: (share) => mine === current && progress(share) });
    if (mine === current) show(result);
    window.hitlAnswer = result; // for the console, and for tests
  } catch (error) {
    if (mine === current) place(troubleOf(error));
  }
  if (mine === current) progress(null);
}

function troubleOf(error) {
  const isOurs = error instanceof NotChecked;
  const text = isOurs ? error.message : `This page could not finish (${error}). Send the file; the answer will tell.`;
  return say("div", "verdict fair", say("h2", "", "Nothing was checked"), say("p", "", text));
}

/** The share of the work that is done; null when nothing is going on. */
function progress(share) {
  find("progress").hidden = share === null;
  find("bar").value = share ?? 0;
  document.body.setAttribute("aria-busy", String(share !== null));
}

function isFolder(item) {
  return item.webkitGetAsEntry?.()?.isDirectory;
}

function listen() {
  const input = find("file");
  find("choose").addEventListener("click", () => input.click());
  input.addEventListener("change", () => {
    const files = Array.from(input.files);
    input.value = ""; // so that the same file, mended, can be chosen again
    start(files);
  });
  const zone = document.documentElement;
  const light = (isOver) => (event) => {
    event.preventDefault();
    find("drop").classList.toggle("over", isOver);
  };
  zone.addEventListener("dragover", light(true));
  zone.addEventListener("dragleave", light(false));
  zone.addEventListener("drop", (event) => {
    light(false)(event);
    start(Array.from(event.dataTransfer.files), Array.from(event.dataTransfer.items, isFolder).some(Boolean));
  });
}

listen();
