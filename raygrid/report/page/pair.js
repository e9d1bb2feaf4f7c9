/* Two methods side by side: paired differences, confusion matrices, images that only one of them recognises */

const MOST_CLASSES = 20; // of a matrix: more cannot be read
const SHOWN_PICTURES = 6; // of each of the two
const matrixView = { dataset: undefined };

const blockKey = (i) => BLOCK_AXES.map((axis) => cells[axis][i]).join();

// The blocks in which both methods have a value, with the difference of the first from the second.
function differences(a, b) {
  const those = everyCell.filter((i) => passes(i) && valueOf(view.metric, i) !== null);
  const ofB = new Map(those.filter((i) => methodOf[i] === b).map((i) => [blockKey(i), i]));
  return those.filter((i) => methodOf[i] === a && ofB.has(blockKey(i)))
    .map((i) => ({ i, other: ofB.get(blockKey(i)), value: valueOf(view.metric, i) - valueOf(view.metric, ofB.get(blockKey(i))) }));
}

// The difference of two methods, in the same folds, with its interval.
function differenceOf(a, b) {
  const samples = samplesOf(everyCell.filter((i) => passes(i) && (methodOf[i] === a || methodOf[i] === b))).filter((sample) => sample.columns.size === 2);
  return estimate(samples, ({ columns }) => [...columns.get(a)].map(([fold, value]) => value - columns.get(b).get(fold)), true);
}

function pairSentence(a, b, found) {
  if (!found.length) return `No block has a value of both by ${view.metric}.`;
  const { value, low, high } = differenceOf(a, b);
  const [above, ties] = [found.filter((one) => one.value > 0).length, found.filter((one) => one.value === 0).length];
  const interval = low === null ? "" : `, 95% interval ${signed(low)} to ${signed(high)} for this pair alone`;
  return `${methodName(a)} minus ${methodName(b)}: ${signed(value)} ${view.metric}${interval}. Higher in ${above} of ${found.length} blocks (data set, imbalance, fold)${ties ? `, equal in ${ties}` : ""}.`;
}

// One line a data set and level: a dot a fold, zero in the middle of the scale.
function differenceTable(found) {
  const most = Math.max(...found.map((one) => Math.abs(one.value)), 1e-9);
  const strata = grouped(found, (one) => [cells.dataset[one.i], cells.imbalance[one.i]].join());
  const rows = [...strata].sort(([, a], [, b]) => cells.dataset[a[0].i] - cells.dataset[b[0].i] || cells.imbalance[a[0].i] - cells.imbalance[b[0].i]).map(([, those]) => {
    const dots = those.map((one) => svg("circle", { cx: 110 + (100 * one.value) / most, cy: 9, r: 3.2, class: one.value > 0 ? "up" : "down" },
      svg("title", {}, document.createTextNode(`fold ${level("fold", one.i)}: ${signed(one.value)}`))));
    const strip = svg("svg", { class: "strip", viewBox: "0 0 220 18", "aria-hidden": "true" }, svg("path", { d: "M10 9H210", class: "rule" }), svg("path", { d: "M110 1V17", class: "zero" }), dots);
    const { i } = those[0];
    return h("tr", {}, h("th", { scope: "row" }, `${phrase("dataset", cells.dataset[i])}, ${phrase("imbalance", cells.imbalance[i])}`), h("td", {}, strip),
      h("td", { className: "number" }, signed(mean(those.map((one) => one.value)))), h("td", { className: "number" }, `${those.filter((one) => one.value > 0).length} of ${those.length}`));
  });
  const head = h("tr", {}, h("th", { scope: "col" }, "Data set, imbalance"), h("th", { scope: "col", className: "picture" }, `A dot a fold; to ±${most.toFixed(3)}`), h("th", { scope: "col", className: "number" }, "Mean"), h("th", { scope: "col", className: "number" }, "Above"));
  return h("table", { className: "differences" }, h("thead", {}, head), h("tbody", {}, rows));
}

/* Confusion matrices: the sum over the folds and levels in which both have a value */

function summed(those) {
  const total = records.confusion[those[0]].map((row) => row.map(() => 0));
  for (const i of those) records.confusion[i].forEach((row, k) => row.forEach((count, j) => { total[k][j] += count; }));
  return total;
}

const recallsOf = (matrix) => matrix.map((row, k) => row[k] / (row.reduce((sum, count) => sum + count, 0) || 1));

