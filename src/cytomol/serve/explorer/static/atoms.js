// Which atoms an answer rests on. It takes longer than the answer, so it comes after it.

import { ask, Refused } from "./api.js";
import { byId, el } from "./dom.js";

const PATIENCE = 300;

let running = null;
let chosen = null;

export function clear() {
  running?.abort();
  byId("atoms").replaceChildren();
}

/** Show the atoms that one of the answers rests on. */
export async function render(about, smiles) {
  running?.abort();
  if (!about.explained.length) return;
  chosen = about.explained.includes(chosen) ? chosen : about.explained[0];
  const place = el("div", { id: "atom-drawings", "aria-live": "polite" }, el("p", { class: "note" }, "looking at each atom …"));
  const choice = el("select", { id: "explained", change: () => { chosen = choice.value; render(about, smiles); } },
    ...about.explained.map((name) => el("option", { value: name, selected: name === chosen }, name)));
  const had = document.activeElement?.id === "explained";
  byId("atoms").replaceChildren(el("h2", {}, "Atoms that it rests on"),
    el("p", { class: "line" }, el("label", { for: "explained" }, "answer"), choice), place);
  if (had) choice.focus();
  running = new AbortController();
  const { signal } = running;
  try {
    await new Promise((done) => setTimeout(done, PATIENCE)); // somebody who goes on drawing is not kept waiting
    if (signal.aborted) return;
    const answer = await ask("atoms", { smiles, what: chosen }, { signal });
    place.replaceChildren(...answer.drawings.map(drawing),
      el("p", { class: "note" }, "Green atoms raise the answer, pink ones lower it: what it loses without the atom."));
  } catch (error) {
    if (error.name === "AbortError") return;
    place.replaceChildren(el("p", { class: "problem" }, error instanceof Refused ? error.text : String(error)));
  }
}

function drawing(one) {
  const address = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(one.svg)}`;
  return el("div", { class: "white" }, el("img", { src: address, alt: one.legend, width: 420, height: 340 }));
}
