"""A disk that is full, and a place that cannot be written: every verb that writes says so in one line."""

from __future__ import annotations

import gc
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tools.site.verbs import commands

from cytomol.corpus.planted import write_planted
from cytomol.errors import OutputError
from cytomol.files import check_space

Run = Callable[..., object]
SMALL = "--width 16 --layers 2 --epochs 1 --depth 3 --views 1d,2d --workers 1 --threads 1 --no-report"
FIT = "--learner neighbours --calibration-folds 0 --no-baselines --no-report --workers 1"
# Every verb that writes, with what it reads: {work} holds a corpus, assays, molecules, and a model.
WRITERS = {
    "corpus planted": "--size 200 -o {out}",
    "corpus build": "--from {work}/corpus -o {out}",
    "corpus add": "{work}/corpus --profiles m:expression:{work}/corpus/modalities/expression.parquet "
    "-o {out}",
    "corpus annotate": "{work}/corpus morphology --table {work}/corpus/truth/plates/morphology.parquet "
    "--label Plate=plate -o {out}",
    "pretrain": f"{{work}}/corpus -o {{out}} {SMALL}",
    "finetune": f"{{work}}/assays.csv -o {{out}} {FIT}",
    "predict": "{work}/model {work}/molecules.csv -o {out}.csv --workers 1",
    "score": "{work}/model {work}/table.csv -o {out}.json --workers 1",
    "report": "{work}/model -o {out}.html",
    "explain": "{work}/model {work}/few.csv -o {out}.csv --task amine",
    "gather": "{work}/shard/ -o {out}.csv",
    "embed": "default {work}/molecules.csv -o {out}.csv --workers 1",
    "match": "default {work}/few.csv --in {work}/molecules.csv --modality {modality} -o {out}.csv "
    "--workers 1 --no-report",
    "matcher": "{work}/corpus -m morphology -o {out} --workers 1",
    "impute": "default {work}/molecules.csv -o {out}.csv --workers 1",
    "codes": "{work}/trained {work}/molecules.csv -o {out}.csv --workers 1",
    "hierarchy": "{work}/trained --molecules {work}/molecules.csv -o {out} --workers 1",
    "evaluate matching": "{work}/corpus -m morphology --baselines -o {out}",
    "evaluate imputation": "{work}/corpus {work}/trained -o {out}.csv --held-out {work}/molecules.csv",
    "evaluate alignment": "{work}/trained {work}/corpus -o {out}.csv",
    "stress missing": "{work}/corpus -o {out}",
    "benchmark": "{work}/assays.csv -o {out}",
    "data get": "bbbp --mirror {work} --to {out}",
    "ablate": "{work}/corpus {work}/assays.csv -o {out}",
    "demo": "-o {out}",
    "sign": "{work}/model --key {out}.pem --new-key",
}
QUICK = ("corpus planted", "corpus build", "pretrain", "finetune", "predict", "report", "embed", "impute")


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory, reported: Path, cytomol: Run) -> Path:
    """Return a folder with something of everything that a verb reads; what is compiled once is compiled."""
    folder = tmp_path_factory.mktemp("work")
    write_planted(folder / "corpus", size=200, seed=0)
    shutil.copy(folder / "corpus" / "assays.csv", folder / "assays.csv")
    lines = (folder / "assays.csv").read_text().splitlines()
    smiles = [line.split(",")[0] for line in lines]
    assert smiles[0] == "smiles"
    (folder / "molecules.csv").write_text("\n".join(smiles[:60]) + "\n")
    (folder / "few.csv").write_text("\n".join(smiles[:3]) + "\n")
    (folder / "table.csv").write_text("smiles,amine\n" + "".join(f"{one},yes\n" for one in smiles[1:9]))
    (folder / "bbbp").mkdir()  # of a mirror
    (folder / "bbbp" / "assays.csv.gz").write_bytes(bytes(5000))
    shutil.copytree(reported, folder / "model")
    shard = ("--shard", "1/1", "-o", f"{folder}/shard/")
    done = cytomol("predict", folder / "model", folder / "molecules.csv", *shard)
    assert done.code == 0  # type: ignore[attr-defined]
    assert cytomol(*words("pretrain", folder, folder / "trained")).code == 0  # type: ignore[attr-defined]
    return folder


def words(name: str, work: Path, out: Path) -> list[str]:
    from cytomol import Backbone

    modality = next(iter(Backbone.load("default").modalities)) if "{modality}" in WRITERS[name] else ""
    return [*name.split(), *WRITERS[name].format(work=work, out=out, modality=modality).split()]


def refused(done: object, what: str) -> None:
    """Check that a command ended with one line that says what."""
    code, told = done.code, done.err  # type: ignore[attr-defined]
    lines = [line for line in told.splitlines() if "cytomol: error: " in line]
    assert code == 2, told
    assert len(lines) == 1, told
    assert "Traceback" not in told
    assert "defect" not in told
    assert what in lines[0]


