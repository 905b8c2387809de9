// What cells are expected to show: the imputed profile, beside measured ones of like molecules.

import { ask } from "./api.js";
import { byId, el, isDark, picture, plain } from "./dom.js";
import { follow } from "./tree.js";

const FULL = [0.3, 1, 3]; // spreads from the mean at which a colour is full: the least that holds nearly all
let shown = [];

export function clear() {
  shown = [];
  byId("cells").replaceChildren();
  follow("");
}

/** Ask for the imputed profiles of a molecule and show them. */
export async function render(about, smiles, signal) {
  if (!about.imputed.length && !about.places_in_tree) return;
  let answer;
  try {
    answer = await ask("cells", { smiles }, { signal });
  } catch (error) {
    if (error.name !== "AbortError") byId("cells").replaceChildren(el("p", { class: "problem" }, error.text ?? String(error)));
    return;
  }
  shown = [];
  follow(answer.path);
  byId("cells").replaceChildren(...answer.profiles.flatMap((profile) => section(answer.measured, profile)));
  paint();
}

function section(state, profile) {
  const far = fullColour([profile.expected, ...profile.measured.map((one) => one.values)]);
  const rows = [line("imputed", null, profile.expected, far)];
  for (const one of profile.measured) rows.push(line(`measured, ${plain(one.similarity, 2)} alike`, one.smiles, one.values, far));
  const alone = profile.measured.length ? "" : {
    none: " Start the explorer with --corpus DIR to see measured profiles of like molecules beside it.",
    waiting: " The measured profiles are being read: ask again in a moment.",
    ready: " The corpus holds none of this modality.",
  }[state] ?? ` The measured profiles are not there: ${state}.`;
  return [
    el("h2", {}, `Imputed profile: ${profile.modality}`),
    el("p", { class: "note" }, `${profile.features.length} features in spreads from the mean training profile: blue below, orange above, full colour from ${far} on.${alone}`),
    el("div", { class: "strip" }, ...rows.flat()),
    el("h3", {}, "Features farthest from their mean"),
    el("div", { class: "scroll" }, farthest(profile)),
  ];
}

function fullColour(profiles) {
  const sizes = profiles.flat().filter((value) => value !== null).map(Math.abs).sort((one, other) => one - other);
  const nearly = sizes[Math.floor(0.98 * (sizes.length - 1))] ?? 0;
  return FULL.find((far) => nearly <= far) ?? FULL.at(-1);
}

function line(name, smiles, values, far) {
  const canvas = el("canvas", { role: "img", "aria-label": `${name}: ${values.length} features`, height: 1, width: values.length });
  shown.push([canvas, values, far]);
  return [el("div", {}, smiles ? picture(smiles, 130, 62) : null, el("div", {}, name)), canvas];
}

function farthest(profile) {
  const head = ["feature", "imputed", "a measured value lies within", "mean", "spreads from it"];
  return el("table", {}, el("thead", {}, el("tr", {}, ...head.map((name) => el("th", { scope: "col" }, name)))),
    el("tbody", {}, ...profile.farthest.slice(0, 8).map((one) => el("tr", {},
      el("th", { scope: "row" }, one.feature),
      ...[plain(one.expected), `± ${plain(one.half_width)}`, plain(one.mean), plain(one.apart, 2)].map((text) => el("td", { class: "number" }, text))))));
}

function paint() {
  const middle = isDark() ? [40, 45, 50] : [244, 245, 246];
  for (const [canvas, values, far] of shown) {
    const context = canvas.getContext("2d"), image = context.createImageData(values.length, 1);
    values.forEach((value, at) => image.data.set([...colour(value, middle, far), value === null ? 0 : 255], 4 * at));
    context.putImageData(image, 0, 0);
  }
}

function colour(value, middle, far) {
  if (value === null) return [0, 0, 0];
  const share = Math.min(1, Math.abs(value) / far), end = value < 0 ? [0, 114, 178] : [230, 120, 0];
  return middle.map((from, at) => Math.round(from + share * (end[at] - from)));
}

document.addEventListener("palette", paint);
