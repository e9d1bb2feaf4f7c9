/* The cells, of which only those in sight are made */

const STEP = 50;
const ORDERED_AXES = axes.filter((axis) => axis.is_ordered).map((axis) => axis.name);
const columns = [...AXES.filter((axis) => levels[axis].length > 1), "status", "seconds", ...metrics];
const isNumber = (column) => column === "seconds" || metrics.includes(column);
const listed = { filters: {}, words: [], column: null, sign: 1, limit: STEP };
const cellTable = byId("cell-table");
const numberIn = (column, i) => (column === "seconds" ? secondsOf(i) : valueOf(column, i));
const keyIn = (column, i) => (isNumber(column) ? numberIn(column, i) : ORDERED_AXES.includes(column) ? Number(level(column, i)) : cells[column][i]);

function contentOf(column, i) {
  if (column === "seconds") return shortSeconds(secondsOf(i));
  if (column === "status") return statusOf(i);
  return metrics.includes(column) ? fixed(valueOf(column, i)) : level(column, i);
}

function rowOf(i) {
  const inRow = columns.map((column, at) => h("td", { className: isNumber(column) ? "number" : "" },
    at ? contentOf(column, i) : h("a", { href: `#record/${cells.key[i]}`, "aria-label": nameOf(i) }, contentOf(column, i))));
  return h("tr", {}, inRow, h("td", { className: "files" }, hasRecord(i) ? filesOf(i) : DASH));
}

function showCells() {
  const wanted = Object.entries(listed.filters);
  const matches = (i) => {
    const text = listed.words.length ? `${nameOf(i)} ${level("status", i)} ${pooled("message", i) ?? ""} ${cells.key[i]}`.toLowerCase() : "";
    return wanted.every(([axis, at]) => cells[axis][i] === at) && listed.words.every((word) => text.includes(word));
  };
  const those = everyCell.filter(matches);
  if (listed.column) those.sort((a, b) => compare(keyIn(listed.column, a), keyIn(listed.column, b), listed.sign));
  const shown = those.slice(0, listed.limit);
  cellTable.tBodies[0].replaceChildren(...shown.map(rowOf));
  byId("more").hidden = shown.length === those.length;
  byId("cell-count").textContent = `${shown.length} of ${those.length} cells shown`;
}

function list(change) {
  Object.assign(listed, { limit: STEP }, change);
  showCells();
}

function selectOf(axis, chosen, onChange) {
  const select = h("select", {}, h("option", { value: "" }, "all"), levels[axis].map((name, at) => h("option", { value: at }, name)));
  select.value = chosen ?? "";
  select.addEventListener("change", () => onChange(select.value === "" ? undefined : Number(select.value)));
  return h("label", {}, `${NAMES[axis]} `, select);
}

function makeCells() {
  const filters = [...AXES, "status"].filter((axis) => levels[axis].length > 1).map((axis) => selectOf(axis, undefined, (at) => {
    const { [axis]: _, ...others } = listed.filters;
    list({ filters: at === undefined ? others : { ...others, [axis]: at } });
  }));
  const words = h("input", { type: "search", placeholder: "any words, or a key" });
  words.addEventListener("input", () => list({ words: words.value.toLowerCase().split(/\s+/).filter(Boolean) }));
  byId("cell-filters").append(...filters, h("label", {}, "Search ", words));
  const heads = columns.map((column) => {
    const button = h("button", { type: "button" }, NAMES[column] ?? column);
    const th = h("th", { scope: "col", className: isNumber(column) ? "number" : "" }, button);
    button.addEventListener("click", () => list({ sign: nextDirection(th), column }));
    return th;
  });
  cellTable.tHead.append(h("tr", {}, heads, h("th", { scope: "col" }, "Files")));
  byId("more").addEventListener("click", () => list({ limit: listed.limit + 4 * STEP }));
  showCells();
}
