"""cytomol corpus check and build, as a user calls them."""

# ruff: noqa: PD011 (the values of a modality are an array)
from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cytomol.cli.main import main
from cytomol.corpus import read_corpus
from cytomol.corpus.build_report import read_build_report
from cytomol.corpus.manifest import load_manifest


def run(*args: object) -> int:
    with pytest.raises(SystemExit) as exit_:
        main([str(arg) for arg in args])
    return int(exit_.value.code or 0)


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    (tmp_path / "molecules.csv").write_text("id,smiles\nm0,CCO\nm1,c1ccccc1O\nm2,CCN\n")
    pd.DataFrame(
        {
            "Metadata_pert_id": ["m0", "m0", "m1", "DMSO"],
            "Cells_a": [1.0, 3.0, np.nan, 0.0],
            "Cells_b": [1.0, 2.0, 3.0, 4.0],
        }
    ).to_csv(tmp_path / "plates.csv", index=False)
    (tmp_path / "targets.csv").write_text("source,target\nm0,TP53\nm1,EGFR\n")
    return tmp_path


def build(tables: Path, out: Path, *extra: object) -> int:
    return run(
        "corpus", "build", "-o", out, "--molecules", tables / "molecules.csv",
        "--profiles", f"cp:morphology:{tables / 'plates.csv'}",
        "--relation", f"targets:molecule:gene:{tables / 'targets.csv'}", *extra,
    )  # fmt: skip


