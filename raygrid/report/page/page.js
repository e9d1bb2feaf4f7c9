"use strict";

const data = JSON.parse(document.getElementById("data").textContent);
const { axes, cells, records, levels, metrics, pools } = data;
const AXES = axes.map((axis) => axis.name);
const BLOCK_AXES = AXES.slice(0, 3);
const METHOD_AXES = AXES.slice(3);
const NAMES = { ...Object.fromEntries(axes.map((axis) => [axis.name, axis.heading])), status: "Status" };
const PREFIXES = Object.fromEntries(axes.map((axis) => [axis.name, axis.prefix]));
const NUMBERED_AXES = axes.filter((axis) => axis.is_numbered).map((axis) => axis.name);
const DASH = "—";
const everyCell = cells.key.map((_, i) => i);
const indexOf = new Map(cells.key.map((key, i) => [key, i]));

// Text only ever becomes text: nothing in a record is read as markup.
function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in element) element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children.flat().map((child) => (child instanceof Node ? child : String(child ?? DASH))));
  return element;
}

const level = (axis, i) => levels[axis][cells[axis][i]];
const pooled = (name, i) => (records[name]?.[i] == null ? null : pools[name][records[name][i]]);
const hasRecord = (i) => records.values?.[i] != null;
const valueOf = (metric, i) => (level("status", i) === "done" ? records.values[i][metrics.indexOf(metric)] : null);
const fixed = (value, digits = 4) => (value == null ? DASH : value.toFixed(digits));
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
const phrase = (axis, at) => `${PREFIXES[axis]}${levels[axis][at]}`;
const blockName = (i, but) => BLOCK_AXES.filter((axis) => axis !== but).map((axis) => phrase(axis, cells[axis][i])).join(", ");
const nameOf = (i) => `${blockName(i)}: ${METHOD_AXES.map((axis) => level(axis, i)).join(" · ")}`;
const statusOf = (i) => h("span", { className: `status ${level("status", i)}` }, level("status", i));
const scroller = (label, table) => h("div", { className: "scroll", role: "region", tabIndex: 0, "aria-label": label }, table);

function table(head, rows, className = "") {
  const side = (i) => ({ className: i ? "number" : "" });
  const heads = head.map((name, i) => h("th", { scope: "col", ...side(i) }, name));
  const body = rows.map((row) => h("tr", {}, row.map((content, i) => h("td", side(i), content))));
  return h("table", { className }, h("thead", {}, h("tr", {}, heads)), h("tbody", {}, body));
}

/* Sorting and filtering of the tables that are there from the start */

const keyOf = (cell) => {
  const text = cell.dataset.value ?? cell.textContent.trim();
  const number = Number(text.replace("−", "-").replace(/^[<+]|%$/g, ""));
  return text === "" || text === DASH ? null : Number.isNaN(number) ? text : number;
};

// Ascending; what has no value comes last either way.
function compare(a, b, sign) {
  if (a === null || b === null) return (a === null) - (b === null);
  return sign * (typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), "en", { numeric: true }));
}

// The first click on a column of numbers puts the largest on top, on a column of names the first of the alphabet.
function nextDirection(th) {
  const order = th.classList.contains("number") ? ["descending", "ascending"] : ["ascending", "descending"];
  const direction = th.getAttribute("aria-sort") === order[0] ? order[1] : order[0];
  for (const other of th.parentNode.children) other.removeAttribute("aria-sort");
  th.setAttribute("aria-sort", direction);
  return direction === "ascending" ? 1 : -1;
}

function makeSortable(sorted) {
  const heads = [...sorted.tHead.rows].at(-1).cells;
  const body = sorted.tBodies[0];
  for (const th of heads) {
    th.querySelector("button").addEventListener("click", () => {
      const sign = nextDirection(th);
      const rows = [...body.rows].map((row) => [keyOf(row.cells[th.cellIndex]), row]);
      rows.sort(([a], [b]) => compare(a, b, sign));
      for (const [, row] of rows) {
        row.classList.remove("rule"); // it divides metrics only in the order of the report
        body.append(row);
      }
    });
  }
}

function makeFilterable(box) {
  const input = box.querySelector(".filter");
  input?.addEventListener("input", () => {
    const words = input.value.toLowerCase().split(/\s+/);
    const rows = [...box.querySelectorAll("tbody tr")];
    for (const row of rows) row.hidden = !words.every((word) => row.textContent.toLowerCase().includes(word));
    const shown = rows.filter((row) => !row.hidden).length;
    box.querySelector("output").textContent = shown < rows.length ? `${shown} of ${rows.length} rows` : "";
  });
}

/* The panel: the folds of a number, or a record; its address says which */

const panel = document.getElementById("panel");
let number = null; // the address of the number that the reader came from

function show(title, ...content) {
  document.getElementById("panel-title").textContent = title;
  document.getElementById("panel-body").replaceChildren(...content);
  if (!panel.open) panel.showModal();
  panel.scrollTop = 0;
  document.getElementById("panel-title").focus();
}

