"""Strategies that the drivers share: texts of all kinds, and damaged copies of valid files."""

from __future__ import annotations

from hypothesis import strategies as st

SMILES = [
    "CCO", "c1ccccc1", "C[C@H](N)C(=O)O", "[Na+].[Cl-]", "CC(=O)Oc1ccccc1C(=O)O", "[2H]O[2H]", "C1CC1",
    "O=C([O-])c1ccccc1.[K+]", "[U]", "C#N", "F/C=C/F", "[CH3:1][OH:2]", "N1C=CN=C1", "OB(O)c1ccccc1",
]  # fmt: skip

PIECES = [
    b"\0", b"\r", b"\n", b"\r\n", b"\n\n", b'"', b'""', b'"\n', b",", b"\t", b";", b" ", b"$$$$\n", b"$$$$",
    b"M  END\n", b"> <a>\n", b"\xff", b"\xfe\xff", b"\xff\xfe", b"\xef\xbb\xbf", b"\xe2\x80\xa8", b"\xc2\x85",
    b"\x0b", b"\x0c", b"\x1c", b"\x1a", b"nan", b"NaN", b"inf", b"-1", b"1e999", b"999999999999999999999",
    b"[", b"]", b"{", b"}", b"(", b")", b"=", b"'", b"#", b"\\", b"\\N", b"%", b"&", b"*", b"!", b":", b"- ",
    b"null", b"true", b"../", b"/", b"~", b"smiles", b"id", b"PAR1", b"PK\x03\x04", b"\x1f\x8b",
    b"\xed\xa0\x80",
]  # fmt: skip


@st.composite
def damaged(draw: st.DrawFn, data: bytes, *, at_most: int = 4, pieces: list[bytes] = PIECES) -> bytes:
    """Return ``data`` with some places cut, doubled, swapped, zeroed or filled with trouble."""
    for _ in range(draw(st.integers(0, at_most))):
        size = len(data)
        a = draw(st.integers(0, size))
        b = min(size, a + draw(st.sampled_from([0, 1, 1, 2, 5, 20, 200])))
        match draw(st.integers(0, 7)):
            case 0:
                data = data[:a] + data[b:]
            case 1:
                data = data[:b] + data[a:]
            case 2:
                data = data[:a]
            case 3:
                data = data[:a] + draw(st.sampled_from(pieces)) + data[b:]
            case 4:
                data = data[:a] + draw(st.binary(min_size=1, max_size=6)) + data[b:]
            case 5:
                data = data[:a] + bytes(b - a) + data[b:]
            case 6:
                data = data[:a] + draw(st.sampled_from(pieces)) + data[a:]
            case _:
                data = data[:a] + data[a:b].swapcase() + data[b:]
    return data


def texts(size: int = 12) -> st.SearchStrategy[str]:
    """Return texts of any characters, often of those that separate and end things."""
    trouble = st.sampled_from([piece.decode("utf-8", "ignore") for piece in PIECES])
    return st.one_of(
        st.text(max_size=size), st.lists(trouble, max_size=3).map("".join), st.sampled_from(SMILES)
    )


def smiles() -> st.SearchStrategy[str]:
    """Return SMILES, broken SMILES, and text that is none."""
    letters = st.text("CNOPSFclnos()[]=#@+-1234567890%.:/\\HBrI*$~&>", max_size=40)
    one = st.sampled_from(SMILES)
    joined = st.lists(one, min_size=1, max_size=4).map(".".join)
    broken = one.flatmap(lambda s: damaged(s.encode())).map(lambda b: b.decode("utf-8", "replace"))
    return st.one_of(one, broken, letters, joined, texts())
