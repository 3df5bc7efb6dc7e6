"use strict";
function keyOf(cell) {
  const text = cell.dataset.v !== undefined ? cell.dataset.v : cell.textContent.trim();
  const number = Number(text.replace(/[, %]/g, ""));
  return text !== "" && !Number.isNaN(number) ? number : text;
}
function before(a, b) {
  if (typeof a === "number" && typeof b === "number") return a - b;
  if (typeof a !== typeof b) return typeof a === "number" ? -1 : 1;
  return a.localeCompare(b);
}
function sortBy(head) {
  const heads = [...head.parentElement.children];
  const column = heads.indexOf(head);
  const down = head.classList.contains("n") ? head.getAttribute("aria-sort") !== "descending"
                                            : head.getAttribute("aria-sort") === "ascending";
  heads.forEach(other => other.removeAttribute("aria-sort"));
  head.setAttribute("aria-sort", down ? "descending" : "ascending");
  const body = head.closest("table").tBodies[0];
  const rows = [...body.rows].map((row, place) => ({ row, place, key: keyOf(row.cells[column] || row.cells[row.cells.length - 1]) }));
  rows.sort((a, b) => (down ? -1 : 1) * before(a.key, b.key) || a.place - b.place);
  body.append(...rows.map(entry => entry.row));
}
document.querySelectorAll(".sortable tr.heads th").forEach(head => {
  head.tabIndex = 0;
  head.addEventListener("click", () => sortBy(head));
  head.addEventListener("keydown", event => { if (event.key === "Enter") sortBy(head); });
});
async function reportText() {
  const data = document.getElementById("report");
  if (data.dataset.encoding === "plain") return data.textContent;
  const bytes = Uint8Array.from(atob(data.textContent), character => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).text();
}
const save = document.getElementById("save");
if (save) save.addEventListener("click", async () => {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([await reportText()], { type: "application/json" }));
  link.download = "report.json";
  link.click();
  URL.revokeObjectURL(link.href);
});
