"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const columns = data.columns, count = data.positions.length;
const metrics = columns.filter(c => c.metric), byName = new Map(columns.map(c => [c.name, c]));
const byPosition = new Map(data.positions.map((position, row) => [position, row]));
const el = id => document.getElementById(id);
const state = { across: data.objectives[0], up: data.objectives[1] || data.objectives[0], picked: -1, front: new Set(),
                off: new Set(), turned: new Set(), ranges: new Map(), sorted: "", down: false, shown: 200 };

function shown(column, value) {
  if (value === null) return "-";
  if (typeof value !== "number") return String(value);
  if (column.unit === "m^2") return plain(value * 1e6) + " mm²";
  if (!column.unit || value === 0) return plain(value) + (column.unit ? " " + column.unit : "");
  const power = Math.max(-24, Math.min(24, Math.floor(Math.log10(Math.abs(value)) / 3 + 1e-12) * 3));
  const prefix = { "-24": "y", "-21": "z", "-18": "a", "-15": "f", "-12": "p", "-9": "n", "-6": "µ", "-3": "m", 0: "", 3: "k", 6: "M",
                   9: "G", 12: "T", 15: "P", 18: "E", 21: "Z", 24: "Y" }[power];
  return plain(value / 10 ** power) + " " + prefix + column.unit;
}
function plain(value) {
  if (Number.isInteger(value)) return Math.abs(value) < 1e15 ? value.toLocaleString("en-US") : value.toExponential(4);
  const size = Math.abs(value);
  return size >= 1e-3 && size < 1e6 ? String(Number(value.toPrecision(4))) : value.toExponential(3);
}
function svg(parent, tag, attributes, text) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  if (text !== undefined) node.textContent = text;
  parent.append(node);
  return node;
}
const short = (text, length) => text.length <= length ? text : text.slice(0, length / 3) + "…" + text.slice(text.length + 1 + Math.floor(length / 3) - length);

// A scale maps values to 0..1: numbers evenly or by equal ratios, few values and texts to equal steps.
function scaleOf(column, steps) {
  const present = column.values.filter(value => value !== null), distinct = [...new Set(column.values)];
  const numeric = present.every(value => typeof value === "number") && present.length > 0;
  if (!numeric || (steps && distinct.length <= 12)) {
    distinct.sort((a, b) => a === null ? -1 : b === null ? 1 : numeric ? a - b : String(a).localeCompare(String(b), "en"));
    const place = new Map(distinct.map((value, at) => [value, distinct.length > 1 ? at / (distinct.length - 1) : .5]));
    const every = Math.ceil(distinct.length / 16);
    return { at: value => place.get(value), marks: distinct.filter((_, at) => at % every === 0) };
  }
  let low = Infinity, high = -Infinity;
  for (const value of present) { low = Math.min(low, value); high = Math.max(high, value); }
  const log = low > 0 && high / low >= 8, f = log ? Math.log : value => value;
  const a = f(low), span = f(high) - a;
  const at = value => value === null ? 0 : span ? (f(value) - a) / span : .5;
  return { at, marks: span ? marksOf(low, high, log) : [low] };
}
function marksOf(low, high, log) {
  if (log) {
    const from = Math.floor(Math.log10(low)), to = Math.ceil(Math.log10(high)), factors = to - from > 4 ? [1] : to - from > 2 ? [1, 3] : [1, 2, 5];
    const found = [];
    for (let power = from; power <= to; power++) for (const factor of factors) found.push(factor * 10 ** power);
    return found.filter(value => value >= low * .999 && value <= high * 1.001);
  }
  const wanted = (high - low) / 6, power = 10 ** Math.floor(Math.log10(wanted));
  const step = [1, 2, 5, 10].map(factor => factor * power).find(value => value >= wanted * .999), found = [];
  for (let at = Math.ceil(low / step - 1e-9); at * step <= high * (1 + 1e-9) && found.length < 20; at++) found.push(at * step);
  return found;
}

// Rows that no other row beats in both metrics; the same order and ties as on the command line.
function frontOf(first, second) {
  const cost = (column, row) => column.more ? -column.values[row] : column.values[row];
  const rows = [...Array(count).keys()].filter(row => first.values[row] !== null && second.values[row] !== null);
  rows.sort((a, b) => cost(first, a) - cost(first, b) || cost(second, a) - cost(second, b) || a - b);
  const found = [];
  let least = Infinity, last = -1;
  for (const row of rows) {
    const value = cost(second, row);
    const equal = last >= 0 && value === least && cost(first, row) === cost(first, last);
    if (value < least || equal) { found.push(row); least = value; last = row; }
  }
  return found;
}

