// The map: every molecule of the library a point, like ones near each other, and the one that was asked about.

import { ask } from "./api.js";
import { byId, el, isDark, plain, svg } from "./dom.js";
import { card } from "./answer.js";
import { take } from "./ask.js";
import { densities, packed, PointCloud } from "./map_canvas.js";

const VIRIDIS = [[68, 1, 84], [71, 44, 122], [59, 81, 139], [44, 113, 142], [33, 144, 141], [39, 173, 129], [92, 200, 99], [170, 220, 50], [253, 231, 37]];
const OKABE_ITO = [[0, 114, 178], [230, 159, 0], [0, 158, 115], [204, 121, 167], [86, 180, 233], [213, 94, 0], [240, 228, 66]];
const STEP = 60; // pixels that an arrow key moves

let cloud = null;
let over = null;
let status = null;
let asked = null; // the last answer with a place
let picked = -1;
let hovered = -1;

/** Set the panel up, and show the map when it is there. */
export async function start() {
  const panel = byId("panel-map");
  panel.append(el("h2", {}, "Map of the library"), el("p", { id: "map-state", class: "note", role: "status" }));
  for (;;) {
    status = await ask("map");
    if (["ready", "empty", "failed"].includes(status.state)) break;
    byId("map-state").textContent = `${status.state}: ${status.done.toLocaleString("en")} of ${status.total.toLocaleString("en")}. They are kept for the next time.`;
    await new Promise((done) => setTimeout(done, 700));
  }
  if (status.state === "ready") await build(panel);
  else byId("map-state").textContent = status.state === "failed" ? status.error : "There is no library: start the explorer with --library FILE to have a map.";
}

/** Mark the molecule that was asked about. */
export function mark(answer) {
  asked = answer;
  if (cloud && answer && !answer.place) place(answer);
  mark_over();
}

/** A molecule that was answered before the map was there is placed now. */
async function place(answer) {
  const again = await ask("molecule", { smiles: answer.smiles }).catch(() => null);
  if (again?.place && asked === answer) { asked = again; mark_over(); }
}

async function build(panel) {
  const places = new Float32Array(await ask("map/points", {}, { kind: "arrayBuffer" }));
  const canvas = el("canvas", { id: "map-canvas", tabindex: "0", role: "application",
    "aria-label": "Map of the library. Arrow keys move it, plus and minus zoom, Home shows all, Enter chooses the molecule in the middle." });
  const above = el("canvas", { class: "over", "aria-hidden": "true" });
  const frame = el("div", { class: "map" }, canvas, above);
  const chosen = el("div", { id: "map-chosen", "aria-live": "polite" }, el("p", { class: "note" }, "Choose a point to see its molecule."));
  panel.append(controls(), el("div", { id: "map-legend", class: "legend" }), el("div", { class: "map-side" }, frame, chosen));
  const shares = status.explained.map((share) => `${Math.round(100 * share)}%`);
  byId("map-state").textContent = `${status.total.toLocaleString("en")} molecules, ${status.learnt.toLocaleString("en")} of them learnt from. `
    + `The axes hold ${shares[0]} and ${shares[1]} of what sets the molecules apart: near means alike, far may be alike too.`;
  cloud = new PointCloud(canvas);
  over = above;
  cloud.moved = mark_over;
  cloud.setPlaces(places);
  listen(canvas, frame);
  palette();
  document.addEventListener("palette", palette);
  new ResizeObserver(() => size(frame)).observe(frame);
  document.addEventListener("shown", () => size(frame));
  size(frame);
  await colour();
  if (asked) mark(asked);
}

function controls() {
  const choice = el("select", { id: "map-colour", change: colour }, el("option", { value: "" }, "learnt from, or library"),
    ...status.colours.map((one) => el("option", { value: one.name }, one.name)));
  const button = (name, label, action) => el("button", { type: "button", "aria-label": label, click: action }, name);
  return el("p", { class: "line" }, el("label", { for: "map-colour" }, "coloured by"), choice,
    button("+", "zoom in", () => cloud.zoom(1.6)), button("−", "zoom out", () => cloud.zoom(1 / 1.6)), button("All", "show all", () => cloud.fit()),
    el("button", { type: "button", click: () => centre() }, "Go to the molecule"));
}

