// What the model says of a molecule: how well it knows it, the answer to each task, and how certain it is.

import { byId, el, picture, plain, svg } from "./dom.js";
import { take } from "./ask.js";

const SIGNS = { inside: "●", edge: "◐", outside: "○" };
const FEW = 12; // tasks shown before the rest is asked for

export function clear() {
  for (const id of ["answer", "neighbours"]) byId(id).replaceChildren();
}

/** Show the answer to a molecule. */
export function render(about, answer) {
  byId("answer").replaceChildren(...parts(about, answer));
  byId("neighbours").replaceChildren(...neighbours(about, answer));
}

function parts(about, answer) {
  const found = [];
  if (answer.domain) found.push(domain(answer));
  if (answer.tasks) found.push(el("h2", {}, "Predictions"), tasks(about, answer));
  if (answer.profile) found.push(el("p", { class: "note" }, `measured profile: ${answer.profile}`));
  return found;
}

function domain(answer) {
  return el("p", { class: "domain" },
    el("span", { class: `word ${answer.domain}`, id: "domain" }, `${SIGNS[answer.domain]} ${answer.domain}`),
    el("span", {}, answer.domain_reason ?? ""));
}

function tasks(about, answer) {
  const rows = about.tasks.map((task) => row(task, answer.tasks[task.name]));
  const body = el("tbody", {}, ...rows.slice(0, FEW));
  const head = el("thead", {}, el("tr", {}, ...["task", "answer", "how certain"].map((name) => el("th", { scope: "col" }, name))));
  const table = el("div", { class: "scroll", tabindex: rows.length > FEW ? "0" : null }, el("table", { class: "answers" }, head, body));
  if (rows.length <= FEW) return table;
  const more = el("button", { type: "button", click: () => { body.replaceChildren(...rows); more.remove(); } }, `all ${rows.length} tasks`);
  return el("div", {}, table, el("p", {}, more));
}

function row(task, found) {
  const name = el("th", { scope: "row" }, task.name);
  if (task.kind === "regression") {
    return el("tr", {}, name,
      el("td", { class: "number" }, el("span", { class: "answer-value" }, plain(found.value))),
      el("td", {}, el("span", {}, interval(found)), valueScale(task, found)));
  }
  const likely = task.kind === "binary" ? found.probability : found.classes[found.class]?.probability;
  const what = task.kind === "binary" ? `probability of ${task.classes[1]} ${plain(found.probability)}` : `probability ${plain(likely)}`;
  return el("tr", {}, name,
    el("td", {}, el("div", { class: "answer-value" }, found.class ?? "–"), el("div", { class: "said" }, what)),
    el("td", {}, el("span", {}, setWords(task, found.set)), task.kind === "binary" ? shareScale(task, found) : null));
}

function interval(found) {
  if (found.low === undefined) return "not known: the model has no uncertainty";
  if (found.low === null || found.high === null) return "90% interval without bound: too few molecules held out";
  return `${plain(found.low)} to ${plain(found.high)} (90% interval)`;
}

function setWords(task, set) {
  if (set === undefined) return "not known: the model has no uncertainty";
  if (set === null) return "–";
  if (set.length === 0) return "neither class fits what was held out";
  if (set.length === task.classes.length) return "no class is ruled out";
  const out = task.classes.filter((name) => !set.includes(name));
  return `${out.join(" and ")} ${out.length > 1 ? "are" : "is"} ruled out`;
}

/** An interval on the range of the measured values. */
function valueScale(task, found) {
  if (task.low === undefined || found.value === null) return null;
  const known = [task.low, task.high, found.value, found.low, found.high].filter(Number.isFinite);
  const low = Math.min(...known), high = Math.max(...known);
  const at = (value) => 8 + (224 * (value - low)) / (high - low || 1);
  const bar = Number.isFinite(found.low) && Number.isFinite(found.high)
    ? svg("rect", { class: "bar", x: at(found.low), y: 6, width: Math.max(2, at(found.high) - at(found.low)), height: 8, rx: 2 }) : null;
  return svg("svg", { class: "scale", viewBox: "0 0 240 34", role: "img", "aria-label":
    `${plain(found.value)} among measured values from ${plain(task.low)} to ${plain(task.high)}` },
    bar,
    svg("line", { class: "axis", x1: at(task.low), x2: at(task.high), y1: 19, y2: 19 }),
    svg("line", { class: "middle", x1: at(task.median), x2: at(task.median), y1: 3, y2: 19 }),
    svg("circle", { class: "point", cx: at(found.value), cy: 10, r: 4.5 }),
    svg("text", { x: at(task.low), y: 32 }, plain(task.low)),
    svg("text", { x: at(task.high), y: 32, "text-anchor": "end" }, `${plain(task.high)} measured`));
}

/** A probability between none and all, with the share of the class among the measured. */
function shareScale(task, found) {
  if (found.probability === null) return null;
  const at = (value) => 8 + 224 * value;
  const [first, second] = task.classes;
  return svg("svg", { class: "scale", viewBox: "0 0 240 34", role: "img", "aria-label": `probability of ${second} ${plain(found.probability)}` },
    svg("rect", { class: "bar", x: at(0), y: 6, width: 224 * found.probability, height: 8, rx: 2 }),
    svg("line", { class: "axis", x1: at(0), x2: at(1), y1: 19, y2: 19 }),
    task.share === undefined ? null : svg("line", { class: "middle", x1: at(task.share), x2: at(task.share), y1: 3, y2: 19 }),
    svg("circle", { class: "point", cx: at(found.probability), cy: 10, r: 4.5 }),
    svg("text", { x: at(0), y: 32 }, first),
    svg("text", { x: at(1), y: 32, "text-anchor": "end" }, second));
}

function neighbours(about, answer) {
  const found = [];
  if (answer.nearest?.length) {
    found.push(el("h2", {}, "Nearest training molecules"),
      el("ul", { class: "cards" }, ...answer.nearest.map((one) => card(one, one.measured))));
  }
  if (answer.library?.length) {
    found.push(el("h2", {}, "Most like it in the library"),
      el("ul", { class: "cards" }, ...answer.library.map((one) => card(one, one.values))));
  }
  return found;
}

/** A molecule with its likeness and what is known of it. */
export function card(one, values = {}) {
  const known = Object.entries(values).filter(([, value]) => value !== null).slice(0, 8);
  return el("li", {},
    picture(one.smiles, 200, 130, `structure of ${one.id ?? one.smiles}`),
    el("button", { type: "button", class: "plain", title: one.smiles, click: () => take(one.smiles, { typed: false }) }, one.id ?? "ask"),
    one.similarity === undefined ? null : el("div", { class: "note" }, `${plain(one.similarity, 2)} alike`),
    known.length ? el("dl", {}, ...known.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, plain(value))])) : null);
}
