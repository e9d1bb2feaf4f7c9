"use strict";

/* The data of the page, and the few words that all of its parts use */

const data = JSON.parse(document.getElementById("data").textContent);
const { axes, cells, records, levels, metrics, pools } = data;
const AXES = axes.map((axis) => axis.name);
const BLOCK_AXES = AXES.slice(0, 3);
const METHOD_AXES = AXES.slice(3);
const NAMES = { ...Object.fromEntries(axes.map((axis) => [axis.name, axis.heading])), status: "Status", seconds: "Seconds" };
const PREFIXES = Object.fromEntries(axes.map((axis) => [axis.name, axis.prefix]));
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

function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children.flat());
  return element;
}

const byId = (id) => document.getElementById(id);
const level = (axis, i) => levels[axis][cells[axis][i]];
const pooled = (name, i) => (records[name]?.[i] == null ? null : pools[name][records[name][i]]);
const hasRecord = (i) => records.values?.[i] != null;
const isDone = (i) => level("status", i) === "done";
const valueOf = (metric, i) => (isDone(i) ? records.values[i][metrics.indexOf(metric)] : null);
const secondsOf = (i) => (hasRecord(i) ? Object.values(records.seconds[i]).reduce((sum, value) => sum + value, 0) : null);
const fixed = (value, digits = 4) => (value == null ? DASH : value.toFixed(digits));
const signed = (value) => (value == null ? DASH : (value < 0 ? "−" : "+") + Math.abs(value).toFixed(4));
const shortSeconds = (value) => (value == null ? DASH : value >= 100 ? value.toFixed(0) : value.toPrecision(3));
const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
};
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
const phrase = (axis, at) => `${PREFIXES[axis]}${levels[axis][at]}`;
const blockName = (i, but) => BLOCK_AXES.filter((axis) => axis !== but).map((axis) => phrase(axis, cells[axis][i])).join(", ");
const nameOf = (i) => `${blockName(i)}: ${METHOD_AXES.map((axis) => level(axis, i)).join(" · ")}`;
const statusOf = (i) => h("span", { className: `status ${level("status", i)}` }, level("status", i));
const scroller = (label, table) => watched(h("div", { className: "scroll", role: "region", tabIndex: 0, "aria-label": label }, table));

function grouped(items, keyOf) {
  const groups = new Map();
  for (const item of items) {
    const key = keyOf(item);
    if (groups.has(key)) groups.get(key).push(item);
    else groups.set(key, [item]);
  }
  return groups;
}

function table(head, rows, className = "") {
  const side = (i) => ({ className: i ? "number" : "" });
  const heads = head.map((name, i) => h("th", { scope: "col", ...side(i) }, name));
  const body = rows.map((row) => h("tr", {}, row.map((content, i) => h("td", side(i), content))));
  return h("table", { className }, h("thead", {}, h("tr", {}, heads)), h("tbody", {}, body));
}

// A box that is cut says so: its edge fades, and a line below it tells that there is more.
const resized = new ResizeObserver((entries) => entries.forEach((entry) => markCut(entry.target)));

function markCut(box) {
  const isCut = box.scrollLeft + box.clientWidth < box.scrollWidth - 2;
  box.classList.toggle("is-cut", isCut);
  if (isCut && box.matches(".scroll") && !box.nextElementSibling?.matches(".cut-hint")) box.after(h("p", { className: "cut-hint", "aria-hidden": "true" }, "scroll for more →"));
}

function watched(box) {
  box.addEventListener("scroll", () => markCut(box), { passive: true });
  resized.observe(box);
  return box;
}

/* What a method is: a representation, a classifier and a resampler */

const methodKeys = everyCell.map((i) => METHOD_AXES.map((axis) => cells[axis][i]).join());
const methods = [...new Set(methodKeys)].map((key) => key.split(",").map(Number));
const methodAt = new Map(methods.map((places, m) => [places.join(), m]));
const methodOf = methodKeys.map((key) => methodAt.get(key));
const armOf = (m) => METHOD_AXES.slice(0, 2).map((axis, k) => levels[axis][methods[m][k]]).join(" · ");
const resamplerOf = (m) => levels.resampler[methods[m][2]];
const methodName = (m) => `${armOf(m)} · ${resamplerOf(m)}`;
// Of the arm, what differs between methods: the rest goes without saying in a list of them.
const VARIED = [0, 1].filter((k) => new Set(methods.map((places) => places[k])).size > 1);
const shortArmOf = (m) => VARIED.map((k) => levels[METHOD_AXES[k]][methods[m][k]]).join(" · ");
const arms = [...new Set(methods.map((_, m) => armOf(m)))];

/* What the reader has chosen: all that depends on it is drawn again when it changes */

const view = { metric: metrics[0], filters: {}, figure: null, pair: [], order: { column: "value", sign: -1 }, all: false };
const drawn = [];

function choose(change) {
  Object.assign(view, change);
  for (const draw of drawn) draw();
}

const passes = (i) => Object.entries(view.filters).every(([axis, at]) => cells[axis][i] === at);
const filterText = () => Object.entries(view.filters).map(([axis, at]) => phrase(axis, at)).join(", ");
