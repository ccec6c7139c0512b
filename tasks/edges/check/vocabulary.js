// Matching a cell to one of the words it may hold: exactly, or by a change that loses nothing, and never by a guess.

class Vocabulary {
  constructor(words) {
    this.words = new Set(words);
    this.typos = new Map();
  }

  /** {word, warning} that a cell is, and what had to be left out to see it; null when it is none of the words. */
  find(cell) {
    if (this.words.has(cell)) return { word: cell, warning: null };
    const trimmed = trim(cell);
    if (this.words.has(trimmed)) return { word: trimmed, warning: "W_TRIMMED" };
    const composed = isAscii(trimmed) ? null : this.composed().get(normal("NFC", trimmed));
    if (composed) return { word: composed, warning: "W_NORMALISED" };
    // The pack itself writes '=x for =x: the one spelling that we added, so that we can take it away.
    const plain = original(trimmed);
    return this.words.has(plain) ? { word: plain, warning: null } : null;
  }

  /** The one word that differs in case, spaces, quotes or invisible characters only, else "". */
  near(cell) {
    return isLongerThan(cell, RULES.limits.fold) ? "" : this.folded().get(fold(cell)) || "";
  }

  /** The one word a single slip of the key away, when no other word is anywhere near, else "". */
  typoOf(cell) {
    if (!this.typos.has(cell) && this.typos.size < RULES.limits.slips) {
      this.typos.set(cell, isLongerThan(cell, RULES.limits.fold) ? "" : this.oneSlip(fold(cell)));
    }
    return this.typos.get(cell) ?? "";
  }

  oneSlip(text) {
    const marks = Array.from(text);
    if (marks.length < 3) return "";
    const isClose = (word) => Math.abs(lengthOf(word) - marks.length) < 3 && edits(Array.from(fold(word)), marks) < 3;
    const close = Array.from(this.words).filter(isClose);
    return close.length === 1 && edits(Array.from(fold(close[0])), marks) < 2 ? close[0] : "";
  }

  composed() {
    const words = () => Array.from(this.words).filter((word) => !isAscii(word));
    this.composedWords ??= indexed(words(), (word) => normal("NFC", word));
    return this.composedWords;
  }

  folded() {
    this.foldedWords ??= indexed(Array.from(this.words), fold);
    return this.foldedWords;
  }
}

/** Each key's word; null where two words share the key, so that neither is preferred. */
function indexed(words, keyOf) {
  const index = new Map();
  for (const word of words) {
    const key = keyOf(word);
    index.set(key, index.has(key) && index.get(key) !== word ? null : word);
  }
  return index;
}

/** How many letters must be added, dropped or changed to turn one word into the other (Levenshtein). */
function edits(one, other) {
  const row = Array.from({ length: other.length + 1 }, (_, n) => n);
  one.forEach((left, i) => {
    let diagonal = row[0];
    row[0] = i + 1;
    other.forEach((right, j) => {
      const changed = diagonal + (left === right ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = Math.min(row[j + 1] + 1, row[j] + 1, changed);
    });
  });
  return row[other.length];
}
