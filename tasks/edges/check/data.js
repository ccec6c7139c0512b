// What the page was made with: the rules of every delivery, and this pack.

const RULES = JSON.parse(document.getElementById("rules").textContent);
const PACK = packOf(JSON.parse(document.getElementById("pack").textContent));

/** The pack with its lists as maps. A Map, not an object: an item may be called __proto__. */
function packOf({ items, columns, overlap, answered = {}, ...rest }) {
  const special = new Map(Object.entries(overlap.items));
  const pack = {
    ...rest,
    names: new Map(columns.map((name, n) => [name, n])),
    items: new Map(items.map(([id, ...values]) => [id, values])),
    overlap: special,
    answered: new Map(Object.entries(answered)),
    defaultOverlap: overlap.default,
  };
  pack.annotations = 0;
  for (const id of pack.items.keys()) pack.annotations += special.get(id) ?? overlap.default;
  return pack;
}