function drawFront() {
  const root = el("front"), first = byName.get(state.across), second = byName.get(state.up);
  const left = 90, right = 940, top = 26, floor = 396, x = scaleOf(first, false), y = scaleOf(second, false);
  const px = value => left + 12 + (right - left - 24) * x.at(value), py = value => floor - 12 - (floor - top - 24) * y.at(value);
  root.replaceChildren();
  for (const mark of x.marks) {
    svg(root, "line", { class: "grid", x1: px(mark), x2: px(mark), y1: top, y2: floor });
    svg(root, "text", { x: px(mark), y: floor + 16, "text-anchor": "middle" }, shown(first, mark));
  }
  for (const mark of y.marks) {
    svg(root, "line", { class: "grid", x1: left, x2: right, y1: py(mark), y2: py(mark) });
    svg(root, "text", { x: left - 6, y: py(mark) + 4, "text-anchor": "end" }, shown(second, mark));
  }
  svg(root, "rect", { class: "axis", x: left, y: top, width: right - left, height: floor - top });
  svg(root, "text", { x: (left + right) / 2, y: floor + 36, "text-anchor": "middle" }, first.name + (first.more ? " (more is better)" : ""));
  svg(root, "text", { x: left, y: top - 9 }, second.name + (second.more ? " (more is better)" : ""));
  const best = frontOf(first, second);
  state.front = new Set(best);
  let path = "";
  best.forEach((row, at) => {
    const across = px(first.values[row]).toFixed(1), up = py(second.values[row]).toFixed(1);
    path += at ? `H${across}V${up}` : `M${across} ${up}`;
  });
  svg(root, "path", { class: "stairs", d: path });
  for (const isBest of [false, true]) for (let row = 0; row < count; row++) {
    if (state.front.has(row) !== isBest || first.values[row] === null || second.values[row] === null) continue;
    const circle = svg(root, "circle", { "data-row": row, class: isBest ? "best" : "", r: isBest ? 4.5 : 3,
                                         cx: px(first.values[row]).toFixed(1), cy: py(second.values[row]).toFixed(1) });
    svg(circle, "title", {}, `point ${data.positions[row]}: ${first.name} ${shown(first, first.values[row])}, ${second.name} ${shown(second, second.values[row])}`);
  }
  el("count").textContent = `${best.length} of ${count.toLocaleString("en-US")} points are on this front`;
}

const axes = [];
function drawLines() {
  const root = el("lines"), wanted = [...columns.filter(c => !c.metric && c.varies), ...metrics.filter(c => c.varies && c.drawn)];
  const width = Math.max(960, 110 * wanted.length), top = 44, floor = 380, side = 70;
  root.setAttribute("viewBox", `0 0 ${width} 400`);
  root.style.setProperty("--thin", count > 400 ? .18 : count > 60 ? .35 : .7);
  root.replaceChildren();
  axes.length = 0;
  wanted.forEach((column, at) => {
    const scale = scaleOf(column, !column.metric), turn = state.turned.has(column.name);
    axes.push({ column, scale, x: wanted.length > 1 ? side + (width - 2 * side) * at / (wanted.length - 1) : width / 2,
                y: value => turn ? top + (floor - top) * scale.at(value) : floor - (floor - top) * scale.at(value) });
  });
  const inks = svg(root, "g", {});
  for (const isBest of [false, true]) for (let row = 0; row < count; row++) {
    if (state.front.has(row) !== isBest) continue;
    const d = axes.map((axis, at) => `${at ? "L" : "M"}${axis.x.toFixed(1)} ${axis.y(axis.column.values[row]).toFixed(1)}`).join("");
    svg(inks, "path", { class: isBest ? "point best" : "point", "data-row": row, d });
  }
  axes.forEach((axis, at) => drawAxis(root, axis, at, top, floor));
}
function drawAxis(root, axis, at, top, floor) {
  svg(root, "line", { class: "axis", x1: axis.x, x2: axis.x, y1: top, y2: floor });
  const title = svg(root, "text", { class: "title", x: axis.x, y: at % 2 ? 14 : 30, "text-anchor": "middle", tabindex: 0 }, short(axis.column.name, 26));
  svg(title, "title", {}, axis.column.name);
  title.style.cursor = "pointer";
  title.addEventListener("click", () => { state.turned.has(axis.column.name) ? state.turned.delete(axis.column.name) : state.turned.add(axis.column.name); state.ranges.delete(axis.column.name); drawLines(); mark(); });
  for (const value of axis.scale.marks) {
    const label = svg(root, "text", { x: axis.x + 5, y: axis.y(value) + 4 }, short(shown(axis.column, value), 18));
    label.style.cssText = "paint-order:stroke;stroke:var(--paper);stroke-width:3px;pointer-events:none";
  }
  const range = state.ranges.get(axis.column.name);
  const brush = svg(root, "rect", { class: "brush", x: axis.x - 7, width: 14, y: range ? range[0] : 0, height: range ? range[1] - range[0] : 0 });
  const grip = svg(root, "rect", { class: "grip", x: axis.x - 9, width: 18, y: top - 4, height: floor - top + 8 });
  let from = null;
  const place = event => {
    const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(root.getScreenCTM().inverse());
    return Math.min(Math.max(point.y, top - 3), floor + 3);
  };
  grip.addEventListener("pointerdown", event => { from = place(event); grip.setPointerCapture(event.pointerId); });
  grip.addEventListener("pointermove", event => {
    if (from === null) return;
    const to = place(event), low = Math.min(from, to), high = Math.max(from, to);
    if (high - low < 3) state.ranges.delete(axis.column.name); else state.ranges.set(axis.column.name, [low, high]);
    brush.setAttribute("y", low);
    brush.setAttribute("height", high - low);
    filter();
  });
  grip.addEventListener("pointerup", () => { from = null; renderTable(); });
}
function filter() {
  state.off = new Set();
  const limits = axes.filter(axis => state.ranges.has(axis.column.name)).map(axis => [axis, state.ranges.get(axis.column.name)]);
  for (let row = 0; row < count; row++) for (const [axis, [low, high]] of limits) {
    const y = axis.y(axis.column.values[row]);
    if (y < low - .01 || y > high + .01) state.off.add(row);
  }
  el("kept").textContent = limits.length ? `${(count - state.off.size).toLocaleString("en-US")} of ${count.toLocaleString("en-US")} points kept` : "";
  mark();
}

