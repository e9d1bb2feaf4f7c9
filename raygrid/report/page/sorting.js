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
    th.querySelector("button")?.addEventListener("click", () => {
      const sign = nextDirection(th);
      const rows = [...body.rows].map((row) => [keyOf(row.cells[th.cellIndex]), row]);
      rows.sort(([a], [b]) => compare(a, b, sign));
      body.append(...rows.map(([, row]) => row));
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

/* What stands on the page once for each metric: the one that is chosen is shown */

function showMetric() {
  for (const one of document.querySelectorAll("[data-metric]")) one.hidden = one.dataset.metric !== view.metric;
  for (const row of document.querySelectorAll("tr[data-column]")) {
    const [t, c] = row.dataset.column.split("/");
    const places = data.tables[t].columns[c];
    row.hidden = METHOD_AXES.some((axis) => (view.filters[axis] ?? places[axis]) !== places[axis]);
  }
}

function metricSwitch(name) {
  const radios = metrics.map((metric) => {
    const radio = h("input", { type: "radio", name, value: metric, checked: metric === view.metric });
    radio.addEventListener("change", () => choose({ metric }));
    return h("label", {}, radio, h("span", {}, metric));
  });
  drawn.push(() => radios.forEach((label) => { label.firstChild.checked = label.firstChild.value === view.metric; }));
  return h("fieldset", { className: "switch" }, h("legend", {}, "Metric"), radios);
}