function centre() {
  if (!asked?.place) return;
  cloud.set({ x: asked.place[0], y: asked.place[1], scale: Math.max(cloud.view.scale, cloud.whole.scale * 6) });
}

function size(frame) {
  const width = frame.clientWidth;
  if (!width || (cloud.width === width && cloud.canvas.width)) return;
  const height = Math.round(Math.min(640, Math.max(320, width * 0.7)));
  cloud.resize(width, height);
  cloud.canvas.style.height = `${height}px`;
  over.width = cloud.canvas.width;
  over.height = cloud.canvas.height;
  over.style.height = `${height}px`;
  mark_over();
}

function palette() {
  const page = isDark() ? [21, 24, 27] : [255, 255, 255], full = isDark() ? [190, 198, 206] : [70, 78, 86];
  cloud.setPalette({ page, density: densities(page, full) });
}

function listen(canvas) {
  let from = null, far = 0;
  canvas.addEventListener("pointerdown", (event) => { from = [event.offsetX, event.offsetY]; far = 0; canvas.setPointerCapture(event.pointerId); });
  canvas.addEventListener("pointermove", (event) => {
    const at = [event.offsetX, event.offsetY];
    if (from) {
      far += Math.hypot(at[0] - from[0], at[1] - from[1]);
      cloud.move(at[0] - from[0], at[1] - from[1]);
      from = at;
      return;
    }
    const now = cloud.nearest(...at);
    if (now !== hovered) { hovered = now; mark_over(); }
  });
  canvas.addEventListener("pointerup", (event) => { if (from && far < 4) pick(cloud.nearest(event.offsetX, event.offsetY)); from = null; });
  canvas.addEventListener("pointercancel", () => { from = null; });
  canvas.addEventListener("pointerleave", () => { hovered = -1; mark_over(); });
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    cloud.zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0016)), [event.offsetX, event.offsetY]);
  }, { passive: false });
  canvas.addEventListener("keydown", keyed);
  for (const name of ["focus", "blur"]) canvas.addEventListener(name, mark_over);
}

