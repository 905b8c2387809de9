"""The benchmarks read the package as anybody may: what its modules offer, and nothing that is private."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[3]
# of named tuples, and of torch, which has no other way to these
OTHERS = {"_asdict", "_fields", "_replace", "_schema"}


@cache
def offered(module: str) -> frozenset[str]:
    """Return the names that a module of the package lists, and the modules in it."""
    path = ROOT / "src" / module.replace(".", "/")
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    listed: set[str] = {part.stem for part in path.iterdir()} if path.is_dir() else set()
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            listed |= set(ast.literal_eval(node.value))
    return frozenset(listed)


def private(tree: ast.AST) -> Iterator[str]:
    """Yield what a file takes from the package that is not offered, and private attributes of others."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("cytomol."):
            yield from (f"{node.module}.{x.name}" for x in node.names if x.name not in offered(node.module))
        if isinstance(node, ast.Attribute) and node.attr.startswith("_") and not node.attr.startswith("__"):
            own = isinstance(node.value, ast.Name) and node.value.id in {"self", "cls"}
            if not own and node.attr not in OTHERS:
                yield ast.unparse(node)


def test_the_benchmarks_read_what_is_public() -> None:
    files = sorted((ROOT / "benchmarks").rglob("*.py"))
    found = {str(path.relative_to(ROOT)): list(private(ast.parse(path.read_text("utf-8")))) for path in files}
    assert len(found) > 50
    assert {name: taken for name, taken in found.items() if taken} == {}


def test_what_is_private_is_found() -> None:
    text = "from cytomol.nn import linear, nothing\nfrom cytomol.nn.linear import FEWEST_ROWS, Linear\n"
    tree = ast.parse(text + "self._a\nx.y._b(1)\n")
    assert set(private(tree)) == {"cytomol.nn.nothing", "cytomol.nn.linear.FEWEST_ROWS", "x.y._b"}
