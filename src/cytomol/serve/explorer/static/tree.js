// The hierarchy as a tree to walk: a node, what its members have in common, and the molecules.

import { ask } from "./api.js";
import { byId, el, plain, svg } from "./dom.js";
import { card } from "./answer.js";

let about = null;
let path = "";
let own = ""; // path of the molecule that was asked about
let loaded = false;

export function start(model) {
  about = model;
  byId("panel-tree").append(el("h2", {}, "Hierarchy"), el("div", { id: "tree", "aria-live": "polite" }));
  if (!about.tree) {
    byId("tree").append(el("p", {}, "No hierarchy was given. Make one, and start the explorer with it:"),
      el("p", {}, el("code", {}, "cytomol hierarchy backbone --corpus CORPUS -o tree")),
      el("p", {}, el("code", {}, "cytomol explore backbone --hierarchy tree")));
    return;
  }
  document.addEventListener("shown", (event) => { if (event.detail === "tree" && !loaded) walk(""); });
}

/** Remember the path of the molecule that was asked about. */
export function follow(now) {
  own = now;
  if (loaded) byId("own-path")?.replaceChildren(...ownPath());
}

async function walk(to, { focus = false } = {}) {
  loaded = true;
  path = to;
  try {
    let node = await ask("tree", { path: to });
    while (node.growing) {
      byId("tree").replaceChildren(el("p", { class: "note", role: "status" },
        `leading molecules through the model's tree: ${node.done.toLocaleString("en")} of ${node.total.toLocaleString("en")}`));
      await new Promise((done) => setTimeout(done, 700));
      node = await ask("tree", { path: to });
    }
    if (node.error) throw new Error(node.error);
    render(node);
  } catch (error) {
    byId("tree").replaceChildren(el("p", { class: "problem" }, error.text ?? String(error)));
    return;
  }
  if (focus) byId("node-title")?.focus();
}

function ownPath() {
  if (!own) return [about.places_in_tree ? "Ask about a molecule to see where it lies in the tree." : ""];
  return ["The molecule you asked about is in node ",
    el("button", { type: "button", class: "plain", click: () => walk(own, { focus: true }) }, own), "."];
}

function render(node) {
  const most = Math.max(1, ...node.children.map((child) => child.members));
  const steps = [...Array(node.path.length + 1).keys()].map((length) => node.path.slice(0, length));
  const crumbs = node.binary === false ? ["", node.path].filter((one, at) => !at || one) : steps;
  byId("tree").replaceChildren(
    el("p", { id: "own-path", class: "note" }, ...ownPath()),
    el("nav", { class: "crumbs", "aria-label": "path from the root" }, ...crumbs.flatMap((one, at) => [at ? "›" : null,
      el("button", { type: "button", class: "plain", "aria-current": one === node.path ? "true" : null, click: () => walk(one, { focus: true }) }, one || "root")])),
    el("h3", { id: "node-title", tabindex: "-1" }, `${node.path ? `Node ${node.path}` : "Root"}: ${node.members.toLocaleString("en")} molecules, level ${node.level} of ${node.levels}`),
    ...(node.children.length ? [el("ul", { class: "nodes" }, ...node.children.map((child) => el("li", {}, branch(child, most))))] : []),
    ...common(node),
    el("h3", {}, node.path ? "Molecules, the most typical first" : "Some molecules"),
    el("ul", { class: "cards" }, ...node.molecules.slice(0, 24).map((one) => card({ smiles: one.smiles, id: one.typical ? "typical" : "ask" }))));
}

function branch(child, most) {
  return el("button", { type: "button", click: () => walk(child.path, { focus: true }) },
    el("span", {}, el("strong", {}, child.path), ` ${child.members.toLocaleString("en")}`),
    svg("svg", { viewBox: "0 0 100 8", preserveAspectRatio: "none", "aria-hidden": "true" }, svg("rect", { width: (100 * child.members) / most, height: 8 })),
    el("span", { class: "said" }, child.enriched || "nothing that its members share for certain"));
}

function common(node) {
  if (!node.path) return [];
  if (!node.enriched.length) return [el("h3", {}, "What they have in common"), el("p", { class: "note" }, "Nothing for certain (no label with q below 0.05).")];
  const head = ["kind", "label", "members with it", "times as often", "q"];
  return [el("h3", {}, "What they have in common"), el("div", { class: "scroll" }, el("table", {},
    el("thead", {}, el("tr", {}, ...head.map((name) => el("th", { scope: "col" }, name)))),
    el("tbody", {}, ...node.enriched.slice(0, 20).map((one) => el("tr", {}, el("td", {}, one.kind), el("th", { scope: "row" }, one.label),
      ...[`${one.hits} of ${one.members}`, plain(Number(one.fold), 2), Number(one.q).toExponential(0)].map((text) => el("td", { class: "number" }, text)))))))];
}