// Marks which points are kept and which one is shown, in all pictures and the table.
function mark() {
  document.querySelectorAll("[data-row]").forEach(node => {
    const row = Number(node.dataset.row);
    node.classList.toggle("off", state.off.has(row));
    node.classList.toggle("picked", row === state.picked);
  });
  if (state.picked >= 0) document.querySelectorAll(`#lines [data-row="${state.picked}"], #front [data-row="${state.picked}"]`).forEach(node => node.parentElement.append(node));
}
function pick(row) {
  state.picked = row;
  const panel = el("chosen");
  panel.hidden = row < 0;
  mark();
  if (row < 0) return;
  panel.querySelector("h2").textContent = `Point ${data.positions[row]}`;
  panel.querySelector("pre").textContent = data.commands[row];
  panel.querySelector("dl").replaceChildren(...columns.map(column => {
    const line = document.createElement("div"), name = document.createElement("dt"), value = document.createElement("dd");
    name.textContent = column.name;
    value.textContent = shown(column, column.values[row]);
    line.append(name, value);
    return line;
  }));
}

function renderTable() {
  const heads = [{ name: "point", values: data.positions, unit: "" }, ...columns.filter(column => column.varies)];
  const head = document.createElement("tr");
  head.className = "heads";
  for (const column of heads) {
    const cell = document.createElement("th");
    cell.textContent = column.name;
    cell.tabIndex = 0;
    if (column.values.some(value => typeof value === "number")) cell.className = "n";
    if (state.sorted === column.name) cell.setAttribute("aria-sort", state.down ? "descending" : "ascending");
    const sort = () => { state.down = state.sorted === column.name && !state.down; state.sorted = column.name; renderTable(); };
    cell.addEventListener("click", sort);
    cell.addEventListener("keydown", event => { if (event.key === "Enter") sort(); });
    head.append(cell);
  }
  const rows = [...Array(count).keys()].filter(row => !state.off.has(row));
  const column = heads.find(each => each.name === state.sorted);
  if (column) rows.sort((a, b) => (state.down ? -1 : 1) * compare(column.values[a], column.values[b]) || a - b);
  const lines = rows.slice(0, state.shown).map(row => {
    const line = document.createElement("tr");
    line.dataset.row = row;
    line.tabIndex = 0;
    line.className = (state.front.has(row) ? "best " : "") + (row === state.picked ? "picked" : "");
    for (const each of heads) {
      const cell = line.insertCell();
      cell.textContent = each.name === "point" ? data.positions[row] : shown(each, each.values[row]);
      if (typeof each.values[row] === "number") cell.className = "n";
    }
    return line;
  });
  const table = el("points");
  table.tHead.replaceChildren(head);
  table.tBodies[0].replaceChildren(...lines);
  el("more").hidden = rows.length <= state.shown;
  el("more").textContent = `Show all ${rows.length.toLocaleString("en-US")} rows`;
}
function compare(a, b) {
  if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
  return typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), "en");
}

document.addEventListener("click", event => {
  const node = event.target.closest("[data-row], [data-point]");
  if (node) pick(node.dataset.row !== undefined ? Number(node.dataset.row) : byPosition.get(Number(node.dataset.point)) ?? -1);
});
document.addEventListener("keydown", event => {
  if (event.key === "Escape") pick(-1);
  if (event.key === "Enter" && event.target.dataset.row !== undefined) pick(Number(event.target.dataset.row));
});
el("close").addEventListener("click", () => pick(-1));
el("copy").addEventListener("click", () => navigator.clipboard.writeText(data.commands[state.picked]));
el("clear").addEventListener("click", () => { state.ranges.clear(); drawLines(); filter(); renderTable(); });
el("more").addEventListener("click", () => { state.shown = Infinity; renderTable(); });
for (const side of ["across", "up"]) {
  const list = el(side);
  for (const column of metrics) list.append(new Option(column.name, column.name, false, column.name === state[side]));
  list.addEventListener("change", () => { state[side] = list.value; drawFront(); drawLines(); filter(); renderTable(); });
}
drawFront();
drawLines();
renderTable();
