/* The figure beside the list: a panel a data set, a line a method; drawn again when metric or filters change */

const COLOURS = ["var(--ink)", "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"];
const DASHES = ["", "5 3", "1.5 2.5", "7 2 1.5 2", "10 3"];
const SHAPES = ["M-3 0a3 3 0 1 0 6 0a3 3 0 1 0 -6 0", "M-3 -3h6v6h-6z", "M0 -3.6L3.4 2.8H-3.4z", "M0 3.6L3.4 -2.8H-3.4z", "M0 -4L4 0L0 4L-4 0z"];
const MARGINS = { left: 40, right: 8, top: 22, bottom: 34 };
const MOST_NAMES = 20; // upright, below a panel
const LONGEST_NAME = 16; // letters
const SIZES = [[560, 330], [275, 230], [275, 185]]; // of one panel, of each of two, of each of more
const lookOf = (m) => {
  const [k, arm] = [methods[m][2], arms.indexOf(armOf(m))];
  return { colour: COLOURS[k % COLOURS.length], shape: SHAPES[k % SHAPES.length], dash: DASHES[arm % DASHES.length] };
};

const mark = ({ colour, shape }, x, y) => svg("path", { d: shape, transform: `translate(${x} ${y})`, stroke: colour, fill: colour });

function swatch(m) {
  const { colour, dash } = lookOf(m);
  return svg("svg", { class: "swatch", viewBox: "-14 -6 28 12", "aria-hidden": "true" },
    svg("path", { d: "M-14 0H14", stroke: colour, "stroke-dasharray": dash, "stroke-width": 1.6, fill: "none" }), mark(lookOf(m), 0, 0));
}

function ticksOf([low, high]) {
  const rough = (high - low) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((k) => k * power).find((one) => one >= rough * 0.999);
  const ticks = [];
  for (let at = Math.ceil(low / step - 1e-9) * step; at <= high + step * 1e-9; at += step) ticks.push(Number(at.toFixed(10)));
  return ticks;
}

// The range of the values and a little more, within what a metric can be.
function rangeOf(values) {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const space = (high - low) * 0.06 || 0.02;
  return [low >= 0 ? Math.max(0, low - space) : low - space, high <= 1 ? Math.min(1, high + space) : high + space];
}

function panelOf({ title, lines, ticks, xLabel, yLabel, areNames = false }, _, all) {
  const { left, right, top } = MARGINS;
  const isNarrow = matchMedia("(max-width: 40rem)").matches;
  const [width, flat] = SIZES[isNarrow ? 1 : Math.min(all.length, SIZES.length) - 1];
  const isUpright = areNames && thinned(ticks, width).length < ticks.length; // names that have no room side by side
  const room = isUpright ? 6 * Math.max(...ticks.map(([, text]) => text.length)) : 0;
  const [bottom, height] = [MARGINS.bottom + room, flat + room];
  const range = rangeOf(lines.flatMap((line) => line.points.flatMap((point) => point.ends ?? [point.y])));
  const x = (at) => left + 8 + at * (width - left - right - 16);
  const y = (value) => top + (1 - (value - range[0]) / (range[1] - range[0])) * (height - top - bottom);
  const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `${title}: ${yLabel} against ${xLabel}` });
  const words = (text, attributes) => svg("text", attributes, document.createTextNode(text));
  for (const tick of ticksOf(range)) {
    picture.append(svg("path", { class: "rule", d: `M${left} ${y(tick)}H${width - right}` }), words(tick, { x: left - 5, y: y(tick) + 3.5, "text-anchor": "end" }));
  }
  for (const [at, text] of isUpright ? ticks.filter((_, k) => k % Math.ceil(ticks.length / MOST_NAMES) === 0) : thinned(ticks, width)) {
    const place = [x(at) + (isUpright ? 4 : 0), height - bottom + (isUpright ? 8 : 14)];
    picture.append(words(text, { x: place[0], y: place[1], ...(isUpright ? { "text-anchor": "end", transform: `rotate(-90 ${place.join(" ")})` } : { "text-anchor": "middle" }) }));
  }
  picture.append(words(title, { class: "title", x: left, y: 12 }), words(yLabel, { class: "label", x: width - right, y: 12, "text-anchor": "end" }), words(xLabel, { x: (left + width - right) / 2, y: height - 4, "text-anchor": "middle", class: "label" }));
  for (const { m, name = methodName(m), look = lookOf(m), points } of lines) {
    const { colour, dash } = look;
    const group = svg("g", { "data-m": m ?? "" }, svg("title", {}, document.createTextNode(name)));
    if (points.length > 1) group.append(svg("polyline", { points: points.map((point) => `${x(point.x)},${y(point.y)}`).join(" "), stroke: colour, "stroke-dasharray": dash }));
    for (const point of points) {
      if (point.ends) group.append(svg("path", { d: `M${x(point.x)} ${y(point.ends[0])}V${y(point.ends[1])}`, stroke: colour }));
      if (look.shape) group.append(mark(look, x(point.x), y(point.y)));
    }
    picture.append(group);
  }
  return picture;
}