function matrices(a, b, found) {
  const datasets = [...new Set(found.map((one) => cells.dataset[one.i]))];
  const at = datasets.includes(matrixView.dataset) ? matrixView.dataset : datasets[0];
  const those = found.filter((one) => cells.dataset[one.i] === at);
  const sums = [summed(those.map((one) => one.i)), summed(those.map((one) => one.other))];
  const names = pooled("class_names", those[0].i);
  const gaps = recallsOf(sums[0]).map((recall, k) => Math.abs(recall - recallsOf(sums[1])[k]));
  const order = names.map((_, k) => k).sort((k, j) => gaps[j] - gaps[k]).slice(0, MOST_CLASSES).sort((k, j) => k - j);
  const select = h("select", {}, datasets.map((dataset) => h("option", { value: dataset }, levels.dataset[dataset])));
  select.value = at;
  select.addEventListener("change", () => { matrixView.dataset = Number(select.value); showPair(); });
  const cut = names.length > MOST_CLASSES ? ` The ${MOST_CLASSES} classes whose recall differs most, of ${names.length}.` : "";
  const boxes = [a, b].map((m, k) => h("div", {}, h("h4", {}, methodName(m)), scroller(`Confusion matrix of ${methodName(m)}`, confusionTable(sums[k], names, order))));
  return h("div", {}, h("h3", {}, "Confusion matrices"), h("p", { className: "tools" }, datasets.length > 1 ? h("label", {}, "Data set ", select) : "",
    `Test samples of ${those.length} blocks together; the colour is the share of the true class.${cut}`), h("div", { className: "side-by-side matrices" }, boxes));
}

/* Images of one fold that only one of the two recognises */

function pictureOf(at, wrong, names) {
  const { pictures, samples, true: labels, predicted } = data.disputed;
  const text = `${names[labels[at]]}, taken for ${names[predicted[wrong][at]]}`;
  return h("li", {}, h("img", { src: pictures[at], alt: text, width: 48, height: 48, title: `sample ${samples[at]}: ${text}` }),
    h("span", { "aria-hidden": "true" }, names[labels[at]]), h("small", { "aria-hidden": "true" }, `not ${names[predicted[wrong][at]]}`));
}

// One of each class before the second of any.
function ofManyClasses(those) {
  const turn = new Map();
  const turnOf = (at) => { const label = data.disputed.true[at]; turn.set(label, (turn.get(label) ?? 0) + 1); return turn.get(label); };
  return those.map((at) => [turnOf(at), at]).sort(([a], [b]) => a - b).map(([, at]) => at);
}

function disputedOf(a, b) {
  const { disputed } = data;
  const place = (m) => disputed?.cells.findIndex((key) => methodOf[indexOf.get(key)] === m) ?? -1;
  const [atA, atB] = [place(a), place(b)];
  const heading = h("h3", {}, "Images that only one recognises");
  if (!disputed) return h("div", {}, heading, h("p", { className: "note" }, "Not here: the images, or the predictions, are not at hand where this report was written. A run, or `raygrid prepare`, puts the images into the cache."));
  if (atA < 0 || atB < 0) return h("div", {}, heading, h("p", { className: "note" }, `One of the two has no result in the fold that images are shown of: ${blockName(indexOf.get(disputed.cells[0]))}.`));
  const names = pooled("class_names", indexOf.get(disputed.cells[0]));
  const rows = [[a, atA, atB], [b, atB, atA]].map(([m, right, wrong]) => {
    const those = disputed.true.map((label, at) => at).filter((at) => disputed.predicted[right][at] === disputed.true[at] && disputed.predicted[wrong][at] !== disputed.true[at]);
    return [h("p", {}, h("strong", {}, `Only ${methodName(m)}: `), `${disputed.only[right][wrong]} test ${disputed.only[right][wrong] === 1 ? "image" : "images"}`), those.length ? h("ul", { className: "pictures" }, ofManyClasses(those).slice(0, SHOWN_PICTURES).map((at) => pictureOf(at, wrong, names))) : ""];
  });
  return h("div", {}, heading, h("p", { className: "note" }, `${blockName(indexOf.get(disputed.cells[0]))}.`), ...rows.flat());
}

function defaultPair() {
  const known = summaries().methods.filter((one) => one.value !== null).map((one) => one.m);
  const [first] = known;
  const base = methods.findIndex((places, m) => armOf(m) === armOf(first ?? 0) && places[2] === data.baseline);
  return [first ?? 0, base >= 0 && base !== first ? base : known[1] ?? 1];
}

function showPair() {
  const missing = defaultPair().filter((m) => !view.pair.includes(m));
  const [a, b] = [...view.pair, ...missing].slice(0, 2);
  const found = differences(a, b);
  const selects = ["First", "Second"].map((name, k) => {
    const select = h("select", { id: `pair-${k}` }, methods.map((_, m) => h("option", { value: m }, methodName(m))));
    select.value = [a, b][k];
    select.addEventListener("change", () => {
      choose({ pair: k ? [a, Number(select.value)] : [Number(select.value), b] });
      byId(`pair-${k}`).focus();
    });
    return h("label", {}, `${name} `, select);
  });
  const of = filterText();
  const parts = found.length ? [h("div", { className: "side-by-side" }, Object.assign(scroller("Paired differences", differenceTable(found)), { className: "scroll tall" }), disputedOf(a, b)), matrices(a, b, found)] : [];
  byId("pair-body").replaceChildren(h("div", { className: "tools" }, selects, of ? `on ${of}` : ""), h("p", {}, a === b ? "These are one method: choose another one." : pairSentence(a, b, found)), ...(a === b ? [] : parts));
}

function makePair() {
  if (methods.length > 1) drawn.push(showPair);
}
