import math

import numpy as np
import pytest
from benchmarks.growth.__main__ import main
from benchmarks.growth.fit import fit
from benchmarks.growth.made_up import among_note
from benchmarks.growth.material import widened
from benchmarks.growth.page import main as write_page
from benchmarks.growth.phases import Phases
from benchmarks.growth.points import Point, Row, append, plan, read
from benchmarks.growth.series import WITHIN, series_of
from benchmarks.growth.study import Study, estimate
from benchmarks.growth.wholes import edge_times, whole_pretrainings

from cytomol.corpus.schema import Modality


def row(step, value, seconds, note=""):
    return Row(step, "molecules", value, seconds, 300.0, 100.0, note, "a machine")


@pytest.mark.parametrize("exponent", [0.5, 1.0, 2.0])
def test_the_fit_recovers_a_known_exponent(exponent):
    values = [10**4, 10**5, 10**6]
    found = fit(values, [3e-7 * v**exponent for v in values])
    assert found.exponent == pytest.approx(exponent)
    assert found.last == pytest.approx(exponent)
    assert found.faster == (exponent > 1.1)


def test_n_log_n_is_not_faster_than_n_log_n():
    values = [10**4, 10**5, 10**6]
    found = fit(values, [1e-7 * v * math.log(v) for v in values])
    assert found.exponent == pytest.approx(found.n_log_n)
    assert not found.faster


def test_a_cost_that_turns_steep_at_the_end_is_called_faster():
    assert fit([10**4, 10**5, 10**6], [1.0, 5.0, 500.0]).faster


def test_the_fit_takes_the_largest_three_points_above_the_fixed_costs():
    values = [1000, 10**4, 10**5, 10**6, 10**7]
    costs = [50.0, 50.0, *(1e-5 * v for v in values[2:])]
    found = fit(values[::-1], costs[::-1], above=1000)
    assert found.values == (10**5, 10**6, 10**7)
    assert found.exponent == pytest.approx(1)
    assert fit([1000, 10**4], [1.0, 2.0], above=1000) is None
    assert fit([10**4, 10**5], [0.01, 2.0], least=0.1) is None


def test_a_search_that_goes_over_to_an_index_is_two_series():
    rows = [
        row("neighbours", 10**4, 1, note="exact, all pairs"),
        row("neighbours_index", 10**5, 2, note="index, recall 1.000"),
        row("neighbours", 10**6, 3, note="index, recall 0.990"),
        row("neighbours", 10**7, 4, note=f"index, recall 0.990; {WITHIN}"),  # beside other work
    ]
    found = {one.label: one.values for one in series_of(rows, "molecules")}
    assert found == {"neighbours, exact": [10**4], "neighbours, index": [10**5, 10**6]}


def test_the_estimate_continues_the_slope_and_knows_the_index():
    rows = [row("context", 10**4, 1), row("context", 10**5, 100), row("context_index", 10**5, 20)]
    assert estimate(rows, Point("context", "molecules", 2 * 10**5)) == pytest.approx(400)
    assert estimate(rows, Point("context", "molecules", 10**6)) == pytest.approx(200)
    assert estimate(rows, Point("walks", "molecules", 10**6)) is None


def test_awidened_modality_keeps_likeness_and_gaps():
    values = np.random.default_rng(0).standard_normal((50, 6)).astype(np.float32)
    values[3, 2] = np.nan
    modality = Modality("morphology", "morphology", "molecule", np.arange(50), values, tuple("abcdef"))
    wide = widened(modality, 15).values
    assert wide.shape == (50, 15)
    assert np.isnan(wide).sum() == 3
    assert np.corrcoef(wide[4], values[4][np.arange(15) % 6])[0, 1] > 0.9


def test_the_table_is_read_as_it_was_appended(tmp_path):
    table = tmp_path / "new" / "growth.csv"
    rows = [row("walks", 300, 0.25, note="a, note"), row("walks", 3000, 2.5)]
    for one in rows:
        append(table, one)
    append(table, row("walks", 300, 0.125))
    assert read(table) == [row("walks", 300, 0.125), rows[1]]