// Labels that would run into the one before are left out.
function thinned(ticks, width) {
  const kept = [];
  for (const tick of ticks) if (!kept.length || (tick[0] - kept.at(-1)[0]) * width >= 6 * (String(tick[1]).length + 2)) kept.push(tick);
  return kept;
}

// Loss and AvAcc of a training by epoch: faint of the training part, strong of the validation part.
function curvesOf(key) {
  const curves = data.curves[key];
  if (!curves) return [];
  const panels = ["loss", "AvAcc"].map((measure) => {
    const parts = ["train", "validation"].filter((part) => curves[part][measure]?.some((value) => value !== null));
    const n = Math.max(...parts.map((part) => curves[part][measure].length), 0);
    const place = (epoch) => (n > 1 ? epoch / (n - 1) : 0.5);
    const lines = parts.map((part) => ({
      name: part, look: { colour: part === "train" ? "var(--muted)" : "var(--done)", dash: part === "train" ? "4 2" : "" },
      points: curves[part][measure].map((y, epoch) => ({ x: place(epoch), y })).filter((point) => point.y !== null),
    }));
    return { title: measure, lines, xLabel: "Epoch", yLabel: parts.join(" (dashed), "), ticks: Array.from({ length: n }, (_, epoch) => [place(epoch), epoch + 1]) };
  });
  return [h("h3", {}, "Curves"), h("p", { className: "note" }, `The weights are those after epoch ${curves.kept}.`), h("div", { className: "chart" }, panels.filter((panel) => panel.lines.length).map(panelOf))];
}

function highlight(m) {
  byId("chart").classList.toggle("has-one", m !== null);
  for (const group of byId("chart").querySelectorAll("[data-m]")) group.classList.toggle("is-on", Number(group.dataset.m) === m);
}

/* What the figure can show */

const CHARTS = {
  imbalance: { title: "Against imbalance", about: () => "Means over the folds of a data set; a bar reaches one standard deviation over these folds up and down, but not beyond what the metric can be.", panels: againstImbalance },
  classes: { title: "Recall of each class", about: () => `Mean recall over folds and levels${areAllNamed() ? ", from the class with most training images to that with fewest" : "; where folds order classes anew, class 1 is the one that has most training images in its fold"}.`, panels: recallByClass },
  seconds: { title: "Against time", about: () => "Each point is a method; the median of the seconds of its trials, without what trials share, on a logarithmic scale.", panels: againstTime },
};

// Where each level lies from 0 to 1: by the logarithm of its ratio, or side by side where ratios do not tell.
function placesOf(those) {
  const ratios = those.map((at) => data.ratios[at]);
  const isLog = ratios.every((ratio, k) => ratio > 0 && (k === 0 || ratio > ratios[k - 1]));
  if (those.length === 1) return [0.5];
  if (!isLog) return those.map((_, k) => k / (those.length - 1));
  const [first, last] = [Math.log(ratios[0]), Math.log(ratios.at(-1))];
  return ratios.map((ratio) => (Math.log(ratio) - first) / (last - first));
}

function pointOf(x, values) {
  const y = mean(values);
  const deviation = values.length > 1 ? Math.sqrt(values.reduce((sum, value) => sum + (value - y) ** 2, 0) / (values.length - 1)) : 0;
  return { x, y, ends: deviation ? [within(y - deviation), within(y + deviation)] : null };
}

