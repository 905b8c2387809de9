"""Fuzz: configuration files and options. A configuration, or one error that says what is wrong."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import click
from hypothesis import strategies as st
from tests.fuzz.driver import Driver
from tests.fuzz.inputs import damaged, texts

from cytomol.cli.main import cli
from cytomol.cli.options import assignments
from cytomol.config import Config, read_options
from cytomol.errors import CytomolError
from cytomol.methods.config import configs
from cytomol.predict.config import FinetuneConfig
from cytomol.training import pretrain  # noqa: F401 - the first case should not wait for torch

MODELS: dict[str, type[Config]] = {**{name: configs[name] for name in configs}, "finetune": FinetuneConfig}
NAMES = sorted({name for model in MODELS.values() for name in model.model_fields})
YAML = [
    b"epochs: 3\nviews: [1d, 2d]\nlearning_rate: 1e-3\n",
    b"a: &x [1, 2]\nb: *x\n<<: {epochs: 1}\n",
    b"1: 2\n2020-13-41: 1\n? [a]\n: b\n",
    b"epochs: !!python/object/apply:os.system ['true']\n",
    b"epochs: !!int '0x'\nseed: 1_0:90\nwidth: .inf\n",
    b"a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\nepochs: *c\n",
    b"- epochs\n",
    b"epochs: " + b"9" * 5000,
    b"epochs: " + b"[" * 800 + b"]" * 800,
    b"%YAML 9.9\n---\nepochs: 1\n...\n---\nepochs: 2\n",
    b"a: &a [x,x,x,x,x]\n"
    + b"".join(b"%c: &%c [*%c,*%c,*%c,*%c]\n" % (c + 1, c + 1, c, c, c, c) for c in range(97, 115)),
    b"a: &a [x]\nepochs: &b [*b, *b]\n",
    b"epochs: 2020-99-99\nseed: 99999-01-01 25:61:61\n",
]
TOML = [
    b'epochs = 3\nviews = ["1d", "2d"]\nlearning_rate = 1e-3\n',
    b"[method]\nepochs = 1\n[[x]]\ny = 1\n",
    b"epochs = " + b"9" * 5000,
    b"epochs = " + b"[" * 800 + b"]" * 800,
    b"a" + b".a" * 900 + b" = 1\n",
    b"seed = 2020-13-41\nwidth = inf\ndropout = nan\n",
]
JSON = [
    b'{"epochs": 3, "views": ["1d"], "learning_rate": 0.001}',
    b'{"epochs": ' + b"9" * 5000 + b"}",
    b'{"epochs": ' + b"[" * 20_000 + b"]" * 20_000 + b"}",
    b'{"epochs": NaN, "width": Infinity, "seed": 1e999, "\\ud800": 1}',
    b'{"config": {"epochs": 1}}',
]

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    texts(),
    st.integers(-(10**400), 10**400),
    st.binary(),
)
values = st.one_of(
    scalars,
    st.recursive(
        scalars, lambda v: st.lists(v, max_size=3) | st.dictionaries(texts(), v, max_size=2), max_leaves=4
    ),
)
names = st.one_of(st.sampled_from(NAMES), texts())
files = st.one_of(
    *(
        st.tuples(st.just(suffix), st.one_of(*(st.just(t) | damaged(t, at_most=6) for t in examples)))
        for suffix, examples in ((".yaml", YAML), (".toml", TOML), (".json", JSON))
    ),
    st.tuples(st.sampled_from([".yml", ".json", ".toml", ".txt"]), st.binary(max_size=60)),
)
tables = st.tuples(
    st.just("table"),
    st.dictionaries(st.one_of(names, names, names, scalars), values, max_size=4),
)
sets = st.tuples(
    st.just("set"),
    st.lists(st.builds("{}{}{}".format, names, st.sampled_from(["=", "", "=="]), texts()), max_size=3),
)
words = st.tuples(
    st.just("words"),
    st.lists(
        st.builds(lambda n, v: [f"--{n.replace('_', '-')}", v], names, texts() | scalars.map(str)), max_size=3
    ).map(lambda pairs: [word for pair in pairs for word in pair]),
)


def case(value: tuple[str, Any], folder: Path) -> None:
    kind, content = value
    if kind == "set":
        assignments(content, MODELS)
    elif kind == "table":
        for model in MODELS.values():
            said(model, content)
    elif kind == "words":
        arguments = ["pretrain", str(folder / "absent"), "-o", str(folder / "out"), *content]
        with contextlib.suppress(click.Abort, click.exceptions.Exit):
            cli.main(args=arguments, prog_name="cytomol", standalone_mode=False)
        assert not (folder / "out").exists()
    else:
        path = folder / f"options{kind}"
        path.write_bytes(content)
        options = read_options(path)
        for model in MODELS.values():
            said(model, options)


def said(model: type[Config], options: dict[str, Any]) -> None:
    """Build a configuration; what it says of itself, or its message, can be written."""
    try:
        built = model.build(options)
    except CytomolError as error:
        message = str(error)
    else:
        assert model.build(json.loads(built.to_json())).to_json() == built.to_json()
        return
    message.encode()
    assert len(message) < 20_000


DRIVER = Driver("configuration", st.one_of(files, files, tables, sets, words), case)


def test_configuration() -> None:
    DRIVER.check()
