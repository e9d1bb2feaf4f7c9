/* The list of methods, ranked by the mean of the chosen metric over what the filters leave */

const SHOWN = 12;
const methodTable = byId("methods");

// A method in one line: what the reader sees in the list is also the legend of the figure.
function summaryOf(m, those) {
  const values = those.filter((i) => valueOf(view.metric, i) !== null);
  const seconds = those.filter(isDone).map(secondsOf);
  return { m, ...estimate(values), lacking: those.length - values.length, n: those.length, seconds: seconds.length ? mean(seconds) : null };
}

function summaries() {
  const those = grouped(everyCell.filter(passes), (i) => methodOf[i]);
  const found = [...those].map(([m, of]) => summaryOf(m, of));
  const most = Math.max(...found.map((one) => one.n));
  for (const one of found) one.isPartial = one.lacking > 0 || one.n < most;
  const { column, sign } = view.order;
  const key = (one) => (column === "name" ? methodName(one.m) : one[column]);
  return found.sort((a, b) => (column === "value" && a.isPartial - b.isPartial) || compare(key(a), key(b), sign));
}

// The ends of the scale: round numbers around all intervals.
function scaleOf(those) {
  const ends = those.flatMap((one) => [one.low ?? one.value, one.high ?? one.value]).filter((value) => value !== null);
  if (!ends.length) return [0, 1];
  const [low, high] = [Math.min(...ends), Math.max(...ends)];
  const step = 10 ** Math.floor(Math.log10(high - low || 0.1));
  const [from, to] = [Math.floor(low / step) * step, Math.ceil(high / step) * step];
  return [low >= 0 ? Math.max(0, from) : from, high <= 1 ? Math.min(1, to) : to];
}

function intervalPicture(one, [from, to]) {
  const place = (value) => `${(100 * (value - from)) / (to - from || 1)}%`;
  const box = h("span", { className: `interval${one.isPartial ? " partial" : ""}`, "aria-hidden": "true" });
  if (one.value === null) return box;
  if (one.low !== null) {
    const line = h("i", {});
    line.style.left = place(one.low);
    line.style.right = `calc(100% - ${place(one.high)})`;
    box.append(line);
  }
  const dot = h("b", {});
  dot.style.left = place(one.value);
  box.append(dot);
  return box;
}

function noteOf(one) {
  if (one.lacking) return `${one.n - one.lacking} of ${one.n} cells`;
  return one.isPartial ? `only ${one.n} cells` : "";
}

function methodRow(one, rank, scale) {
  const box = h("input", { type: "checkbox", checked: view.pair.includes(one.m), "aria-label": `Compare ${methodName(one.m)}` });
  box.addEventListener("change", () => choose({ pair: box.checked ? [...view.pair, one.m].slice(-2) : view.pair.filter((m) => m !== one.m) }));
  const name = h("th", { scope: "row" }, swatch(one.m), h("span", { className: "method" }, arms.length > 1 ? h("small", {}, `${armOf(one.m)} · `) : "", resamplerOf(one.m)));
  const ends = one.low === null ? "" : h("small", {}, `${fixed(one.low, 3)} to ${fixed(one.high, 3)}`);
  const note = noteOf(one);
  const row = h("tr", { className: view.pair.includes(one.m) ? "chosen" : "" },
    h("td", { className: "rank" }, one.isPartial ? "" : rank), name,
    h("td", { className: "picture" }, intervalPicture(one, scale)),
    h("td", { className: "number" }, fixed(one.value), ends, note ? h("small", { className: "lacks" }, note) : ""),
    h("td", { className: "number seconds" }, shortSeconds(one.seconds)), h("td", { className: "pick" }, box));
  for (const [event, isOn] of [["mouseenter", true], ["mouseleave", false], ["focusin", true], ["focusout", false]]) {
    row.addEventListener(event, () => highlight(isOn ? one.m : null));
  }
  return row;
}

function methodHead(scale) {
  const ends = h("span", { className: "ends", "aria-hidden": "true" }, h("i", {}, Number(scale[0].toFixed(4))), h("i", {}, Number(scale[1].toFixed(4))));
  const sortable = [["name", "Method", ""], ["value", view.metric, "number"], ["seconds", "Seconds", "number"]];
  const [name, value, seconds] = sortable.map(([column, text, className]) => {
    const button = h("button", { type: "button" }, text);
    const th = h("th", { scope: "col", className: `${className} ${column}` }, button);
    const { order } = view;
    if (order.column === column) th.setAttribute("aria-sort", order.sign > 0 ? "ascending" : "descending");
    button.addEventListener("click", () => {
      const sign = order.column === column ? -order.sign : column === "value" ? -1 : 1;
      choose({ order: { column, sign } });
      methodTable.querySelector(`th.${column} button`).focus();
    });
    return th;
  });
  return h("tr", {}, h("th", { scope: "col", className: "rank" }, "#"), name, h("td", { className: "picture" }, ends), value, seconds, h("th", { scope: "col", className: "pick" }, "Compare"));
}

function showMethods() {
  const those = summaries();
  const shown = view.all ? those : those.slice(0, SHOWN);
  const scale = scaleOf(shown);
  methodTable.tHead.replaceChildren(methodHead(scale));
  methodTable.tBodies[0].replaceChildren(...shown.map((one, at) => methodRow(one, at + 1, scale)));
  byId("all-methods").hidden = those.length <= SHOWN;
  byId("all-methods").textContent = view.all ? `Show the first ${SHOWN}` : `Show all ${those.length} methods`;
  const of = filterText();
  byId("method-count").textContent = of ? `${those.length} of ${methods.length} methods on ${of}` : "";
  byId("no-filter").hidden = !of;
}

function makeMethods() {
  const filtered = AXES.filter((axis) => axis !== "fold" && levels[axis].length > 1);
  const selects = filtered.map((axis) => selectOf(axis, undefined, (at) => {
    const { [axis]: _, ...others } = view.filters;
    choose({ filters: at === undefined ? others : { ...others, [axis]: at } });
  }));
  byId("controls").prepend(metricSwitch("metric"), ...selects);
  byId("no-filter").addEventListener("click", () => {
    for (const label of selects) label.querySelector("select").value = "";
    choose({ filters: {} });
  });
  byId("all-methods").addEventListener("click", () => choose({ all: !view.all }));
  drawn.push(showMethods);
}
