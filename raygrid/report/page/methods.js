/* The list of methods, ranked by the mean of the chosen metric over what the filters leave */

const SHOWN = 12;
const MOST_LETTERS = 26; // of a name in one line
const methodTable = byId("methods");

// Of the whole grid, the ranking is that of the report; of a part of it, means and intervals are computed here.
function ranked() {
  const known = data.rankings[view.metric];
  if (known && !filterText()) return { ...known, methods: known.methods.map((one) => ({ ...one, m: methodAt.get(one.places.join()) })) };
  const samples = samplesOf(everyCell.filter(passes));
  const found = [...(samples[0]?.columns.keys() ?? [])].map((m) => ({ m, ...estimate(samples, (sample) => [...sample.columns.get(m).values()]) }));
  const best = Math.max(...found.map((one) => one.value));
  const unit = found.length ? `Of what the filters leave: ${samples.map((sample) => `${sample.n} folds of ${levels.dataset[sample.dataset]}`).join(", ")}. Each ± is of one method alone. Which methods are shown to be worse is said of the whole grid only.` : "No level and fold has a value of every method.";
  return { methods: found.map((one) => ({ ...one, behind: one.value - best })), unit, notes: [] };
}

// The methods that have a place in the ranking, and then the others.
function summaries() {
  const { methods: found, unit, notes, tests } = ranked();
  const those = grouped(everyCell.filter(passes), (i) => methodOf[i]);
  const without = [...those.keys()].filter((m) => !found.some((one) => one.m === m)).map((m) => ({ m, value: null, low: null, high: null, behind: null }));
  const { column, sign } = view.order;
  const key = (one) => (column === "name" ? methodName(one.m) : one[column]);
  const withSeconds = [...found, ...without].map((one) => {
    const seconds = those.get(one.m)?.filter(isDone).map(secondsOf) ?? [];
    return { ...one, seconds: seconds.length ? median(seconds) : null };
  });
  const byValue = withSeconds.sort((a, b) => compare(a.value, b.value, -1)).map((one, at) => ({ ...one, rank: one.value === null ? "" : at + 1 }));
  return { unit, notes, tests, methods: byValue.sort((a, b) => compare(key(a), key(b), sign)) };
}

// Where all values are shares, an interval ends at 0 and 1: no method can be better.
const clamped = (value, areShares) => (areShares ? Math.min(1, Math.max(0, value)) : value);

// The ends of the scale: round numbers around all intervals.
function scaleOf(those) {
  const known = those.filter((one) => one.value !== null);
  if (!known.length) return { from: 0, to: 1, areShares: true };
  const areShares = known.every((one) => one.value >= 0 && one.value <= 1);
  const ends = known.flatMap((one) => [one.low ?? one.value, one.high ?? one.value]).map((value) => clamped(value, areShares));
  const [low, high] = [Math.min(...ends), Math.max(...ends)];
  const step = 10 ** Math.floor(Math.log10(high - low || 0.1));
  return { from: Math.floor(low / step) * step, to: Math.ceil(high / step) * step, areShares };
}

function intervalPicture(one, { from, to, areShares }) {
  const place = (value) => `${(100 * (clamped(value, areShares) - from)) / (to - from || 1)}%`;
  const box = h("span", { className: "interval", "aria-hidden": "true" });
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

// How far behind the best, and whether that is more than chance as far as this design can tell.
function behindOf(one) {
  if (one.behind === null) return [DASH];
  if (one.behind === 0) return ["best"];
  if (one.toldApart !== false) return [signed(one.behind)];
  return [h("span", { "aria-hidden": "true" }, "≈ "), signed(one.behind), h("span", { className: "unseen" }, ", not shown to be worse than the best")];
}

// A long name breaks where its parts end.
const breakable = (text) => text.split(/(?<=[(_=,])/).flatMap((part) => [part, h("wbr")]);

function methodRow(one, scale) {
  const box = h("input", { type: "checkbox", checked: view.pair.includes(one.m), "aria-label": `Compare ${methodName(one.m)}` });
  box.addEventListener("change", () => choose({ pair: box.checked ? [...view.pair, one.m].slice(-2) : view.pair.filter((m) => m !== one.m) }));
  const arm = shortArmOf(one.m) && `${shortArmOf(one.m)} · `;
  const isLong = arm.length + resamplerOf(one.m).length > MOST_LETTERS;
  const name = h("th", { scope: "row" }, swatch(one.m), h("span", { className: isLong ? "method is-long" : "method" }, h("small", {}, breakable(arm)), resamplerOf(one.m)));
  const half = one.low === null ? "" : h("small", { title: `${fixed(one.low)} to ${fixed(one.high)}` }, ` ±${fixed(Math.max(one.high - one.value, one.value - one.low), 3)}`);
  const row = h("tr", { className: view.pair.includes(one.m) ? "chosen" : "" },
    h("td", { className: "rank" }, one.rank), name,
    h("td", { className: "picture" }, intervalPicture(one, scale)),
    h("td", { className: "number value" }, fixed(one.value), half), h("td", { className: "number behind" }, behindOf(one)),
    h("td", { className: "number seconds" }, shortSeconds(one.seconds)), h("td", { className: "pick" }, box));
  for (const [event, isOn] of [["mouseenter", true], ["mouseleave", false], ["focusin", true], ["focusout", false]]) {
    row.addEventListener(event, () => highlight(isOn ? one.m : null));
  }
  return row;
}

function methodHead(scale) {
  const ends = h("span", { className: "ends", "aria-hidden": "true" }, h("i", {}, Number(scale.from.toFixed(4))), h("i", {}, Number(scale.to.toFixed(4))));
  const sortable = [["name", "Method", ""], ["value", `${view.metric} ±95%`, "number"], ["behind", "Behind", "number"], ["seconds", "Seconds", "number"]];
  const [name, ...numbers] = sortable.map(([column, text, className]) => {
    const button = h("button", { type: "button" }, text);
    const th = h("th", { scope: "col", className: `${className} ${column}` }, button);
    const { order } = view;
    if (order.column === column) th.setAttribute("aria-sort", order.sign > 0 ? "ascending" : "descending");
    button.addEventListener("click", () => {
      const sign = order.column === column ? -order.sign : column === "value" || column === "behind" ? -1 : 1;
      choose({ order: { column, sign } });
      methodTable.querySelector(`th.${column} button`).focus();
    });
    return th;
  });
  return h("tr", {}, h("th", { scope: "col", className: "rank" }, "#"), name, h("td", { className: "picture" }, ends), numbers, h("th", { scope: "col", className: "pick" }, "Pick"));
}

function showMethods() {
  const { methods: those, unit, notes, tests } = summaries();
  const shown = view.all ? those : those.slice(0, SHOWN);
  const scale = scaleOf(shown);
  methodTable.tHead.replaceChildren(methodHead(scale));
  methodTable.tBodies[0].replaceChildren(...shown.map((one) => methodRow(one, scale)));
  byId("all-methods").hidden = those.length <= SHOWN;
  byId("all-methods").textContent = view.all ? `Show the first ${SHOWN}` : `Show all ${those.length} methods`;
  const some = shown.some((one) => one.behind && one.toldApart === false);
  byId("ranked-by").textContent = [some ? (tests ? `≈: could not be shown to be worse than the best (${tests}).` : "≈: no test was made.") : "", unit, ...notes.map((note) => `${/^\S+: /.test(note) ? note : note[0].toUpperCase() + note.slice(1)}.`)].join(" ");
  const of = filterText();
  byId("method-count").textContent = of ? `${those.length} of ${methods.length} methods` : "";
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
