"""The published benchmark sets: what they hold, where they come from, and their checksums."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["PUBLISHED", "PublishedFile", "PublishedSet"]


@dataclass(frozen=True)
class PublishedFile:
    """A file of a set.

    Attributes
    ----------
    name, size, sha256
        Its name, its bytes, and their SHA-256.
    """

    name: str
    size: int
    sha256: str


@dataclass(frozen=True)
class PublishedSet:
    """A benchmark set.

    Attributes
    ----------
    molecules, tasks, metric
        What it holds.
    source
        Where the assays were first published; in another layout, and without these folds.
    files
        Its files in the layout that :func:`cytomol.evaluate.sets.load_set` reads.
    """

    molecules: int
    tasks: int
    metric: str
    source: str
    files: tuple[PublishedFile, ...]


_INFOALIGN = "https://raw.githubusercontent.com/liugangcode/InfoAlign/main/raw_data/{}/raw/assays.csv.gz"
_OGB = "http://snap.stanford.edu/ogb/data/graphproppred/csv_mol_download/{}.zip"

PUBLISHED = {
    "bbbp": PublishedSet(
        2039,
        1,
        "roc_auc",
        _OGB.format("bbbp"),
        (
            PublishedFile(
                "assays.csv.gz", 26673, "386df9d80d823e290e2d5fac82bd72eaf75e6336b97accd3945a32d1ac9cb3a5"
            ),
            PublishedFile(
                "card.json", 219, "52dd1d0b90afcdca8ff54c89b948860ed066b74f517b062ac608e91ec6cc2bde"
            ),
            PublishedFile(
                "split.csv.gz", 4942, "c154b5c9aca814363504a13756109720ac199f181f4a6a22072821fe82d5a27f"
            ),
        ),
    ),
    "bace": PublishedSet(
        1513,
        1,
        "roc_auc",
        _OGB.format("bace"),
        (
            PublishedFile(
                "assays.csv.gz", 12815, "7da044d16b199ad58db7711ba9b0cbfbda2314595689781497e6506059866861"
            ),
            PublishedFile(
                "card.json", 219, "ad15fbf5b920ea9436b25e6376414e49aa49f6534c575924462ff0494f7e535a"
            ),
            PublishedFile(
                "split.csv.gz", 3603, "1fcdce0f341475b3dd9a3a6bfb257f983d48cf42b31184404cb858ba8a5cdf00"
            ),
        ),
    ),
    "hiv": PublishedSet(
        41127,
        1,
        "roc_auc",
        _OGB.format("hiv"),
        (
            PublishedFile(
                "assays.csv.gz", 406448, "aa4d4f015ba3bb18707375f800fb9eabf65dc0e62a3cad8bf5138d96176069d5"
            ),
            PublishedFile(
                "card.json", 219, "5fdf2616fc162ee48c7112d86986d29590920875724bf5f38d6db86225216980"
            ),
            PublishedFile(
                "split.csv.gz", 101321, "dbfced40dabeb36894c0f3d02b9aeba1786502d7b47fe515842c206dda0bcd9a"
            ),
        ),
    ),
    "clintox": PublishedSet(
        1477,
        2,
        "roc_auc",
        _OGB.format("clintox"),
        (
            PublishedFile(
                "assays.csv.gz", 19475, "6786cb5674b3d92542d3f881c4cc98d5a0826e9015154ee3e0d7725fb630e309"
            ),
            PublishedFile(
                "card.json", 222, "8785c79da67f260d640b43d758ea247f1cef8084788a4c89e2748010e9263875"
            ),
            PublishedFile(
                "split.csv.gz", 3531, "cd7f736e81df8fc45178d6928cc56a7c3dc7463a37d272512341d2771c88bad8"
            ),
        ),
    ),
    "sider": PublishedSet(
        1427,
        27,
        "roc_auc",
        _OGB.format("sider"),
        (
            PublishedFile(
                "assays.csv.gz", 34687, "e804758dfbcdccf411aef29bcc5ad18271eb31378fc3f5980cbbd6754efad95b"
            ),
            PublishedFile(
                "card.json", 221, "fa9bd8c75f2c6f715986885021afbb4c7c8716d7ac3ce00e1de6ec9a8e8ca155"
            ),
            PublishedFile(
                "split.csv.gz", 3367, "97ca35bb5b1e40af1a40db65df92a26739cdaba25a07c00aea00a839642ba46a"
            ),
        ),
    ),
    "chembl2k": PublishedSet(
        2355,
        41,
        "roc_auc",
        _INFOALIGN.format("chembl2k"),
        (
            PublishedFile(
                "assays.csv.gz", 38388, "486cd21a233e29182afe1c56293dd7ada1bd234f1f647ef83d27f5b5638bc61e"
            ),
            PublishedFile(
                "card.json", 241, "9a2975daff45be1902784720a3619fa8b2c84c24612806584e2ce0d87b94afd9"
            ),
            PublishedFile(
                "split.csv.gz", 6065, "03260e062b66ecd0a81531093b300271c648c93fc067183dcf0b1b3df0a80557"
            ),
        ),
    ),
    "broad6k": PublishedSet(
        6567,
        32,
        "roc_auc",
        _INFOALIGN.format("broad6k"),
        (
            PublishedFile(
                "assays.csv.gz", 110861, "dbc2517cb66383f05647a0e87364f9b2deff9205f5953bb732bfe51810c8949e"
            ),
            PublishedFile(
                "card.json", 240, "47b3305ec4becf8217b59249d6c611e910e3e509e9f5d118d8ee104dd567301b"
            ),
            PublishedFile(
                "split.csv.gz", 17145, "05a506741ca99be893974f64ddd2c778bd9cebdd9efadc0419a01e1a703c11ad"
            ),
        ),
    ),
    "toxcast": PublishedSet(
        8576,
        617,
        "roc_auc",
        _INFOALIGN.format("moltoxcast"),
        (
            PublishedFile(
                "assays.csv.gz", 344015, "bdc722c495f6bceabb61e43f29bcd6412c7d2ef95d4f2eff276b3d91daa44958"
            ),
            PublishedFile(
                "card.json", 224, "ff71730f5e80241b7936ee77589f3c84a6da605291b51464d2761d4797ea8cc4"
            ),
            PublishedFile(
                "split.csv.gz", 21462, "5e4dedf3a4072b2f90fd89acf247455e6935f33d89f944e2c1d2076aaabd1879"
            ),
            PublishedFile(
                "split_infoalign.csv.gz",
                22296,
                "11c4b932e09ca5b5d21b0b469590fc8617388f3f155df773b7da5d71a2db89e6",
            ),
        ),
    ),
    "biogenadme": PublishedSet(
        3521,
        6,
        "mae",
        _INFOALIGN.format("biogenadme"),
        (
            PublishedFile(
                "assays.csv.gz", 105261, "f000535f19aa115d83fdd7bf05c4794bd6342d4954b2b7ea538f03b9fbdd5a31"
            ),
            PublishedFile(
                "card.json", 234, "07d511a0a8f56e179cdb8704927b68919ec20b61dc308de0d6cb884ff5fde3eb"
            ),
            PublishedFile(
                "split.csv.gz", 9145, "28432aff61d3429bc370761b31105ba50ff43ab200496d822c3e39401c1a2920"
            ),
        ),
    ),
}
"""By name."""
