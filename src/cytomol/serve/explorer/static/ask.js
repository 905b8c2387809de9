// The molecule: typed, pasted, drawn, or chosen elsewhere on the page.

import { byId, el, later, picture } from "./dom.js";

let chosen = () => {};
let editor = null;
let chemistry = null;
let quiet = false; // while the page itself changes the drawing

/** Set what happens when a molecule is asked about, and load the editor where it was bundled. */
export async function start(about, onMolecule) {
  chosen = onMolecule;
  const field = byId("smiles");
  byId("ask-form").addEventListener("submit", (event) => { event.preventDefault(); take(field.value); });
  field.addEventListener("input", later(() => take(field.value), 350));
  const buttons = about.examples.map((smiles) =>
    el("button", { type: "button", class: "plain smiles", click: () => take(smiles, { typed: false }) }, short(smiles)));
  byId("examples").replaceChildren("Try: ", ...buttons.flatMap((button) => [button, " "]));
  if (about.editor) await startEditor();
  if (!editor) byId("editor-note").textContent = "Type or paste a SMILES; the drawing follows.";
}

/** Ask about a molecule. */
export function take(smiles, { typed = true, drawn = false } = {}) {
  const text = smiles.trim();
  if (!typed) {
    byId("smiles").value = text;
    byId("smiles").focus(); // what was clicked is about to go
  }
  chosen(text); // first: the answer is on its way while the drawing follows
  if (!drawn) redraw(text);
}

/** Say what is wrong with what was typed; "" where nothing is. */
export function complain(text) {
  byId("smiles-problem").textContent = text;
  byId("smiles").setAttribute("aria-invalid", Boolean(text));
}

const short = (smiles) => (smiles.length > 28 ? `${smiles.slice(0, 27)}…` : smiles);

function redraw(smiles) {
  if (editor) {
    let molecule;
    try {
      molecule = chemistry.Molecule.fromSmiles(smiles);
    } catch {
      return; // half a SMILES: the drawing stays as it was
    }
    quiet = true;
    editor.setMolecule(molecule);
    quiet = false;
    return;
  }
  const image = smiles ? picture(smiles, 400, 260) : null;
  image?.addEventListener("error", () => image.remove());
  byId("drawing").replaceChildren(...(image ? [image] : []));
}

async function startEditor() {
  try {
    chemistry = await import("/static/vendor/openchemlib.js");
    byId("editor").hidden = false;
    editor = new chemistry.CanvasEditor(byId("editor"), { initialMode: "molecule" });
  } catch (error) {
    console.warn("the structure editor does not start", error);
    byId("editor").hidden = true;
    editor = null;
    return;
  }
  byId("drawing").hidden = true;
  byId("editor-note").textContent = "Draw, or type a SMILES: each follows the other.";
  const drawn = later(() => {
    const smiles = editor.getMolecule().toIsomericSmiles();
    byId("smiles").value = smiles;
    take(smiles, { drawn: true });
  }, 200);
  editor.setOnChangeListener((event) => { if (!quiet && event.isUserEvent && event.type === "molecule") drawn(); });
}