function byDataset(linesOf, shared) {
  const those = grouped(everyCell.filter((i) => passes(i) && valueOf(view.metric, i) !== null), (i) => cells.dataset[i]);
  return [...those].map(([dataset, of]) => ({ title: levels.dataset[dataset], ...shared(of), lines: [...grouped(of, (i) => methodOf[i])].map(([m, cellsOf]) => ({ m, points: linesOf(cellsOf, of) })) }));
}

function againstImbalance() {
  const used = (of) => [...new Set(of.map((i) => cells.imbalance[i]))].sort((a, b) => a - b);
  return byDataset((of, all) => {
    const [those, places] = [used(all), placesOf(used(all))];
    return [...grouped(of, (i) => cells.imbalance[i])].sort(([a], [b]) => a - b).map(([at, some]) => pointOf(places[those.indexOf(at)], some.map((i) => valueOf(view.metric, i))));
  }, (of) => ({ xLabel: NAMES.imbalance, yLabel: view.metric, ticks: placesOf(used(of)).map((place, k) => [place, levels.imbalance[used(of)[k]]]) }));
}

// The classes from the largest to the smallest, if every fold has them in the same order.
function namesInOrder(of) {
  const orders = new Map(of.map((i) => pooled("class_order", i).map((k) => pooled("class_names", i)[k])).map((names) => [JSON.stringify(names), names]));
  return orders.size === 1 ? [...orders.values()][0].map((name) => (name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME - 1)}…` : name)) : null;
}

const areAllNamed = () => [...grouped(everyCell.filter((i) => passes(i) && isDone(i)), (i) => cells.dataset[i]).values()].every(namesInOrder);

function recallByClass() {
  const rankOf = (k, n) => (n > 1 ? k / (n - 1) : 0.5);
  return byDataset((of) => {
    const recalls = of.map((i) => pooled("class_order", i).map((k) => (records.test[i][k] ? records.confusion[i][k][k] / records.test[i][k] : null)));
    return recalls[0].map((_, rank) => {
      const known = recalls.map((one) => one[rank]).filter((value) => value != null);
      return known.length ? { x: rankOf(rank, recalls[0].length), y: mean(known) } : null;
    }).filter(Boolean);
  }, (of) => {
    const n = pooled("class_order", of[0]).length;
    const names = namesInOrder(of);
    return { xLabel: "Class, the largest first", yLabel: "Recall", areNames: names !== null, ticks: Array.from({ length: n }, (_, k) => [rankOf(k, n), names?.[k] ?? k + 1]) };
  });
}

function againstTime() {
  const logs = everyCell.filter((i) => passes(i) && isDone(i)).map((i) => Math.log10(secondsOf(i) || 0.001));
  const [low, high] = [Math.floor(Math.min(...logs)), Math.ceil(Math.max(...logs) + 0.001)];
  const place = (seconds) => (Math.log10(seconds || 0.001) - low) / (high - low);
  const ticks = Array.from({ length: high - low + 1 }, (_, k) => [k / (high - low), 10 ** (low + k) >= 1 ? 10 ** (low + k) : (10 ** (low + k)).toPrecision(1)]);
  return byDataset((of) => [{ x: place(median(of.map(secondsOf))), y: mean(of.map((i) => valueOf(view.metric, i))) }], () => ({ xLabel: "Seconds of a trial", yLabel: view.metric, ticks }));
}

function showChart() {
  const available = Object.keys(CHARTS).filter((name) => name !== "imbalance" || new Set(everyCell.filter(passes).map((i) => cells.imbalance[i])).size > 1);
  const name = available.includes(view.figure) ? view.figure : available[0];
  for (const radio of document.querySelectorAll("[name=chart]")) Object.assign(radio, { checked: radio.value === name, disabled: !available.includes(radio.value) });
  const panels = CHARTS[name].panels();
  byId("chart").replaceChildren(...(panels.length ? panels.map(panelOf) : [h("p", { className: "note" }, "No cell has a value.")]));
  byId("chart-note").textContent = CHARTS[name].about();
}

function makeChart() {
  const radios = Object.entries(CHARTS).map(([name, { title }]) => {
    const radio = h("input", { type: "radio", name: "chart", value: name });
    radio.addEventListener("change", () => choose({ figure: name }));
    return h("label", {}, radio, h("span", {}, title));
  });
  byId("chart-switch").append(h("legend", {}, "Figure"), ...radios);
  drawn.push(showChart);
}