def test_build_then_check(tables: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tables / "out"
    assert build(tables, out) == 0
    said = capsys.readouterr().out
    assert "3 of 4 rows joined by mol_id; 1 id not found: DMSO" in said
    assert "3 profiles became 2, the median of each molecule's replicates" in said
    assert "cp (morphology): 2 profiles of molecules x 2 features" in said
    corpus = read_corpus(out)
    np.testing.assert_array_equal(
        corpus.modalities["cp"].values, np.array([[2, 1.5], [np.nan, 3]], np.float32)
    )
    assert run("corpus", "check", out) == 0
    said = capsys.readouterr().out
    assert "0 errors" in said
    assert "\x1b" not in said


def test_report_beside_the_corpus(tables: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert build(tables, tables / "out") == 0
    said = capsys.readouterr().out
    assert "plates.csv: 2 features (Cells_a, Cells_b)" in said
    assert "plates.csv: 4 rows: 3 joined by mol_id, 1 control" in said
    report = read_build_report(tables / "out")
    fates = report["modalities"][0]["files"][0]["fates"]
    assert {fate["fate"]: fate["count"] for fate in fates} == {"joined by mol_id": 3, "control": 1}
    more = f"more:morphology:{tables / 'plates.csv'}"
    assert run("corpus", "build", "-o", tables / "two", "--from", tables / "out", "--profiles", more) == 0
    second = read_build_report(tables / "two")
    assert [modality["name"] for modality in second["modalities"]] == ["more"]
    assert second["before"] == report


@pytest.fixture
def doses(tables: Path) -> Path:
    for number in (1, 2):
        pd.DataFrame(
            {
                "": [0, 1, 2],
                "plate": [number] * 3,
                "Metadata_pert_id": ["m0", "m0", "m1"],
                "dose_uM": [1, 10, 10],
                "cell_line": ["A549", "A549", f"L{number}"],
                "moa": ["x", "x", "y"],
                "Cells_a": [1.0 * number, 3.0 * number, 5.0 * number],
                f"Cells_{number}": [1.0, 2.0, 3.0],
            }
        ).to_csv(tables / f"P{number}.csv", index=False)
    return tables


@pytest.mark.parametrize(
    ("extra", "name", "expected"),
    [
        (["--leave-out", "moa"], "p", [[2.5, 1.5, 1.5], [7.5, 3, 3]]),
        (["--features", "Cells_a", "--select", "dose=max"], "p", [[4.5], [7.5]]),
        (["--features", "p:Cells_a", "--leave-out", "p:moa", "--select", "p:dose=1"], "p", [[1.5]]),
        (["--features", "Cells_?", "--select", "cell=L2,L1", "--leave-out", "Cells_1"], "p", [[7.5, 3]]),
        (["--features", "Cells_a", "--split-by", "cell"], "p_L2", [[10]]),
        (["--features", "Cells_a", "--control", "cell_line=A549"], "p", [[7.5]]),
        (["--features", "Cells_a", "--aggregate", "mean", "--select", "plate=2"], "p", [[4], [10]]),
    ],
)
def test_options_on_wells(doses: Path, extra: list[str], name: str, expected: list[list[float]]) -> None:
    plates = [word for n in (1, 2) for word in ("--profiles", f"p:morphology:{doses / f'P{n}.csv'}")]
    out = doses / "out"
    command = ("corpus", "build", "-o", out, "--molecules", doses / "molecules.csv")
    assert run(*command, *plates, *extra) == 0
    np.testing.assert_array_equal(read_corpus(out).modalities[name].values, expected)


def test_patterns_need_fit_one_table_only(doses: Path) -> None:
    plates = [word for n in (1, 2) for word in ("--profiles", f"p{n}:morphology:{doses / f'P{n}.csv'}")]
    command = ("corpus", "build", "-o", doses / "out", "--molecules", doses / "molecules.csv")
    assert run(*command, *plates, "--leave-out", "moa", "--leave-out", "Cells_2") == 0
    modalities = read_corpus(doses / "out").modalities
    assert modalities["p1"].columns == ("Cells_a", "Cells_1")
    assert modalities["p2"].columns == ("Cells_a",)


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ([], "column moa: 'x' is not a number"),
        (["--features", "Cell_*"], "no column fits --features 'Cell_*'"),
        (["--leave-out", "moa", "--role", "strength=dose_uM"], "no role 'strength'"),
        (
            ["--leave-out", "moa", "--role", "dose=strength"],
            "has no column 'strength' for --role dose=strength",
        ),
        (["--leave-out", "moa", "--leave-out", "target"], "no column of any table fits --leave-out 'target'"),
        (["--leave-out", "moa", "--select", "dose"], "'dose' does not have the form KEY=VALUE"),
        (["--leave-out", "moa", "--select", "dose=,"], "selects nothing"),
        (["--leave-out", "moa", "--select", "dose=5"], "no row has dose 5 (it is 1, 10)"),
        (["--leave-out", "moa", "--select", "batch=5"], "has no column for --select batch"),
        (["--leave-out", "moa", "--split-by", "time"], "has no column for --split-by time"),
        (["--leave-out", "moa", "--control", "x=y"], "has no column 'x' to tell controls by"),
    ],
)
def test_bad_options_on_wells(
    doses: Path, extra: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    plates = ["--profiles", f"p:morphology:{doses / 'P1.csv'}"]
    command = ("corpus", "build", "-o", doses / "out", "--molecules", doses / "molecules.csv")
    assert run(*command, *plates, *extra) == 2
    assert message in capsys.readouterr().err
    assert not (doses / "out").exists()


def test_existing_output_is_refused_before_work(tables: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tables / "out"
    assert build(tables, out) == 0
    assert build(tables, out) == 2
    assert "output exists (use --force to replace it)" in capsys.readouterr().err
    assert build(tables, out, "--force") == 0


def test_no_partial_output(tables: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tables / "plates.csv").write_text("Metadata_pert_id,a\nother,1\n")
    before = sorted(tables.iterdir())
    assert build(tables, tables / "out") == 2
    assert "none of 1 rows joins by mol_id (for instance other)" in capsys.readouterr().err
    assert sorted(tables.iterdir()) == before


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        (["--profiles", "cp:x"], "does not have the form NAME:KIND:PATH"),
        (["--relation", "r:molecule:cell:x.csv"], "'cell' is neither molecule nor gene"),
        (["--from", "elsewhere"], "either --molecules or --from"),
        (["--molecule-id", "nothing"], "has no column 'nothing'"),
    ],
)
def test_bad_options(
    tables: Path, extra: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert build(tables, tables / "out", *extra) == 2
    assert message in capsys.readouterr().err
    assert not (tables / "out").exists()


def test_add_to_an_existing_corpus(tables: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert build(tables, tables / "out") == 0
    more = f"more:morphology:{tables / 'plates.csv'}"
    assert run("corpus", "build", "-o", tables / "two", "--from", tables / "out", "--profiles", more) == 0
    assert list(read_corpus(tables / "two").modalities) == ["cp", "more"]
    bad = ("corpus", "build", "-o", tables / "x", "--from", tables / "out", "--id-col", "id")
    assert run(*bad) == 2
    assert "--id-col goes with --molecules" in capsys.readouterr().err


def test_check_lists_every_error_and_exits_with_one(tables: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tables / "modalities").mkdir()
    (tables / "modalities" / "morphology_a.csv").write_text("mol_id,f\nm0,many\n")
    (tables / "modalities" / "morphology_b.csv").write_text("mol_id,f\nx,1\n")
    (tables / "modalities" / "morphology_c.parquet").write_bytes(b"PAR1 broken")
    assert run("corpus", "check", tables) == 1
    said = capsys.readouterr().out
    assert "Errors (3)" in said
    assert "morphology_a.csv, row 1, column f: 'many' is not a number" in said
    assert "none of 1 rows joins" in said
    assert "not a readable Parquet file" in said


def test_check_of_no_corpus(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("corpus", "check", tmp_path) == 2
    assert "no known corpus format" in capsys.readouterr().err
    assert run("corpus", "check", tmp_path / "nowhere") == 2
    assert "corpus not found" in capsys.readouterr().err


def test_help_names_errors_and_warnings(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("corpus", "check", "--help") == 0
    said = capsys.readouterr().out
    assert "Exits with 1 when there are errors" in " ".join(said.split())
    assert run("corpus", "--help") == 0
    said = capsys.readouterr().out
    assert all(verb in said for verb in ("build", "check", "planted"))


@pytest.mark.real_data
def test_real_corpora(real_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        run("corpus", "build", "-o", tmp_path / "out", "--from", real_data / "corpus_infoalign_layout") == 0
    )
    corpus = read_corpus(tmp_path / "out")
    assert len(corpus) == 36924
    assert len(corpus.relations["gene_gene"]) == 147343


def _group(folder: Path) -> tuple[Path, Path]:
    """Two tables as two groups have them: SMILES and cells, SMILES and genes."""
    cells = pd.DataFrame(
        {"SMILES": ["CCO", "c1ccccc1O", "CCN"], "Cells_a": [1.0, 2.0, 3.0], "Cells_b": [4, 5, 6]}
    )
    genes = pd.DataFrame({"smiles": ["Oc1ccccc1", "CCC"], "TP53": [0.5, 1.5], "EGFR": [2.5, 3.5]})
    cells.to_csv(folder / "a.csv", index=False)
    genes.to_csv(folder / "b.csv", index=False)
    return folder / "a.csv", folder / "b.csv"


def test_one_command_without_a_table_of_molecules(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cells, genes = _group(tmp_path)
    sources = ("--profiles", f"cp:morphology:{cells}", "--profiles", f"ge:expression:{genes}")
    assert run("corpus", "build", "-o", tmp_path / "out", *sources) == 0
    said = capsys.readouterr().out
    assert "brings 3 molecules" in said
    assert "brings 1 molecule" in said
    corpus = read_corpus(tmp_path / "out")
    assert corpus.smiles == ["CCO", "c1ccccc1O", "CCN", "CCC"]
    assert corpus.modalities["cp"].rows.tolist() == [0, 1, 2]
    assert corpus.modalities["ge"].rows.tolist() == [1, 3]
    assert run("corpus", "build", "-o", tmp_path / "x") == 2
    assert "--molecules, --from or --profiles is needed" in capsys.readouterr().err
    (tmp_path / "n.csv").write_text("mol_id,f\nm0,1\n")
    assert (
        run("corpus", "build", "-o", tmp_path / "x", "--profiles", f"cp:morphology:{tmp_path / 'n.csv'}") == 2
    )
    assert "no table of profiles has a column of SMILES" in capsys.readouterr().err


def test_add_modalities_and_rows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cells, genes = _group(tmp_path)
    out = tmp_path / "out"
    assert run("corpus", "build", "-o", out, "--profiles", f"cp:morphology:{cells}") == 0
    before = read_corpus(out)
    assert run("corpus", "add", out, "--profiles", f"ge:expression:{genes}") == 0
    plate = pd.DataFrame({"SMILES": ["CCCC", "OCC"], "Cells_b": [7.0, 8.0], "Cells_c": [9.0, 1.0]})
    plate.to_csv(tmp_path / "c.csv", index=False)
    assert run("corpus", "add", out, "--profiles", f"cp:morphology:{tmp_path / 'c.csv'}") == 0
    after = read_corpus(out)
    assert after.molecules["mol_id"][:3].tolist() == before.molecules["mol_id"].tolist()
    assert after.smiles == ["CCO", "c1ccccc1O", "CCN", "CCC", "CCCC"]
    assert list(after.modalities) == ["cp", "ge"]
    modality = after.modalities["cp"]
    assert modality.columns == ("Cells_a", "Cells_b", "Cells_c")
    nan = np.nan
    assert modality.rows.tolist() == [0, 1, 2, 0, 4]
    expected = np.array([[1, 4, nan], [2, 5, nan], [3, 6, nan], [nan, 8, 1], [nan, 7, 9]], np.float32)
    np.testing.assert_array_equal(modality.values, expected)
    assert any("brings 3 molecules" in note for note in load_manifest(out).history)
    # into another place, and without the molecules that are not there
    added = ("corpus", "add", out, "-o", tmp_path / "two", "--no-new-molecules")
    assert run(*added, "--profiles", f"more:morphology:{tmp_path / 'c.csv'}") == 0
    assert list(read_corpus(out).modalities) == ["cp", "ge"]
    assert list(read_corpus(tmp_path / "two").modalities) == ["cp", "ge", "more"]
    assert run("corpus", "add", out) == 2
    assert "nothing to add" in capsys.readouterr().err


def test_add_refuses_what_is_not_the_same(tables: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert build(tables, tables / "out") == 0
    assert run("corpus", "add", tables / "out", "--profiles", f"cp:expression:{tables / 'plates.csv'}") == 2
    assert "is of kind morphology of molecules" in capsys.readouterr().err
    assert (
        run("corpus", "add", tables / "out", "--relation", f"targets:molecule:gene:{tables / 'targets.csv'}")
        == 2
    )
    assert "two tables are called 'targets'" in capsys.readouterr().err
    assert list(read_corpus(tables / "out").modalities) == ["cp"]


@pytest.mark.parametrize("named", [True, False])
def test_metadata_by_key(tables: Path, named: bool) -> None:
    (tables / "sig.txt").write_text("sig_id\tpert_id\ns1\tm0\ns2\tm2\ns3\tDMSO\n")
    (tables / "e.gct").write_text("#1.2\n1\t3\nName\tDescription\ts2\ts3\ts1\nTP53\tx\t1\t2\t3\n")
    metadata = f"ge:{tables / 'sig.txt'}" if named else tables / "sig.txt"
    source = ("--molecules", tables / "molecules.csv", "--profiles", f"ge:expression:{tables / 'e.gct'}")
    assert run("corpus", "build", "-o", tables / "out", *source, "--metadata", metadata) == 0
    modality = read_corpus(tables / "out").modalities["ge"]
    assert modality.rows.tolist() == [0, 2]
    assert modality.values.ravel().tolist() == [3, 1]


def test_contradictions(tables: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tables / "plates.csv").write_text("id,smiles,Cells_a\nm0,OCC,1\nm1,CCN,2\nm2,c1ccccc1O,3\n")
    assert build(tables, tables / "out") == 2
    assert (
        "structure and id contradict each other in 2 of 3 rows: row 2: CCN, but m1" in capsys.readouterr().err
    )
    assert build(tables, tables / "out", "--contradictions", "leave-out") == 0
    assert read_corpus(tables / "out").modalities["cp"].rows.tolist() == [0]
    assert build(tables, tables / "out", "--force", "--join", "smiles") == 0
    assert read_corpus(tables / "out").modalities["cp"].values.ravel().tolist() == [1, 3, 2]


@pytest.mark.parametrize("column", ["inchikey", "mol_id"])
def test_check_finds_contradictions_in_a_finished_corpus(
    tmp_path: Path, column: str, capsys: pytest.CaptureFixture[str]
) -> None:
    from cytomol.corpus.structures import key_of

    smiles = ["CCO", "CCN", "CCC"]
    keys = [key_of(text) for text in ("CCN", "CCC", "CCO")]
    pd.DataFrame({"mol_id": ["a", "b", "c"], "smiles": smiles} | {column: keys}).to_csv(
        tmp_path / "molecules.csv", index=False
    )
    assert run("corpus", "check", tmp_path) == 1
    assert "the InChIKey contradicts the SMILES in 3 of 3 rows: row 1" in capsys.readouterr().out


def test_check_finds_contradictions_in_modalities_and_in_profile_files(
    tables: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tables / "modalities").mkdir()
    text = "mol_id,Metadata_SMILES,f\nm0,OCC,1\nm1,CCCl,2\nm2,CCN,3\n"
    (tables / "modalities" / "morphology_a.csv").write_text(text)
    assert run("corpus", "check", tables) == 1
    assert "contradict each other in 1 of 3 rows: row 2: CCCl, but m1 is c1ccccc1O" in capsys.readouterr().out
    (tables / "p.csv").write_text("compound,SMILES,f\n1,CCO,1\n1,CCN,2\n2,CCC,3\n")
    assert run("corpus", "check", tables / "p.csv") == 1
    assert "1 id stands beside different structures (1 row): 1 is CCO in row 1" in capsys.readouterr().out


def test_tables_as_libraries_are_published(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A repeated id with one structure, rows without id, structures as InChI alone."""
    (tmp_path / "m.tsv").write_text(
        "broad_sample\tpert_iname\tInChI\n"
        "B1\tethanol\tInChI=1S/C2H6O/c1-2-3/h3H,2H2,1H3\n"
        "B2\tethanamine\tInChI=1S/C2H7N/c1-2-3/h2-3H2,1H3\n"
        "B1\tethanol\tInChI=1S/C2H6O/c1-2-3/h3H,2H2,1H3\n"
        "NA\tDMSO\tInChI=1S/C2H6OS/c1-4(2)3/h1-2H3\n"
        "\tempty\t\n"
    )
    (tmp_path / "p.csv").write_text("Metadata_broad_sample,f\nB1,1\nNA,2\nB2,3\n")
    source = ("--molecules", tmp_path / "m.tsv", "--profiles", f"cp:morphology:{tmp_path / 'p.csv'}")
    assert run("corpus", "build", "-o", tmp_path / "out", *source) == 0
    said = capsys.readouterr().out
    assert (
        "2 rows have no id (DMSO, empty): 1 is called by its InChIKey; 1 without structure was left out"
        in said
    )
    assert "1 row repeats an id with its structure and was left out: B1" in said
    corpus = read_corpus(tmp_path / "out")
    assert corpus.molecules["mol_id"].tolist() == ["B1", "B2", "IAZDPXIOMUYVGZ-UHFFFAOYSA-N"]
    assert corpus.modalities["cp"].rows.tolist() == [0, 1]
    text = (tmp_path / "m.tsv").read_text().replace("B2", "B1")
    (tmp_path / "m.tsv").write_text(text)
    assert run("corpus", "build", "-o", tmp_path / "x", *source) == 2
    assert "mol_id 'B1' stands twice" in capsys.readouterr().err
