"""The verb serve: models answer over HTTP."""

from __future__ import annotations

import click

from cytomol.cli.examples import examples
from cytomol.cli.serve_options import limit_options
from cytomol.cli.verify_key_option import verify_key_option

__all__ = ["command"]


@click.command(
    name="serve",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=examples("cytomol serve model --port 8000"),
)
@click.argument("models", metavar="[NAME=]DIR...", nargs=-1, required=True)
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Where it listens. Anything but this machine alone needs a token.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8000,
    show_default=True,
    help="Port; 0 takes a free one, which the log names.",
)
@click.option(
    "--token-file",
    metavar="FILE",
    help="File with the token that requests must bear.  [default: the variable CYTOMOL_TOKEN, if set]",
)
@click.option(
    "--workers",
    type=click.IntRange(0),
    metavar="N",
    help="Processes that read molecules, beside the one that answers; 0 for none.  [default: one for each "
    "processor]",
)
@limit_options
@verify_key_option
def command(
    models: tuple[str, ...],
    *,
    host: str,
    port: int,
    token_file: str | None,
    workers: int | None,
    **limits: float,
) -> None:
    """Answer HTTP requests with the models in one or several directories.

    A model is called by the name of its directory, or by NAME. Requests are POST /v1/predict, /v1/embed,
    /v1/match, /v1/impute and /v1/explain with a body of JSON; GET /v1/models says what each model can be
    asked, and /openapi.json describes everything. Every molecule is answered in its place. Requests that come
    at the same time are answered together. GET /healthz, /readyz and /metrics are for those who watch it; the
    log, a JSON object a line on standard error, holds no molecule. SIGTERM or Ctrl-C ends it, once what was
    begun is answered.

    \b
    curl -s http://127.0.0.1:8000/v1/predict -H 'Content-Type: application/json' \\
        -d '{"molecules": ["CC(=O)Oc1ccccc1C(=O)O"]}'
    """  # noqa: D301 (click wants the backspace)
    from cytomol.serve.access import read_token
    from cytomol.serve.run_service import require_token
    from cytomol.serve.service_limits import ServiceLimits

    bounds = ServiceLimits.build(limits)
    token = read_token(token_file)
    require_token(host, token)

    from cytomol.nn.allocator import keep_few_kernels

    keep_few_kernels()
    import torch

    from cytomol.processes import default_workers
    from cytomol.serve.feature_pool import FeaturePool
    from cytomol.serve.run_service import run_service, warm_up
    from cytomol.serve.served_models import ServedModels
    from cytomol.serve.service_app import create_service

    torch.set_num_threads(1)  # what is multiplied is small, and rounds as alone however many ask
    served = ServedModels.load(models, atoms=bounds.atoms)
    for model in served.values():
        click.echo(f"{model.name}: a {model.kind} that can {', '.join(model.verbs) or 'nothing'}", err=True)
    with FeaturePool(default_workers() if workers is None else workers) as pool:
        warm_up(served, pool)
        app = create_service(served, bounds, token=token, pool=pool)
        run_service(app, host=host, port=port, limits=bounds)
