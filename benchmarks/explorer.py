"""How long the explorer takes to answer, measured in the browser: `python -m benchmarks.explorer`.

A predictor learns from examples/assay.csv, a library of 100,000 molecules is planted, the page is opened in
the system's Chromium, and 40 molecules that the page has not seen are pasted one after the other. The time is
that from asking to the answer on the page; the atoms that it rests on come later and are timed apart. The map
is moved and zoomed for its frames.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "explorer.csv"
_ASKED = 40

# From the press of a key to the page that shows the answer, drawn.
_ANSWER = """async (smiles) => {
  const field = document.getElementById("smiles"), state = document.getElementById("answer-state");
  field.value = smiles;
  const begun = performance.now();
  document.getElementById("ask-form").requestSubmit();
  while (state.dataset.smiles !== smiles) await new Promise((done) => setTimeout(done, 2));
  await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  const answered = performance.now() - begun;
  while (!document.querySelector("#atom-drawings img")) await new Promise((done) => setTimeout(done, 10));
  return [answered, performance.now() - begun, Number(state.dataset.server)];
}"""
_FRAMES = """async () => {
  const canvas = document.getElementById("map-canvas"), box = canvas.getBoundingClientRect();
  const frames = [];
  for (let step = 0; step < 60; step++) {
    const begun = performance.now();
    const deltaY = step < 30 ? -60 : 60, where = { clientX: box.left + 300, clientY: box.top + 300 };
    canvas.dispatchEvent(new WheelEvent("wheel", { deltaY, ...where, bubbles: true, cancelable: true }));
    await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
    frames.push(performance.now() - begun);
  }
  return frames;
}"""


def write_library(path: Path, rows: int) -> None:
    """Write planted molecules, each once."""
    from cytomol.corpus.planted.library import sample_molecules

    planted = sample_molecules(rows, np.random.default_rng(0))
    frame = planted[["smiles", "lipophilicity"]].round(2)
    frame.insert(1, "id", [f"L-{row}" for row in range(rows)])
    frame.to_csv(path, index=False)


def measured(address: str, molecules: list[str]) -> dict[str, Any]:
    """Ask the page about molecules, one after the other, and move its map."""
    from playwright.sync_api import sync_playwright

    chromium = next(
        found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))
    )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--no-proxy-server"]
        )
        page = browser.new_page(viewport={"width": 1360, "height": 900})
        page.set_default_timeout(120_000)
        page.goto(address)
        page.wait_for_selector("html[data-ready]")
        page.evaluate(_ANSWER, "CCO")
        times = np.array([page.evaluate(_ANSWER, smiles) for smiles in molecules])
        page.click("#tab-map")
        page.wait_for_selector("#map-canvas")
        frames = np.array(page.evaluate(_FRAMES))
        version = browser.version
        browser.close()
    return {
        "asked": len(molecules),
        "answer_median_ms": round(float(np.median(times[:, 0]))),
        "answer_p95_ms": round(float(np.quantile(times[:, 0], 0.95))),
        "answer_slowest_ms": round(float(times[:, 0].max())),
        "server_median_ms": round(float(np.median(times[:, 2]))),
        "atoms_median_ms": round(float(np.median(times[:, 1]))),
        "frame_median_ms": round(float(np.median(frames)), 1),
        "frame_p95_ms": round(float(np.quantile(frames, 0.95)), 1),
        "browser": f"Chromium {version.split('.')[0]}",
    }


def main() -> None:
    """Prepare, serve, measure, and write a row."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--model", help="predictor; by default one of examples/assay.csv is fitted")
    parser.add_argument("--learner", default="cytomol", help="of the predictor that is fitted")
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "cytomol-explorer")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    cytomol = [sys.executable, "-m", "cytomol"]
    table, library = ROOT / "examples" / "assay.csv", options.work / f"library-{options.rows}.csv"
    model = Path(options.model or options.work / f"model-{options.learner}")
    if not model.is_dir():
        words = ["--targets", "LogSol,Kinase", "--learner", options.learner, "-o", str(model)]
        subprocess.run([*cytomol, "finetune", str(table), *words], check=True)
    if not library.is_file():
        write_library(library, options.rows)
    molecules = pd.read_csv(ROOT / "examples" / "assay.csv")["SMILES"].dropna().tolist()
    molecules = [f"C{smiles}" for smiles in molecules if smiles.startswith("C")][:_ASKED]
    command = [*cytomol, "explore", str(model), "--library", str(library), "--no-open"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        begun = time.perf_counter()
        address = next(line for line in server.stderr if " page is at " in line).split(" at ")[1].split()[0]
        started = time.perf_counter() - begun
        _until_ready(address)
        ready = time.perf_counter() - begun
        try:
            row = measured(address, molecules)
        finally:
            server.terminate()
    about = {"date": time.strftime("%Y-%m-%d"), "library": options.rows, "learner": options.learner}
    about |= {"cores": len(os.sched_getaffinity(0)), "load": round(os.getloadavg()[0], 1)}
    about |= {"page_after_s": round(started, 1), "map_after_s": round(ready, 1)}
    _append({**about, **row})
    print(json.dumps({**about, **row}, indent=1))


def _until_ready(address: str) -> None:
    """Wait until the map is there."""
    from urllib.request import ProxyHandler, build_opener

    plain = build_opener(ProxyHandler({}))
    while True:
        with plain.open(f"{address}api/map") as answer:
            if json.load(answer)["state"] == "ready":
                return
        time.sleep(0.5)


def _append(row: dict[str, Any]) -> None:
    there = RESULTS.is_file()
    with RESULTS.open("a", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(row), lineterminator="\n")
        if not there:
            writer.writeheader()
        writer.writerow(row)


if __name__ == "__main__":
    main()