def test_every_verb_that_writes_is_here() -> None:
    writing = {
        command.name.removeprefix("cytomol ")
        for command in commands()
        for parameter in command.command.params
        if {"-o", "--to"} & set(parameter.opts)
    }
    assert set(WRITERS) == (writing - {"data list"}) | {"sign"}


@pytest.mark.parametrize("name", WRITERS)
def test_a_place_below_a_file_is_refused(name: str, work: Path, tmp_path: Path, cytomol: Run) -> None:
    file = tmp_path / "file"
    file.write_text("kept")
    before = listing(work)
    refused(cytomol(*words(name, work, file / "out")), str(tmp_path))
    assert file.read_text() == "kept"
    assert listing(tmp_path) == ["file"]
    assert listing(work) == before


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Return what mounts a disk in memory, which the test's end takes away."""
    if sys.platform != "linux" or os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("mounting a disk needs Linux and root")
    place = tmp_path / "disk"
    place.mkdir()
    done: list[Path] = []

    def mount(options: str) -> Path:
        words = ["mount", "-t", "tmpfs", "-o", options, "none", str(place)]
        told = subprocess.run(words, capture_output=True, text=True, check=False)
        if told.returncode:
            pytest.skip(f"mounting a disk is not allowed here: {told.stderr.strip()}")
        done.append(place)
        return place

    yield mount
    gc.collect()
    for each in done:
        subprocess.run(["umount", str(each)], check=True)


@pytest.mark.parametrize("name", WRITERS)
def test_a_disk_that_may_only_be_read_is_told(
    name: str, work: Path, tmp_path: Path, cytomol: Run, mounted: Callable[[str], Path]
) -> None:
    before = listing(work)
    refused(cytomol(*words(name, work, mounted("ro,size=1m") / "out")), str(tmp_path))
    assert listing(tmp_path) == ["disk"]
    assert listing(work) == before


@pytest.mark.parametrize("name", WRITERS)
def test_a_disk_without_a_free_byte_is_told(
    name: str, work: Path, tmp_path: Path, cytomol: Run, mounted: Callable[[str], Path]
) -> None:
    before = listing(work)
    disk = mounted("size=4k")
    (disk / "filler").write_bytes(bytes(4096))
    refused(cytomol(*words(name, work, disk / "out")), str(tmp_path))
    assert [path for path in disk.rglob("*") if path.is_file() and path.stat().st_size] == [disk / "filler"]
    assert listing(work) == before


@pytest.mark.skipif(sys.platform == "win32", reason="files have no limit there")
@pytest.mark.parametrize("name", [*QUICK, "sign"])
def test_a_full_disk_is_told_and_nothing_half_written_stays(
    name: str, work: Path, tmp_path: Path, cytomol: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CYTOMOL_CACHE", str(tmp_path / "cache"))
    before = listing(work)
    with full_disk({"sign": 16, "pretrain": 200_000}.get(name, 1000)):  # numba keeps code beside it
        done = cytomol(*words(name, work, tmp_path / "out"))
    refused(done, "cannot be written")
    kept = ("cache", "out.partial")  # finished stages of a fine-tuning wait for --resume
    assert [path for path in listing(tmp_path) if not path.startswith(kept)] == []
    assert listing(work) == before


@contextmanager
def full_disk(size: int) -> Iterator[None]:
    """Let no file of this process become longer than so many bytes, as if the disk ended there."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.skipif(sys.platform == "win32", reason="files have no limit there")
def test_a_cache_that_is_full_is_a_warning(
    work: Path, tmp_path: Path, cytomol: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cytomol.chem.featurize import featurize
    from cytomol.chem.options import FeatureOptions

    smiles = (work / "molecules.csv").read_text().split()[1:] * 20
    options = FeatureOptions(graph=True, morgan_radius=2, morgan_bits=1024, maccs=True)
    with full_disk(1000), pytest.warns(RuntimeWarning, match="not kept"):
        store = featurize(smiles, options, cache=tmp_path / "cache", workers=1)
    again = featurize(smiles, options, cache=tmp_path / "cache", workers=1)
    assert (store.atoms == again.atoms).all()
    assert store.valid.all()


def test_a_training_looks_for_room_before_it_starts(
    work: Path, tmp_path: Path, cytomol: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=10**6))
    done = cytomol(*words("pretrain", work, tmp_path / "out"))
    refused(done, "a training needs")
    assert listing(tmp_path) == []
    check_space(tmp_path / "a" / "b", 10**6, what="it")
    with pytest.raises(OutputError, match="1 MB are free"):
        check_space(tmp_path / "a" / "b", 10**6 + 1, what="it")


def listing(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))
