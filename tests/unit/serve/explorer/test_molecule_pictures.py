"""Pictures of molecules."""

from __future__ import annotations

import pytest

from cytomol.errors import InputError
from cytomol.serve.explorer.molecule_pictures import draw_molecule


def test_a_picture_has_its_size_and_no_background() -> None:
    picture = draw_molecule("c1ccccc1O", width=300, height=200)
    assert "width='300px' height='200px'" in picture
    assert "<rect" not in picture


def test_a_dark_picture_has_no_black_bonds() -> None:
    assert "#000000" in draw_molecule("CCO")
    assert "#000000" not in draw_molecule("CCO", dark=True)


def test_no_molecule_no_picture() -> None:
    with pytest.raises(InputError, match="ring"):
        draw_molecule("C1CC")
