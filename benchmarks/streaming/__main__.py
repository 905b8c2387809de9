"""Predict many planted molecules, kill the run in the middle, go on: ``python -m benchmarks.streaming``."""

from __future__ import annotations

import argparse
import csv
import hashlib
import os
import subprocess
import sys
import time
from pathlib import Path

import psutil

RESULTS = Path(__file__).parents[1] / "results" / "streaming.csv"
_PARTS = ("C", "N", "O", "S", "CC", "CN", "CO", "C(C)", "C(F)", "C(Cl)", "C(=O)", "c1ccc(cc1)", "C(O)")


def planted(number: int) -> str:
    """Return a valid SMILES, another one for each number below 13**6.

    >>> planted(0), planted(1)
    ('CCCCCCCF', 'CNCCCCCF')
    """
    text = "C"
    for _ in range(6):
        number, place = divmod(number, len(_PARTS))
        text += _PARTS[place]
    return text + "F"


def main() -> None:
    """Write one row: memory, time, and whether the output after a kill is that of a run without."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.streaming", description=__doc__)
    parser.add_argument("model", help="directory of a fine-tuned model")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--chunk-rows", type=int, default=16384)
    parser.add_argument("--work", type=Path, default=Path("build/streaming"))
    parser.add_argument("-o", "--output", type=Path, default=RESULTS)
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    table = options.work / f"planted-{options.rows}.csv"
    with table.open("w", encoding="utf-8") as handle:
        handle.write("id,smiles\n")
        handle.writelines(f"m{row},{planted(row)}\n" for row in range(options.rows))
    outs = [options.work / f"{name}.csv" for name in ("whole", "killed")]
    for out in outs:
        out.unlink(missing_ok=True)
    ask = ["predict", options.model, str(table), "--workers", "1", "--chunk-rows", str(options.chunk_rows)]
    ask += ["--no-evidence", "-q"]
    total = -(-options.rows // options.chunk_rows)
    seconds, largest, tree = run([*ask, "-o", str(outs[0])], outs[0])
    run([*ask, "-o", str(outs[1])], outs[1], kill_at=max(1, total // 2))
    parts = outs[1].with_name(f".{outs[1].name}.parts")
    before = {path: path.stat().st_mtime_ns for path in parts.glob("[0-9]*.json")}
    again: set[Path] = set()
    _, second, second_tree = run([*ask, "-o", str(outs[1]), "--resume"], outs[1], watch=(before, again))
    digests = [hashlib.sha256(out.read_bytes()).hexdigest() for out in outs]
    row = {
        "rows": options.rows,
        "verb": "predict",
        "chunk_rows": options.chunk_rows,
        "peak_mb_process": round(max(largest, second)),
        "peak_mb_tree": round(max(tree, second_tree)),
        "seconds": round(seconds, 1),
        "killed_at": len(before) * options.chunk_rows,
        "repeated_chunks": len(again),
        "identical": digests[0] == digests[1],
    }
    print(row)
    new = not options.output.exists()
    with options.output.open("a", newline="", encoding="utf-8") as handle:
        writer = csv.DictWriter(handle, list(row), lineterminator="\n")
        if new:
            writer.writeheader()
        writer.writerow(row)


def run(
    ask: list[str],
    out: Path,
    *,
    kill_at: int | None = None,
    watch: tuple[dict[Path, int], set[Path]] | None = None,
) -> tuple[float, float, float]:
    """Run the command; return seconds, and the peak of the largest process and of all, in MB.

    ``kill_at`` kills it when so many chunks are finished; ``watch`` notes finished chunks written again.
    """
    parts = out.with_name(f".{out.name}.parts")
    began, largest, tree = time.perf_counter(), 0.0, 0.0
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    process = psutil.Popen([sys.executable, "-m", "cytomol", *ask], env=environment)
    while process.poll() is None:
        try:
            held = [one.memory_info().rss / 1e6 for one in [process, *process.children(recursive=True)]]
        except psutil.Error:
            continue
        largest, tree = max(largest, *held), max(tree, sum(held))
        if kill_at is not None and len(list(parts.glob("[0-9]*.json"))) >= kill_at:
            process.kill()
        for path, written in watch[0].items() if watch else ():
            if _changed(path, written):
                watch[1].add(path)  # type: ignore[index]
        time.sleep(0.05)
    if kill_at is None and process.returncode:
        raise subprocess.CalledProcessError(process.returncode, ask)
    return time.perf_counter() - began, largest, tree


def _changed(path: Path, written: int) -> bool:
    try:
        return path.stat().st_mtime_ns != written
    except FileNotFoundError:  # the parts are joined and removed
        return False


if __name__ == "__main__":
    main()
