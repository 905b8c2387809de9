// The page: a molecule is asked about, and everything that is shown of it follows.

import { ask, Refused, watch } from "./api.js";
import * as answers from "./answer.js";
import * as atoms from "./atoms.js";
import * as cells from "./cells.js";
import * as map from "./map.js";
import * as molecule from "./ask.js";
import * as table from "./table.js";
import * as tabs from "./tabs.js";
import * as tree from "./tree.js";
import { byId, el, plain } from "./dom.js";

let about = null;
let running = null;

/** Ask everything about a molecule; what was asked before is dropped. */
async function onMolecule(smiles) {
  running?.abort();
  running = new AbortController();
  const { signal } = running;
  if (!smiles) {
    molecule.complain("");
    byId("answer-state").textContent = "Draw a molecule, or type a SMILES.";
    for (const part of [answers, atoms, cells]) part.clear();
    map.mark(null);
    return;
  }
  const begun = performance.now();
  try {
    const answer = await ask("molecule", { smiles }, { signal });
    molecule.complain(answer.error ?? "");
    if (answer.error) {
      byId("answer-state").textContent = "This is no molecule that the model can read.";
      for (const part of [answers, atoms, cells]) part.clear();
      map.mark(null);
      return;
    }
    answers.render(about, answer);
    map.mark(answer);
    byId("answer-state").textContent = `answered in ${Math.round(performance.now() - begun)} ms`;
    byId("answer-state").dataset.server = answer.milliseconds;
    byId("answer-state").dataset.smiles = smiles;
    cells.render(about, smiles, signal);
    atoms.render(about, smiles);
  } catch (error) {
    if (error.name === "AbortError") return;
    molecule.complain(error instanceof Refused ? error.text : String(error));
  }
}

function introduce() {
  const learnt = about.learnt ? `, learnt from ${about.learnt.toLocaleString("en")} molecules` : "";
  const what = about.kind === "predictor"
    ? `predictor of ${about.tasks.length} ${about.tasks.length === 1 ? "task" : "tasks"}${learnt}`
    : `backbone (${about.backbone})`;
  byId("model-line").textContent = `${about.model}: ${what}`;
  document.title = `${about.model} – cytomol explorer`;
  byId("about").replaceChildren(...about.notes.map((line) => el("p", {}, line)),
    el("p", {}, "Served by this machine to itself alone; nothing leaves it."));
}

async function start() {
  tabs.start();
  about = await ask("about");
  introduce();
  byId("answer-state").textContent = "Draw a molecule, or type a SMILES.";
  await molecule.start(about, onMolecule);
  map.start(about);
  tree.start(about);
  table.start(about);
  watch();
  document.documentElement.dataset.ready = "true";
}

start().catch((error) => { byId("model-line").textContent = `the page does not start: ${error.message}`; });
