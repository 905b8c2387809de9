"""The verb sign: say whose a model directory is."""

from __future__ import annotations

import click

from cytomol.cli.examples import examples

__all__ = ["command"]


@click.command(
    name="sign",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=examples("cytomol sign model --key signing.pem --new-key"),
)
@click.argument("model", metavar="DIR")
@click.option("--key", required=True, metavar="FILE", help="Private key: Ed25519, in PEM.")
@click.option("--new-key", is_flag=True, help="Make the key first: FILE, and FILE.pub for those who verify.")
@click.option("--force", is_flag=True, help="Replace an earlier signature.")
def command(*, model: str, key: str, new_key: bool, force: bool) -> None:
    """Sign the model directory DIR, so that others can tell that it is yours as you made it.

    Writes manifest.sig into DIR: the signature of its manifest, which holds the hash of every file. Verbs
    that open a model take --verify-key with the public key, and refuse a model that it has not signed.
    openssl makes keys as well: openssl genpkey -algorithm ed25519 -out FILE, then openssl pkey -in FILE
    -pubout -out FILE.pub. Where the key has a password, it stands in the variable CYTOMOL_KEY_PASSWORD.
    """
    from cytomol.artifact import signature
    from cytomol.artifact.directory import verify
    from cytomol.artifact.shipped import is_shipped, model_place
    from cytomol.errors import ConfigError
    from cytomol.files import SIGNATURE, check_output

    place = model_place(model)
    if is_shipped(place):
        raise ConfigError(
            "comes with cytomol and is as trusted as its code", where=model, hint="sign your own"
        )
    verify(place)
    check_output(place / SIGNATURE, force=force)
    if new_key:
        private, public = signature.new_key(key)
        click.echo(f"private key: {private}; public key: {public}", err=True)
    click.echo(f"signature: {signature.sign_manifest(place, key, force=force)}", err=True)
