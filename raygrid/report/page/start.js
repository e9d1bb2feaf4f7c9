/* At the start */

for (const sortable of document.querySelectorAll(".sortable")) makeSortable(sortable);
for (const box of document.querySelectorAll(".table")) makeFilterable(box);
for (const box of document.querySelectorAll(".scroll, .contents")) watched(box);
for (const span of document.querySelectorAll("[data-share]")) span.style.flexGrow = span.dataset.share;
for (const place of document.querySelectorAll(".metric-place")) place.append(metricSwitch(`metric-of-${place.id}`));
makeMethods();
makeChart();
makePair();
makeCells();
drawn.push(showMetric);
choose({});
route();

// The link of the section that is read is marked in the contents.
const links = new Map([...document.querySelectorAll(".contents a[href^='#']")].map((link) => [link.hash.slice(1), link]));
const seen = new IntersectionObserver((entries) => entries.forEach(({ target, isIntersecting }) => {
  if (!isIntersecting) return;
  for (const link of links.values()) link.removeAttribute("aria-current");
  links.get(target.id)?.setAttribute("aria-current", "true");
}), { rootMargin: "-15% 0px -80% 0px" });
for (const section of document.querySelectorAll("main > section")) seen.observe(section);

// What a link leads to may be folded; on paper everything is open.
window.addEventListener("beforeprint", () => document.querySelectorAll("main details").forEach((one) => { one.open = true; }));
const refresh = Number(document.body.dataset.refreshS);
const isInUse = () => panel.open || filterText() || view.pair.length || document.activeElement.matches("input, select");
if (refresh) setInterval(() => isInUse() || location.reload(), 1000 * refresh);
