"""The long run of the fuzz drivers (`make fuzz`): counts in benchmarks/results/fuzz.csv, a row a driver."""

from __future__ import annotations

import argparse
import csv
import importlib
import os
import sys
import tempfile
from pathlib import Path

import click

ROOT = Path(__file__).parents[2]
OUT = ROOT / "benchmarks" / "results" / "fuzz.csv"
COLUMNS = ["driver", "cases", "seconds", "failures"]


def main() -> int:
    """Run the drivers; the exit status is 1 if any found a failure."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument(
        "--cases", type=int, help="of each driver, times its share; CYTOMOL_FUZZ_EXAMPLES, else 17,500"
    )
    parser.add_argument("--only", help="names of drivers, comma-separated")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=OUT)
    chosen = parser.parse_args()
    cases = chosen.cases or int(os.environ.get("CYTOMOL_FUZZ_EXAMPLES", "17500"))
    os.environ["CYTOMOL_FUZZ_EXAMPLES"] = str(cases)  # drivers that know short and long inputs look here
    from tests.fuzz.driver import Driver

    for path in sorted(Path(__file__).parent.glob("test_*.py")):
        importlib.import_module(f"tests.fuzz.{path.stem}")
    wanted = list(Driver.all) if chosen.only is None else chosen.only.split(",")
    rows = read(chosen.out)
    found = False
    with tempfile.TemporaryDirectory() as folder:
        os.environ["CYTOMOL_CACHE"] = folder
        if "model directory" in wanted:
            small_model(Path(folder))
        for name in wanted:
            driver = Driver.all[name]
            count = driver.count(max(1, round(cases * driver.share)), first_seed=chosen.seed)
            rows[name] = [name, count.cases, round(count.seconds, 1), len(count.failures)]
            click.echo(
                f"{name}: {count.cases:,} cases in {count.seconds:.0f} s, {len(count.failures)} failures"
            )
            for kind, story in count.failures.items():
                found = True
                click.echo(f"\n== {name}: {kind}\n{story}", err=True)
            write(chosen.out, rows)
    return int(found)


def small_model(folder: Path) -> None:
    """Make the model that the driver of model directories damages."""
    from tests.conftest import write_untrained
    from tests.fuzz.test_model_directory import use

    use(write_untrained(folder)["chmr"])


def read(path: Path) -> dict[str, list[object]]:
    """Return the rows of an earlier run, by driver."""
    if not path.exists():
        return {}
    with path.open(newline="", encoding="utf-8") as handle:
        return {row["driver"]: [row[name] for name in COLUMNS] for row in csv.DictReader(handle)}


def write(path: Path, rows: dict[str, list[object]]) -> None:
    """Write the rows, the known drivers in their order."""
    with path.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(rows.values())


if __name__ == "__main__":
    sys.exit(main())