function foldsOf(t, r, c) {
  const row = data.tables[t].rows[r];
  const wanted = Object.entries({ ...row.levels, ...data.tables[t].columns[c] });
  const those = everyCell.filter((i) => wanted.every(([axis, at]) => cells[axis][i] === at));
  const folds = new Map();
  for (const i of those) folds.set(level("fold", i), [...(folds.get(level("fold", i)) ?? []), i]);
  return { row, wanted, folds: [...folds].sort(([a], [b]) => a - b) };
}

function showNumber(t, r, c) {
  const { row, wanted, folds } = foldsOf(t, r, c);
  const body = folds.flatMap(([fold, those]) => {
    const values = those.map((i) => valueOf(row.metric, i)).filter((value) => value !== null);
    const summary = values.length === those.length ? `mean ${fixed(mean(values))}` : `${values.length} of ${those.length} cells have a value`;
    const lines = those.map((i) => h("tr", {},
      h("td", {}, h("a", { href: `#record/${cells.key[i]}` }, blockName(i, "fold"))),
      h("td", {}, statusOf(i)), h("td", { className: "number" }, fixed(valueOf(row.metric, i)))));
    return [h("tr", { className: "fold" }, h("th", { colSpan: 3, scope: "colgroup" }, `Fold ${fold}: ${summary}`)), ...lines];
  });
  const place = wanted.map(([axis, at]) => phrase(axis, at)).join(" · ");
  const notes = row.notes[c] ? [h("p", { className: "note" }, row.notes[c])] : [];
  const head = h("thead", {}, h("tr", {}, ["Cell", "Status", row.metric].map((name, i) => h("th", { scope: "col", className: i === 2 ? "number" : "" }, name))));
  const empty = folds.length ? [] : [h("p", {}, "The grid declares no cell here.")];
  show(`${row.metric}: ${place}`, ...notes, ...empty, scroller("Folds", h("table", {}, head, h("tbody", {}, body))));
}

function classes(i) {
  const [names, order] = [pooled("class_names", i), pooled("class_order", i)];
  const [resampled, confusion] = [pooled("resampled", i), records.confusion[i]];
  const recall = order.map((k) => confusion[k][k] / records.test[i][k]);
  const rows = order.map((k, rank) => [names[k], records.train[i][k], resampled[k], records.test[i][k], fixed(recall[rank])]);
  return table(["Class, the largest first", "Train", "Resampled", "Test", "Recall"], rows);
}

function confusionTable(i) {
  const [names, order, matrix] = [pooled("class_names", i), pooled("class_order", i), records.confusion[i]];
  const rows = order.map((k) => [names[k], ...order.map((j) => matrix[k][j])]);
  const made = table(["True \\ predicted", ...order.map((k) => names[k])], rows, "confusion");
  order.forEach((k, row) => order.forEach((j, column) => {
    const share = Math.round(70 * Math.sqrt(matrix[k][j] / records.test[i][k]) || 0);
    made.tBodies[0].rows[row].cells[column + 1].style.background = `color-mix(in srgb, var(--done) ${share}%, transparent)`;
  }));
  return made;
}

const definitions = (pairs) => h("dl", {}, pairs.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));
const details = (title, text) => h("details", {}, h("summary", {}, title), h("pre", {}, text));

function showRecord(key) {
  const i = indexOf.get(key);
  if (i === undefined) return show("No such cell", h("p", {}, `The grid has no cell ${key}.`));
  const parts = number ? [h("p", {}, h("a", { href: number }, "← All folds of the number"))] : [];
  parts.push(h("p", {}, "Status: ", statusOf(i)));
  if (!hasRecord(i)) return show(nameOf(i), ...parts, h("p", {}, `There is no record of this cell (${key}) yet.`));
  if (pooled("message", i)) parts.push(h("pre", { className: "message" }, pooled("message", i)));
  if (pooled("traceback", i)) parts.push(Object.assign(details("Traceback", pooled("traceback", i)), { open: true }));
  if (level("status", i) === "done") {
    parts.push(definitions(metrics.map((metric) => [metric, fixed(valueOf(metric, i))])));
    parts.push(h("h3", {}, "Classes"), scroller("Classes", classes(i)));
    parts.push(h("h3", {}, "Confusion matrix"), h("p", { className: "note" }, "Test samples; classes from the largest to the smallest."), scroller("Confusion matrix", confusionTable(i)));
  }
  const seconds = Object.entries(records.seconds[i]).map(([stage, value]) => `${stage} ${value} s`).join(", ");
  const versions = Object.entries(pooled("versions", i)).map((pair) => pair.join(" ")).join(", ");
  parts.push(h("h3", {}, "Cost and origin"), definitions([
    ["Seconds by stage", seconds || DASH], ["Peak memory", `${fixed(records.peak_memory_mb[i], 0)} MB`],
    ["Finished", records.finished_at[i]], ["Versions", versions], ["Record", `records/${key}.json`],
  ]));
  parts.push(details(`Log (${pooled("log", i).length})`, pooled("log", i).join("\n") || "No warnings."));
  parts.push(details("Parameters", JSON.stringify(pooled("parameters", i), null, 1)));
  return show(nameOf(i), ...parts);
}

