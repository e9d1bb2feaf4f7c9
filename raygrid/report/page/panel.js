/* The panel: the folds of a number, or a record; its address says which */

const panel = byId("panel");
let number = null; // the address of the number that the reader came from

function show(title, ...content) {
  byId("panel-title").textContent = title;
  byId("panel-body").replaceChildren(...content);
  if (!panel.open) panel.showModal();
  panel.scrollTop = 0;
  byId("panel-title").focus();
}

function foldsOf(t, r, c) {
  const row = data.tables[t].rows[r];
  const wanted = Object.entries({ ...row.levels, ...data.tables[t].columns[c] });
  const those = everyCell.filter((i) => wanted.every(([axis, at]) => cells[axis][i] === at));
  return { row, wanted, folds: [...grouped(those, (i) => level("fold", i))].sort(([a], [b]) => a - b) };
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
  const recall = order.map((k) => (records.test[i][k] ? confusion[k][k] / records.test[i][k] : null));
  const rows = order.map((k, rank) => [names[k], records.train[i][k], resampled[k], records.test[i][k], fixed(recall[rank])]);
  return table(["Class, the largest first", "Train", "Resampled", "Test", "Recall"], rows);
}

// Rows are true classes; the colour is linear in the share of the row.
function confusionTable(matrix, names, order = names.map((_, k) => k)) {
  const rows = order.map((k) => [names[k], ...order.map((j) => matrix[k][j])]);
  const made = table(["True \\ predicted", ...order.map((k) => names[k])], rows, names.some((name) => name.length > 3) ? "confusion is-turned" : "confusion");
  order.forEach((k, row) => order.forEach((j, column) => {
    const share = matrix[k][j] / matrix[k].reduce((sum, count) => sum + count, 0) || 0;
    made.tBodies[0].rows[row].cells[column + 1].style.setProperty("--share", `${Math.round(60 * share)}%`);
  }));
  return made;
}

const definitions = (pairs) => h("dl", {}, pairs.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));
const details = (title, text) => h("details", {}, h("summary", {}, title), h("pre", {}, text));

// A store on this machine is linked to; of one at a URL, the name of the file is shown.
function filesOf(i) {
  const names = [["record", "records", ".json"], ...Object.entries(data.kinds).filter((_, k) => cells.files[i] & (1 << k)).map(([kind, where]) => [kind, ...where])];
  const root = pools.stores[cells.store[i]];
  return names.map(([kind, folder, suffix]) => {
    const name = `${folder}/${cells.key[i]}${suffix}`;
    return root == null ? h("code", {}, name) : h("a", { href: `${root}/${name}`, "aria-label": `${kind} of ${nameOf(i)}` }, kind);
  });
}

function showRecord(key) {
  const i = indexOf.get(key);
  if (i === undefined) return show("No such cell", h("p", {}, `The grid has no cell ${key}.`));
  const parts = number ? [h("p", {}, h("a", { href: number }, "← All folds of the number"))] : [];
  parts.push(h("p", {}, "Status: ", statusOf(i)));
  if (!hasRecord(i)) return show(nameOf(i), ...parts, h("p", {}, `There is no record of this cell (${key}) yet.`));
  if (pooled("message", i)) parts.push(h("pre", { className: "message" }, pooled("message", i)));
  if (pooled("traceback", i)) parts.push(Object.assign(details("Traceback", pooled("traceback", i)), { open: true }));
  if (isDone(i)) {
    const [names, order] = [pooled("class_names", i), pooled("class_order", i)];
    parts.push(definitions(metrics.map((metric) => [metric, fixed(valueOf(metric, i))])));
    parts.push(h("h3", {}, "Classes"), scroller("Classes", classes(i)));
    parts.push(h("h3", {}, "Confusion matrix"), h("p", { className: "note" }, "Test samples; classes from the largest to the smallest."), scroller("Confusion matrix", confusionTable(records.confusion[i], names, order)));
  }
  parts.push(...curvesOf(key));
  const seconds = Object.entries(records.seconds[i]).map(([stage, value]) => `${stage} ${value} s`).join(", ");
  const versions = Object.entries(pooled("versions", i)).map((pair) => pair.join(" ")).join(", ");
  parts.push(h("h3", {}, "Cost and origin"), definitions([
    ["Seconds by stage", seconds || DASH], ["Peak memory", `${fixed(records.peak_memory_mb[i], 0)} MB`],
    ["Finished", records.finished_at[i]], ["Versions", versions], ["Cell", key], ["Files", h("span", { className: "files" }, filesOf(i))],
  ]));
  parts.push(details(`Warnings (${pooled("log", i).length})`, pooled("log", i).join("\n") || "No warnings."));
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
byId("close").addEventListener("click", () => panel.close());
window.addEventListener("hashchange", route);
