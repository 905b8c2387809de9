// Small helpers to make elements; text is always text, never markup.

const SVG = "http://www.w3.org/2000/svg";

/** Make an element: el("p", {class: "note"}, "text", child). Functions become listeners. */
export function el(name, attributes = {}, ...children) {
  return filled(document.createElement(name), attributes, children);
}

/** Make an element of a drawing. */
export function svg(name, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, name), attributes, children);
}

function filled(node, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") node.addEventListener(key, value);
    else if (value !== null && value !== undefined && value !== false) node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

export const byId = (id) => document.getElementById(id);

/** Whether the page is dark now. */
export const isDark = () => matchMedia("(prefers-color-scheme: dark)").matches;

/** A picture of a molecule, drawn by the server for a light page or a dark one. */
export function picture(smiles, width = 260, height = 190, alt = null) {
  const source = (dark) => `/api/drawing?${new URLSearchParams({ smiles, width, height, dark })}`;
  const image = el("img", { src: source(isDark()), width, height, alt: alt ?? `structure of ${smiles}`, class: "molecule" });
  image.redraw = () => { image.src = source(isDark()); };
  return image;
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  for (const image of document.querySelectorAll("img.molecule")) image.redraw?.();
  document.dispatchEvent(new Event("palette"));
});

/** A number with so many digits as a reader wants. */
export function plain(value, digits = 3) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  if (typeof value === "string") return value;
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e5 || size < 1e-3) return value.toExponential(digits - 1);
  return String(Number(value.toPrecision(digits)));
}

/** Call the last of several calls that come close together. */
export function later(action, milliseconds) {
  let timer;
  return (...words) => { clearTimeout(timer); timer = setTimeout(() => action(...words), milliseconds); };
}
