"""Put the service under load, beside a naive server: ``python -m benchmarks.service``.

For each model 200 clients ask for 60 seconds, each one molecule at a time, first the naive server, then the
service, as processes of their own on loopback. Rows go to benchmarks/results/service.csv; those that are
there stay (remove the file to begin anew).
"""

from __future__ import annotations

import argparse
import asyncio
import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pandas as pd
import psutil
from benchmarks.service.clients import Load, ask_for

from cytomol.errors import CytomolError
from cytomol.evaluate.job import source_commit
from cytomol.files import atomic_file

RESULTS = Path(__file__).parents[1] / "results" / "service.csv"
ASSAY = Path(__file__).parents[2] / "examples" / "assay.csv"
_LEARNERS = {"cytomol": (), "forest": ("--learner", "forest")}
_EVERY = 1.0  # seconds between two looks at the memory


def main() -> int:
    """Measure what the table does not hold yet; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.service", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="of load (60)")
    parser.add_argument("--clients", type=int, default=200, help="at a time (200)")
    parser.add_argument(
        "--models", nargs="+", choices=_LEARNERS, default=list(_LEARNERS), help="what answers"
    )
    parser.add_argument("--work", type=Path, default=Path("build/service"), help="folder for fitted models")
    parser.add_argument("-o", "--output", type=Path, default=RESULTS, help="table to write or to go on with")
    options = parser.parse_args()
    molecules = asked_molecules()
    try:
        for model in options.models:
            directory = _fitted(model, options.work)
            for server in ("naive", "service"):
                if _known(options.output, model, server):
                    continue
                row = measure(server, directory, molecules, options.seconds, options.clients)
                _add(options.output, {"model": model, "server": server, **row, "commit": source_commit()})
                print(row, file=sys.stderr, flush=True)
    except CytomolError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def asked_molecules() -> list[str]:
    """Return molecules like those of the example, most of which the models have not seen.

    Each is one of the table with one of 30 chains at an atom that bears a hydrogen, about 12,000 in all.
    """
    from rdkit import Chem

    groups = [f"{'C' * length}{end}" for length in range(1, 7) for end in ("O", "N", "F", "Cl", "C#N")]
    found: list[str] = []
    table = pd.read_csv(ASSAY)["SMILES"].drop_duplicates()
    for group in groups:
        for smiles in table:
            mol = Chem.MolFromSmiles(smiles)
            atom = next(
                (a.GetIdx() for a in mol.GetAtoms() if a.GetTotalNumHs() and not a.GetIsAromatic()), None
            )
            if atom is None:
                continue
            edited = Chem.RWMol(Chem.CombineMols(mol, Chem.MolFromSmiles(group)))
            edited.AddBond(atom, mol.GetNumAtoms(), Chem.BondType.SINGLE)
            edited.GetAtomWithIdx(atom).SetNoImplicit(False)
            edited.GetAtomWithIdx(atom).SetNumExplicitHs(0)
            if Chem.SanitizeMol(edited, catchErrors=True) == Chem.SanitizeFlags.SANITIZE_NONE:
                found.append(Chem.MolToSmiles(edited))
    return found


def measure(
    server: str, directory: Path, molecules: list[str], seconds: float, clients: int
) -> dict[str, float]:
    """Start a server, put it under load, stop it; return what came out."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = {
        "naive": ["-m", "benchmarks.service.naive", str(directory), str(port)],
        "service": ["-m", "cytomol", "serve", f"model={directory}", "--port", str(port)],
    }[server]
    process = subprocess.Popen(
        [sys.executable, *command],
        stderr=subprocess.DEVNULL,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    try:
        _wait_for(port, process)
        _ = asyncio.run(ask_for(min(5.0, seconds), clients, port, "/v1/predict", molecules[::-1]))  # warm
        load, memory, busy = asyncio.run(_watched(process, port, molecules, seconds, clients))
    finally:
        process.terminate()
        process.wait(60)
    for error in sorted(set(load.errors))[:5]:
        print(f"  {server}: {error}", file=sys.stderr)
    half = len(memory) // 2
    return {
        "clients": clients,
        "seconds": round(load.seconds, 1),
        "requests": len(load.latencies),
        "errors": len(load.errors),
        "per_second": round(load.throughput, 2),
        "p50": round(load.percentile(50), 4),
        "p99": round(load.percentile(99), 4),
        "cpu_per_request": round(busy / max(1, len(load.latencies)), 5),
        "memory_begin": round(max(memory[:3]) / 2**20),
        "memory_middle": round(memory[half] / 2**20),
        "memory_end": round(memory[-1] / 2**20),
    }


async def _watched(
    process: subprocess.Popen[bytes], port: int, molecules: list[str], seconds: float, clients: int
) -> tuple[Load, list[int], float]:
    """Return the load, the memory of the server's processes second by second, and its processor time."""
    family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]

    def processor() -> float:
        return sum(sum(one.cpu_times()[:2]) for one in family)

    memory = [sum(one.memory_info().rss for one in family)]

    async def watch() -> None:
        while True:
            await asyncio.sleep(_EVERY)
            memory.append(sum(one.memory_info().rss for one in family))

    watcher, before = asyncio.create_task(watch()), processor()
    load = await ask_for(seconds, clients, port, "/v1/predict", molecules)
    watcher.cancel()
    return load, memory, processor() - before


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    while process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    raise CytomolError(f"the server ended with status {process.returncode} before it answered")


def _fitted(model: str, work: Path) -> Path:
    """Return the directory of a model fitted to the example; made where it is not there."""
    directory = work / model
    if not directory.is_dir():
        command = [
            "finetune",
            str(ASSAY),
            "--targets",
            "LogSol,Kinase",
            *_LEARNERS[model],
            "-o",
            str(directory),
        ]
        subprocess.run([sys.executable, "-m", "cytomol", *command], check=True)
    return directory


def _known(path: Path, model: str, server: str) -> bool:
    if not path.is_file():
        return False
    table = pd.read_csv(path)
    return bool(((table["model"] == model) & (table["server"] == server)).any())


def _add(path: Path, row: dict[str, object]) -> None:
    before = [pd.read_csv(path)] if path.is_file() else []
    table = pd.concat([*before, pd.DataFrame([row])], ignore_index=True)
    with atomic_file(path, force=True) as temporary:
        table.to_csv(temporary, index=False)


if __name__ == "__main__":
    sys.exit(main())
