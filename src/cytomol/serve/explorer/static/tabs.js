// Tabs by mouse and by arrow keys, as the ARIA practices describe them.

import { byId } from "./dom.js";

const tabs = () => [...document.querySelectorAll("[role=tab]")].filter((tab) => !tab.hidden);

/** Show a panel by the name of its tab: "answer", "map", "tree" or "table". */
export function show(name, { focus = false } = {}) {
  for (const tab of document.querySelectorAll("[role=tab]")) {
    const on = tab.id === `tab-${name}`;
    tab.setAttribute("aria-selected", on);
    tab.tabIndex = on ? 0 : -1;
    byId(tab.getAttribute("aria-controls")).hidden = !on;
    if (on && focus) tab.focus();
  }
  document.dispatchEvent(new CustomEvent("shown", { detail: name }));
}

export function start() {
  const list = document.querySelector("[role=tablist]");
  list.addEventListener("click", (event) => {
    const tab = event.target.closest("[role=tab]");
    if (tab) show(tab.id.slice(4));
  });
  list.addEventListener("keydown", (event) => {
    const all = tabs(), at = all.indexOf(document.activeElement);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: all.length - 1 }[event.key];
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    show(all[(to + all.length) % all.length].id.slice(4), { focus: true });
  });
}
