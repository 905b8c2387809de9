"""Evidence: the nearest training molecules by brute force, what was measured of them, and saving."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import safetensors.numpy

from cytomol.errors import InputError, ModelDirectoryError
from cytomol.predict.evidence import Evidence, evidence_columns
from cytomol.predict.texts import Texts

NAN = np.nan


def bits(n: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.packbits(rng.random((n, 2048)) < rng.uniform(0.05, 0.3, (n, 1)), axis=1)


def brute(asked: np.ndarray, train: np.ndarray) -> np.ndarray:
    left, right = (np.unpackbits(x, axis=1).astype(int) for x in (asked, train))
    common = left @ right.T
    return common / (left.sum(1)[:, None] + right.sum(1)[None] - common)


def evidence(n: int = 40, **more: object) -> Evidence:
    measured = np.random.default_rng(0).normal(size=(n, 2))
    measured[::3, 0] = NAN
    measured[:, 1] = np.arange(n) % 2
    return Evidence.fit(
        [f"{'C' * (row + 1)}" for row in range(n)], measured, bits(n, 0), ids=[f"mol-{r}" for r in range(n)],
        **more,
    )  # fmt: skip


def test_the_nearest_are_those_of_brute_force() -> None:
    kept, asked = evidence(), bits(15, 1)
    asked[3] = 0
    near = kept.nearest(asked, 4)
    similarity = brute(np.delete(asked, 3, axis=0), kept.fingerprints)
    order = np.argsort(-similarity, axis=1, kind="stable")[:, :4]
    rows = np.delete(np.arange(15), 3)
    np.testing.assert_array_equal(near.rows[rows], order)
    np.testing.assert_allclose(near.similarity[rows], np.take_along_axis(similarity, order, 1), rtol=1e-6)
    assert near.ids[0] == [f"mol-{row}" for row in order[0]]
    np.testing.assert_array_equal(near.measured[rows], kept.measured[order])
    assert near.ids[3] == [None] * 4
    assert np.isnan(near.similarity[3]).all()
    assert np.isnan(near.measured[3]).all()


def test_the_table_has_the_nearest_measured_value_of_each_task() -> None:
    kept, asked = evidence(), bits(15, 1)
    asked[3] = 0
    near = kept.nearest(asked)
    frame = near.frame(["value", "active"], {"active": ["no", "yes"]})
    assert frame.columns.tolist() == evidence_columns(["value", "active"])
    skipped = 0
    for row in range(15):
        if row == 3:
            assert frame.loc[row].isna().all()
            continue
        first = near.rows[row, 0]
        assert frame.loc[row, "nearest_id"] == f"mol-{first}"
        assert frame.loc[row, "nearest_smiles"] == "C" * (first + 1)
        assert frame.loc[row, "nearest_similarity"] == near.similarity[row, 0]
        with_value = [one for one in near.rows[row] if one % 3]
        assert frame.loc[row, "value_nearest"] == kept.measured[with_value[0], 0]
        assert frame.loc[row, "active_nearest"] == ["no", "yes"][first % 2]
        skipped += with_value[0] != first
    assert skipped


def test_bounds_are_written_as_such() -> None:
    measured = np.array([[0.5], [10.0], [-250001.25], [NAN]])
    bounds = np.array([[-1], [1], [0], [0]], dtype=np.int8)
    kept = Evidence.fit(list("CNOS"), measured, bits(4, 0), bounds=bounds)
    frame = kept.nearest(kept.fingerprints, 1).frame(["ic50"])
    assert frame["ic50_nearest"].tolist() == ["<0.5", ">10", "-250001.25", None]
    assert frame["nearest_id"].tolist() == ["1", "2", "3", "4"]
    exact = Evidence.fit(list("CNOS"), measured, bits(4, 0)).nearest(kept.fingerprints, 1).frame(["ic50"])
    pd.testing.assert_series_equal(exact["ic50_nearest"], pd.Series(measured[:, 0], name="ic50_nearest"))


@pytest.mark.parametrize("shared", [True, False])
def test_it_is_the_same_after_a_round_trip(shared: bool) -> None:
    kept, asked = evidence(), bits(9, 1)
    arrays = safetensors.numpy.load(safetensors.numpy.save(kept.arrays(with_fingerprints=not shared)))
    assert ("evidence.fingerprints" in arrays) is not shared
    back = Evidence.restore(arrays, kept.fingerprints if shared else None)
    tasks = ["value", "active"]
    pd.testing.assert_frame_equal(back.nearest(asked).frame(tasks), kept.nearest(asked).frame(tasks))
    assert len(back) == 40


def test_molecules_without_a_fingerprint_are_left_out_with_their_values() -> None:
    packed = bits(5, 0)
    packed[2] = 0
    kept = Evidence.fit(list("ABCDE"), np.arange(5.0)[:, None], packed, ids=list("abcde"))
    assert [kept.ids[row] for row in range(4)] == ["a", "b", "d", "e"]
    assert kept.measured[:, 0].tolist() == [0, 1, 3, 4]
    assert kept.nearest(packed, 9).rows.shape == (5, 4)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(InputError, match="2 molecules, 2 ids"):
        Evidence.fit(["C", "N"], np.zeros((3, 1)), bits(3, 0))
    with pytest.raises(InputError, match="no training molecule"):
        Evidence.fit(["C"], np.zeros((1, 1)), np.zeros((1, 256), np.uint8))
    arrays = evidence().arrays()
    with pytest.raises(ModelDirectoryError, match=r"evidence.ids.bytes is missing"):
        Evidence.restore({key: array for key, array in arrays.items() if key != "evidence.ids.bytes"})
    with pytest.raises(ModelDirectoryError, match=r"should be of shape .rows, tasks. with rows = 39"):
        Evidence.restore(arrays, bits(39, 0))


def test_a_million_molecules_of_one_task_stay_small() -> None:
    kept = evidence()
    own = {name: array.nbytes / len(kept) for name, array in kept.arrays().items()}
    texts = sum(own.pop(name) for name in list(own) if name.endswith(".bytes"))
    assert sum(own.values()) < 256 + 2 * 9 + 2 * 8.5  # fingerprint, two tasks, two offsets
    assert texts < 40


def test_texts_keep_every_character() -> None:
    strings = ["", "CCO", "β-naphthol", "\U0001f9ea", "", "a\nb"]
    texts = Texts.of(strings)
    assert [texts[place] for place in range(len(texts))] == strings
    assert len(Texts.of([])) == 0
    assert Texts.of(["a\ud800b"])[0] == "a?b"
    back = Texts.restore("x", texts.arrays("x"))
    assert back[3] == strings[3]
