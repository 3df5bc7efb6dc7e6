"use strict";
const map = document.querySelector(".map");
const told = document.getElementById("told");
const rows = [...document.querySelectorAll("#tensors tr[data-t]")];
const rowOf = new Map(rows.map(row => [row.dataset.t, row]));
let held = null;
function mark(key, on) {
  document.querySelectorAll(`[data-t="${key}"]`).forEach(node => node.classList.toggle("on", on));
}
function tell(key) {
  const row = key === null ? null : rowOf.get(key);
  told.textContent = row ? `${row.cells[0].textContent} (${row.cells[1].textContent}, ${row.cells[2].textContent}): ${row.dataset.history}` : "";
}
function hold(key) {
  if (held !== null) mark(held, false);
  held = key === held ? null : key;
  map.classList.toggle("pinned", held !== null);
  if (held !== null) mark(held, true);
  tell(held);
}
document.querySelectorAll(".map .t").forEach(group => {
  group.addEventListener("mouseenter", () => tell(group.dataset.t));
  group.addEventListener("mouseleave", () => tell(held));
  group.addEventListener("click", () => hold(group.dataset.t));
});
rows.forEach(row => row.addEventListener("click", () => hold(row.dataset.t)));
document.addEventListener("keydown", event => { if (event.key === "Escape" && held !== null) hold(held); });
document.getElementById("find").addEventListener("input", event => {
  const wanted = event.target.value.toLowerCase();
  rows.forEach(row => { row.hidden = !row.cells[0].textContent.toLowerCase().includes(wanted); });
});
document.querySelectorAll(".sortable tr.heads th").forEach((head, column) => head.addEventListener("click", () => {
  const body = head.closest("table").tBodies[0];
  const key = row => row.cells[column].dataset.v ?? row.cells[column].textContent;
  const down = head.getAttribute("aria-sort") !== "descending" && head.classList.contains("n");
  const sign = down ? -1 : 1;
  body.append(...[...body.rows].sort((a, b) => sign * (head.classList.contains("n") ? key(a) - key(b) : key(a).localeCompare(key(b)))));
  [...head.parentElement.children].forEach(other => other.removeAttribute("aria-sort"));
  head.setAttribute("aria-sort", down ? "descending" : "ascending");
}));
