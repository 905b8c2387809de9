// A table of the user's own: what it holds, then its predictions.

import { ask, Refused } from "./api.js";
import { byId, el } from "./dom.js";

let about = null;
let found = null; // where what is known of the table is shown

export function start(model) {
  about = model;
  const file = el("input", { type: "file", id: "table-file", accept: ".csv,.tsv,.txt,.smi,.sdf,.parquet,.xlsx,.gz" });
  const column = el("input", { type: "text", id: "table-column", placeholder: "smiles" });
  const place = el("div", { class: "drop" },
    el("p", { class: "line" }, el("label", { for: "table-file" }, "Table of molecules"), file),
    el("p", { class: "line" }, el("label", { for: "table-column" }, "Column with the SMILES, if its name does not say so"), column),
    el("p", { class: "note" }, "CSV, TSV, Excel, Parquet, .smi or .sdf, up to 50,000 rows; it stays in this machine's memory. Choose a file, or drop one here."));
  found = el("div", { id: "table-found", "aria-live": "polite" });
  byId("panel-table").replaceChildren(el("h2", {}, "A table of your own"), place, found);
  file.addEventListener("change", () => file.files[0] && bring(file.files[0], column.value));
  place.addEventListener("dragover", (event) => { event.preventDefault(); place.classList.add("over"); });
  place.addEventListener("dragleave", () => place.classList.remove("over"));
  place.addEventListener("drop", (event) => {
    event.preventDefault();
    place.classList.remove("over");
    if (event.dataTransfer.files[0]) bring(event.dataTransfer.files[0], column.value);
  });
}

async function bring(file, column) {
  found.replaceChildren(el("p", { class: "note" }, `reading ${file.name} …`));
  const body = new FormData();
  body.append("file", file);
  body.append("smiles_col", column);
  try {
    tell(await ask("tables", {}, { method: "POST", body }));
  } catch (error) {
    complain(error);
  }
}

function complain(error) {
  found.replaceChildren(el("p", { class: "problem", role: "alert" }, error instanceof Refused ? error.text : String(error)));
}

/** Show what `cytomol check` says of the table. */
function tell(triage) {
  const head = ["column", "is", "measured", "values", "learnt"];
  const rows = triage.columns.map((one) => el("tr", {}, el("th", { scope: "row" }, one.name),
    ...[one.is, one.measured.toLocaleString("en"), one.values, one.learnt ? "yes" : ""].map((text) => el("td", {}, text))));
  const lines = [...triage.molecules, ...triage.replicates];
  found.replaceChildren(
    el("h3", {}, `What ${triage.name} holds`),
    ...lines.map((line) => el("p", {}, line)),
    el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "columns" }, el("table", {},
      el("thead", {}, el("tr", {}, ...head.map((name) => el("th", { scope: "col" }, name)))), el("tbody", {}, ...rows))),
    ...triage.notes.map((line) => el("p", { class: "note" }, `note: ${line}`)),
    ...triage.problems.map((line) => el("p", { class: "problem" }, `to settle: ${line}`)),
    triage.command ? el("p", { class: "note" }, "to learn from it: ", el("code", {}, triage.command)) : "",
    ...predicting(triage));
}

function predicting(triage) {
  if (about.kind !== "predictor") return [el("p", { class: "note" }, "This model is a backbone: it predicts no task.")];
  const state = el("p", { class: "note", role: "status", id: "table-state" });
  const bar = el("progress", { class: "progress", max: triage.rows, value: 0, hidden: true, "aria-label": "rows predicted" });
  const button = el("button", { type: "button", class: "primary", id: "table-predict", click: () => predict(triage, button, bar, state) },
    `Predict ${triage.rows.toLocaleString("en")} ${triage.rows === 1 ? "row" : "rows"}`);
  return [el("h3", {}, "Its predictions"), el("p", {}, button), bar, state];
}

async function predict(triage, button, bar, state) {
  button.disabled = true;
  bar.hidden = false;
  try {
    let now = await ask(`tables/${triage.table}/predictions`, {}, { method: "POST" });
    while (now.state === "predicting") {
      bar.value = now.done;
      state.textContent = `${now.done.toLocaleString("en")} of ${now.rows.toLocaleString("en")} rows`;
      await new Promise((done) => setTimeout(done, 300));
      now = await ask(`tables/${triage.table}`);
    }
    bar.hidden = true;
    if (now.state === "failed") throw new Error(now.error);
    state.replaceChildren(`${now.rows.toLocaleString("en")} rows predicted: `,
      el("a", { href: `/api/tables/${triage.table}/predictions.csv`, download: "predictions.csv" }, "save predictions.csv"));
  } catch (error) {
    bar.hidden = true;
    button.disabled = false;
    state.textContent = error instanceof Refused ? error.text : error.message;
  }
}
