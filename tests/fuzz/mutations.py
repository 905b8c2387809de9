"""Small changes to source text, each of which some test should notice; `tests.fuzz.mutants` tries them.

A change is one operator, number, truth value, condition, returned value or statement. Texts, annotations,
decorators and messages of raised errors stay as they are: tests of their wording would be copies of them.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass

COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = dict(
    [
        *[(ast.Lt, ast.LtE), (ast.LtE, ast.Lt), (ast.Gt, ast.GtE), (ast.GtE, ast.Gt)],
        *[(ast.Eq, ast.NotEq), (ast.NotEq, ast.Eq), (ast.Is, ast.IsNot), (ast.IsNot, ast.Is)],
        *[(ast.In, ast.NotIn), (ast.NotIn, ast.In)],
    ]
)
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = dict(
    [
        *[(ast.Add, ast.Sub), (ast.Sub, ast.Add), (ast.Mult, ast.Div), (ast.Div, ast.Mult)],
        *[(ast.FloorDiv, ast.Mult), (ast.Mod, ast.Mult), (ast.Pow, ast.Mult), (ast.MatMult, ast.Mult)],
        *[(ast.BitOr, ast.BitAnd), (ast.BitAnd, ast.BitOr), (ast.BitXor, ast.BitOr)],
        *[(ast.LShift, ast.RShift), (ast.RShift, ast.LShift)],
    ]
)
UNTOUCHED = {"annotation", "returns", "decorator_list", "bases", "type_params"}
DEFENSIVE = {"strict", "stacklevel"}  # keywords that matter to whoever errs in calling


@dataclass(frozen=True)
class Mutation:
    """One change: bytes ``start`` to ``end`` of a source become ``text``.

    Attributes
    ----------
    line, column
        Where it is, from one and from zero as Python counts them.
    change
        For people: what becomes what.
    """

    line: int
    column: int
    change: str
    start: int
    end: int
    text: str

    def applied(self, source: str) -> str:
        """Return the source with the change."""
        raw = source.encode()
        return (raw[: self.start] + self.text.encode() + raw[self.end :]).decode()


def mutations(source: str) -> list[Mutation]:
    """Return every change of a source, in the order of the text."""
    raw = source.encode()
    starts = [0]
    for text in raw.splitlines(keepends=True):
        starts.append(starts[-1] + len(text))
    found = []
    for node, changed in _changes(ast.parse(source), inside=False):
        start = starts[node.lineno - 1] + node.col_offset
        end = starts[(node.end_lineno or 0) - 1] + (node.end_col_offset or 0)
        text = changed if isinstance(node, ast.stmt) else f"({changed})"
        told = f"{_short(raw[start:end].decode())} -> {_short(changed)}"
        found.append(Mutation(node.lineno, node.col_offset, told, start, end, text))
    return sorted(found, key=lambda one: (one.start, one.change))


def _short(text: str, length: int = 70) -> str:
    words = " ".join(text.split())
    return words if len(words) <= length else f"{words[: length - 3]}..."


Place = ast.expr | ast.stmt


def _changes(node: ast.AST, *, inside: bool) -> Iterator[tuple[Place, str]]:
    """Yield the changes of a node and what is below it; ``inside`` says whether that is in a function."""
    if isinstance(node, ast.JoinedStr | ast.Raise):
        if isinstance(node, ast.Raise):
            yield node, "pass"
        return
    if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
        return
    if isinstance(node, ast.keyword) and node.arg in DEFENSIVE:
        return
    for make in (_operator, _constant, _condition, _statement):
        for place, changed in make(node):
            if inside or not isinstance(node, ast.BinOp):  # outside, | joins types
                yield place, changed
    inside = inside or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
    for name, value in ast.iter_fields(node):
        if name in UNTOUCHED:
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from _changes(child, inside=inside)


def _with(node: ast.expr, alter: Callable[[ast.AST], None]) -> str:
    copy = ast.parse(ast.unparse(node), mode="eval").body
    alter(copy)
    return ast.unparse(copy)


def _operator(node: ast.AST) -> Iterator[tuple[Place, str]]:
    if isinstance(node, ast.Compare):
        for place, operator in enumerate(node.ops):
            other = COMPARISONS[type(operator)]()
            yield node, _with(node, lambda copy, at=place, op=other: copy.ops.__setitem__(at, op))
    elif isinstance(node, ast.BinOp) and type(node.op) in ARITHMETIC:
        yield node, _with(node, lambda copy: setattr(copy, "op", ARITHMETIC[type(node.op)]()))
    elif isinstance(node, ast.BoolOp):
        other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        yield node, _with(node, lambda copy: setattr(copy, "op", other))
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.USub | ast.Invert):
        yield node, ast.unparse(node.operand)


def _constant(node: ast.AST) -> Iterator[tuple[Place, str]]:
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield node, str(not node.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        yield node, str(node.value + 1)


def _condition(node: ast.AST) -> Iterator[tuple[Place, str]]:
    tests: list[ast.expr] = []
    if isinstance(node, ast.If | ast.While | ast.IfExp | ast.Assert):
        tests = [node.test]
    elif isinstance(node, ast.comprehension):
        tests = node.ifs
    for test in tests:
        if isinstance(test, ast.Name | ast.Attribute | ast.Call | ast.Subscript):
            yield test, f"not {ast.unparse(test)}"


def _statement(node: ast.AST) -> Iterator[tuple[Place, str]]:
    if isinstance(node, ast.Return) and node.value is not None and ast.unparse(node.value) != "None":
        yield node, "return None"
    elif isinstance(node, ast.AugAssign | ast.Continue | ast.Break) or (
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
    ):
        yield node, "pass"
