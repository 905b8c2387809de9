// Questions to the server. A server that does not answer is waited for, and what was asked is asked again.

import { byId } from "./dom.js";

const TRY_AGAIN = 1000;
let lost = null;

/** An answer that says what the user can mend. */
export class Refused extends Error {
  constructor(body, status) {
    super(body.error ?? `the server answers ${status}`);
    this.hint = body.hint ?? "";
  }
  get text() { return this.hint ? `${this.message} (${this.hint})` : this.message; }
}

/** Ask; JSON unless `kind` says otherwise ("arrayBuffer"). */
export async function ask(path, words = {}, { signal, kind = "json", ...rest } = {}) {
  const query = new URLSearchParams(words).toString();
  const address = `/api/${path}${query ? `?${query}` : ""}`;
  for (;;) {
    let answer;
    try {
      answer = await fetch(address, { signal, ...rest });
    } catch (error) {
      if (error.name === "AbortError") throw error;
      await untilThere(signal);
      continue;
    }
    if (answer.ok) return answer[kind]();
    throw new Refused(await answer.json().catch(() => ({})), answer.status);
  }
}

/** Say that the server is lost, and wait until it answers again. */
function untilThere(signal) {
  lost ??= (async () => {
    byId("lost").hidden = false;
    for (;;) {
      await new Promise((done) => setTimeout(done, TRY_AGAIN));
      try {
        if ((await fetch("/api/health", { cache: "no-store" })).ok) break;
      } catch { /* still lost */ }
    }
    byId("lost").hidden = true;
    lost = null;
  })();
  return Promise.race([lost, new Promise((_, no) => signal?.addEventListener("abort", () => no(signal.reason)))]);
}

/** Look now and then whether the server is there, so that the page says so before it is asked. */
export function watch() {
  setInterval(async () => {
    if (lost || document.hidden) return;
    try { await fetch("/api/health", { cache: "no-store" }); } catch { untilThere(); }
  }, 5000);
}