def test_points_in_the_table_are_skipped(tmp_path, monkeypatch):
    table = tmp_path / "growth.csv"
    append(table, row("planted", 300, 1))
    ran = []
    monkeypatch.setattr(Study, "_measure", lambda self, point: ran.append(point.key))
    points = plan([300, 3000], ["planted"])
    Study(tmp_path, table, "a machine").run(points)
    assert ran == [("planted", "molecules", 3000)]
    Study(tmp_path, table, "a machine", again=True).run(points)
    assert len(ran) == 3


def test_what_would_take_too_long_is_left_out_with_all_that_needs_it(tmp_path, capsys):
    table = tmp_path / "growth.csv"
    append(table, row("planted", 300, 10))
    Study(tmp_path, table, "a machine", most=5).run(plan([3000], ["planted", "write"]))
    assert len(read(table)) == 1
    assert "planted molecules 3,000 is left out" in capsys.readouterr().err


def test_a_phase_inside_another_takes_its_own_time_and_memory(monkeypatch):
    clock, memory = iter(range(10)), iter([100.0, 300.0, 900.0, 200.0, 150.0])
    monkeypatch.setattr("benchmarks.growth.phases.time.perf_counter", lambda: float(next(clock)))
    monkeypatch.setattr("benchmarks.growth.phases.peak_mb", lambda: next(memory))
    monkeypatch.setattr("benchmarks.growth.phases.forget_peak", lambda: None)
    phases = Phases(_since=float(next(clock)))
    inner = phases.timed("context", lambda: "a graph")
    assert phases.timed("prepare", inner)() == "a graph"
    assert phases.peaks == {"rest": 100.0, "prepare": 300.0, "context": 900.0}
    assert phases.seconds == {"rest": 1.0, "prepare": 2.0, "context": 1.0}
    assert phases.peak_mb == 900.0
    phases.held += [1234.4, 1235.6]
    note = phases.text()
    assert note.endswith("; context 1 s 900 MB; after each epoch of 1,024 molecules 1,234, 1,236 MB")
    page = "".join(whole_pretrainings([row("pretrain_chmr", 10**6, 60, note)]))
    assert "| | rest | prepare | context |" in page
    assert "| MB | 100 | 300 | 900 |" in page
    assert "Held after each epoch of 1,024 molecules 1,234, 1,236 MB." in page


def test_the_time_of_an_edge_has_two_parts():
    rows = [row(f"propagation_{way}", 10**4, 1, among_note((1.3, 2.5))) for way in ("far", "near")]
    assert "| 10,000 | 1.3 | 2.5 | 1.3 | 2.5 |" in "".join(edge_times(rows))
    assert edge_times(rows[:1]) == []


def test_two_steps_run_resume_and_make_a_page(tmp_path):
    table, text = tmp_path / "growth.csv", tmp_path / "docs" / "growth.md"
    options = ["--work", str(tmp_path / "work"), "-o", str(table), "--threads", "1"]
    arguments = ["--sizes", "200", "--only", "planted", "neighbours", "--axes", "molecules", *options]
    main(arguments)
    rows = {one.step: one for one in read(table)}
    assert set(rows) == {"planted", "features", "neighbours"}  # features are what neighbours need
    assert rows["neighbours"].note == "exact, all pairs"
    assert all(one.seconds > 0 and one.peak_mb >= one.base_mb > 0 for one in rows.values())
    before = table.read_text()
    main(arguments)
    assert table.read_text() == before
    pytest.importorskip("matplotlib")
    write_page(["--rows", str(table), "-o", str(text)])
    assert "| planted, InChIKeys |" in text.read_text()
    assert (tmp_path / "docs" / "figures" / "growth-seconds.svg").stat().st_size > 1000