function route() {
  const [kind, ...parts] = location.hash.slice(1).split("/");
  if (kind === "number" && data.tables[parts[0]]?.rows[parts[1]] && data.tables[parts[0]].columns[parts[2]]) {
    number = location.hash;
    showNumber(...parts);
  } else if (kind === "record") showRecord(parts[0]);
  else if (panel.open) panel.close();
}

panel.addEventListener("close", () => {
  number = null;
  if (/^#(number|record)\//.test(location.hash)) history.pushState(null, "", location.pathname + location.search);
});
panel.addEventListener("click", (event) => event.target === panel && panel.close());
document.getElementById("close").addEventListener("click", () => panel.close());
window.addEventListener("hashchange", route);

/* The cells, of which only those in sight are made */

const STEP = 50;
const columns = [...AXES.filter((axis) => levels[axis].length > 1), "status", ...metrics];
const chosen = { filters: {}, words: [], column: null, sign: 1, limit: STEP };
const cellTable = document.getElementById("cell-table");
const keyIn = (column, i) => (metrics.includes(column) ? valueOf(column, i) : NUMBERED_AXES.includes(column) ? Number(level(column, i)) : cells[column][i]);

function showCells() {
  const wanted = Object.entries(chosen.filters);
  const matches = (i) => {
    const text = chosen.words.length ? `${nameOf(i)} ${level("status", i)} ${pooled("message", i) ?? ""} ${cells.key[i]}`.toLowerCase() : "";
    return wanted.every(([axis, at]) => cells[axis][i] === at) && chosen.words.every((word) => text.includes(word));
  };
  const those = everyCell.filter(matches);
  if (chosen.column) those.sort((a, b) => compare(keyIn(chosen.column, a), keyIn(chosen.column, b), chosen.sign));
  const shown = those.slice(0, chosen.limit);
  const content = (column, i) => (metrics.includes(column) ? fixed(valueOf(column, i)) : column === "status" ? statusOf(i) : level(column, i));
  cellTable.tBodies[0].replaceChildren(...shown.map((i) => h("tr", {}, columns.map((column, at) =>
    h("td", { className: metrics.includes(column) ? "number" : "" }, at ? content(column, i) : h("a", { href: `#record/${cells.key[i]}`, "aria-label": nameOf(i) }, content(column, i)))))));
  document.getElementById("more").hidden = shown.length === those.length;
  document.getElementById("cell-count").textContent = `${shown.length} of ${those.length} cells shown`;
}

function changed(change) {
  Object.assign(chosen, { limit: STEP }, change);
  showCells();
}

function makeCells() {
  const filters = [...AXES, "status"].filter((axis) => levels[axis].length > 1).map((axis) => {
    const select = h("select", {}, h("option", { value: "" }, "all"), levels[axis].map((name, at) => h("option", { value: at }, name)));
    select.addEventListener("change", () => {
      const { [axis]: _, ...others } = chosen.filters;
      changed({ filters: select.value === "" ? others : { ...others, [axis]: Number(select.value) } });
    });
    return h("label", {}, `${NAMES[axis]} `, select);
  });
  const words = h("input", { type: "search", placeholder: "any words" });
  words.addEventListener("input", () => changed({ words: words.value.toLowerCase().split(/\s+/).filter(Boolean) }));
  document.getElementById("cell-filters").append(...filters, h("label", {}, "Text ", words));
  cellTable.tHead.append(h("tr", {}, columns.map((column) => {
    const button = h("button", { type: "button" }, NAMES[column] ?? column);
    const th = h("th", { scope: "col", className: metrics.includes(column) ? "number" : "" }, button);
    button.addEventListener("click", () => changed({ sign: nextDirection(th), column }));
    return th;
  })));
  document.getElementById("more").addEventListener("click", () => changed({ limit: chosen.limit + 4 * STEP }));
  showCells();
}

/* At the start */

for (const sortable of document.querySelectorAll(".sortable")) makeSortable(sortable);
for (const box of document.querySelectorAll(".table")) makeFilterable(box);
for (const span of document.querySelectorAll("[data-share]")) span.style.flexGrow = span.dataset.share;
window.addEventListener("beforeprint", () => document.querySelectorAll("main details").forEach((one) => { one.open = true; }));
const refresh = Number(document.body.dataset.refreshS);
if (refresh) setInterval(() => panel.open || document.activeElement.matches("input, select") || location.reload(), 1000 * refresh);
makeCells();
route();