function keyed(event) {
  const action = {
    ArrowLeft: () => cloud.move(STEP, 0), ArrowRight: () => cloud.move(-STEP, 0), ArrowUp: () => cloud.move(0, STEP), ArrowDown: () => cloud.move(0, -STEP),
    "+": () => cloud.zoom(1.5), "=": () => cloud.zoom(1.5), "-": () => cloud.zoom(1 / 1.5), Home: () => cloud.fit(),
    Enter: () => pick(cloud.nearest(cloud.width / 2, cloud.height / 2, Infinity)),
  }[event.key];
  if (!action || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  action();
}

async function pick(row) {
  if (row < 0) return;
  picked = row;
  mark_over();
  const one = await ask("map/molecule", { row });
  if (picked !== row) return;
  byId("map-chosen").replaceChildren(el("ul", { class: "cards" }, card(one, one.values)),
    el("p", { class: "smiles" }, one.smiles), el("p", { class: "note" }, one.learnt ? "The model has learnt from it." : "Of the library."),
    el("p", {}, el("button", { type: "button", click: () => take(one.smiles, { typed: false }) }, "Ask about it")));
}

/** Draw what stands above the points: the molecule that was asked about, its likes, the chosen one. */
function mark_over() {
  if (!over || !cloud?.width) return;
  const context = over.getContext("2d"), ink = isDark() ? "#ffffff" : "#000000";
  context.setTransform(cloud.ratio, 0, 0, cloud.ratio, 0, 0);
  context.clearRect(0, 0, cloud.width, cloud.height);
  const ring = (x, y, radius, colour, width) => {
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.stroke();
  };
  const at = (row) => cloud.toScreen(cloud.places[2 * row], cloud.places[2 * row + 1]);
  for (const one of asked?.library ?? []) ring(...at(one.row), 5, ink, 1.2);
  if (hovered >= 0) ring(...at(hovered), 6, ink, 2);
  if (picked >= 0) ring(...at(picked), 8, ink, 2.5);
  if (asked?.place) {
    const [x, y] = cloud.toScreen(...asked.place);
    ring(x, y, 9, isDark() ? "#15181b" : "#ffffff", 6);
    ring(x, y, 9, isDark() ? "#ff9552" : "#c04a00", 3);
    context.font = "600 13px system-ui, sans-serif";
    context.lineWidth = 4;
    context.strokeStyle = isDark() ? "#15181b" : "#ffffff";
    context.fillStyle = isDark() ? "#ff9552" : "#c04a00";
    context.strokeText("asked", x + 14, y + 4);
    context.fillText("asked", x + 14, y + 4);
  }
  if (document.activeElement === cloud.canvas) {
    context.strokeStyle = ink;
    context.lineWidth = 1;
    context.strokeRect(cloud.width / 2 - 7, cloud.height / 2, 14, 0);
    context.strokeRect(cloud.width / 2, cloud.height / 2 - 7, 0, 14);
  }
}

/** Colour the points by what was chosen. */
async function colour() {
  const name = byId("map-colour").value;
  if (!name) {
    const colours = new Uint32Array(cloud.count);
    colours.fill(packed(OKABE_ITO[0]), 0, status.learnt);
    if (status.learnt === cloud.count) colours.fill(0);
    cloud.setColours(colours);
    legend(status.learnt < cloud.count && status.learnt ? [["learnt from", OKABE_ITO[0]], ["library", null]] : []);
    return;
  }
  const values = new Float32Array(await ask("map/colour", { name }, { kind: "arrayBuffer" }));
  if (name !== byId("map-colour").value) return;
  const { classes } = status.colours.find((one) => one.name === name);
  if (classes) byClass(values, classes);
  else byValue(values);
}

function byClass(values, classes) {
  cloud.setColours(Uint32Array.from(values, (value) => (Number.isNaN(value) ? 0 : packed(OKABE_ITO[value % OKABE_ITO.length]))));
  legend([...classes.map((one, at) => [one, OKABE_ITO[at % OKABE_ITO.length]]), ["not measured", null]]);
}

function byValue(values) {
  const known = values.filter((value) => !Number.isNaN(value)).sort();
  const low = known[Math.floor(0.02 * known.length)], high = known[Math.floor(0.98 * (known.length - 1))];
  const steps = Array.from({ length: 64 }, (_, at) => packed(blend(at / 63)));
  cloud.setColours(Uint32Array.from(values, (value) =>
    (Number.isNaN(value) ? 0 : steps[Math.round(63 * Math.min(1, Math.max(0, (value - low) / (high - low || 1))))])));
  const gradient = svg("svg", { viewBox: "0 0 64 1", preserveAspectRatio: "none", "aria-hidden": "true" },
    ...steps.map((_, at) => svg("rect", { x: at, width: 1.05, height: 1, fill: `rgb(${blend(at / 63)})` })));
  legend([["not measured", null]], [plain(low), gradient, plain(high)]);
}

function blend(share) {
  const place = share * (VIRIDIS.length - 1), first = Math.min(VIRIDIS.length - 2, Math.floor(place));
  return VIRIDIS[first].map((from, at) => Math.round(from + (place - first) * (VIRIDIS[first + 1][at] - from)));
}

function legend(groups, before = []) {
  const grey = isDark() ? "rgb(190,198,206)" : "rgb(110,118,126)";
  byId("map-legend").replaceChildren(...(before.length ? [el("span", {}, ...before)] : []), ...groups.map(([name, colour]) =>
    el("span", {}, svg("svg", { class: "dot", viewBox: "0 0 12 12", "aria-hidden": "true" }, svg("circle", { cx: 6, cy: 6, r: 5, fill: colour ? `rgb(${colour})` : grey })), name)));
}
